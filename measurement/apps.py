from django.apps import AppConfig


class MeasurementConfig(AppConfig):
    name = "measurement"

    def ready(self):
        from measurement import datasets, permissions, personal_data, providers, succeeding
        from psc_portal.accounts import second_factor
        from psc_portal.common import personal_data as people
        from psc_portal.common import registry

        second_factor.register_role(permissions.owns_any)

        registry.thread.register(providers.metrics_on_thread)
        registry.signals.register(providers.signals)
        registry.programme.register(providers.programme)
        registry.sources += providers.SOURCES
        registry.datasets += datasets.DATASETS
        registry.news.register(providers.news)
        registry.waiting.register(providers.data_due)
        registry.results.register(providers.main_result)
        registry.duties.register(succeeding.duties)
        registry.merging.register(succeeding.merge_steps)
        people.listed += personal_data.HELD
        registry.cycles.register(providers.charts_with_cycles)
