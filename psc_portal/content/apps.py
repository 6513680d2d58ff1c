from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "psc_portal.content"
    label = "content"
    verbose_name = "Pages, documents and feedback"

    def ready(self):
        from psc_portal.common import registry
        from psc_portal.content import providers

        registry.search.register(providers.search)
        registry.waiting.register(providers.waiting)
