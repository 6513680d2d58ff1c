from django.apps import AppConfig


class AnnualReportConfig(AppConfig):
    name = "psc_portal.annual_report"
    label = "annual_report"
    verbose_name = "Annual report"

    def ready(self):
        from psc_portal.annual_report import providers

        providers.register()
