from django.urls import path

from pledges import views

app_name = "pledges"
urlpatterns = [
    path("pledges/", views.wall, name="wall"),
    path("pledges/sign-up/", views.sign_up_start, name="sign_up_start"),
    path("pledges/sign-up/organisation/", views.sign_up_organisation, name="sign_up_organisation"),
    path("pledges/sign-up/<uuid:public_id>/", views.sign_up_tasks, name="sign_up_tasks"),
    path("pledges/sign-up/<uuid:public_id>/check/", views.sign_up_check, name="sign_up_check"),
    path("pledges/sign-up/<uuid:public_id>/submitted/", views.sign_up_submitted, name="sign_up_submitted"),
    path("pledges/sign-up/<uuid:public_id>/print/", views.sign_up_print, name="sign_up_print"),
    path("pledges/sign-up/<uuid:public_id>/withdraw/", views.sign_up_withdraw, name="sign_up_withdraw"),
    path("pledges/sign-up/<uuid:public_id>/<slug:step>/", views.sign_up_step, name="sign_up_step"),
    path("pledges/<slug:slug>/", views.organisation, name="organisation"),
    path("pledges/<slug:slug>/progress/<int:number>/", views.progress_post, name="progress_post"),
]
