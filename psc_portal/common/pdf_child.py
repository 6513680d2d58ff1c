"""The process that turns one HTML document into one PDF and ends; started by `common/pdf.py`, never imported.

It reads a job from stdin and writes one PDF to an open file. On stdout it says how far it is, one JSON object a line.
It may fetch nothing but files of the asset folder and small `data:` pictures, and its memory and processor time are
limited before any foreign code is loaded, so a runaway document ends this process only. It also looks into other
people's PDFs.
"""

import base64
import ctypes
import errno
import gc
import io
import json
import logging
import mimetypes
import os
import resource
import signal
import sys
import time
from pathlib import Path

DATA_URL_LIMIT = 2_000_000  # characters, about 1.5 MB of picture
FILE_LIMIT = 200_000_000  # bytes of PDF
DISK_FULL = {errno.EFBIG, errno.ENOSPC, errno.EDQUOT}
PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
COVER_WIDTH = 480  # dots
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # for characters that no font has; DejaVu Sans has this one


def say(**words):
    print(json.dumps(words), flush=True)


def limit(*, memory_bytes, seconds):
    for what, soft, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_CPU, seconds, seconds + 5),
        (resource.RLIMIT_FSIZE, FILE_LIMIT, FILE_LIMIT),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        most = resource.getrlimit(what)[1]  # a limit that is stricter already stays
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(what, (soft, hard))


def die_with(parent):
    """A worker that is killed takes its child along; where the system cannot do that, the broken pipe ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was killed before we asked
            raise SystemExit(1)


def report_fetcher(assets):
    """The only door to the outside: `asset:name` for files of one folder, and `data:image/`. Else the work stops."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class ReportFetcher(URLFetcher):
        def __init__(self):
            super().__init__(allowed_protocols=["asset", "data"], allow_redirects=False, fail_on_errors=True)

        def fetch(self, url, headers=None):
            if url.startswith("asset:"):
                path = (assets / url.removeprefix("asset:").lstrip("/")).resolve()
                if path.is_relative_to(assets) and path.is_file():
                    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
                    return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": kind})
            elif url.startswith("data:image/") and len(url) < DATA_URL_LIMIT:
                return super().fetch(url, headers)
            raise ValueError(f"not allowed: {url[:100]}")

    return ReportFetcher()


