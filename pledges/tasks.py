from celery import shared_task

from pledges import actions
from pledges.models import SignUp, WordingSet


@shared_task(name="pledges.remind")
def remind():  # may run twice: each step is marked with its mail
    actions.remind()


@shared_task(name="pledges.make_certificate", soft_time_limit=300, time_limit=330)
def make_certificate(sign_up_pk):  # may run twice: the second finds it made
    actions.make_certificate(sign_up=SignUp.objects.get(pk=sign_up_pk))


@shared_task(name="pledges.sweep_certificates", expires=60)
def sweep_certificates():
    actions.sweep_certificates()


@shared_task(name="pledges.invite_to_wording")
def invite_to_wording(wording_set_pk):  # may run twice: each mail has a key
    actions.invite_to_wording(wording_set=WordingSet.objects.get(pk=wording_set_pk))
