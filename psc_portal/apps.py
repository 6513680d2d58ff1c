from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The pages and commands that compose several apps."""

    name = "psc_portal"

    def ready(self):
        from psc_portal.celery import app  # noqa: F401  shared tasks bind to it
