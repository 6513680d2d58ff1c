from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "psc_portal.content"
    label = "content"
    verbose_name = "Pages, documents and feedback"

    def ready(self):
        from psc_portal.common import personal_data as people
        from psc_portal.common import registry
        from psc_portal.content import personal_data, providers

        registry.sources += providers.SOURCES
        registry.news.register(providers.news)
        registry.waiting.register(providers.waiting)
        registry.linked_texts.register(providers.linked_texts)
        people.listed += personal_data.HELD
