"""Lists, feed, calendar and report of calls, as everyone sees them."""

import datetime as dt
from xml.etree import ElementTree

import pytest
from django.urls import reverse
from django.utils import timezone

from projects.models import System
from proposals import actions, readings
from proposals.models import Decision, FeedbackLetter, Panel, PanelMember, Proposal
from psc_portal.common import clock, public_pages
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory, PriorityFactory
from tests.factories.proposals import CallFactory, ProposalFactory
from tests.unit.common.test_calendar_file import parsed

pytestmark = pytest.mark.django_db
ATOM = {"a": "http://www.w3.org/2005/Atom"}


def told(call, outcome, *, days=10, amount=None, released=True, **values) -> Proposal:
    """A proposal with a decision whose letter went out so many days after it was submitted."""
    proposal = ProposalFactory(call=call, submitted=True, status=outcome, **values)
    decision = Decision.objects.create(proposal=proposal, outcome=outcome, reasons="R", amount=amount,
                                       decided_by=call.created_by, decided_at=clock.now())  # fmt: skip
    at = proposal.submitted_at + dt.timedelta(days=days)
    sent = {"released_at": at, "released_by": call.created_by, "sent_text": "L"} if released else {}
    FeedbackLetter.objects.create(decision=decision, written_by=call.created_by, **sent)
    return proposal


@pytest.fixture
def decided():
    """Six received, four eligible, two funded, one approved but not told; 10, 20, 30 days, so a median of 20."""
    north, south = (System.objects.create(code=code, name=name) for code, name in (("QN", "North"), ("QS", "South")))
    call = CallFactory(decided=True, priorities=[PriorityFactory(title="Falls"), PriorityFactory(title="Sepsis")])
    falls, sepsis = call.priorities.order_by("title")
    told(call, "approved", days=10, amount=20000, title="Funded one", organisation=OrganisationFactory(system=north))
    told(call, "approved", days=20, amount=5000, title="Funded two", organisation=OrganisationFactory(system=south),
         priorities=[falls])  # fmt: skip
    told(call, "declined", days=30, title="SECRET-DECLINED", priorities=[sepsis], lay_summary="SECRET-DECLINED-SUMMARY",
         organisation=OrganisationFactory(system=north, name="Secret Hospital"))  # fmt: skip
    told(call, "approved", released=False, amount=9000, title="SECRET-UNTOLD", organisation=None)
    ProposalFactory(call=call, submitted=True, status="ineligible", title="SECRET-INELIGIBLE")
    ProposalFactory(call=call, submitted=True, status="withdrawn", title="SECRET-WITHDRAWN")
    ProposalFactory(call=call, title="SECRET-DRAFT")
    return call


SECRETS = ("SECRET", "Secret Hospital", "9,000")


def test_the_figures_of_a_call_count_only_what_applicants_have_been_told(decided):
    counts = readings.counts_of_calls([decided.pk])[decided.pk]

    assert (counts.received, counts.eligible, counts.funded) == (6, 4, 2)
    assert (counts.awarded, counts.median_days) == (25000, 20)


@pytest.mark.parametrize(("days", "median"), [([], None), ([7], 7), ([1, 2, 9, 10], 6), ([3, 3, 90], 3)])
def test_the_median_is_that_of_the_days_from_submission_to_the_first_letter(days, median):
    call = CallFactory(decided=True)
    ProposalFactory(call=call, submitted=True)
    for one in days:
        told(call, "declined", days=one)

    assert readings.counts_of_calls([call.pk])[call.pk].median_days == median


def test_the_list_shows_open_upcoming_and_past_calls_with_their_figures(client, decided):
    CallFactory(title="Now open")
    CallFactory(title="Opens soon", upcoming=True)
    CallFactory(title="SECRET-CALL", draft=True)

    page = client.get("/calls/").content.decode()

    order = [
        page.index(words) for words in ("Open now", "Now open", "Upcoming", "Opens soon", "Past calls", decided.title)
    ]
    assert order == sorted(order)
    assert "6 received, 4 eligible, 2 funded. Half of the applicants had their decision within 20 days." in page
    assert "SECRET" not in page


def test_lists_take_as_many_queries_with_three_calls_as_with_one(queries_of, client, settings):
    settings.KEEP_PUBLIC_PAGES = False
    pages = ["/calls/", reverse("proposals:call_feed"), reverse("proposals:calendar")]
    told(CallFactory(decided=True), "approved")
    CallFactory()
    one = queries_of(client, pages)
    for _ in range(2):
        told(CallFactory(decided=True), "approved")
        CallFactory()

    assert queries_of(client, pages) == one


def test_kept_pages_of_calls_ask_the_database_nothing_and_carry_no_token(
    client, settings, decided, django_assert_num_queries
):
    settings.KEEP_PUBLIC_PAGES = True
    public_pages.forget()
    pages = ["/calls/", decided.get_absolute_url(), reverse("proposals:call_report", args=[decided.slug]),
             reverse("proposals:call_feed"), reverse("proposals:calendar")]  # fmt: skip
    for page in pages:
        client.get(page)

    for page in pages:
        with django_assert_num_queries(0):
            body = client.get(page).content.decode()
        assert "csrfmiddlewaretoken" not in body
        assert not client.cookies


