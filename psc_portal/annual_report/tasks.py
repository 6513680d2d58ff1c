from celery import shared_task

from psc_portal.annual_report import actions
from psc_portal.annual_report.models import Rendering


@shared_task(name="annual_report.render", soft_time_limit=900, time_limit=930)
def render_annual_report(rendering_pk):  # may run twice: the second finds it taken; same snapshot, same file
    actions.render(rendering=Rendering.objects.select_related("snapshot").get(pk=rendering_pk))


@shared_task(name="annual_report.sweep", expires=30)
def sweep():
    actions.sweep()
