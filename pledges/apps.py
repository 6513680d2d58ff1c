from django.apps import AppConfig


class PledgesConfig(AppConfig):
    name = "pledges"

    def ready(self):
        from pledges import providers
        from psc_portal.common import registry

        registry.thread.register(providers.thread)
        registry.search.register(providers.search)
        registry.waiting.register(providers.waiting)