# Feed and calendar ----------------------------------------------------------------------------------------------------
def test_the_feed_is_atom_with_every_published_call_and_no_draft(client, settings):
    call, hidden = CallFactory(title="Safer <care> & more"), CallFactory(draft=True, title="SECRET")
    actions.publish_call(call=CallFactory(draft=True, title="Just published"), by=hidden.created_by)

    answer = client.get(reverse("proposals:call_feed"))

    feed = ElementTree.fromstring(answer.content)
    titles = [entry.findtext("a:title", namespaces=ATOM) for entry in feed.findall("a:entry", ATOM)]
    links = [entry.find("a:link", ATOM).get("href") for entry in feed.findall("a:entry", ATOM)]
    assert answer["Content-Type"].startswith("application/atom+xml")
    assert set(titles) == {"Safer <care> & more", "Just published"}
    assert settings.PORTAL_URL + call.get_absolute_url() in links


def test_the_calendar_has_opening_closing_and_decision_with_lasting_ids_and_follows_extensions(client):
    call = CallFactory(title="Safer care, now")
    CallFactory(draft=True, title="SECRET")
    url = reverse("proposals:call_calendar", args=[call.slug])

    before = {event["UID"]: event for event in parsed(client.get(url).content.decode())}
    closes_at = call.closes_at + dt.timedelta(days=7)
    actions.extend_call(call=call, by=call.created_by, closes_at=closes_at, reason="A bank holiday.")
    after = {event["UID"]: event for event in parsed(client.get(url).content.decode())}

    opens, closes, decision = (f"call-{call.pk}-{what}@" for what in ("opens", "closes", "decision"))
    assert [uid.partition("@")[0] + "@" for uid in before] == [opens, closes, decision]
    assert set(before) == set(after)
    moved = next(after[uid] for uid in after if uid.startswith(closes))
    assert moved["DTSTART"] == f"{closes_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    assert (moved["SEQUENCE"], moved["SUMMARY"]) == ("1", "Safer care, now: closes")
    everything = client.get(reverse("proposals:calendar"))
    assert everything["Content-Type"] == "text/calendar; charset=utf-8"
    assert len(parsed(everything.content.decode())) == 3


# Report ---------------------------------------------------------------------------------------------------------------
def test_the_report_gives_figures_by_system_and_priority_and_names_only_what_is_funded(client, decided):
    report = readings.call_report(decided)
    page = client.get(reverse("proposals:call_report", args=[decided.slug])).content.decode()
    csv = b"".join(client.get(reverse("proposals:call_report_csv", args=[decided.slug])).streaming_content).decode()

    systems = {name: (one.received, one.eligible, one.funded, one.awarded) for name, one in report.by_system}
    priorities = {name: (one.received, one.funded) for name, one in report.by_priority}
    assert (systems["North"], systems["South"]) == ((2, 2, 1, 20000), (1, 1, 1, 5000))
    assert sum(one[0] for one in systems.values()) == 6
    assert priorities == {"Falls": (5, 2), "Sepsis": (5, 1)}
    assert "Funded one" in page
    assert "Funded two" in page
    assert "£25,000" in page
    for secret in SECRETS:
        assert secret not in page + csv
    assert "North,2,2,1,20000" in csv


def test_the_report_gives_the_panel_by_roles_and_never_by_names(client, decided):
    people = [UserFactory(full_name=f"Panellist {number}") for number in range(4)]
    panel = Panel.objects.create(call=decided, held_on=clock.today(), chair=people[0], opened_at=timezone.now())
    for number, person in enumerate(people):
        PanelMember.objects.create(panel=panel, user=person, is_lay=number == 1, is_present=number < 3)

    page = client.get(reverse("proposals:call_report", args=[decided.slug])).content.decode()

    assert "a chair and 2 other members, 1 of them a public member." in page
    assert "Panellist" not in page


@pytest.mark.parametrize("trait", ["upcoming", "closed", "in_assessment", "at_panel", "draft"])
def test_there_is_no_report_before_the_call_is_decided(client, client_as, trait):
    call = CallFactory(**{trait: True})

    for name in ("call_report", "call_report_csv"):
        url = reverse(f"proposals:{name}", args=[call.slug])
        assert client.get(url).status_code == client_as(call.created_by).get(url).status_code == 404


def test_the_report_takes_as_many_queries_with_three_proposals_as_with_one(client, queries_of, settings):
    settings.KEEP_PUBLIC_PAGES = False
    call = CallFactory(decided=True)
    url = reverse("proposals:call_report", args=[call.slug])
    told(call, "approved", amount=100)
    one = queries_of(client, [url])
    for _ in range(2):
        told(call, "approved", amount=100)

    assert queries_of(client, [url]) == one
