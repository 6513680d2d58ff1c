from django.urls import path

from pledges.views import buddies, progress, public, signing

app_name = "pledges"
urlpatterns = [
    path("pledges/", public.wall, name="wall"),
    path("pledges/sign-up/", public.sign_up_start, name="sign_up_start"),
    path("pledges/sign-up/organisation/", signing.sign_up_organisation, name="sign_up_organisation"),
    path("pledges/sign-up/<uuid:public_id>/", signing.sign_up_tasks, name="sign_up_tasks"),
    path("pledges/sign-up/<uuid:public_id>/check/", signing.sign_up_check, name="sign_up_check"),
    path("pledges/sign-up/<uuid:public_id>/submitted/", signing.sign_up_submitted, name="sign_up_submitted"),
    path("pledges/sign-up/<uuid:public_id>/print/", signing.sign_up_print, name="sign_up_print"),
    path("pledges/sign-up/<uuid:public_id>/withdraw/", signing.sign_up_withdraw, name="sign_up_withdraw"),
    path("pledges/sign-up/<uuid:public_id>/<slug:step>/", signing.sign_up_step, name="sign_up_step"),
    path("pledges/<slug:slug>/", public.organisation, name="organisation"),
    path("pledges/<slug:slug>/certificate.pdf", public.certificate, name="certificate"),
    path("pledges/<slug:slug>/buddy/", buddies.buddy_offer, name="buddy_offer"),
    path("pledges/<slug:slug>/write/", buddies.buddy_write, name="buddy_write"),
    path("pledges/<slug:slug>/progress/<int:number>/", progress.progress_post, name="progress_post"),
]
