from django.urls import path

from proposals import views

app_name = "proposals"
urlpatterns = [
    path("calls/", views.call_list, name="call_list"),
    path("calls/<slug:slug>/", views.call_detail, name="call_detail"),
    path("calls/<slug:slug>/form/", views.call_form, name="call_form"),
    path("calls/<slug:slug>/apply/", views.apply, name="apply"),
    path("calls/<slug:slug>/apply/<uuid:public_id>/", views.draft, name="draft"),
    path("calls/<slug:slug>/apply/<uuid:public_id>/check/", views.draft_check, name="draft_check"),
    path("calls/<slug:slug>/apply/<uuid:public_id>/files/", views.draft_files, name="draft_files"),
    path(
        "calls/<slug:slug>/apply/<uuid:public_id>/files/<uuid:file_id>/remove/",
        views.draft_file_remove,
        name="draft_file_remove",
    ),
    path("calls/<slug:slug>/apply/<uuid:public_id>/<slug:section>/", views.draft_section, name="draft_section"),
    path("proposals/files/<uuid:file_id>/", views.attachment, name="attachment"),
    path("proposals/<slug:address>/", views.proposal_detail, name="proposal_detail"),
    path("proposals/<slug:address>/copy/", views.proposal_copy, name="proposal_copy"),
    path("proposals/<slug:address>/withdraw/", views.proposal_withdraw, name="proposal_withdraw"),
]
