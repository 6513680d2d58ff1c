"""The portal's one PDF renderer: HTML and a print stylesheet in, an accessible PDF (PDF/UA-1) out.

WeasyPrint runs in a child process of its own (`pdf_child.py`) that has no secrets in its environment, fetches nothing
but the asset folder's files, and has limits on memory and time. The same HTML gives the same bytes.
"""

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
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("pdf_child.py")
MEMORY_BYTES = 1024**3
SECONDS = 600
TICK_SECONDS = 1
KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME")

FAILURES = {
    "memory": "The PDF needed more memory than it may use, and was stopped.",
    "nesting": "The PDF could not be laid out, because its content is nested too deeply.",
    "disk": "The PDF could not be stored, because the disk is full.",
    "outside": "The PDF was not made, because its content refers to something outside the portal.",
    "broken": "The PDF could not be laid out. The technical log says where it failed.",
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
    with tempfile.TemporaryDirectory(prefix="portal-pdf-") as folder:
        output = Path(folder, "out.pdf")
        job = {
            "html": html,
            "stylesheets": list(stylesheets),
            "assets": str(assets or settings.BASE_DIR / "static" / "pdf"),
            "output": str(output),
            "seconds": seconds,
            "memory_bytes": memory_bytes,
        }
        try:
            result = _run(job, Path(folder), on_progress or (lambda percent, step: None))
            content = output.read_bytes()
        except OSError as error:
            raise PdfFailed("disk" if error.errno in {27, 28} else "silent", detail=repr(error)) from error
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-32:]:
        raise PdfFailed("silent", detail="half a file")
    return Pdf(content=content, pages=result["pages"], peak_kb=result["peak_kb"])


def _run(job: dict, folder: Path, on_progress) -> dict:
    job_path = folder / "job.json"
    job_path.write_text(json.dumps(job))
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ} | {"LANG": "C.UTF-8"}
    with (folder / "log").open("w+b") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-I", str(CHILD), str(job_path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=folder,
            env=environment,
            start_new_session=True,  # a Ctrl-C for the worker is the worker's to handle
        )
        last = {"percent": 0, "step": "Starting"}
        try:
            for news in _news(child, seconds=job["seconds"]):
                last.update(news)
                if "done" not in last and "failed" not in last:
                    on_progress(last["percent"], last["step"])
            child.wait()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        stderr.seek(0)
        return _result(child, last, stderr.read()[-4000:].decode(errors="replace"))


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
