import pytest
from django.db import IntegrityError, transaction

from projects.models import Priority
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def test_a_must_do_topic_cannot_be_deleted_made_local_or_retired_even_past_the_actions():
    topic = PriorityFactory(must_do=True)

    for change in [
        lambda: Priority.objects.filter(pk=topic.pk).delete(),
        lambda: Priority.objects.filter(pk=topic.pk).update(kind="local"),
        lambda: Priority.objects.filter(pk=topic.pk).update(to_date="2030-01-01"),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()

    topic.refresh_from_db()
    assert (topic.kind, topic.to_date) == (Priority.Kind.MUST_DO, None)


@pytest.mark.parametrize("factory", [OrganisationFactory, PriorityFactory, ProjectFactory])
def test_a_slug_never_changes(factory):
    row = factory()
    row.slug = "another"

    with pytest.raises(IntegrityError):
        row.save()
