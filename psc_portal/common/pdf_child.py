"""The process that turns one HTML document into one PDF and ends; started by `common/pdf.py`, never imported.

It is handed a job file and writes one PDF beside it. On stdout it says how far it is, one JSON object a line. It may
fetch nothing but files of the asset folder and small `data:` pictures, and its memory and processor time are limited
before any foreign code is loaded, so a runaway document ends this process only.
"""

import gc
import json
import logging
import mimetypes
import resource
import sys
from pathlib import Path

DATA_URL_LIMIT = 2_000_000  # characters, about 1.5 MB of picture
FILE_LIMIT = 200_000_000  # bytes of PDF
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # for characters that no font has; DejaVu Sans has this one


def say(**words):
    print(json.dumps(words), flush=True)


def limit(*, memory_bytes, seconds):
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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

    def write(html):
        document = HTML(string=html, url_fetcher=fetcher).render(stylesheets=styles, pdf_variant="pdf/ua-1")
        progress.follow_painting(document)
        document.write_pdf(job["output"], finisher=add_header_scopes, pdf_variant="pdf/ua-1")
        return document

    document = write(job["html"])
    if missing := missing_characters(document):
        document = write(job["html"].translate(dict.fromkeys(missing, REPLACEMENT)))
    say(done=True, pages=len(document.pages), peak_kb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main(job_path):
    job = json.loads(Path(job_path).read_text())
    limit(memory_bytes=job["memory_bytes"], seconds=job["seconds"])
    gc.disable()  # one document, then the end: 11 to 16 % faster
    try:
        render(job)
    except MemoryError:
        say(failed="memory")
    except RecursionError:
        say(failed="nesting")
    except OSError as error:
        say(failed="disk" if error.errno in {27, 28} else "broken", detail=repr(error))
    except BrokenPipeError:
        pass
    except Exception as error:
        say(failed="broken", detail=repr(error))
        raise
    except BaseException as error:
        if type(error).__name__ != "FatalURLFetchingError":  # WeasyPrint derives it from BaseException
            raise
        say(failed="outside", detail=str(error))


if __name__ == "__main__":
    main(sys.argv[1])
