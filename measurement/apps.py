from django.apps import AppConfig


class MeasurementConfig(AppConfig):
    name = "measurement"

    def ready(self):
        from measurement import providers
        from psc_portal.common import registry

        registry.thread.register(providers.metrics_on_thread)
        registry.search.register(providers.search_metrics)
        registry.waiting.register(providers.data_due)
