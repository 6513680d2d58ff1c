from django.apps import AppConfig


class AnnualReportConfig(AppConfig):
    name = "psc_portal.annual_report"
    label = "annual_report"
    verbose_name = "Annual report"

    def ready(self):
        from psc_portal.annual_report import personal_data, providers
        from psc_portal.common import personal_data as people

        providers.register()
        people.listed += personal_data.HELD
