"""The page of the whole thread, and the thread on every page that hangs on it."""

import re

import pytest
from django.urls import reverse

from psc_portal.common import registry
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.pledges import SignUpFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory, SystemFactory
from tests.factories.proposals import CallFactory

pytestmark = pytest.mark.django_db
MISSING = (
    "No call has asked for ideas on this priority yet.",
    "No project works on this priority yet.",
    "Nothing measures this priority yet.",
    "No organisation has named this priority in its pledges yet.",
)


def text_of(answer) -> str:
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def whole_thread(client, **filters) -> str:
    answer = client.get(reverse("thread"), filters)
    assert answer.status_code == 200
    return text_of(answer)


def some_programme(number: int = 1):
    """A priority with one of each kind."""
    priority = PriorityFactory(title=f"Falls {number}")
    lead = OrganisationFactory(system=SystemFactory(name=f"Northshire {number}", code=f"QN{number}"))
    project = ProjectFactory(title=f"Handrails {number}", priorities=[priority], lead_organisation=lead)
    metric = MetricFactory(name=f"Falls in a month {number}", project=project)
    fill(SeriesFactory(metric=metric), [(9, 10)])
    call = CallFactory(title=f"Call for grip {number}", slug=f"grip-{number}")
    call.priorities.set([priority])
    return priority, project, metric, call


def test_the_whole_thread_shows_each_priority_with_all_that_hangs_on_it(client):
    some_programme()
    sign_up = SignUpFactory(published=True)
    sign_up.areas.filter(slug="falls").update(priority=PriorityFactory(title="Frailty"))

    text = whole_thread(client)

    for title in ("Falls 1", "Call for grip 1", "Handrails 1", "Falls in a month 1", sign_up.organisation_name):
        assert title in text
    assert "Too few values to tell" in text


def test_what_a_priority_lacks_is_said_in_its_place(client):
    PriorityFactory(title="Nothing here")

    text = whole_thread(client)

    for sentence in MISSING:
        assert sentence in text


def test_a_project_without_a_metric_says_so(client):
    ProjectFactory(title="Unmeasured")

    assert "Unmeasured Set-up No metric shows yet whether it works." in whole_thread(client)


def test_metrics_and_calls_on_no_priority_stand_at_the_end(client):
    PriorityFactory(title="The last priority")
    MetricFactory(name="Loose metric", priority=None, project=None)
    CallFactory(title="Adrift call").priorities.clear()

    text = whole_thread(client)

    end = text[text.index("On no priority") :]
    assert "Loose metric" in end
    assert "Adrift call" in end
    assert text.index("The last priority") < text.index("Loose metric")


def test_what_is_not_public_is_not_on_the_thread_of_visitors(client, client_as):
    ProjectFactory(title="Secret project", is_public=False)
    MetricFactory(name="Secret metric", members_only=True)
    CallFactory(title="Secret call", draft=True)
    SignUpFactory(submitted=True, organisation_name="Secret trust")

    assert "Secret" not in whole_thread(client)
    assert "Secret project" in whole_thread(client_as(UserFactory(staff=True)))


def test_the_thread_can_be_filtered_by_priority_system_stage_and_words(client):
    some_programme(1)
    priority, *_ = some_programme(2)

    for filters in ({"priority": priority.slug}, {"system": "qn2"}, {"q": "handrails 2"}):
        text = whole_thread(client, **filters)
        assert "Handrails 2" in text, filters
        assert "Handrails 1" not in text, filters
    assert "only projects have one" in whole_thread(client, stage="set_up")
    assert "Nothing fits your filters under" in whole_thread(client, stage="embedded")


def test_a_filter_that_makes_no_sense_is_left_out_with_a_sentence(client):
    some_programme()

    text = whole_thread(client, system="zz", q="\0")

    assert "there is no such choice, so it was left out" in text
    assert "Handrails 1" in text


def test_a_long_priority_shows_some_and_leads_to_all(client):
    priority = PriorityFactory(title="Falls")
    ProjectFactory.create_batch(13, priorities=[priority])

    short, whole = whole_thread(client), whole_thread(client, priority=priority.slug)

    assert "Not all is shown here. In all: 13 projects. Show all of Falls" in short
    assert "Not all is shown" not in whole


@pytest.mark.parametrize("number", [1, 3])
def test_the_thread_asks_as_often_for_many_as_for_one(client, number, django_assert_max_num_queries):
    for one in range(number):
        some_programme(one)

    with django_assert_max_num_queries(5 + 5 + 6):  # systems and the mark of a demonstration; one an app; the readings
        whole_thread(client)


# The component --------------------------------------------------------------------------------------------------------
def test_the_thread_says_where_one_is_and_what_is_missing(client):
    priority, project, metric, call = some_programme()

    for page, kind in ((priority, "Priority"), (project, "Project"), (metric, "Metric"), (call, "Call")):
        text = text_of(client.get(page.get_absolute_url()))
        assert f"{kind}: you are here" in text
        assert "Annual reports: none linked here yet" in text
        assert "The whole thread on one page" in text


def test_the_thread_leads_both_ways_between_priority_project_and_metric(client):
    priority, project, metric, call = some_programme()

    for here, others in ((priority, (project, call)), (project, (priority, metric)), (metric, (project,))):
        page = client.get(here.get_absolute_url()).content.decode()
        thread = page[page.index('id="thread-heading"') :]
        for other in others:
            assert f'href="{other.get_absolute_url()}"' in thread, (here, other)


def test_the_thread_never_leads_to_the_page_one_is_on():
    call = CallFactory()

    steps = {step.kind: step for step in registry.thread_of("call", call.pk, user=UserFactory())}

    assert (steps["call"].is_here, steps["call"].items) == (True, [])
