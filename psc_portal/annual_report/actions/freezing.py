"""Freezing a report into a snapshot, and opening it again."""

import hashlib
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

from psc_portal.annual_report import figures, placeholders, snapshots
from psc_portal.annual_report.actions.locking import locked, require_editing, require_writer
from psc_portal.annual_report.models import AnnualReport, Rendering, Reopening, Snapshot
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

SERIALIZATION_FAILURE = "40001"


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
        ActionRefused: it is frozen already, a text holds what looks like an NHS number or a placeholder that stands
            for no figure, or somebody else was writing at the same moment.
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
    refuse_nhs_numbers(texts_by_heading(sections))
    now = clock.now()
    data = snapshots.collect(report, sections, frozen_at=now)
    texts = texts_by_heading(section for section in sections if not section.is_left_out)
    if refusal := placeholders.refusal(texts, figures.all_of(data)):
        raise ActionRefused(refusal)
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


def texts_by_heading(sections) -> dict[str, str]:
    """What stands under each heading: two sections may have the same one."""
    texts = {}
    for section in sections:
        texts[section.heading] = "\n\n".join(filter(None, (texts.get(section.heading), section.text)))
    return texts


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
