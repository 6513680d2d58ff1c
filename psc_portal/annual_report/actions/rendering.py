"""Having PDFs made by the worker: asked for, taken, followed, finished, failed, picked up again."""

import hashlib
import logging
import time

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError, transaction

from psc_portal.annual_report import papers
from psc_portal.annual_report.actions.locking import locked, require_writer
from psc_portal.annual_report.models import MAX_ATTEMPTS, Rendering
from psc_portal.common import audit, clock, outbox
from psc_portal.common.files import private_storage
from psc_portal.common.pdf import DISK_FULL, Pdf, PdfFailed, look_into, render_pdf
from psc_portal.common.refusals import ActionRefused

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5
PROGRESS_SECONDS = 0.5  # not every page is worth a write


class Superseded(Exception):
    """The rendering was cancelled, or given to another worker; this one stops."""


@transaction.atomic
def request_rendering(*, report, by) -> Rendering:
    """Have every PDF of the frozen report made by the worker: the report first, then what else is made of it.

    A second request joins the first: each PDF of a snapshot is made once. After a failure or a cancellation this is
    the retry of what failed. Returns the rendering of the report itself.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: the report is not frozen.
    """
    require_writer(by)
    report = locked(report)
    if report.snapshot_id is None or report.is_editable:
        raise ActionRefused("Freeze the report first: the PDF is made of what was frozen.")
    first, *_others = [_request(report.snapshot, wanted, by) for wanted in papers.wanted(report.snapshot.data)]
    return first


def _request(snapshot, wanted, by) -> Rendering:
    rendering, is_new = Rendering.objects.select_for_update(of=("self",)).get_or_create(
        snapshot=snapshot, kind=wanted.kind, part=wanted.part, defaults={"requested_by": by, "part_name": wanted.name}
    )
    if not is_new and not rendering.may_be_retried:
        return rendering
    if not is_new:
        rendering.change_status(Rendering.Status.QUEUED, by=by)
        rendering.requested_by, rendering.attempt = by, 0
    _queue(rendering)
    audit.record("annual_report.rendering_requested", rendering, by=by)
    return rendering


def _queue(rendering):
    rendering.queued_at, rendering.percent, rendering.step, rendering.error = clock.now(), 0, "", ""
    rendering.finished_at = None
    rendering.save()
    outbox.enqueue("annual_report.render", rendering.pk)


@transaction.atomic
def cancel_rendering(*, rendering, by):
    """Stop waiting for a PDF, or the making of it; the worker notices within a second or two.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: it has ended already.
    """
    require_writer(by)
    rendering = Rendering.objects.select_for_update(of=("self",)).get(pk=rendering.pk)
    rendering.change_status(Rendering.Status.CANCELLED, by=by)
    audit.record("annual_report.rendering_cancelled", rendering, by=by)


@transaction.atomic
def cancel_renderings(*, report, by):
    """Stop every PDF of the report that is waited for or being made.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: none is.
    """
    require_writer(by)
    under_way = Rendering.objects.filter(snapshot_id=report.snapshot_id).under_way()
    if not under_way:
        raise ActionRefused("No PDF is being made. Look at the list of what is done.")
    for rendering in under_way:
        cancel_rendering(rendering=rendering, by=by)


def render(*, rendering):
    """Make the PDF of a queued rendering. Called by the worker; may be called twice, the second call finds it taken.

    Ends in a finished file or in a failure with a sentence; only the death of this very process or of the database
    leaves it running, and then `sweep` puts it back into the queue.
    """
    attempt = _take(rendering)
    if attempt is None:
        return
    try:
        pdf = _make(rendering, _Progress(rendering, attempt))
        _finish(rendering, attempt, pdf)
    except Superseded:
        log.info("rendering %s: attempt %s stops, it is not wanted any more", rendering.pk, attempt)
    except PdfFailed as failure:
        log.warning("rendering %s: %s %s", rendering.pk, failure, failure.detail)
        _fail(rendering, attempt, str(failure))
    except SoftTimeLimitExceeded:
        _fail(rendering, attempt, "The PDF took too long, and was stopped.")
    except (OperationalError, InterfaceError):
        raise  # the database is away: nothing can be written; `sweep` finds the row when it is back
    except OSError as error:
        log.exception("rendering %s", rendering.pk)
        why = ", because the disk is full" if error.errno in DISK_FULL else ""
        _fail(rendering, attempt, f"The PDF could not be stored{why}. Try again when there is room.")
    except Exception:
        log.exception("rendering %s", rendering.pk)
        _fail(rendering, attempt, "The report could not be put together. The technical log says where it failed.")


def _make(rendering, on_progress) -> Pdf:
    """The first draft that has as many pages as it should; most papers have one draft and any number of pages."""
    for paper in papers.drafts(rendering):
        pdf = render_pdf(paper.html, stylesheets=paper.stylesheets, on_progress=on_progress)
        if paper.pages in (None, pdf.pages):
            return pdf
    raise PdfFailed("length", pages=paper.pages)


