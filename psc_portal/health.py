"""Whether the portal is alive and ready, for load balancers and supervisors.

`/healthz/live` asks nothing of anything: this process answers. `/healthz/ready` says whether to send visitors here.
Probes send the portal's own name as Host; both addresses answer over plain http.
"""

import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis, RedisError

from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage

OUTBOX_PATIENCE = 300  # seconds; a working worker empties the outbox within one or two sweeps of beat
DEMONSTRATION_USERS = (
    "This database holds demonstration users, whose passwords are public. "
    "Start from an empty database, or set DEMO=1 if this is a demonstration."
)


@never_cache
@require_safe
def live(request):
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request):
    """503 when visitors cannot be served; 200 and "degraded" when pages work but jobs or mail wait."""
    failures = [problem for problem in (_database(), _storage()) if problem]
    worries = [problem for problem in (_redis(), not failures and _outbox()) if problem]
    answer = {"status": "unavailable" if failures else "degraded" if worries else "ok"}
    if not failures and request.user.is_authenticated and request.user.is_programme_staff:
        answer["detail"] = worries
    return JsonResponse(answer, status=503 if failures else 200)


def refuse_demonstration_users() -> None:
    """Called when web, worker and beat start. A database that is down is not the time to decide: `ready` will.

    Raises:
        ImproperlyConfigured: there are demonstration users and DEMO=1 is not set.
    """
    try:
        if holds_forbidden_users():
            raise ImproperlyConfigured(DEMONSTRATION_USERS)
    except DatabaseError:
        pass
    finally:
        connection.close()


def holds_forbidden_users() -> bool:
    return not settings.DEMO and get_user_model().objects.filter(is_demonstration=True, is_active=True).exists()


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "There are migrations to apply: manage.py migrate"
        if holds_forbidden_users():
            return DEMONSTRATION_USERS
    except DatabaseError:
        return "The database does not answer"
    return ""


def _storage() -> str:
    if isinstance(default_storage, FileSystemStorage):
        try:
            folder = Path(default_storage.location)
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            return "Uploaded files cannot be written"
    return ""


def _redis() -> str:
    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2).ping()
    except RedisError:
        return "Redis does not answer: jobs and mail wait in the outbox"
    return ""


def _outbox() -> str:
    oldest = (
        OutboxMessage.objects.filter(status=OutboxMessage.Status.WAITING, next_attempt_at__lte=clock.now())
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    if oldest and (waiting := (clock.now() - oldest).total_seconds()) > OUTBOX_PATIENCE:
        return f"The oldest message in the outbox has waited for {waiting / 60:.0f} minutes"
    return ""


urlpatterns = [
    path("healthz/live", live, name="live"),
    path("healthz/ready", ready, name="ready"),
]
