"""The portal's one PDF renderer: HTML and a print stylesheet in, an accessible PDF (PDF/UA-1) out.

WeasyPrint runs in a child process of its own (`pdf_child.py`) that has no secrets in its environment, fetches nothing
but the asset folder's files, and has limits on memory and time. The same HTML gives the same bytes. Job and result pass
through files without a name, so that nothing lies about when a process is killed.
"""

import base64
import errno
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("pdf_child.py")
MEMORY_BYTES = 1024**3
SECONDS = 600
LOOK_SECONDS = 30
DISK_FULL = {errno.EFBIG, errno.ENOSPC, errno.EDQUOT}
TICK_SECONDS = 1
KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME")

FAILURES = {
    "memory": "The PDF needed more memory than it may use, and was stopped.",
    "nesting": "The PDF could not be laid out, because its content is nested too deeply.",
    "disk": "The PDF could not be stored, because the disk is full.",
    "outside": "The PDF was not made, because its content refers to something outside the portal.",
    "unreadable": "The file could not be read as a PDF.",
    "broken": "The PDF could not be laid out. The technical log says where it failed.",
    "length": "The PDF could not be brought down to {pages} pages.",
    "time": "The PDF took longer than {seconds} seconds, and was stopped.",
    "signal": "The process that makes the PDF was stopped before it had finished ({signal}).",
    "silent": "The process that makes the PDF ended without a result.",
}


class PdfFailed(Exception):
    """There is no PDF; the message is one sentence for people, `detail` is for the log."""

    def __init__(self, reason, *, detail="", **words):
        super().__init__(FAILURES[reason].format(**words))
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Pdf:
    content: bytes
    pages: int
    peak_kb: int  # largest memory of the child process
    steps: dict[str, float] = field(default_factory=dict)  # seconds: layout, writing


@dataclass(frozen=True)
class Look:
    pages: int
    title: str
    language: str
    is_tagged: bool
    cover: bytes  # PNG of the first page


def render_pdf(
    html: str,
    *,
    stylesheets: Sequence[str] = ("report.css",),
    assets: Path | None = None,
    on_progress: Callable[[int, str], None] | None = None,
    seconds: int = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Pdf:
    """Make one PDF.

    Args:
        html: a whole document with `lang`, `title` and escaped or sanitised text only.
        stylesheets: names of files in the asset folder.
        assets: the only folder files may come from (as `asset:name`); `static/pdf` when left out.
        on_progress: called with percent and step at each news and at least every second; what it raises stops the
            rendering and is passed on, so a caller cancels by raising.
        seconds, memory_bytes: what the child process may use.

    Raises:
        PdfFailed: for whatever reason there is no PDF.
    """
    job = {
        "html": html,
        "stylesheets": list(stylesheets),
        "assets": str(assets or settings.BASE_DIR / "static" / "pdf"),
    }
    content, result = _run(job, on_progress or (lambda percent, step: None), seconds, memory_bytes)
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-32:]:
        raise PdfFailed("silent", detail="half a file")
    return Pdf(content=content, pages=result["pages"], peak_kb=result["peak_kb"], steps=result["steps"])


def look_into(content: bytes) -> Look:
    """What is known of any PDF, and its first page as a picture. A stranger's file is opened in the child only.

    Raises:
        PdfFailed: it is not a PDF that can be read, or it takes too much.
    """
    picture, result = _run({"look": base64.b64encode(content).decode()}, lambda *_: None, LOOK_SECONDS, MEMORY_BYTES)
    return Look(
        pages=result["pages"],
        title=result["title"],
        language=result["language"],
        is_tagged=result["is_tagged"],
        cover=picture,
    )


def _run(job: dict, on_progress, seconds: int, memory_bytes: int) -> tuple[bytes, dict]:
    """What the child wrote, and the last that it said."""
    try:
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as log_file,
        ):
            job |= {"output": output.fileno(), "seconds": seconds, "memory_bytes": memory_bytes, "parent": os.getpid()}
            given.write(json.dumps(job).encode())
            given.seek(0)
            result = _watch(given, output, log_file, on_progress, seconds)
            output.seek(0)
            return output.read(), result
    except OSError as error:
        raise PdfFailed("disk" if error.errno in DISK_FULL else "silent", detail=repr(error)) from error


def _watch(given, output, log_file, on_progress, seconds: int) -> dict:
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ} | {"LANG": "C.UTF-8"}
    child = subprocess.Popen(
        [sys.executable, "-I", str(CHILD)],
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=log_file,
        pass_fds=[output.fileno()],
        cwd="/",
        env=environment,
        start_new_session=True,  # a Ctrl-C for the worker is the worker's to handle
    )
    last = {"percent": 0, "step": "Starting"}
    try:
        for news in _news(child, seconds=seconds):
            last.update(news)
            if "done" not in last and "failed" not in last:
                on_progress(last["percent"], last["step"])
        child.wait()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    log_file.seek(0)
    return _result(child, last, log_file.read()[-4000:].decode(errors="replace"))


def _news(child, *, seconds) -> Iterator[dict]:
    """What the child says, as it says it; an empty dict for a second of silence."""
    ends_at = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        unfinished = b""
        while True:
            if time.monotonic() > ends_at:
                raise PdfFailed("time", seconds=seconds)
            if not selector.select(timeout=TICK_SECONDS):
                yield {}
                continue
            if not (piece := os.read(child.stdout.fileno(), 65536)):
                return
            *lines, unfinished = (unfinished + piece).split(b"\n")
            yield from _parsed(lines)


def _parsed(lines: Iterable[bytes]) -> Iterator[dict]:
    for line in lines:
        if line.startswith(b"{"):
            yield json.loads(line)


def _result(child, last: dict, child_log: str) -> dict:
    if child.returncode == 0 and last.get("done"):
        return last
    detail = f"{last.get('detail', '')}\n{child_log}".strip()
    log.warning("PDF child ended with %s: %s", child.returncode, detail)
    if "failed" in last:
        raise PdfFailed(last["failed"], detail=detail)
    if child_log.rstrip().endswith("MemoryError"):  # nothing was left to say it with
        raise PdfFailed("memory", detail=detail)
    if child.returncode == -signal.SIGXCPU:
        raise PdfFailed("time", detail=detail, seconds="its share of processor")
    if child.returncode < 0:
        raise PdfFailed("signal", detail=detail, signal=signal.Signals(-child.returncode).name)
    raise PdfFailed("silent", detail=detail)
