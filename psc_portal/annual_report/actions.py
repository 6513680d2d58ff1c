"""Everything that can be done with an annual report, from its creation to its publication."""

import datetime as dt
import hashlib
import logging
import time
from contextlib import contextmanager

from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import OperationalError, connection, transaction

from projects.models import Priority
from psc_portal.annual_report import document, outline, permissions, snapshots
from psc_portal.annual_report.models import (
    MAX_ATTEMPTS,
    AnnualReport,
    Correction,
    Rendering,
    Reopening,
    Section,
    Snapshot,
)
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.pdf import PdfFailed, render_pdf
from psc_portal.common.refusals import ActionRefused

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5
PROGRESS_SECONDS = 0.5  # not every page is worth a write
SERIALIZATION_FAILURE = "40001"


class SectionChanged(ActionRefused):
    """Somebody stored another text after this one was opened; `stored` is the section as it is now."""

    def __init__(self, stored):
        by = stored.edited_by.display_name if stored.edited_by else "Somebody"
        super().__init__(
            f"{by} changed this section while you were writing. Your text is kept below, beside theirs: "
            "bring the two together and save again."
        )
        self.stored = stored


class Superseded(Exception):
    """The rendering was cancelled, or given to another worker; this one stops."""


def require_writer(user):
    if not permissions.can_write(user):
        raise PermissionDenied


def locked(report) -> AnnualReport:
    return AnnualReport.objects.select_for_update(of=("self",)).get(pk=report.pk)


# Writing -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_report(*, year_start: dt.date, by, data_cut_on: dt.date | None = None) -> AnnualReport:
    """Begin the report of the year from 1 April `year_start`, with a section for each part and each priority.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: not a 1 April, a year that has not begun, a data cut out of place, or the year has its report.
    """
    require_writer(by)
    if (year_start.month, year_start.day) != (4, 1):
        raise ActionRefused("A report's year runs from 1 April. Choose the year it begins in.")
    if year_start > clock.today():
        raise ActionRefused("That year has not begun yet. Choose an earlier one.")
    if AnnualReport.objects.filter(year_start=year_start).exists():
        raise ActionRefused("There is already a report for that year. Open it from the list of reports.")
    report = AnnualReport(year_start=year_start)
    report.data_cut_on = data_cut_on or min(report.year_end, clock.today())
    check_data_cut(report)
    report.save()
    Section.objects.bulk_create(outline.sections(report, Priority.objects.current()))
    audit.record("annual_report.created", report, by=by, after={"year": report.year})
    return report


def check_data_cut(report):
    if report.data_cut_on < report.year_start:
        raise ActionRefused("The data cut must lie in the report's year or after it.")


@transaction.atomic
def edit_report(*, report, summary: str, data_cut_on: dt.date, by):
    """Change what the list says of a report, and up to which day its numbers go.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: the report is frozen, or the data cut lies before its year.
    """
    require_writer(by)
    report = locked(report)
    require_editing(report)
    before = audit.snapshot(report, ["data_cut_on"])
    report.summary, report.data_cut_on = summary.strip(), data_cut_on
    check_data_cut(report)
    report.save(update_fields=["summary", "data_cut_on"])
    audit.record("annual_report.edited", report, by=by, before=before, after=audit.snapshot(report, ["data_cut_on"]))


def require_editing(report):
    if not report.is_editable:
        raise ActionRefused(
            f"The report is {report.get_status_display().lower()}, so its text cannot change. "
            + ("Open it for writing again first." if report.is_frozen else "Add a correction instead.")
        )


@transaction.atomic
def edit_section(*, section, heading: str, text: str, owner, version: int, by) -> Section:
    """Store a section's heading, text and owner. A changed text needs a new sign-off.

    A draft may hold anything; text that looks like an NHS number is refused when the report is frozen.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        SectionChanged: somebody stored another text since version `version` was opened.
        ActionRefused: the report is frozen.
    """
    require_writer(by)
    require_editing(locked(section.report))
    section = Section.objects.select_for_update(of=("self",)).select_related("edited_by", "report").get(pk=section.pk)
    heading, text = " ".join(heading.split()), text.replace("\r\n", "\n").strip()
    if section.version != version and (section.heading, section.text) != (heading, text):
        raise SectionChanged(section)
    before = audit.snapshot(section, ["text", "owner"])
    if (section.heading, section.text) != (heading, text):
        section.heading, section.text = heading, text
        section.version += 1
        section.edited_by = by
        section.signed_off_at = section.signed_off_by = None
    section.owner = owner
    section.save()
    audit.record(
        "annual_report.section_edited", section, by=by, before=before, after=audit.snapshot(section, ["text", "owner"])
    )
    return section


