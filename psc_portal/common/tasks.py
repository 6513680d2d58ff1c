from celery import shared_task
from django.core.management import call_command

from psc_portal.common import outbox


@shared_task(name="common.deliver_mail")
def deliver_mail(message_pk):  # may run twice: the second finds it sent
    outbox.deliver_mail(message_pk)


@shared_task(name="common.sweep_outbox", expires=30)
def sweep_outbox():
    outbox.sweep()


@shared_task(name="common.clear_sessions")
def clear_sessions():  # may run twice
    """Delete the rows of sessions that have expired, with whatever was kept in them."""
    call_command("clearsessions")
