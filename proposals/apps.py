from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "proposals"
    verbose_name = "Calls and proposals"

    def ready(self):
        from proposals import providers
        from psc_portal.common import registry

        registry.thread.register(providers.thread)
        registry.search.register(providers.search)
        registry.waiting.register(providers.waiting)
