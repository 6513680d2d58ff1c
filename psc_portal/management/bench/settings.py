"""The real settings, for portals that live as long as a measurement: own addresses and cache, no jobs."""

import os

from psc_portal.settings import *  # noqa: F403
from psc_portal.settings import CACHES, REDIS_URL

ROOT_URLCONF = "psc_portal.management.bench.urls"
CACHE_DATABASE = 9
CACHES["default"]["LOCATION"] = f"{REDIS_URL}?db={CACHE_DATABASE}"
CACHES["default"]["KEY_PREFIX"] = f"bench-{os.environ.get('BENCH_NAME', '')}"
CELERY_BROKER_URL = "memory://"  # nothing may reach a worker that serves another database
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
