from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self):
        from projects import datasets, permissions, personal_data, providers, succeeding
        from psc_portal.accounts import second_factor
        from psc_portal.common import personal_data as people
        from psc_portal.common import registry

        second_factor.register_role(permissions.leads_any)

        registry.thread.register(providers.priorities_on_thread)
        registry.thread.register(providers.projects_on_thread)
        registry.news.register(providers.news)
        registry.programme.register(providers.programme)
        registry.sources += providers.SOURCES
        registry.datasets += datasets.DATASETS
        registry.linked_texts.register(providers.linked_texts)
        registry.duties.register(succeeding.duties)
        registry.merging.register(succeeding.merge_steps)
        people.listed += personal_data.HELD
        people.own_rules += [personal_data.end_affiliations, personal_data.give_places_back]
        registry.waiting.register(providers.claims_waiting)
        registry.waiting.register(providers.changes_waiting)
        registry.waiting.register(providers.projects_led)
        registry.waiting.register(providers.responses_waiting)
        registry.waiting.register(providers.my_affiliations)
