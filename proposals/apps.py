from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "proposals"
    verbose_name = "Calls and proposals"
    OPEN_TO_ALL_STAFF = {"call", "callanswer", "callquestion", "calibrationexample", "criterion", "panel"}

    def ready(self):
        from proposals import datasets, personal_data, providers, succeeding
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
        registry.confidential.update(
            model._meta.label_lower
            for model in self.get_models()
            if model._meta.model_name not in self.OPEN_TO_ALL_STAFF
        )
