import datetime as dt

from django.urls import path, register_converter

from psc_portal.annual_report import views


class YearConverter:
    """2025-26: the year from 1 April 2025. Its value is that day."""

    regex = r"[0-9]{4}-[0-9]{2}"

    def to_python(self, value):
        first, last = int(value[:4]), int(value[5:])
        if (first + 1) % 100 != last or first < 1900:
            raise ValueError
        return dt.date(first, 4, 1)

    def to_url(self, value):
        return value


register_converter(YearConverter, "report_year")

app_name = "annual_report"
urlpatterns = [
    path("reports/", views.report_list, name="report_list"),
    path("reports/latest/", views.report_latest, name="report_latest"),
    path("reports/new/", views.report_create, name="report_create"),
    path("reports/<report_year:year_start>/", views.report_detail, name="report_detail"),
    path("reports/<report_year:year_start>/report.pdf", views.report_pdf, name="report_pdf"),
    path("reports/<report_year:year_start>/<slug:name>.pdf", views.report_paper, name="report_paper"),
    path("reports/<report_year:year_start>/write/", views.report_write, name="report_write"),
    path("reports/<report_year:year_start>/write/details/", views.report_edit, name="report_edit"),
    path("reports/<report_year:year_start>/write/progress.json", views.rendering_progress, name="rendering_progress"),
    path("reports/<report_year:year_start>/write/sections/<int:pk>/", views.section_edit, name="section_edit"),
    path("reports/<report_year:year_start>/write/<slug:step>/", views.report_step, name="report_step"),
]
