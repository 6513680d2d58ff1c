from django.urls import include, path

from psc_portal.management.bench import floor

handler400 = "psc_portal.common.errors.bad_request"
handler403 = "psc_portal.common.errors.permission_denied"
handler404 = "psc_portal.common.errors.page_not_found"
handler500 = "psc_portal.common.errors.server_error"
urlpatterns = [
    path("floor/cached/", floor.cached),
    path("floor/cards/", floor.cards),
    path("floor/form/", floor.form),
    path("floor/review/", floor.review),
    path("floor/list/", floor.listing),
    path("floor/csv/", floor.export),
    path("", include("psc_portal.urls")),
]
