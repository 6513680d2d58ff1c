import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psc_portal.settings")
application = get_wsgi_application()

from psc_portal import health  # noqa: E402  after the set-up of Django

health.refuse_demonstration_users()
