import os

from celery import Celery, signals
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psc_portal.settings")
app = Celery("psc_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_demonstration_users(**kwargs):
    from psc_portal import health

    try:
        health.refuse_demonstration_users()
    except ImproperlyConfigured as refusal:
        raise SystemExit(str(refusal))  # Celery would log any other exception and go on
