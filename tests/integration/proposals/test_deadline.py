"""The deadline contract: one instant, kept inside the transaction, told to everyone the same."""

import datetime as dt
import queue
import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from proposals import actions
from proposals.models import Call, Extension, Proposal
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date, uk_datetime
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, hours

SUBMITS, CONNECTIONS = 200, 60


def test_time_left_is_told_in_the_two_largest_units():
    moment = dt.datetime(2026, 6, 30, 16, tzinfo=dt.UTC)
    told = {
        dt.timedelta(days=3, hours=4, minutes=59): "3 days 4 hours left",
        dt.timedelta(days=1): "1 day left",
        dt.timedelta(hours=23, minutes=59, seconds=59): "23 hours 59 minutes left",
        dt.timedelta(hours=1): "1 hour left",
        dt.timedelta(seconds=119): "1 minute left",
        dt.timedelta(seconds=59): "less than a minute left",
        dt.timedelta(0): "",
    }

    assert {left: clock.time_left(moment + left, moment) for left in told} == told


def test_the_server_says_what_time_it_is_and_asks_the_database_nothing(client):
    """Without the mark of the database, any query fails this test."""
    moment = dt.datetime(2026, 6, 30, 16, tzinfo=dt.UTC)

    with clock.at(moment):
        answer = client.get("/clock/")

    assert answer.json() == {"now": int(moment.timestamp() * 1000)}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_the_page_of_a_call_and_the_draft_say_closing_time_zone_and_grace(client, client_as):
    closes_at = dt.datetime(2030, 7, 1, 16, tzinfo=dt.UTC)
    proposal = ProposalFactory(call__closes_at=closes_at, call__grace=dt.timedelta(minutes=15))

    with clock.at(closes_at - dt.timedelta(days=3, hours=4)):
        public = client.get(proposal.call.get_absolute_url()).content.decode()
        mine = client_as(proposal.applicant).get(
            reverse("proposals:draft", args=[proposal.call.slug, proposal.public_id])
        )

    for page in (public, mine.content.decode()):
        assert "1 July 2030 at 5pm BST" in page
        assert "1 July 2030 at 5:15pm BST" in page
    assert "3 days 4 hours left" in mine.content.decode()
    assert "left</span>" not in public  # a kept page: the browser asks the server's clock


@pytest.mark.django_db
def test_a_late_submit_is_refused_with_both_times_and_what_was_typed_beside_it_is_kept(client_as):
    proposal = ProposalFactory(call__closed=True)
    url = reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id])

    page = (
        client_as(proposal.applicant)
        .post(url, {"declares": "on", "interests": "My sister sells mats"})
        .content.decode()
    )

    proposal.refresh_from_db()
    assert "proposals were accepted until" in page and "kept as not submitted" in page
    assert "My sister sells mats" in page
    assert (proposal.status, proposal.interests) == ("draft", "My sister sells mats")
    assert AuditEvent.objects.filter(verb="submit_too_late", subject_id=str(proposal.pk)).count() == 1


@pytest.mark.django_db
def test_text_of_a_section_that_arrives_after_the_submit_is_shown_back_and_kept_beside_the_proposal(client_as):
    proposal = ProposalFactory(submitted=True)
    url = reverse("proposals:draft_section", args=[proposal.call.slug, proposal.public_id, "about"])

    typed = {"problem": "Typed in a second tab", "care_settings": "acute", "version": "1"}
    answer = client_as(proposal.applicant).post(url, typed)

    proposal.refresh_from_db()
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Not submitted" in page and "Typed in a second tab" in page
    assert proposal.answers["problem"] != "Typed in a second tab"
    assert proposal.versions.get().not_taken == {"problem": "Typed in a second tab"}


# More time ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "sentence"), [("reviews_due_on", "Reviews of this call are due on"), ("decision_on", "is promised by")]
)
def test_more_time_for_all_ends_before_reviews_are_due_and_a_decision_is_promised(field, sentence):
    date = clock.today() + dt.timedelta(days=30)
    call = CallFactory(**{"reviews_due_on": None, field: date})

    def extend_to(day, hour):
        closes_at = dt.datetime.combine(day, dt.time(hour), clock.UK)
        return actions.extend_call(call=call, by=call.created_by, closes_at=closes_at, reason="Flood.")

    with pytest.raises(ActionRefused, match=f"{sentence} {uk_date(date)}. Choose a closing time on an earlier day"):
        extend_to(date, 0)
    assert not Extension.objects.exists()
    extend_to(date - dt.timedelta(days=1), 23)

    assert Extension.objects.count() == 1


def extend(client, call, **fields):
    closes_at = (timezone.now() + hours(24 * 20)).astimezone(clock.UK)
    parts = {"day": closes_at.day, "month": closes_at.month, "year": closes_at.year, "time": "17:00"}
    posted = {f"closes_at_{part}": str(value) for part, value in parts.items()} | fields
    return client.post(reverse("admin:proposals_call_extend", args=[call.pk]), posted, follow=True).content.decode()