class Progress(logging.Handler):
    """WeasyPrint's own progress lines as percent and words: styles to 10, layout to 65, painting to 95."""

    def __init__(self, expected_pages):
        super().__init__(logging.INFO)
        self.expected_pages = expected_pages
        self.percent = 0

    def emit(self, record):
        step = record.msg[:6]
        if step == "Step 3":
            self.step(5, "Reading the styles")
        elif step == "Step 4":
            self.step(10, "Building the document")
        elif step == "Step 5" and record.args and "Page" in record.msg:
            page = record.args[0]
            self.step(10 + 55 * page // max(self.expected_pages, page), f"Laying out page {page}")

    def step(self, percent, words):
        self.percent = max(self.percent, percent)  # a second layout pass does not run backwards
        say(percent=self.percent, step=words)

    def follow_painting(self, document):
        total = len(document.pages)
        for number, page in enumerate(document.pages, start=1):
            page.paint = self.counted(page.paint, number, total)

    def counted(self, paint, number, total):
        def counted_paint(*args, **kwargs):
            self.step(65 + 30 * number // total, f"Writing page {number} of {total}")
            return paint(*args, **kwargs)

        return counted_paint


def add_header_scopes(document, pdf):
    """Give every table header cell its Scope, which WeasyPrint leaves out: column in a table's head, else row."""
    import pydyf

    by_reference = {item.reference: item for item in pdf.objects if isinstance(item, pydyf.Dictionary)}
    for item in by_reference.values():
        if item.get("S") != "/TH":
            continue
        parent, scope = item, "/Row"
        while (parent := by_reference.get(parent.get("P"))) is not None and parent.get("S") != "/Table":
            if parent.get("S") == "/THead":
                scope = "/Column"
        item.setdefault("A", pydyf.Dictionary({"O": "/Table"}))["Scope"] = scope


def missing_characters(document):
    """Code points that no installed font has. A file that asks for a missing glyph is not accessible (PDF/UA)."""
    return {codepoint for font in document.fonts.values() for codepoint in font.missing}


def render(job):
    from weasyprint import CSS, HTML
    from weasyprint.logger import LOGGER, PROGRESS_LOGGER

    progress = Progress(expected_pages=max(6, len(job["html"]) // 7000))
    PROGRESS_LOGGER.addHandler(progress)
    PROGRESS_LOGGER.setLevel(logging.INFO)
    PROGRESS_LOGGER.propagate = False
    LOGGER.addHandler(logging.StreamHandler(sys.stderr))
    assets = Path(job["assets"]).resolve()
    fetcher = report_fetcher(assets)
    styles = [CSS(string=(assets / name).read_text(), url_fetcher=fetcher) for name in job["stylesheets"]]
    steps = {"layout": 0.0, "writing": 0.0}

    def made(html):
        began = time.perf_counter()
        document = HTML(string=html, url_fetcher=fetcher).render(stylesheets=styles, pdf_variant="pdf/ua-1")
        laid_out = time.perf_counter()
        progress.follow_painting(document)
        content = io.BytesIO()
        document.write_pdf(content, finisher=add_header_scopes, pdf_variant="pdf/ua-1")
        steps["layout"] += laid_out - began
        steps["writing"] += time.perf_counter() - laid_out
        return document, content

    document, content = made(job["html"])
    if missing := missing_characters(document):
        document, content = made(job["html"].translate(dict.fromkeys(missing, REPLACEMENT)))
    write(job, content)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(done=True, pages=len(document.pages), peak_kb=peak_kb, steps=steps)


def write(job, content):
    with open(job["output"], "wb", closefd=False) as output:
        output.write(content.getbuffer())


def look(job):
    """What a PDF says of itself, and its first page as a picture."""
    import pypdfium2
    from pypdfium2 import raw

    try:
        document = pypdfium2.PdfDocument(base64.b64decode(job["look"]))
    except pypdfium2.PdfiumError as error:
        say(failed="unreadable", detail=repr(error))
        return
    sheet = document[0]
    picture = sheet.render(scale=COVER_WIDTH / sheet.get_width()).to_pil()
    content = io.BytesIO()
    picture.convert("RGB").quantize(64).save(content, "PNG", optimize=True)
    write(job, content)
    say(
        done=True,
        pages=len(document),
        title=document.get_metadata_dict().get("Title", ""),
        is_tagged=bool(raw.FPDFCatalog_IsTagged(document)),
        language=language_of(document, raw),
    )


def language_of(document, raw) -> str:
    length = raw.FPDFCatalog_GetLanguage(document, None, 0)
    buffer = ctypes.create_string_buffer(max(length, 2))
    raw.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return buffer.raw.decode("utf-16-le", errors="replace").rstrip("\0")


def main():
    job = json.load(sys.stdin)
    die_with(job["parent"])
    limit(memory_bytes=job["memory_bytes"], seconds=job["seconds"])
    gc.disable()  # one document, then the end: 11 to 16 % faster
    try:
        look(job) if "look" in job else render(job)
    except MemoryError:
        say(failed="memory")
    except RecursionError:
        say(failed="nesting")
    except BrokenPipeError:
        pass  # nobody listens any more
    except OSError as error:
        say(failed="disk" if error.errno in DISK_FULL else "broken", detail=repr(error))
    except Exception as error:
        say(failed="broken", detail=repr(error))
        raise
    except BaseException as error:
        if type(error).__name__ != "FatalURLFetchingError":  # WeasyPrint derives it from BaseException
            raise
        say(failed="outside", detail=str(error))


if __name__ == "__main__":
    main()