@transaction.atomic
def sign_off(*, section, by):
    """Say that a section is right as it stands.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: the report is frozen, or the section holds what looks like an NHS number.
    """
    require_writer(by)
    require_editing(locked(section.report))
    section = Section.objects.select_for_update().get(pk=section.pk)
    refuse_nhs_numbers({section.heading: section.text})
    section.signed_off_at, section.signed_off_by = clock.now(), by
    section.save(update_fields=["signed_off_at", "signed_off_by"])
    audit.record("annual_report.section_signed_off", section, by=by, after={"version": section.version})


# Freezing and publishing ---------------------------------------------------------------------------------------------


@contextmanager
def one_view_of_the_data():
    """A transaction in which every query sees the database as it was at the first one."""
    is_nested = connection.in_atomic_block  # in tests only: elsewhere `durable` refuses it
    with transaction.atomic(durable=True):
        if not is_nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def freeze_report(*, report, by) -> Snapshot:
    """Copy every number and word of the report into a snapshot. Later changes of the data do not reach it.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: it is frozen already, a text holds what looks like an NHS number, or somebody else was writing
            at the same moment.
    """
    require_writer(by)
    try:
        with one_view_of_the_data():
            return _freeze(locked(report), by)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != SERIALIZATION_FAILURE:
            raise
        raise ActionRefused("Somebody else changed the report at the same moment. Look at it and freeze it again.")


def _freeze(report, by) -> Snapshot:
    require_editing(report)
    sections = list(report.sections.select_related("priority"))
    refuse_nhs_numbers({section.heading: section.text for section in sections})
    now = clock.now()
    data = snapshots.collect(report, sections, frozen_at=now)
    content = snapshots.canonical(data)
    snapshot = Snapshot.objects.create(
        report=report,
        number=report.snapshots.count() + 1,
        content=content,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        frozen_at=now,
        frozen_by=by,
    )
    snapshots.store_mentions(snapshot)
    report.snapshot = snapshot
    report.save(update_fields=["snapshot"])
    report.change_status(AnnualReport.Status.FROZEN, by=by)
    audit.record("annual_report.frozen", report, by=by, after={"number": snapshot.number, "sha256": snapshot.sha256})
    return snapshot


@transaction.atomic
def reopen_report(*, report, reason: str, by):
    """Open a frozen report for writing again. Its snapshot and PDF stay as history.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: no reason is given, or it is not frozen (a published report is never opened again).
    """
    require_writer(by)
    report = locked(report)
    if not reason.strip():
        raise ActionRefused("Say why the report is opened again.")
    if report.is_published:
        raise ActionRefused("A published report stays as it is. Add a correction instead.")
    report.change_status(AnnualReport.Status.EDITING, by=by)
    Reopening.objects.create(snapshot_id=report.snapshot_id, reason=reason.strip(), by=by)
    for rendering in Rendering.objects.filter(snapshot_id=report.snapshot_id):
        if rendering.is_under_way:
            rendering.change_status(Rendering.Status.CANCELLED, by=by)
    report.snapshot = None
    report.save(update_fields=["snapshot"])
    audit.record("annual_report.reopened", report, by=by)


@transaction.atomic
def publish_report(*, report, by):
    """Show the report and its PDF to everyone.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: it is not frozen, or its PDF is not there yet.
    """
    require_writer(by)
    report = locked(report)
    if report.is_editable:
        raise ActionRefused("Freeze the report first: what is published does not change any more.")
    if report.is_frozen and report.document is None:
        raise ActionRefused("Make the PDF first: a report is published as a page and as a PDF together.")
    report.change_status(AnnualReport.Status.PUBLISHED, by=by)
    report.published_at, report.published_by = clock.now(), by
    report.save(update_fields=["published_at", "published_by"])
    audit.record("annual_report.published", report, by=by, after={"sha256": report.document.sha256})


