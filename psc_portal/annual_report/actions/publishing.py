"""Publishing a report and its PDF, and correcting what was published."""

from django.db import transaction

from psc_portal.annual_report.actions.locking import locked, require_writer
from psc_portal.annual_report.models import AnnualReport, Correction
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


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
