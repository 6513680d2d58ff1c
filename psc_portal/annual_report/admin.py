from django.contrib import admin

from psc_portal.annual_report.models import AnnualReport, Rendering
from psc_portal.common.admin import ReadOnlyAdmin


@admin.register(AnnualReport)
class AnnualReportAdmin(ReadOnlyAdmin):
    """To look up; reports are written on their own pages under /reports/."""

    list_display = ["__str__", "status", "data_cut_on", "published_at", "published_by"]
    list_filter = ["status"]
    list_select_related = ["published_by"]
    fields = ["year_start", "status", "data_cut_on", "summary", "published_at", "published_by"]


@admin.register(Rendering)
class RenderingAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "status", "percent", "attempt", "queued_at", "finished_at", "error"]
    list_filter = ["status"]
    list_select_related = ["snapshot__report"]
    fields = ["status", "percent", "step", "attempt", "queued_at", "heartbeat_at", "finished_at", "error", "sha256"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("snapshot__content")
