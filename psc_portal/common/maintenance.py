"""The switch for an update: every page answers 503 with a way to be heard; nothing asks the database."""

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed

from psc_portal.common import errors, theme

STILL_ANSWERED = (
    "/healthz/",
    settings.STATIC_URL if settings.STATIC_URL.startswith("/") else f"/{settings.STATIC_URL}",
)


class MaintenancePage:
    def __init__(self, get_response):
        if not settings.MAINTENANCE:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/theme.css":
            return theme.theme_css(request)
        if request.path.startswith(STILL_ANSWERED):
            return self.get_response(request)
        return errors.maintenance(request)
