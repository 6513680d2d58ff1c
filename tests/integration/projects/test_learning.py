import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from projects import actions
from projects.models import LearningResource
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.content import DocumentFactory, EditionFactory
from tests.factories.projects import (
    LearningResourceFactory,
    LearningTopicFactory,
    OfferFactory,
    ProjectFactory,
)

pytestmark = pytest.mark.django_db
Kind = LearningResource.Kind


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def page_of(client, url):
    return client.get(url).content.decode()


def test_the_library_is_found_by_topic_kind_and_words(client):
    falls = LearningTopicFactory(name="Falls", slug="falls")
    LearningResourceFactory(title="Bedside checklist", kind=Kind.TOOL, topics=[falls], body="Look at the slippers.")
    LearningResourceFactory(title="A story of falls", kind=Kind.CASE, topics=[falls])
    LearningResourceFactory(title="Sepsis screening", kind=Kind.TOOL)

    page = page_of(client, "/learning/?topic=falls&kind=tool&q=slippers")

    assert "1 in the library" in page and "Bedside checklist" in page


def test_something_overdue_for_review_says_so_in_the_list_and_on_its_page(client):
    due = clock.today() - dt.timedelta(days=1)
    overdue = LearningResourceFactory(reviewed_on=due - dt.timedelta(days=365), review_due_on=due)
    fresh = LearningResourceFactory(review_due_on=clock.today() + dt.timedelta(days=1))

    assert page_of(client, "/learning/").count("Overdue for review") == 1
    assert "It may be out of date" in page_of(client, overdue.get_absolute_url())
    assert "It may be out of date" not in page_of(client, fresh.get_absolute_url())


def test_a_review_ends_the_warning(client, staff):
    resource = LearningResourceFactory(
        reviewed_on=clock.today() - dt.timedelta(days=400), review_due_on=clock.today() - dt.timedelta(days=30)
    )

    actions.review_resource(learning_resource=resource, review_due_on=clock.today() + dt.timedelta(days=200), by=staff)

    assert "It may be out of date" not in page_of(client, resource.get_absolute_url())


def test_the_latest_lesson_of_the_month_stands_first_and_the_others_in_its_archive(client):
    month = clock.today().replace(day=1)
    LearningResourceFactory(title="Newest lesson", kind=Kind.LESSON, lesson_month=month)
    LearningResourceFactory(
        title="Older lesson", kind=Kind.LESSON, lesson_month=(month - dt.timedelta(days=1)).replace(day=1)
    )

    assert f"Lesson of the month, {month:%B %Y}: Newest lesson" in page_of(client, "/learning/")
    assert "Older lesson" in page_of(client, "/learning/?kind=lesson")


def test_a_month_has_one_lesson_and_only_lessons_have_a_month(staff):
    month = clock.today().replace(day=1)
    LearningResourceFactory(kind=Kind.LESSON, lesson_month=month)
    topics = [LearningTopicFactory()]
    values = {"summary": "S", "body": "B", "review_due_on": clock.today() + dt.timedelta(days=9), "topics": topics}

    with pytest.raises(ActionRefused, match="This month has a lesson already"):
        actions.create_resource(title="T", kind=Kind.LESSON, lesson_month=month, by=staff, **values)
    with pytest.raises(ActionRefused, match="of which month"):
        actions.create_resource(title="T", kind=Kind.LESSON, by=staff, **values)
    with pytest.raises(ActionRefused, match="Only a lesson"):
        actions.create_resource(title="T", kind=Kind.TOOL, lesson_month=month, by=staff, **values)
    with pytest.raises(ActionRefused, match="at least one topic"):
        actions.create_resource(title="T", kind=Kind.TOOL, by=staff, **(values | {"topics": []}))


def test_what_is_not_public_or_not_yet_out_is_for_staff_only(client, client_as, staff):
    hidden = LearningResourceFactory(title="Hidden", is_public=False)
    later = LearningResourceFactory(title="Later", published_on=clock.today() + dt.timedelta(days=1))

    for resource in (hidden, later):
        assert client.get(resource.get_absolute_url()).status_code == 404
        assert client_as(staff).get(resource.get_absolute_url()).status_code == 200
    page = page_of(client, "/learning/")
    assert "Hidden" not in page and "Later" not in page


def test_its_page_shows_no_hidden_project_or_document(client):
    resource = LearningResourceFactory(document=EditionFactory(document__is_public=False).document)
    resource.projects.add(ProjectFactory(title="Secret work", is_public=False), ProjectFactory(title="Open work"))
    secret = resource.document.title

    page = page_of(client, resource.get_absolute_url())

    assert "Open work" in page and "Secret work" not in page and secret not in page


def test_a_document_that_everybody_may_read_is_linked(client):
    resource = LearningResourceFactory(document=EditionFactory(document=DocumentFactory(title="The plan")).document)

    assert "The plan" in page_of(client, resource.get_absolute_url())


def test_an_offer_is_open_until_its_closing_moment_and_then_says_closed(client):
    offer = OfferFactory(title="MSc bursary")

    before = page_of(client, "/learning/")
    with clock.at(offer.closes_at):
        page, offers, library = (
            page_of(client, url) for url in (offer.get_absolute_url(), "/learning/offers/", "/learning/")
        )

    assert "MSc bursary" in before and "MSc bursary" not in library
    assert "Closed on" in page and "How to apply" not in page
    assert "Nothing can be asked for now" in offers and "MSc bursary" in offers


def test_an_offer_that_opens_later_says_when(client):
    offer = OfferFactory(opens_at=timezone.now() + dt.timedelta(days=2))

    assert "Opens on" in page_of(client, offer.get_absolute_url())
    assert offer.title not in page_of(client, "/learning/")


def test_an_offer_that_is_not_public_is_for_staff_only(client, client_as, staff):
    offer = OfferFactory(is_public=False)

    assert client.get(offer.get_absolute_url()).status_code == 404
    assert offer.title not in page_of(client, "/learning/offers/") + page_of(client_as(staff), "/learning/")
    assert client_as(staff).get(offer.get_absolute_url()).status_code == 200


def test_staff_add_to_the_library_in_the_admin_with_any_day_of_the_month_of_a_lesson(client_as, staff):
    topic = LearningTopicFactory()
    today = clock.today()
    due = today + dt.timedelta(days=100)
    dates = {
        f"{name}_{part}": getattr(date, part)
        for name, date in (
            ("lesson_month", today), ("published_on", today), ("reviewed_on", today), ("review_due_on", due)
        )
        for part in ("day", "month", "year")
    }  # fmt: skip
    data = {"title": "What we learned", "kind": "lesson", "summary": "S", "body": "B", "topics": [topic.pk]}

    client_as(staff).post(reverse("admin:projects_learningresource_add"), data | dates | {"is_public": "on"})

    assert LearningResource.objects.get().lesson_month == today.replace(day=1)


@pytest.mark.parametrize("action", ["create_topic", "create_resource", "create_offer"])
def test_nobody_but_staff_adds_to_learning(action):
    values = {
        "create_topic": {"name": "N"},
        "create_resource": {"title": "T", "topics": [1]},
        "create_offer": {"title": "T"},
    }

    with pytest.raises(PermissionDenied):
        getattr(actions, action)(**values[action], by=UserFactory())


@pytest.mark.parametrize("rows", [1, 3])
def test_the_library_runs_a_constant_number_of_queries(client, django_assert_num_queries, rows):
    for _ in range(rows):
        LearningResourceFactory()
        OfferFactory()
    client.get("/learning/")

    with django_assert_num_queries(6):
        client.get("/learning/")
