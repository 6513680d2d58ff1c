from django.conf import settings
from django.urls import path

from psc_portal.common import server_time, theme

urlpatterns = [
    path("clock/", server_time.clock_now, name="clock"),
    path("theme.css", theme.theme_css, name="theme_css"),
    path("theme/logo", theme.theme_logo, name="theme_logo"),
    path("theme/<slug:name>.woff2", theme.theme_font, name="theme_font"),
]
if settings.DEBUG or settings.DEMO:
    from psc_portal.common import developers

    urlpatterns.append(path("developers/components/", developers.components, name="developers_components"))