@pytest.mark.django_db
def test_staff_give_one_applicant_more_time_which_only_that_applicant_is_told(client, client_as, mailed):
    call = CallFactory()
    mine, theirs = ProposalFactory(call=call), ProposalFactory(call=call)
    staff = client_as(UserFactory(staff=True))

    page = extend(staff, call, whom="one", email=mine.applicant.email.upper(), reason="Their ward was flooded.")

    extension = Extension.objects.get()
    assert "closing time is moved" in page
    assert (extension.applicant, Call.objects.get(pk=call.pk).closes_at) == (mine.applicant, call.closes_at)
    assert AuditEvent.objects.filter(verb="extend_call_for_one").exists()
    [mail] = mailed(mine.applicant)
    assert "Their ward was flooded." in mail.body and "holds for you only" in mail.body
    draft = reverse("proposals:draft", args=[call.slug, mine.public_id])
    shown = client_as(mine.applicant).get(draft).content.decode()
    assert uk_datetime(extension.closes_at) in shown and "Their ward was flooded." in shown
    assert mailed(theirs.applicant) == []
    others = client_as(theirs.applicant).get(reverse("proposals:draft", args=[call.slug, theirs.public_id]))
    assert "flooded" not in others.content.decode()
    assert "flooded" not in client.get(call.get_absolute_url()).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"whom": "one", "reason": "Why not"}, "Enter the email address of the applicant"),
        ({"whom": "one", "email": "no@example.org", "reason": "Why not"}, "has begun a draft in this call"),
        ({"whom": "everyone"}, "Say why there is more time"),
    ],
)
def test_more_time_without_a_known_person_or_a_reason_is_refused_and_keeps_what_was_typed(client_as, fields, sentence):
    call = CallFactory()

    page = extend(client_as(UserFactory(staff=True)), call, **fields)

    assert sentence in page
    assert 'value="17:00"' in page
    assert not Extension.objects.exists()


@pytest.mark.django_db
def test_more_time_for_all_is_public_and_mailed_once_to_everyone_with_a_draft(client, client_as, mailed):
    call = CallFactory()
    person = UserFactory()
    ProposalFactory(call=call, applicant=person), ProposalFactory(call=call, applicant=person)
    done = ProposalFactory(call=call, submitted=True)

    extend(client_as(UserFactory(staff=True)), call, whom="everyone", reason="The holidays were in between.")

    assert "The holidays were in between." in client.get(call.get_absolute_url()).content.decode()
    assert [mail.subject for mail in mailed(person)] == [f'More time for the call "{call.title}"']
    assert mailed(done.applicant) == []


# The closing instant --------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_200_submits_that_race_the_closing_instant_are_each_in_or_refused_and_none_is_lost():
    """Real connections, and the real clock passes the closing time while they run."""
    call = CallFactory()
    proposals = [ProposalFactory(call=call) for _ in range(SUBMITS)]
    waiting, outcomes = queue.SimpleQueue(), {}
    for proposal in proposals:
        waiting.put(proposal)
    gate = threading.Barrier(CONNECTIONS + 1)

    def submit_in_turn():
        connection.ensure_connection()
        gate.wait(timeout=60)
        try:
            while True:
                try:
                    proposal = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    actions.submit_proposal(proposal=proposal, by=proposal.applicant)
                    outcomes[proposal.pk] = "in"
                except ActionRefused as refusal:
                    outcomes[proposal.pk] = str(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit_in_turn) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    Call.objects.filter(pk=call.pk).update(closes_at=timezone.now() + dt.timedelta(seconds=2))
    gate.wait(timeout=60)
    for thread in threads:
        thread.join(timeout=240)

    accepted = Proposal.objects.filter(status=Proposal.Status.SUBMITTED)
    closes_at = Call.objects.get(pk=call.pk).closes_at
    numbers = sorted(accepted.values_list("reference", flat=True))
    receipts = OutboxMessage.objects.filter(kind=OutboxMessage.Kind.MAIL)
    assert len(outcomes) == SUBMITS
    assert {pk for pk, outcome in outcomes.items() if outcome == "in"} == set(accepted.values_list("pk", flat=True))
    assert 0 < len(numbers) < SUBMITS  # the instant passed while they ran
    assert all("This call has closed" in outcome for outcome in outcomes.values() if outcome != "in")
    assert all(one.submitted_at < closes_at for one in accepted)
    assert [number[-4:] for number in numbers] == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    assert sorted(receipts.values_list("to", flat=True)) == sorted([one.applicant.email] for one in accepted)
    refused = Proposal.objects.filter(status=Proposal.Status.DRAFT, answers__title__gt="", reference=None)
    assert refused.count() == SUBMITS - len(numbers)
