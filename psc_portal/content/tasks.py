from celery import shared_task

from psc_portal.content import actions


@shared_task(name="content.check_links", soft_time_limit=1500, time_limit=1600)
def check_links():  # may run twice
    actions.check_links()
