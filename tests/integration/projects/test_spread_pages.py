"""The spread board, who near me does it, and asking them without anybody's address."""

import csv
import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects import actions
from projects.models import Affiliation
from psc_portal.common import clock, outbox
from psc_portal.common.guards import mark_of_now
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import (
    AffiliationFactory,
    OrganisationFactory,
    PriorityFactory,
    ProjectFactory,
    SystemFactory,
)

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"
MESSAGE = {"organisation": "", "name": "Ann", "email": "ann@example.org", "message": "How did you begin?"}


@pytest.fixture(autouse=True)
def no_limits_from_before():
    cache.clear()


@pytest.fixture
def lincolnshire():
    return SystemFactory(name="Lincolnshire", code="QJM")


@pytest.fixture
def hospital(lincolnshire):
    return OrganisationFactory(
        name="Lincoln Hospital", slug="lincoln", system=lincolnshire, postcode="LN2 5QY", care_settings=["acute"]
    )


@pytest.fixture
def project():
    return ProjectFactory(title="Falls check", slug="falls-check", care_settings=["acute"])


def adopt(project, organisation, stage="in_use", since=dt.date(2026, 3, 1)):
    return actions.record_adoption(project=project, organisation=organisation, stage=stage, since=since, by=None)


def html(url, client=None):
    response = (client or Client()).get(url)
    assert response.status_code == 200, url
    return response.content.decode()


# The board -----------------------------------------------------------------------------------------------------------
def test_the_board_says_in_words_who_does_what_since_when_and_who_not_yet(project, hospital):
    OrganisationFactory(name="Other Hospital", care_settings=["acute"])
    OrganisationFactory(name="A Company", kind="company")
    adopt(project, hospital, "testing", dt.date(2026, 1, 1))
    adopt(project, hospital)

    page = html("/spread/")

    assert "<strong>In use</strong> since 1 March 2026" in page and "since 1 January 2026" not in page
    assert "Not yet" in page and "A Company" not in page


def test_one_project_shows_its_gaps_among_those_it_is_meant_for(project, hospital):
    OrganisationFactory(name="Other Hospital", care_settings=["acute"])
    OrganisationFactory(name="A Pharmacy", care_settings=["pharmacy"], kind="other")
    adopt(project, hospital)

    response = Client().get("/spread/?project=falls-check")

    gaps = [name for one in response.context["reach"] for name in one.none_yet]
    assert gaps == ["Other Hospital"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [("priority=p-1", True), ("priority=p-2", False), ("setting=acute", True), ("setting=pharmacy", False)],
)
def test_the_board_is_filtered(hospital, query, shown):
    one, _other = PriorityFactory(slug="p-1"), PriorityFactory(slug="p-2")
    adopt(ProjectFactory(priorities=[one], care_settings=["acute"]), hospital)

    assert ("since 1 March 2026" in html(f"/spread/?{query}")) is shown


def test_a_system_shows_its_own_and_those_that_serve_all(project, hospital):
    adopt(project, hospital)
    OrganisationFactory(name="Ambulances", serves_all_systems=True, care_settings=["ambulance"])
    OrganisationFactory(name="Elsewhere Trust", care_settings=["acute"], system=SystemFactory())

    page = html("/spread/?system=QJM")

    assert "Lincoln Hospital" in page and "Ambulances" in page and "Elsewhere Trust" not in page


def test_a_filter_that_makes_no_sense_is_a_sentence_not_an_error():
    assert "there is no such choice" in html("/spread/?system=%00x&project=zz&page=zz&columns=99")


def test_what_is_not_public_is_on_no_spread_page(hospital, client_as):
    secret = ProjectFactory(title="Secret work", is_public=False)
    adopt(secret, hospital)

    for url in ["/spread/", "/spread/print/", "/spread/adoption.csv", "/spread/near/?system=QJM"]:
        response = Client().get(url)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert b"Secret work" not in content
    assert Client().get(reverse("projects:contact", args=[secret.slug])).status_code == 404
    assert "Secret work" in html("/spread/", client_as(UserFactory(staff=True)))


@pytest.mark.parametrize("url", ["/spread/", "/spread/print/", "/spread/adoption.csv", "/spread/near/?place=Trust"])
def test_the_board_takes_as_many_queries_for_many_as_for_few(url, settings):
    settings.KEEP_PUBLIC_PAGES = False
    Client().get(url)  # asks once whether this is a demonstration
    counts = []
    for rows in (1, 3):
        for number in range(rows):
            place = OrganisationFactory(
                name=f"Trust {rows} {number}", care_settings=["acute"], system=SystemFactory(), postcode="LN1 1AA"
            )
            adopt(ProjectFactory(), place)
        with CaptureQueriesContext(connection) as queries:
            Client().get(url)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 7


def test_many_organisations_and_projects_come_in_pages(hospital):
    for number in range(30):
        OrganisationFactory(name=f"Trust {number:02}", care_settings=["acute"])
    for number in range(7):
        ProjectFactory(title=f"Project {number}")

    response = Client().get("/spread/?page=2&columns=2")

    assert len(response.context["rows"]) == 6 and len(response.context["rows"][0][1]) == 2
    assert "Projects before these" in response.content.decode()


def test_the_download_is_a_table_that_holds_no_formula(project, hospital):
    adopt(project, OrganisationFactory(name="=cmd|x", care_settings=["acute"]))

    response = Client().get("/spread/adoption.csv")

    rows = list(csv.reader(b"".join(response.streaming_content).decode("utf-8-sig").splitlines()))
    assert rows[1][0] == "organisation"
    assert [rows[2][0], rows[2][2], rows[2][4], rows[2][5]] == ["'=cmd|x", "Falls check", "In use", "2026-03-01"]


