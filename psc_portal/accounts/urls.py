from django.urls import path

from psc_portal.accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/session/seconds-left/", views.session_seconds_left, name="session_seconds_left"),
    path("accounts/session/extend/", views.session_extend, name="session_extend"),
    path("accounts/second-factor/", views.second_factor_needed, name="second_factor_needed"),
    path("accounts/invitations/<str:token>/", views.invitation, name="invitation"),
    path("accounts/kept-text/", views.typed_text_waiting, name="typed_text"),
    path("demo/mailbox/", views.mailbox, name="mailbox"),
    path("demo/mailbox/<int:pk>/", views.mailbox_message, name="mailbox_message"),
]
