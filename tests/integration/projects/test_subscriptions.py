"""E-mails about what is new: confirmed first, sent once, stopped with one click, and nobody learns who gets them."""

import datetime as dt
import re

import pytest
from django.core import mail

from projects import actions
from projects.models import Subscription
from psc_portal.common import clock, outbox
from psc_portal.common.models import OutboxMessage
from tests.factories.projects import PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db
ADA = "ada@reader.example"


def days(number):
    return dt.timedelta(days=number)


def ask(client, email=ADA, **more):
    return client.post("/subscriptions/", {"email": email, "frequency": "weekly", **more})


def subscribed(**more):
    began = clock.now() - days(8)
    return Subscription.objects.create(
        email=ADA, frequency="weekly", asked_at=began, confirmed_at=began, told_until=began, **more
    )


def test_an_address_gets_nothing_until_its_owner_presses_the_button(client):
    ask(client)
    ProjectFactory()
    link = re.search(r"http://testserver(/subscriptions/\S+)", OutboxMessage.objects.get().body)[1]
    client.get(link)  # a program that opens links
    with clock.at(clock.now() + days(6)):
        assert actions.send_digests() == 0
        client.post(link, {"confirm": "yes"})

    assert Subscription.objects.get().confirmed_at


def test_a_link_that_is_old_confirms_nothing_and_the_address_is_deleted(client):
    ask(client)
    link = f"/subscriptions/{Subscription.objects.get().token}/"

    with clock.at(clock.now() + days(8)):
        client.post(link, {"confirm": "yes"})
        assert Subscription.objects.get().confirmed_at is None
        actions.send_digests()

    assert not Subscription.objects.exists()
    assert not OutboxMessage.objects.filter(kind="mail").exists()


def test_the_answer_is_the_same_whether_or_not_an_address_is_subscribed(client):
    priority = PriorityFactory()
    subscribed()

    answers = [ask(client, email, priorities=[priority.pk]) for email in (ADA, "new@reader.example")]

    pages = [answer.content.decode().replace("new@reader.example", ADA) for answer in answers]
    assert pages[0] == pages[1]
    assert not Subscription.objects.get(email=ADA).priorities.exists()  # nobody else changes what it gets


def test_a_digest_tells_what_is_new_for_the_priority_once(client):
    priority = PriorityFactory()
    subscription = subscribed()
    subscription.priorities.add(priority)
    mine = ProjectFactory(title="Mine", priorities=[priority])
    ProjectFactory(title="Other")
    ProjectFactory(title="Hidden", priorities=[priority], is_public=False)

    assert [actions.send_digests(), actions.send_digests()] == [1, 0]

    body = OutboxMessage.objects.get(kind="mail").body
    assert f"http://testserver{mine.get_absolute_url()}" in body
    assert "Other" not in body
    assert "Hidden" not in body


def test_nothing_new_sends_nothing():
    subscription = subscribed()
    subscription.priorities.add(PriorityFactory(updated_at=clock.now() - days(30)))

    assert actions.send_digests() == 0
    assert not OutboxMessage.objects.filter(kind="mail").exists()


def test_a_mail_program_unsubscribes_with_one_click_without_logging_in(client):
    subscribed()
    ProjectFactory()
    actions.send_digests()
    outbox.deliver_mail(OutboxMessage.objects.get(kind="mail").pk)
    sent = mail.outbox[-1].message()

    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch(r"<http://testserver(/\S+)>", "".join(sent["List-Unsubscribe"].split()))[1]
    client.get(link)
    assert Subscription.objects.exists()  # opening it is not enough
    strict = type(client)(enforce_csrf_checks=True)
    assert strict.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200

    assert not Subscription.objects.exists()
    assert strict.post(link).status_code == 200  # again does no harm


def test_a_person_sees_changes_and_stops_what_they_get(client):
    subscription = subscribed()
    priority = PriorityFactory()
    link = f"/subscriptions/{subscription.token}/"

    client.post(link, {"frequency": "monthly", "priorities": [priority.pk]})
    assert ADA in client.get(link).content.decode()
    subscription.refresh_from_db()
    assert (subscription.frequency, list(subscription.priorities.all())) == ("monthly", [priority])
    client.post(link, {"stop": "yes"})

    assert not Subscription.objects.exists()


def test_asking_again_and_again_is_refused_and_keeps_what_was_typed(client):
    answers = [ask(client, f"reader{number}@reader.example").status_code for number in range(12)]

    assert answers[0] == 200
    assert answers[-1] == 429


def test_a_program_that_fills_in_every_box_subscribes_nobody(client):
    ask(client, website="http://spam.example")

    assert not Subscription.objects.exists()
