"""What every action on a report asks first."""

from django.core.exceptions import PermissionDenied

from psc_portal.annual_report import permissions
from psc_portal.annual_report.models import AnnualReport
from psc_portal.common.refusals import ActionRefused


def require_writer(user):
    if not permissions.can_write(user):
        raise PermissionDenied


def locked(report) -> AnnualReport:
    return AnnualReport.objects.select_for_update(of=("self",)).get(pk=report.pk)


def require_editing(report):
    if not report.is_editable:
        raise ActionRefused(
            f"The report is {report.get_status_display().lower()}, so its text cannot change. "
            + ("Open it for writing again first." if report.is_frozen else "Add a correction instead.")
        )
