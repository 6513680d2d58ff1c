from celery import shared_task

from pledges import actions


@shared_task(name="pledges.remind")
def remind():  # may run twice: each reminder has a key
    actions.remind()
