"""The page on which a team sees where its proposal stands, and what it may not tell before a letter is released."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from proposals import actions, readings
from proposals.models import Proposal
from proposals.views.status import NEXT_STEPS
from psc_portal.common import clock, registry
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory
from tests.factories.proposals import AssignmentFactory, CallFactory, ProposalFactory

pytestmark = pytest.mark.django_db


def way(proposal) -> list[tuple[str, str]]:
    """Its steps as the team sees them, from a fresh row."""
    return [(step.title, str(step.progress)) for step in readings.steps_of(Proposal.objects.get(pk=proposal.pk))]


def decided(proposal, staff, outcome="declined", **values):
    Proposal.objects.filter(pk=proposal.pk).update(status=Proposal.Status.AT_PANEL)
    type(proposal.call).objects.filter(pk=proposal.call_id).update(status="panel")
    actions.decide(proposal=proposal, by=staff, outcome=outcome, reasons="SECRET-REASONS", **values)


def released(proposal, staff):
    comments = {criterion.pk: f"About {criterion.code}." for criterion in proposal.call.criterion_set.criteria.all()}
    actions.write_feedback(proposal=proposal, by=staff, comments=comments, next_time="Show the costs.")
    actions.release_feedback(proposal=proposal, by=staff, reason="The others follow.")


def test_the_steps_follow_a_proposal_from_submission_to_its_project():
    proposal, staff = ProposalFactory(), UserFactory(staff=True)
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)
    after_submitting = way(proposal)
    actions.screen_proposal(proposal=proposal, by=staff, is_eligible=True)
    in_review = way(proposal)
    decided(proposal, staff, outcome="approved")
    before_release = way(proposal)
    released(proposal, staff)

    assert after_submitting[:3] == [("Submitted", "Done"), ("Checked", "Now"), ("In review", "To come")]
    assert in_review[1:4] == [("Checked", "Done"), ("In review", "Now"), ("Panel", "To come")]
    assert before_release[2:] == [
        ("In review", "Done"),
        ("Panel", "Now"),
        ("Decision", "To come"),
        ("Project", "To come"),
    ]
    assert way(proposal)[3:] == [("Panel", "Done"), ("Decision", "Done"), ("Project", "Now")]


def test_the_personal_page_says_where_each_proposal_stands_and_no_more_than_its_team_was_told():
    staff, applicant = UserFactory(staff=True), UserFactory()
    waiting, refused, untold, told = (ProposalFactory(submitted=True, applicant=applicant) for _ in range(4))
    actions.screen_proposal(proposal=refused, by=staff, is_eligible=False, reason="Not from the region.")
    for proposal in (untold, told):
        decided(proposal, staff)
    released(told, staff)

    notes = {item.title[:12]: item.note.partition(": ")[2] for item in registry.waiting.collect(applicant)}

    assert notes[told.reference] == "decided. Read the decision and the feedback there."
    assert notes[refused.reference] == "not eligible. Read there why, and what you can do."
    assert notes[waiting.reference].startswith("decision by") and notes[untold.reference].startswith("decision by")


def test_the_steps_end_where_a_proposal_ended():
    staff = UserFactory(staff=True)
    withdrawn, refused, declined = (ProposalFactory(submitted=True) for _ in range(3))
    actions.withdraw_proposal(proposal=withdrawn, by=withdrawn.applicant, reason="No staff.")
    actions.screen_proposal(proposal=refused, by=staff, is_eligible=False, reason="Not from the region.")
    decided(declined, staff)
    released(declined, staff)

    assert way(withdrawn)[-1] == ("Withdrawn", "Ended here")
    assert way(refused) == [("Submitted", "Done"), ("Checked", "Ended here")]
    assert way(declined)[-1] == ("Decision", "Ended here")


@pytest.mark.parametrize("outcome", ["approved", "declined", "reserve"])
def test_a_decision_shows_nowhere_on_the_page_before_its_letter_is_released(client_as, outcome):
    proposal, staff = ProposalFactory(at_panel=True, call__at_panel=True), UserFactory(staff=True)
    client = client_as(proposal.applicant)
    strip = re.compile(r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"')
    before = strip.sub("", client.get(proposal.get_absolute_url()).content.decode())
    decided(proposal, staff, outcome=outcome)

    page = client.get(proposal.get_absolute_url()).content.decode()

    assert strip.sub("", page) == before
    released(proposal, staff)
    assert "SECRET-REASONS" in client.get(proposal.get_absolute_url()).content.decode()


def test_the_page_keeps_its_promise_or_says_that_it_is_late(client_as):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    client = client_as(proposal.applicant)

    in_time = client.get(proposal.get_absolute_url()).content.decode()
    type(proposal.call).objects.filter(pk=proposal.call_id).update(decision_on=clock.today() - dt.timedelta(days=1))
    late = client.get(proposal.get_absolute_url()).content.decode()

    assert "Decision and written feedback by" in in_time
    assert "That date has passed and we are late" in late
    assert any(item.note.endswith(": we are late") for item in registry.waiting.collect(proposal.applicant))
    assert "Decision and written feedback by" not in late


@pytest.mark.parametrize("status", Proposal.Status.values)
def test_every_stage_says_what_happens_next(client_as, status):
    proposal = ProposalFactory(submitted=True)
    Proposal.objects.filter(pk=proposal.pk).update(status=status)

    page = client_as(proposal.applicant).get(proposal.get_absolute_url()).content.decode()

    shown = Proposal.objects.get(pk=proposal.pk).status_for_team
    assert f'What happens next</dt><dd class="nhsuk-summary-list__value">{NEXT_STEPS[shown]}</dd>' in page


def test_published_answers_are_one_link_away(client_as):
    proposal, staff = ProposalFactory(submitted=True), UserFactory(staff=True)
    client, link = client_as(proposal.applicant), f'href="{proposal.call.get_absolute_url()}#answers"'

    before = client.get(proposal.get_absolute_url()).content.decode()
    actions.publish_answer(by=staff, call=proposal.call, question="Can costs of staff be asked for?", answer="Yes.")

    assert link not in before
    assert link in client.get(proposal.get_absolute_url()).content.decode()


def test_more_time_is_part_of_the_correspondence():
    proposal, staff = ProposalFactory(), UserFactory(staff=True)
    actions.extend_call(
        call=proposal.call, by=staff, closes_at=proposal.call.closes_at + dt.timedelta(days=1),
        reason="The portal was down.", applicant=proposal.applicant,
    )  # fmt: skip

    [letter] = readings.correspondence_of(Proposal.objects.get(pk=proposal.pk), proposal.applicant)

    assert letter.heading == "More time" and "The portal was down." in letter.text


def test_all_correspondence_stands_in_order_and_word_for_word():
    proposal, staff = ProposalFactory(), UserFactory(staff=True)
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)
    actions.ask_programme(proposal=proposal, by=proposal.applicant, text="When is the panel?")
    message = proposal.messages.get()
    actions.answer_message(message=message, by=staff, text="In May.")
    decided(proposal, staff)
    untold = readings.correspondence_of(Proposal.objects.get(pk=proposal.pk), proposal.applicant)
    released(proposal, staff)
    proposal = Proposal.objects.get(pk=proposal.pk)

    letters = readings.correspondence_of(proposal, proposal.applicant)

    assert [one.heading for one in untold] == ["Receipt", "Message from your team", "Message from us"]
    assert [one.heading for one in letters[3:]] == ["Decision and feedback"]
    assert letters[0].text == OutboxMessage.objects.get(key=f"proposals.received.{proposal.pk}").body
    assert letters[3].text == proposal.decisions.get().letter.sent_text
    assert letters == sorted(letters, key=lambda one: one.at)


def test_the_letter_of_ineligibility_is_there_even_when_its_mail_is_gone():
    proposal, staff = ProposalFactory(submitted=True), UserFactory(staff=True)
    actions.screen_proposal(proposal=proposal, by=staff, is_eligible=False, reason="Not from the region.")
    sent = readings.correspondence_of(proposal, proposal.applicant)
    OutboxMessage.objects.all().delete()

    assert [("Not from the region." in one.text, one.heading) for one in sent] == [(True, "Not eligible")]
    assert [one.text for one in readings.correspondence_of(proposal, proposal.applicant)] == ["Not from the region."]


def test_feedback_shows_the_band_by_criterion_and_never_others(client_as):
    proposal, staff = ProposalFactory(at_panel=True, call__at_panel=True), UserFactory(staff=True)
    decided(proposal, staff, outcome="approved")
    released(proposal, staff)
    proposal.decisions.get().letter.comments.update(band="upper")

    page = client_as(proposal.applicant).get(proposal.get_absolute_url()).content.decode()

    assert page.count("In the upper third of the eligible proposals in this call.") == 6
    assert "Show the costs." in page


def test_only_the_team_sees_the_page_with_messages_and_letters(client_as, client):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    actions.ask_programme(proposal=proposal, by=proposal.applicant, text="SECRET-QUESTION")
    reviewer = AssignmentFactory(proposal=proposal, cleared=True).reviewer
    waiting = AssignmentFactory(proposal=proposal).reviewer
    url, send = proposal.get_absolute_url(), reverse("proposals:proposal_message", args=[proposal.address])
    pdf = reverse("proposals:proposal_pdf", args=[proposal.address])

    for user in (reviewer, waiting, UserFactory(), UserFactory(staff=True)):
        other = client_as(user)
        assert "SECRET-QUESTION" not in other.get(url).content.decode()
        assert other.post(send, {"text": "Mine"}).status_code == 404
        assert other.get(pdf).status_code == (302 if user.is_programme_staff else 404)
    assert client.get(url).status_code == client.get(pdf).status_code == client.post(send).status_code == 302
    assert proposal.messages.count() == 1


def test_the_page_takes_as_many_queries_with_three_messages_as_with_one(client_as, queries_of):
    proposal, staff = ProposalFactory(submitted=True), UserFactory(staff=True)
    client, url = client_as(proposal.applicant), proposal.get_absolute_url()
    actions.ask_programme(proposal=proposal, by=proposal.applicant, text="One")
    one = queries_of(client, [url])
    for text in ("Two", "Three"):
        actions.answer_message(message=proposal.messages.first(), by=staff, text=text)

    assert queries_of(client, [url]) == one


def test_a_draft_says_nothing_of_steps_and_where_it_began(client_as):
    earlier = ProposalFactory(declined=True)
    draft = ProposalFactory(applicant=earlier.applicant, earlier=earlier, call=CallFactory())

    page = client_as(draft.applicant).get(draft.get_absolute_url()).content.decode()

    assert ("app-steps" in page, earlier.reference in page) == (False, True)
