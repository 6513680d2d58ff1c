from django.urls import path, re_path

from psc_portal.content import views

app_name = "content"
SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
urlpatterns = [
    path("documents/", views.document_list, name="document_list"),
    path("documents/<slug:slug>/", views.document_detail, name="document_detail"),
    path("documents/<slug:slug>/latest/", views.edition_download, name="document_latest"),
    path("documents/<slug:slug>/editions/<int:number>/read/", views.edition_detail, name="edition_detail"),
    path("documents/<slug:slug>/editions/<int:number>/", views.edition_download, name="edition_download"),
    path("feedback/", views.feedback, name="feedback"),
    path("feedback/thanks/", views.feedback_thanks, name="feedback_thanks"),
    path("feedback/status/", views.feedback_status, name="feedback_status"),
    path("feedback/answers/", views.answer_list, name="answer_list"),
    re_path(rf"^(?P<slug>{SLUG}(?:/{SLUG})?)/$", views.page, name="page"),  # last: whatever no other address took
]
