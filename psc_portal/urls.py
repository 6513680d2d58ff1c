from importlib import import_module

from django.contrib import admin
from django.urls import include, path

from psc_portal import views
from psc_portal.accounts.views import my

handler400 = "psc_portal.common.errors.bad_request"
handler403 = "psc_portal.common.errors.permission_denied"
handler404 = "psc_portal.common.errors.page_not_found"
handler500 = "psc_portal.common.errors.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("thread/", views.thread, name="thread"),
    path("my/", my, name="my"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
]
for module in [  # written at the same time: those that are there
    "psc_portal.accounts.urls",
    "psc_portal.common.urls",
    "psc_portal.health",
    "psc_portal.search.urls",
    "psc_portal.open_data.urls",
    "projects.urls",
    "measurement.urls",
    "pledges.urls",
    "proposals.urls",
    "psc_portal.annual_report.urls",
    "psc_portal.content.urls",
]:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
    else:
        if hasattr(import_module(module), "urlpatterns"):
            urlpatterns.append(path("", include(module)))