@transaction.atomic
def add_correction(*, report, text: str, by) -> Correction:
    """Add a dated note to a published report. The report itself stays as it was.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: nothing is said, it holds what looks like an NHS number, or the report is not published.
    """
    require_writer(by)
    if not text.strip():
        raise ActionRefused("Say what was wrong, and what is right.")
    if not locked(report).is_published:
        raise ActionRefused("A report that is not published is changed in its sections, not corrected.")
    refuse_nhs_numbers({"Correction": text})
    correction = Correction.objects.create(report=report, text=text.strip(), by=by)
    audit.record("annual_report.corrected", report, by=by, after={"words": len(text.split())})
    return correction


# Rendering -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def request_rendering(*, report, by) -> Rendering:
    """Have the PDF of the frozen report made by the worker.

    A second request joins the first: one snapshot has one rendering. After a failure or a cancellation this is the
    retry.

    Raises:
        PermissionDenied: `by` is neither lead nor programme staff.
        ActionRefused: the report is not frozen.
    """
    require_writer(by)
    report = locked(report)
    if report.snapshot_id is None or report.is_editable:
        raise ActionRefused("Freeze the report first: the PDF is made of what was frozen.")
    rendering, is_new = Rendering.objects.select_for_update(of=("self",)).get_or_create(
        snapshot_id=report.snapshot_id, kind=Rendering.Kind.REPORT, defaults={"requested_by": by}
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


def render(*, rendering):
    """Make the PDF of a queued rendering. Called by the worker; may be called twice, the second call finds it taken.

    Ends in a finished file or in a failure with a sentence; only the death of this very process or of the database
    leaves it running, and then `sweep` puts it back into the queue.
    """
    attempt = _take(rendering)
    if attempt is None:
        return
    try:
        html = document.pdf_html(rendering.snapshot)
        pdf = render_pdf(html, on_progress=_Progress(rendering, attempt))
        _finish(rendering, attempt, pdf)
    except Superseded:
        log.info("rendering %s: attempt %s stops, it is not wanted any more", rendering.pk, attempt)
    except PdfFailed as failure:
        log.warning("rendering %s: %s %s", rendering.pk, failure, failure.detail)
        _fail(rendering, attempt, str(failure))
    except SoftTimeLimitExceeded:
        _fail(rendering, attempt, "The PDF took too long, and was stopped.")
    except OperationalError:
        raise  # the database is away: nothing can be written; `sweep` finds the row when it is back
    except OSError as error:
        log.exception("rendering %s", rendering.pk)
        full = error.errno in {27, 28}
        _fail(rendering, attempt, f"The PDF could not be stored{', because the disk is full' if full else ''}.")
    except Exception:
        log.exception("rendering %s", rendering.pk)
        _fail(rendering, attempt, "The report could not be put together. The technical log says where it failed.")


@transaction.atomic
def _take(rendering) -> int | None:
    """Mark the rendering as running and give the number of this attempt; None when it is not waiting for anyone."""
    rendering = Rendering.objects.select_for_update(of=("self",)).get(pk=rendering.pk)
    if rendering.status != Rendering.Status.QUEUED:
        return None
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
    """Store the file, then the row: a row that says done always has a whole file."""
    with transaction.atomic():
        rendering = _mine(rendering, attempt)
        rendering.file.save("report.pdf", ContentFile(pdf.content), save=False)
        rendering.sha256 = hashlib.sha256(pdf.content).hexdigest()
        rendering.size, rendering.pages = len(pdf.content), pdf.pages
        rendering.percent, rendering.step, rendering.finished_at = 100, "", clock.now()
        rendering.save()
        rendering.change_status(Rendering.Status.DONE, by=None)
        audit.record("annual_report.rendered", rendering, by=None, after={"sha256": rendering.sha256})


def _fail(rendering, attempt, sentence):
    try:
        with transaction.atomic():
            rendering = _mine(rendering, attempt)
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
    if rendering.attempt >= MAX_ATTEMPTS:
        _end_in_failure(rendering, f"The worker stopped {MAX_ATTEMPTS} times while making this PDF.")
        return
    rendering.change_status(Rendering.Status.QUEUED, by=None)
    _queue(rendering)
