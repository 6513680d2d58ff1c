from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "psc_portal.search"
    label = "search"
    verbose_name = "Search"
