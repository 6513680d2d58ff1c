"""The page of a priority: what is happening, what has changed and what is missing."""

import re

import pytest

from projects import actions
from projects.gaps import gaps
from psc_portal.common.registry import Signal, ThreadItem, ThreadStep
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import OrganisationFactory, PriorityFactory, ProjectFactory, SystemFactory

pytestmark = pytest.mark.django_db


def text_of(client, page) -> str:
    main = client.get(page.get_absolute_url()).content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_a_priority_tells_what_the_data_of_its_metrics_say(client):
    priority = PriorityFactory()
    of_project = MetricFactory(name="Of the project", project=ProjectFactory(priorities=[priority]))
    fill(SeriesFactory(metric=of_project), [(50, 100)] * 2 + [(60, 100), (40, 100)] * 6 + [(95, 100)] * 8)
    MetricFactory(name="Of the priority", priority=priority)
    MetricFactory(name="Hidden", priority=priority, members_only=True)

    text = text_of(client, priority)

    assert "Of the project H Better: high values In January 2025 the value was 95%. Better:" in text
    assert "Without data so far: Of the priority." in text
    assert "Hidden" not in text


def test_metrics_of_a_project_that_nobody_may_see_are_not_told(client):
    priority = PriorityFactory()
    MetricFactory(name="Whispered", project=ProjectFactory(priorities=[priority], is_public=False))

    assert "Whispered" not in text_of(client, priority)


def test_an_empty_priority_says_all_that_is_missing(client):
    text = text_of(client, PriorityFactory())

    for sentence in (
        "No project works on it yet.",
        "No metric shows whether it gets better.",
        "No call has asked for ideas on it yet.",
        "No organisation has named it in its pledges yet.",
    ):
        assert sentence in text


def test_systems_where_nobody_takes_part_are_named(client):
    north, _south, west = (SystemFactory(name=name) for name in ("Northshire", "Southshire", "Westshire"))
    priority = PriorityFactory()
    project = ProjectFactory(priorities=[priority], lead_organisation=OrganisationFactory(system=north))
    actions.record_adoption(
        project=project, organisation=OrganisationFactory(system=west), stage="testing", by=UserFactory(staff=True)
    )

    text = text_of(client, priority)
    assert "No organisation in Southshire takes part" in text
    assert "in Northshire takes part" not in text
    assert "in Westshire takes part" not in text

    project.partners.add(OrganisationFactory(serves_all_systems=True))
    assert "takes part in a project on it" not in text_of(client, priority)


def signal(title, period):
    return Signal(1, title, "/m/", "Region", "5", period, "s", "s", "", "w", "common")


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, []),
        ({"stages": ["stopped", "closed"]}, ["No project works on it now: all have closed or stopped."]),
        ({"signals": [signal("A", "")]}, ["Its metric has no data yet."]),
        ({"signals": [signal("A", ""), signal("B", "")]}, ["None of its metrics has data yet."]),
        ({"signals": [signal("A", "May"), signal("B", "")]}, ["Without data so far: B."]),
        ({"systems": ["Kent"]}, ["No organisation in Kent takes part in a project on it."]),
        ({"stages": [], "systems": ["Kent"]}, ["No project works on it yet."]),
    ],
)
def test_gaps_are_named_one_by_one(changes, sentences):
    steps = [ThreadStep(kind, kind, kind, [ThreadItem(kind, "x", "/x/")], False) for kind in ("call", "pledge")]
    whole = {"stages": ["testing"], "signals": [signal("A", "May")], "systems": [], "thread": steps}

    assert gaps(**whole | changes) == sentences
