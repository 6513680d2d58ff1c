"""The home page: what is new, what is open, which signals appeared; nothing stale, and few queries."""

import datetime as dt
import re

import pytest

from psc_portal.common import clock, public_pages
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import ConsultationFactory, PriorityFactory, ProjectFactory
from tests.factories.proposals import CallFactory

pytestmark = pytest.mark.django_db
STEADY, HIGH = [(52, 100), (48, 100)] * 8, (99, 100)


def home(client) -> str:
    main = client.get("/").content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_there_is_a_way_in_for_each_kind_of_visitor(client):
    text = home(client)

    for heading in (
        "See what is done and whether it works", "Bring an innovation", "Take part as an organisation",
        "Work on the programme",
    ):  # fmt: skip
        assert heading in text


def test_what_is_open_shows_when_it_closes_with_the_zone_and_what_is_over_is_gone(client):
    moment = dt.datetime(2026, 12, 18, 17, tzinfo=clock.UK)
    with clock.at(moment - dt.timedelta(days=3)):
        CallFactory(title="Open call", opens_at=moment - dt.timedelta(days=9), closes_at=moment)
        ConsultationFactory(title="Open question", opens_at=moment - dt.timedelta(days=9), closes_at=moment)
        text = home(client)
    assert text.count("18 December 2026 at 5pm GMT") == 2

    with clock.at(moment):
        text = home(client)
    assert "Open question" not in text.partition("What is new")[0]
    assert "No call is open now." in text


def test_a_signal_that_appeared_in_the_newest_data_is_told_and_an_old_one_is_not(client):
    for name, values in (("Appeared", [*STEADY, HIGH]), ("Long there", [*STEADY, HIGH, HIGH]), ("Calm", STEADY)):
        fill(SeriesFactory(metric=MetricFactory(name=name)), values)

    told = home(client).partition("What the newest data say")[2].partition("All metrics")[0]

    assert "Appeared" in told
    assert "Long there" not in told
    assert "Calm" not in told


def test_signals_come_from_published_values_of_public_metrics_only(client):
    fill(SeriesFactory(metric=MetricFactory(name="Members only", members_only=True)), [*STEADY, HIGH])

    text = home(client)

    assert "Members only" not in text
    assert "No new sign of change in values that came in since" in text


def test_values_that_came_in_long_ago_are_no_news(client):
    with clock.at(clock.now() - dt.timedelta(days=40)):
        fill(SeriesFactory(metric=MetricFactory(name="Old news")), [*STEADY, HIGH])

    assert "No new sign of change" in home(client)


def test_what_is_new_is_dated_and_leaves_out_what_is_not_public(client):
    ProjectFactory(title="Handrails")
    ProjectFactory(title="Secret", is_public=False)

    text = home(client)

    assert f"Handrails New project, {clock.today().day} {clock.today():%B %Y}" in text
    assert "Secret" not in text


def test_a_kept_home_page_ends_when_a_call_closes(client, settings, monkeypatch):
    settings.KEEP_PUBLIC_PAGES = True
    kept_for = []
    monkeypatch.setattr(public_pages.cache, "set", lambda key, value, timeout: kept_for.append(timeout))
    CallFactory(closes_at=clock.now() + dt.timedelta(seconds=20))

    client.get("/")

    assert 0 < kept_for[-1] <= 20


@pytest.mark.parametrize("number", [1, 3])
def test_the_home_page_asks_little(client, number, django_assert_max_num_queries):
    """Five of its own and one an app; the readings of metrics with new values stand kept beside the pages."""
    for _ in range(number):
        PriorityFactory()
        CallFactory()
        ConsultationFactory()
        ProjectFactory()

    home(client)  # what is asked once in a process
    with django_assert_max_num_queries(5 + 6):
        home(client)


def test_signals_are_worked_out_once_for_many_pages(settings):
    settings.KEEP_PUBLIC_PAGES = True
    public_pages.forget()
    made = []

    for _ in range(2):
        public_pages.kept_with_pages("once", lambda: made.append(1) or ["dear"])
    public_pages.forget()
    public_pages.kept_with_pages("once", lambda: made.append(1) or ["dear"])

    assert len(made) == 2
