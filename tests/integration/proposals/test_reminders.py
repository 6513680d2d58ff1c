"""Reminders by mail: asked for, confirmed, sent once, stopped, and forgotten."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.urls import reverse

from proposals import actions
from proposals.models import Call, CallReminder, Proposal
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory

pytestmark = pytest.mark.django_db
EMAIL = "ines@example.org"


@pytest.fixture(autouse=True)
def nobody_has_asked_before():
    cache.clear()


def subjects(email=EMAIL) -> list[str]:
    return [mail.subject.partition(":")[0] for mail in OutboxMessage.objects.filter(to=[email]).order_by("pk")]


def on_the_list(call, email=EMAIL) -> CallReminder:
    return actions.confirm_reminder(reminder=actions.ask_for_reminder(call=call, email=email))


def at(moment):
    with clock.at(moment):
        return actions.remind_of_calls()


@pytest.fixture
def call():
    """Opens in a day, closes thirty days later."""
    opens = clock.now() + dt.timedelta(days=1)
    return CallFactory(opens_at=opens, closes_at=opens + dt.timedelta(days=30))


def test_nothing_is_sent_to_an_address_before_it_is_confirmed_by_a_button(client, call):
    client.post(reverse("proposals:call_remind", args=[call.slug]), {"email": EMAIL})
    reminder = CallReminder.objects.get()
    link = reverse("proposals:reminder", args=[reminder.token])

    seen = client.get(link).content.decode()
    at(call.opens_at)
    unconfirmed = (CallReminder.objects.get().confirmed_at, subjects())
    client.post(link, {"confirm": "1"})
    at(call.opens_at)

    assert link in OutboxMessage.objects.first().body
    assert "Confirm your reminder" in seen
    assert unconfirmed == (None, ["Confirm"])
    assert subjects() == ["Confirm", "Open now"]


def test_opening_and_closing_are_each_reminded_of_once(call):
    on_the_list(call)
    three_days_before = call.closes_at - dt.timedelta(days=3)

    at(call.opens_at - dt.timedelta(minutes=1))
    before = subjects()
    for moment in (call.opens_at, call.opens_at, three_days_before - dt.timedelta(minutes=1)):
        at(moment)
    opened = subjects()
    for moment in (three_days_before, three_days_before, call.closes_at - dt.timedelta(minutes=1)):
        at(moment)

    assert before == ["Confirm"]
    assert opened == ["Confirm", "Open now"]
    assert subjects() == ["Confirm", "Open now", "Closes soon"]


def test_who_asks_while_the_call_is_open_is_not_told_that_it_opened():
    call = CallFactory(closes_at=clock.now() + dt.timedelta(days=20))
    on_the_list(call)

    at(clock.now())

    assert subjects() == ["Confirm"]


def test_the_reminder_follows_an_extension_and_is_told_again_for_the_new_time():
    call = CallFactory(closes_at=clock.now() + dt.timedelta(days=2))
    on_the_list(call)
    at(clock.now())
    first = subjects()
    later = call.closes_at + dt.timedelta(days=10)
    actions.extend_call(call=call, by=call.created_by, closes_at=later, reason="A bank holiday.")

    at(call.closes_at)
    between = subjects()
    at(later - dt.timedelta(days=2))

    assert first == between == ["Confirm", "Closes soon"]
    assert subjects() == ["Confirm", "Closes soon", "Closes soon"]


def test_addresses_and_their_mails_are_deleted_once_the_call_has_closed(call):
    on_the_list(call)
    at(call.opens_at)
    other = ProposalFactory(submitted=True)
    actions.ask_programme(proposal=other, by=other.applicant, text="A question")

    at(call.closes_at + dt.timedelta(minutes=1))

    assert not CallReminder.objects.exists()
    assert subjects() == []
    assert OutboxMessage.objects.count() == 1


def test_an_address_that_was_never_confirmed_is_deleted_after_a_week(call):
    actions.ask_for_reminder(call=call, email=EMAIL)

    at(clock.now() + dt.timedelta(days=6))
    kept = CallReminder.objects.exists()
    at(clock.now() + dt.timedelta(days=8))

    assert (kept, CallReminder.objects.exists()) == (True, False)


def test_stopping_deletes_the_address_and_only_a_button_does_it(client, call):
    reminder = on_the_list(call)
    link = reverse("proposals:reminder", args=[reminder.token])

    client.get(link)
    kept = CallReminder.objects.count()
    client.post(link, {"stop": "1"})

    assert (kept, CallReminder.objects.count(), subjects()) == (1, 0, [])
    assert client.get(link).status_code == 404


def test_a_confirmation_that_comes_just_after_a_stop_is_answered_with_what_to_do(client, call, monkeypatch):
    reminder = actions.ask_for_reminder(call=call, email=EMAIL)
    confirm = actions.confirm_reminder

    def stopped_first(*, reminder):
        actions.stop_reminder(reminder=reminder)
        return confirm(reminder=reminder)

    monkeypatch.setattr(actions, "confirm_reminder", stopped_first)
    answer = client.post(reverse("proposals:reminder", args=[reminder.token]), {"confirm": "1"}, follow=True)

    assert answer.status_code == 200
    assert "Ask for a reminder again." in answer.content.decode()
    assert not CallReminder.objects.exists()


def test_every_mail_carries_the_link_to_stop(call):
    reminder = on_the_list(call)
    actions.ask_for_reminder(call=call, email=EMAIL)
    at(call.opens_at)
    at(call.closes_at - dt.timedelta(days=1))

    bodies = [mail.body for mail in OutboxMessage.objects.filter(to=[EMAIL])]

    assert len(bodies) == 4
    assert all(reverse("proposals:reminder", args=[reminder.token]) in body for body in bodies)


def test_the_page_says_the_same_whether_or_not_the_address_is_known(client, call):
    on_the_list(call, "known@example.org")
    url = reverse("proposals:call_remind", args=[call.slug])

    known, unknown = (
        client.post(url, {"email": f"{name}@example.org"}).content.decode() for name in ("known", "other")
    )

    assert known.replace("known@", "other@") == unknown
    assert subjects("known@example.org") == ["Confirm", "You are on the list"]


def test_asking_often_sends_one_mail_a_day_and_is_limited(client, call):
    url = reverse("proposals:call_remind", args=[call.slug])

    statuses = [client.post(url, {"email": EMAIL.upper()}).status_code for _ in range(12)]

    assert statuses == [200] * 10 + [429] * 2
    assert CallReminder.objects.get().email == EMAIL
    assert len(subjects()) == 1


@pytest.mark.parametrize("email", ["", "not an address", "a@b@c.example"])
def test_a_wrong_address_is_refused_with_what_was_typed(client, call, email):
    page = client.post(reverse("proposals:call_remind", args=[call.slug]), {"email": email}).content.decode()

    assert "<title>Error: " in page
    assert not CallReminder.objects.exists()


def test_a_program_that_fills_in_every_box_is_told_nothing(client, call):
    client.post(reverse("proposals:call_remind", args=[call.slug]), {"email": EMAIL, "website": "x"})

    assert not CallReminder.objects.exists()


def test_a_closed_call_takes_no_reminders(client):
    closed = CallFactory(closed=True)

    with pytest.raises(ActionRefused, match="has closed"):
        actions.ask_for_reminder(call=closed, email=EMAIL)
    assert client.get(reverse("proposals:call_remind", args=[closed.slug])).url == closed.get_absolute_url()
    hidden = CallFactory(draft=True)
    assert client.get(reverse("proposals:call_remind", args=[hidden.slug])).status_code == 404


# Drafts ---------------------------------------------------------------------------------------------------------------
def told_of_drafts(mails) -> list:
    return [mail for mail in mails if "Not submitted yet" in mail.subject]


def test_the_applicant_of_a_draft_is_told_once_before_each_closing_time(mailed):
    call = CallFactory(closes_at=clock.now() + dt.timedelta(days=2))
    draft, submitted = ProposalFactory(call=call), ProposalFactory(call=call, submitted=True)
    later = ProposalFactory(call=CallFactory(closes_at=clock.now() + dt.timedelta(days=9)))

    for _ in range(2):
        actions.remind_of_drafts()
    closes_at = call.closes_at + dt.timedelta(days=10)
    actions.extend_call(call=call, by=call.created_by, closes_at=closes_at, reason="A bank holiday.")
    for days in (5, 1):
        with clock.at(closes_at - dt.timedelta(days=days)):
            actions.remind_of_drafts()

    told = [one.applicant for one in (draft, submitted, later)]
    assert [len(told_of_drafts(mailed(one))) for one in told] == [2, 0, 1]  # the last: its own call closes soon then
    assert Proposal.objects.get(pk=draft.pk).status == "draft"


def test_the_subject_of_a_mail_about_a_draft_does_not_tell_its_title(mailed):
    draft = ProposalFactory(call=CallFactory(closes_at=clock.now() + dt.timedelta(days=2)), title="Zebra crossing")
    heir = UserFactory()
    draft.collaborators.create(
        email=heir.email, user=heir, invited_by=draft.applicant, accepted_at=clock.now(), role="edit"
    )

    actions.remind_of_drafts()
    actions.hand_over(proposal=draft, by=draft.applicant, to=heir)

    mails = [*mailed(draft.applicant), *mailed(heir)]
    assert len(mails) == 3
    assert not [mail.subject for mail in mails if "Zebra" in mail.subject]


def test_an_applicant_with_more_time_is_told_before_their_own_closing_time(mailed):
    call = CallFactory(closed=True)
    alone, other = ProposalFactory(call=call), ProposalFactory(call=call)
    until = clock.now() + dt.timedelta(days=2)
    actions.extend_call(call=call, by=call.created_by, closes_at=until, reason="Ill.", applicant=alone.applicant)

    actions.remind_of_drafts()

    assert [len(told_of_drafts(mailed(one.applicant))) for one in (alone, other)] == [1, 0]
    assert Call.objects.get(pk=call.pk).is_past
