import datetime as dt

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from psc_portal import health
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def test_live_answers_without_asking_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_ready_when_everything_answers(client):
    answer = client.get("/healthz/ready")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_is_degraded_but_served_when_redis_is_down(client, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path / 'nobody.sock'}"

    answer = client.get("/healthz/ready")

    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


def test_ready_is_degraded_when_the_outbox_is_not_emptied(client):
    OutboxMessage.objects.create(kind="job", task="x", created_at=clock.now() - dt.timedelta(minutes=30))

    answer = client.get("/healthz/ready")

    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})


def test_ready_tells_staff_and_nobody_else_what_is_wrong(client, client_as, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path / 'nobody.sock'}"

    told = client_as(UserFactory(staff=True)).get("/healthz/ready").json()
    not_told = client_as(UserFactory()).get("/healthz/ready").json()

    assert told == {"status": "degraded", "detail": ["Redis does not answer: jobs and mail wait in the outbox"]}
    assert not_told == {"status": "degraded"}


def test_not_ready_when_the_database_is_down(client, monkeypatch):
    def down(*args):
        raise DatabaseError

    monkeypatch.setattr(health, "MigrationExecutor", down)

    answer = client.get("/healthz/ready")

    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


def test_not_ready_when_migrations_wait(client, monkeypatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *args: ["one"])

    assert client.get("/healthz/ready").status_code == 503


def test_not_ready_when_files_cannot_be_written(client, monkeypatch):
    def full(*args, **kwargs):
        raise OSError

    monkeypatch.setattr("tempfile.TemporaryFile", full)

    assert client.get("/healthz/ready").status_code == 503


@pytest.mark.parametrize(("is_demo", "is_active", "status"), [("", True, 503), ("1", True, 200), ("", False, 200)])
def test_demonstration_users_work_in_a_demonstration_only(client, settings, is_demo, is_active, status):
    UserFactory(is_demonstration=True, is_active=is_active)
    settings.DEMO = bool(is_demo)

    assert client.get("/healthz/ready").status_code == status


def test_start_is_refused_with_demonstration_users_outside_a_demonstration(settings, monkeypatch):
    monkeypatch.setattr("django.db.connection.close", lambda: None)  # the test's transaction lives in it
    UserFactory(is_demonstration=True)

    settings.DEMO = True
    health.refuse_demonstration_users()
    settings.DEMO = False
    with pytest.raises(ImproperlyConfigured, match="DEMO=1"):
        health.refuse_demonstration_users()
