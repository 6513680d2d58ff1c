import pytest
from django.db import DatabaseError, connection, transaction

from psc_portal.common import audit
from psc_portal.common.models import AuditEvent
from tests.factories.accounts import UserFactory


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda event: AuditEvent.objects.filter(pk=event.pk).update(verb="nothing happened"),
        lambda event: event.delete(),
        lambda event: connection.cursor().execute("DELETE FROM common_auditevent"),
        lambda event: connection.cursor().execute("UPDATE common_auditevent SET by_id = NULL"),
    ],
    ids=["update", "delete", "sql delete", "sql update"],
)
def test_postgresql_refuses_to_change_the_audit_trail(change):
    user = UserFactory()
    event = audit.record("try", user, by=user)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change(event)

    assert AuditEvent.objects.get(pk=event.pk).verb == "try"


@pytest.mark.django_db
def test_the_portal_is_not_a_superuser_of_its_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
def test_the_audit_trail_tells_free_text_by_its_length_only():
    from tests.factories.projects import PriorityFactory

    priority = PriorityFactory(summary="Three plain words", position=4)

    assert audit.snapshot(priority, ["title", "summary", "position"]) == {
        "title": priority.title,
        "summary": "(3 words)",
        "position": 4,
    }
