from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "psc_portal.common"
    label = "common"

    def ready(self):
        from psc_portal.common import theme  # noqa: F401  registers the check of the colours