# Near me -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", ["LN2 5QY", "ln9", "Lincoln", "lincolnshire"])
def test_whoever_types_a_postcode_or_a_name_finds_who_does_it_there(project, hospital, place):
    adopt(project, hospital)

    page = html(f"/spread/near/?place={place}&q=falls")

    assert "Lincoln Hospital: <strong>in use</strong> since 1 March 2026" in page
    assert reverse("projects:contact", args=["falls-check"]) in page and "Evidence level 0 of 5" in page


def test_an_unknown_place_says_so_and_offers_the_areas(hospital):
    page = html("/spread/near/?place=ZZ1")

    assert "no organisation with such a postcode" in page and "?system=QJM" in page


def test_nobody_there_says_so_with_a_way_on(project, hospital):
    assert "Nobody there is noted" in html("/spread/near/?place=LN2&q=falls")


# Asking them ---------------------------------------------------------------------------------------------------------
def send(project, client=None, **change):
    url = reverse("projects:contact", args=[project.slug])
    with clock.at(clock.now() - dt.timedelta(minutes=1)):
        shown_at = mark_of_now()
    return (client or Client()).post(url, MESSAGE | {"shown_at": shown_at} | change, follow=True)


def mails():
    return list(OutboxMessage.objects.filter(kind="mail", subject__startswith="A question about").order_by("pk"))


def test_a_message_reaches_the_leads_with_reply_to_and_no_page_shows_an_address(project):
    leads = [UserFactory(), UserFactory()]
    for lead in leads:
        actions.add_project_lead(project=project, user=lead, by=None)

    response = send(project)

    sent = mails()
    assert sorted(mail.to for mail in sent) == sorted([lead.email] for lead in leads)  # one mail each
    assert {mail.reply_to for mail in sent} == {"ann@example.org"} and "How did you begin?" in sent[0].body
    page = response.content.decode() + html(project.get_absolute_url())
    assert not any(lead.email in page or lead.full_name in page for lead in leads)


def test_an_organisations_message_goes_to_the_members_who_said_that_they_answer(project, hospital):
    adopt(project, hospital)
    answers = AffiliationFactory(organisation=hospital)
    AffiliationFactory(organisation=hospital)  # a member who did not offer
    actions.answer_questions(affiliation=answers, answers_questions=True, by=answers.user)

    send(project, organisation=hospital.pk)

    assert [mail.to for mail in mails()] == [[answers.user.email]]


def test_where_nobody_is_there_staff_get_it_and_the_sender_sees_no_difference(project, settings):
    nobody = send(project).content
    assert [mail.to for mail in mails()] == [[settings.COLLABORATIVE["email"]]]
    assert "Please pass it on" in mails()[0].body

    actions.add_project_lead(project=project, user=UserFactory(), by=None)

    assert send(project, message="Another question").content == nobody


def test_an_organisation_that_does_not_use_it_cannot_be_asked(project, hospital):
    assert "Choose from the list" in send(project, organisation=hospital.pk).content.decode()
    with pytest.raises(ActionRefused, match="not noted"):
        actions.contact_project(project=project, organisation=hospital, name="A", email="a@b.org", message="Hi")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"message": f"About {NHS_NUMBER}"}, "NHS number in: Your message"),
        ({"email": "ann@example.org\nBcc: all@example.org"}, "email address in the correct format"),
        ({"email": "nonsense"}, "email address in the correct format"),
        ({"name": ""}, "Enter your name"),
        ({"message": ""}, "Enter your message"),
    ],
)
def test_a_refused_message_keeps_what_was_typed_and_sends_nothing(project, change, sentence):
    page = send(project, **change).content.decode()

    assert sentence in page and (change.get("message", MESSAGE["message"]) or "Ann") in page
    assert mails() == []


def test_no_header_is_smuggled_in_by_name_or_title(project, mailoutbox):
    type(project).objects.filter(pk=project.pk).update(title="Falls\nBcc: all@example.org")
    project.refresh_from_db()

    actions.contact_project(project=project, name="A\r\nBcc: x@example.org", email="ann@example.org", message="Hi")
    outbox.deliver_mail(mails()[0].pk)

    headers = mailoutbox[0].message()
    assert headers["Bcc"] is None and headers["Reply-To"] == "ann@example.org"
    assert "\n" not in mails()[0].subject


def test_a_double_click_sends_one_mail(project):
    send(project)
    send(project)

    assert len(mails()) == 1


def test_too_many_messages_from_one_address_are_refused_with_the_text_kept(project):
    for number in range(5):
        send(project, message=f"Question {number}")

    response = send(project, message="One more question")

    assert response.status_code == 429 and "One more question" in response.content.decode() and len(mails()) == 5


@pytest.mark.parametrize("change", [{"website": "http://spam.example"}, {"shown_at": ""}])
def test_a_program_that_fills_in_every_box_or_comes_at_once_sends_nothing(project, change):
    assert "send it again" in send(project, **change).content.decode() and mails() == []


def test_only_a_confirmed_member_offers_to_answer_and_only_for_themselves(client_as, hospital):
    claimed = AffiliationFactory(organisation=hospital, status=Affiliation.Status.CLAIMED)
    other = AffiliationFactory(organisation=hospital)
    client = client_as(claimed.user)

    client.post(reverse("projects:affiliation_answers", args=[claimed.pk]), {"answers": "yes"})
    assert client.post(reverse("projects:affiliation_answers", args=[other.pk]), {"answers": "yes"}).status_code == 404

    assert not Affiliation.objects.answering(hospital).exists()
    client_as(other.user).post(reverse("projects:affiliation_answers", args=[other.pk]), {"answers": "yes"})
    assert [row.pk for row in Affiliation.objects.answering(hospital)] == [other.pk]
