from django.apps import AppConfig


class MeasurementConfig(AppConfig):
    name = "measurement"

    def ready(self):
        from measurement import permissions, providers
        from psc_portal.accounts import second_factor
        from psc_portal.common import registry

        second_factor.register_role(permissions.owns_any)

        registry.thread.register(providers.metrics_on_thread)
        registry.search.register(providers.search_metrics)
        registry.waiting.register(providers.data_due)
        registry.cycles.register(providers.charts_with_cycles)
