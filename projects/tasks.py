from celery import shared_task

from projects import actions


@shared_task(name="projects.erase_registrations")
def erase_registrations():  # may run twice
    actions.erase_registrations()


@shared_task(name="projects.send_digests")
def send_digests():  # may run twice: what was told is stored with the mail
    actions.send_digests()