@transaction.atomic
def _take(rendering) -> int | None:
    """Mark the rendering as running and give the number of this attempt; None when it is not waiting for anyone."""
    rendering = Rendering.objects.select_for_update(of=("self",)).get(pk=rendering.pk)
    if rendering.status != Rendering.Status.QUEUED:
        return None
    _delete_files(rendering)
    rendering.change_status(Rendering.Status.RUNNING, by=None)
    rendering.attempt += 1
    rendering.percent, rendering.step, rendering.heartbeat_at = 0, "Putting the report together", clock.now()
    rendering.save()
    return rendering.attempt


class _Progress:
    """Writes how far a rendering is, with a sign of life, and stops it when it is not wanted any more."""

    def __init__(self, rendering, attempt):
        self.mine = Rendering.objects.filter(pk=rendering.pk, attempt=attempt, status=Rendering.Status.RUNNING)
        self.written = (None, 0.0)

    def __call__(self, percent, step):
        last, at = self.written
        waited = time.monotonic() - at
        if waited < PROGRESS_SECONDS:
            return
        if (percent, step) == last and waited < HEARTBEAT_SECONDS:
            if not self.mine.exists():
                raise Superseded
            return
        if not self.mine.update(percent=percent, step=step, heartbeat_at=clock.now()):
            raise Superseded
        self.written = ((percent, step), time.monotonic())


def _mine(rendering, attempt) -> Rendering:
    rendering = Rendering.objects.select_for_update(of=("self",)).get(pk=rendering.pk)
    if rendering.status != Rendering.Status.RUNNING or rendering.attempt != attempt:
        raise Superseded
    return rendering


def _finish(rendering, attempt, pdf):
    """Note the files' names, store the files, then say that it is done.

    So a row that says done has whole files, and whatever a crash leaves half written is known by name and deleted at
    the next attempt.
    """
    cover = _cover_of(rendering, pdf)
    with transaction.atomic():
        rendering = _mine(rendering, attempt)
        rendering.file.name = rendering.file.field.generate_filename(rendering, "report.pdf")
        rendering.cover.name = rendering.cover.field.generate_filename(rendering, "cover.png") if cover else ""
        rendering.save(update_fields=["file", "cover"])
    try:
        private_storage.save(rendering.file.name, ContentFile(pdf.content))
        if cover:
            private_storage.save(rendering.cover.name, ContentFile(cover))
        _say_done(rendering, attempt, pdf)
    except Exception:
        _delete_files(rendering)
        raise


def _say_done(stored, attempt, pdf):
    with transaction.atomic():
        rendering = _mine(stored, attempt)
        rendering.file, rendering.cover = stored.file.name, stored.cover.name
        rendering.sha256 = hashlib.sha256(pdf.content).hexdigest()
        rendering.size, rendering.pages = len(pdf.content), pdf.pages
        rendering.percent, rendering.step, rendering.finished_at = 100, "", clock.now()
        rendering.save()
        rendering.change_status(Rendering.Status.DONE, by=None)
        audit.record("annual_report.rendered", rendering, by=None, after={"sha256": rendering.sha256})


def _cover_of(rendering, pdf) -> bytes:
    """The first page of the report itself as a picture, for the list. A report without one is still a report."""
    if rendering.kind != Rendering.Kind.REPORT:
        return b""
    try:
        return look_into(pdf.content).cover
    except PdfFailed as failure:
        log.warning("rendering %s has no cover: %s %s", rendering.pk, failure, failure.detail)
        return b""


def _delete_files(rendering):
    """What an attempt that did not end well has stored, whole or half."""
    names = [name for name in (rendering.file.name, rendering.cover.name) if name]
    for name in names:
        private_storage.delete(name)
    if names:
        unfinished = Rendering.objects.filter(pk=rendering.pk, file=rendering.file.name)
        unfinished.exclude(status=Rendering.Status.DONE).update(file="", cover="")
    rendering.file = rendering.cover = ""


def _fail(rendering, attempt, sentence):
    try:
        with transaction.atomic():
            rendering = _mine(rendering, attempt)
            _delete_files(rendering)
            _end_in_failure(rendering, sentence)
    except Superseded:
        pass


def _end_in_failure(rendering, sentence):
    rendering.error, rendering.finished_at = sentence[:300], clock.now()
    rendering.save()
    rendering.change_status(Rendering.Status.FAILED, by=None)


def sweep():
    """Put renderings back into the queue that a killed worker left behind, or that the queue has lost."""
    for rendering in Rendering.objects.abandoned():
        _pick_up(rendering)
    for rendering in Rendering.objects.forgotten():
        with transaction.atomic():
            if Rendering.objects.forgotten().select_for_update(skip_locked=True).filter(pk=rendering.pk).exists():
                _queue(rendering)


@transaction.atomic
def _pick_up(rendering):
    rendering = Rendering.objects.abandoned().select_for_update(skip_locked=True).filter(pk=rendering.pk).first()
    if rendering is None:
        return
    _delete_files(rendering)
    if rendering.attempt >= MAX_ATTEMPTS:
        _end_in_failure(rendering, f"The worker stopped {MAX_ATTEMPTS} times while making this PDF.")
        return
    rendering.change_status(Rendering.Status.QUEUED, by=None)
    _queue(rendering)
