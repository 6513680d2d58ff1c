from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "proposals"
    verbose_name = "Calls and proposals"
    OPEN_TO_ALL_STAFF = {"call", "callanswer", "callquestion", "calibrationexample", "criterion", "panel"}

    def ready(self):
        from proposals import providers
        from psc_portal.common import registry

        registry.thread.register(providers.thread)
        registry.search.register(providers.search)
        registry.waiting.register(providers.waiting)
        registry.confidential.update(
            model._meta.label_lower
            for model in self.get_models()
            if model._meta.model_name not in self.OPEN_TO_ALL_STAFF
        )
