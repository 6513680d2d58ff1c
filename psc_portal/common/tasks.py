from celery import shared_task

from psc_portal.common import outbox


@shared_task(name="common.deliver_mail")
def deliver_mail(message_pk):  # may run twice: the second finds it sent
    outbox.deliver_mail(message_pk)


@shared_task(name="common.sweep_outbox", expires=30)
def sweep_outbox():
    outbox.sweep()
