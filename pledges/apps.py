from django.apps import AppConfig


class PledgesConfig(AppConfig):
    name = "pledges"

    def ready(self):
        from pledges import datasets, personal_data, providers, succeeding
        from psc_portal.common import personal_data as people
        from psc_portal.common import registry

        registry.thread.register(providers.thread)
        registry.programme.register(providers.programme)
        registry.sources += providers.SOURCES
        registry.datasets += datasets.DATASETS
        registry.news.register(providers.news)
        registry.waiting.register(providers.waiting)
        registry.duties.register(succeeding.duties)
        registry.merging.register(succeeding.merge_steps)
        people.listed += personal_data.HELD
        people.own_rules.append(personal_data.take_name_off)
