import datetime as dt

import pytest
from django.core import mail as django_mail
from django.test import Client

from psc_portal.common import outbox, registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.registry import WaitingItem
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(monkeypatch):
    monkeypatch.setattr(registry.waiting, "_providers", [])
    return registry.waiting


def test_what_waits_is_shown_by_section_and_the_most_urgent_first(waiting, client_as):
    user = UserFactory()
    waiting.register(
        lambda person: (
            [
                WaitingItem("No hurry", "/a/", section="Reviews"),
                WaitingItem("Late <1>", "/b/", note="Two left", due=dt.date(2026, 6, 28), section="Reviews"),
                WaitingItem("Your draft", "/c/", due=dt.date(2026, 7, 1)),
            ]
            if person == user
            else []
        )
    )

    page = client_as(user).get("/my/").content.decode()

    assert page.index("Late &lt;1&gt;") < page.index("No hurry")
    assert page.count("<h2") >= 2
    assert "Due 28 June 2026" in page
    assert "Your draft" not in client_as(UserFactory()).get("/my/").content.decode()


def test_with_nothing_waiting_the_page_shows_ways_on(waiting, client_as):
    page = client_as(UserFactory()).get("/my/").content.decode()

    assert "Nothing waits for you" in page
    assert 'href="/calls/"' in page


def test_my_page_asks_a_visitor_to_log_in():
    assert Client().get("/my/").headers["Location"] == "/accounts/login/?next=/my/"


def test_the_mailbox_shows_what_was_written_with_its_state(settings):
    settings.DEMO = True
    sent = outbox.store_mail(to=["ada@example.org"], subject="First <b>", body="Open https://portal.example.org/x/")
    outbox.deliver_mail(sent.pk)
    waiting = outbox.store_mail(to=["bea@example.org"], subject="Second", body="Nothing yet")
    OutboxMessage.objects.filter(pk=waiting.pk).update(status="failed", error="TimeoutError: mail server")

    page = Client().get("/demo/mailbox/").content.decode()
    filtered = Client().get("/demo/mailbox/?to=Bea@example.org").content.decode()
    text = Client().get(f"/demo/mailbox/{sent.pk}/").content.decode()

    assert "First &lt;b&gt;" in page
    assert page.index("Second") < page.index("First")  # the newest first
    assert "First" not in filtered
    assert 'href="https://portal.example.org/x/"' in text
    assert "Sent" in text
    assert "TimeoutError" in Client().get(f"/demo/mailbox/{waiting.pk}/").content.decode()
    assert len(django_mail.outbox) == 1


def test_there_is_no_mailbox_outside_a_demonstration(settings):
    message = outbox.store_mail(to=["ada@example.org"], subject="Secret", body="link")
    settings.DEMO = settings.DEBUG = False

    assert Client().get("/demo/mailbox/").status_code == 404
    assert Client().get(f"/demo/mailbox/{message.pk}/").status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_mailbox_runs_the_same_queries_for_one_mail_and_three(rows, settings, django_assert_num_queries):
    settings.DEMO = True
    for number in range(rows):
        outbox.store_mail(to=["ada@example.org"], subject=str(number), body="x")
    Client().get("/demo/mailbox/")

    with django_assert_num_queries(2):
        Client().get("/demo/mailbox/")
