from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"

    def ready(self):
        from projects import permissions, providers
        from psc_portal.accounts import second_factor
        from psc_portal.common import registry

        second_factor.register_role(permissions.leads_any)

        registry.thread.register(providers.priorities_on_thread)
        registry.thread.register(providers.projects_on_thread)
        registry.search.register(providers.search_priorities)
        registry.search.register(providers.search_projects)
        registry.search.register(providers.search_organisations)
        registry.waiting.register(providers.claims_waiting)
        registry.waiting.register(providers.projects_led)
        registry.waiting.register(providers.my_affiliations)
