"""Questions of a team to the programme, answers, and answers for everyone."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from proposals import actions
from proposals.models import CallAnswer, Collaborator, ConflictOfInterest, Message
from psc_portal.common import clock, registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import AssignmentFactory, ProposalFactory

pytestmark = pytest.mark.django_db
VALID_NHS_NUMBER = "943 476 5919"


def question_on(proposal, text="When is the panel?") -> Message:
    return actions.ask_programme(proposal=proposal, by=proposal.applicant, text=text)


def joined(proposal, role):
    user = UserFactory()
    Collaborator.objects.create(
        proposal=proposal, email=user.email, user=user, role=role, invited_by=proposal.applicant,
        accepted_at=clock.now(),
    )  # fmt: skip
    return user


def waiting_for(user) -> list[str]:
    return [item.title for item in registry.waiting.collect(user)]


def test_a_question_reaches_the_programme_by_a_mail_with_a_link_and_without_its_text(settings):
    proposal = ProposalFactory(submitted=True)

    message = question_on(proposal, "SECRET-QUESTION about our budget")

    mail = OutboxMessage.objects.get()
    assert mail.to == [settings.COLLABORATIVE["email"]]
    assert reverse("admin:proposals_message_answer", args=[message.pk]) in mail.body
    assert "SECRET-QUESTION" not in mail.body + mail.subject
    assert proposal.title not in mail.body


def test_an_answer_reaches_applicant_and_asker_by_a_link(mailed):
    proposal, staff = ProposalFactory(submitted=True), UserFactory(staff=True)
    writer, reader = joined(proposal, "edit"), joined(proposal, "view")
    message = actions.ask_programme(proposal=proposal, by=writer, text="May we add a partner?")

    actions.answer_message(message=message, by=staff, text="SECRET-ANSWER: yes.")

    assert [len(mailed(user)) for user in (proposal.applicant, writer, reader)] == [1, 1, 0]
    assert "SECRET-ANSWER" not in mailed(writer)[0].body
    assert proposal.get_absolute_url() in mailed(writer)[0].body


def test_a_double_click_sends_one_message(client_as):
    proposal = ProposalFactory(submitted=True)
    client, url = client_as(proposal.applicant), reverse("proposals:proposal_message", args=[proposal.address])

    answers = [client.post(url, {"text": "When is the panel?"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert (proposal.messages.count(), OutboxMessage.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"Patient {VALID_NHS_NUMBER} fell.", "what looks like an NHS number"),
        ("", "Write your message first"),
        ("long " * 1200, "up to 5,000 characters"),
    ],
)
def test_a_refused_message_comes_back_as_typed_with_a_sentence(client_as, text, sentence):
    proposal = ProposalFactory(submitted=True)
    url = reverse("proposals:proposal_message", args=[proposal.address])

    answer = client_as(proposal.applicant).post(url, {"text": text}).content.decode()

    assert sentence in answer
    assert text.strip() in answer
    assert "<title>Error: " in answer
    assert not Message.objects.exists()


def test_who_may_only_read_a_proposal_does_not_write_for_its_team():
    proposal = ProposalFactory(submitted=True)

    actions.ask_programme(proposal=proposal, by=joined(proposal, "edit"), text="A question")
    for user in (joined(proposal, "view"), UserFactory(), UserFactory(staff=True), UserFactory(reviewer=True)):
        with pytest.raises(PermissionDenied):
            actions.ask_programme(proposal=proposal, by=user, text="Another")


def test_staff_with_an_interest_and_reviewers_see_and_answer_nothing(client_as):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    message = question_on(proposal)
    conflicted, reviewer = UserFactory(staff=True), AssignmentFactory(proposal=proposal, cleared=True).reviewer
    ConflictOfInterest.objects.create(
        proposal=proposal, user=conflicted, kind="other", source="recorded", recorded_at=clock.now()
    )

    for user in (conflicted, reviewer, proposal.applicant):
        with pytest.raises(PermissionDenied):
            actions.answer_message(message=message, by=user, text="An answer")
        client = client_as(user)
        for name in ("change", "answer", "publish"):
            url = reverse(f"admin:proposals_message_{name}", args=[message.pk])
            assert client.get(url).status_code in (302, 403, 404), (user, name)
            assert message.text not in client.get(url, follow=True).content.decode()
    assert message.text not in client_as(conflicted).get(reverse("admin:proposals_message_changelist")).content.decode()


def test_a_draft_can_ask_and_staff_answer_without_seeing_the_draft(client_as):
    draft, staff = ProposalFactory(title="SECRET-TITLE"), UserFactory(staff=True)
    message = question_on(draft, "Who can be a partner?")
    client = client_as(staff)

    page = client.get(reverse("admin:proposals_message_answer", args=[message.pk])).content.decode()
    rows = client.get(reverse("admin:proposals_message_changelist")).content.decode()
    client.post(reverse("admin:proposals_message_answer", args=[message.pk]), {"text": "Anyone in the region."})

    assert "Who can be a partner?" in page
    assert "SECRET-TITLE" not in page + rows
    assert [one.text for one in draft.messages.filter(is_from_team=False)] == ["Anyone in the region."]
    assert "Anyone in the region." in client_as(draft.applicant).get(draft.get_absolute_url()).content.decode()


def test_unanswered_questions_wait_for_staff_and_new_answers_for_the_team():
    proposal, staff, other = ProposalFactory(submitted=True), UserFactory(staff=True), UserFactory(staff=True)
    ConflictOfInterest.objects.create(
        proposal=proposal, user=other, kind="other", source="recorded", recorded_at=clock.now()
    )
    message = question_on(proposal)
    asked = f"Answer a question about {proposal.reference}"
    answered = f"We have written to you about {proposal.reference}"

    before = [waiting_for(user) for user in (staff, other, proposal.applicant)]
    actions.answer_message(message=message, by=staff, text="In May.")
    after = [waiting_for(user) for user in (staff, proposal.applicant)]
    question_on(proposal, "Thank you.")

    assert [asked in titles for titles in before] == [True, False, False]
    assert (asked in after[0], answered in after[1]) == (False, True)
    assert answered not in waiting_for(proposal.applicant)


def test_a_message_is_new_and_waits_for_each_of_the_team_until_they_have_had_its_page_open(client_as):
    proposal, staff = ProposalFactory(submitted=True), UserFactory(staff=True)
    other = joined(proposal, "view")
    first, second = client_as(proposal.applicant), client_as(other)
    waits = f"We have written to you about {proposal.reference}"
    with clock.at(clock.now() - dt.timedelta(days=20)):  # an unread message waits however old it is
        actions.write_to_team(proposal=proposal, by=staff, text="Please send the letter.")

    def new_on(client):
        return client.get(proposal.get_absolute_url()).content.decode().count(">New</strong>")

    assert [waits in waiting_for(user) for user in (proposal.applicant, other)] == [True, True]
    assert [new_on(first), new_on(first)] == [1, 0]
    assert [waits in waiting_for(user) for user in (proposal.applicant, other)] == [False, True]
    actions.write_to_team(proposal=proposal, by=staff, text="And the plan.")
    assert [waits in waiting_for(user) for user in (proposal.applicant, other)] == [True, True]
    assert [new_on(first), new_on(second), new_on(first)] == [1, 2, 0]
    assert [waits in waiting_for(user) for user in (proposal.applicant, other)] == [False, False]
    client_as(staff).get(proposal.get_absolute_url())
    assert set(proposal.messages_read.values_list("user", flat=True)) == {proposal.applicant.pk, other.pk}


def test_messages_are_append_only():
    message = question_on(ProposalFactory(submitted=True))

    with pytest.raises(DatabaseError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(text="Another")


# For everyone ---------------------------------------------------------------------------------------------------------
def test_a_general_answer_stands_on_the_call_s_page_and_does_not_say_who_asked(client_as, client):
    proposal = ProposalFactory(applicant__full_name="Ines Ferrer")
    message = question_on(proposal, "We at Trent Street Surgery want two partners. May we?")
    url = reverse("admin:proposals_message_publish", args=[message.pk])
    values = {"question": "May a proposal have two partners?", "answer": "Yes, as many as you like."}

    client_as(UserFactory(staff=True)).post(url, values)
    page = client.get(proposal.call.get_absolute_url()).content.decode()

    assert values["question"] in page
    assert values["answer"] in page
    assert "Ines Ferrer" not in page
    assert "Trent Street" not in page


@pytest.mark.parametrize("named", ["Ines Ferrer", "INES FERRER", "Trent Street Surgery", "Fewer falls on the ward"])
def test_a_general_answer_that_names_someone_is_refused_with_the_text_kept(client_as, named):
    proposal = ProposalFactory(submitted=True, applicant__full_name="Ines Ferrer",
                               organisation__name="Trent Street Surgery")  # fmt: skip
    message = question_on(proposal)
    url = reverse("admin:proposals_message_publish", args=[message.pk])

    page = client_as(UserFactory(staff=True)).post(url, {"question": f"May {named} apply?", "answer": "Yes."})

    assert "names" in page.content.decode()
    assert f"May {named} apply?" in page.content.decode()
    assert not CallAnswer.objects.exists()


def test_publishing_is_for_staff_takes_no_nhs_number_and_happens_once():
    proposal, staff = ProposalFactory(), UserFactory(staff=True)
    message = question_on(proposal)

    with pytest.raises(PermissionDenied):
        actions.publish_answer(message=message, by=proposal.applicant, question="May we?", answer="Yes.")
    with pytest.raises(ActionRefused, match="NHS number"):
        actions.publish_answer(message=message, by=staff, question="May we?", answer=VALID_NHS_NUMBER)
    for _ in range(2):
        actions.publish_answer(message=message, by=staff, question="May we?", answer="Yes.")

    assert CallAnswer.objects.count() == 1


def test_staff_write_to_a_team_and_correct_a_published_answer_in_the_admin(client_as):
    proposal, client = ProposalFactory(submitted=True), client_as(UserFactory(staff=True))
    client.post(reverse("admin:proposals_proposal_write", args=[proposal.pk]), {"text": "Please send the letter."})
    values = {"call": proposal.call_id, "question": "May we?", "answer": "Yes."}
    client.post(reverse("admin:proposals_callanswer_add"), values)
    answer = CallAnswer.objects.get()
    client.post(reverse("admin:proposals_callanswer_edit", args=[answer.pk]), values | {"answer": "Yes, always."})

    answer.refresh_from_db()
    assert (answer.answer, proposal.messages.get().is_from_team) == ("Yes, always.", False)
    for name in ("message", "callanswer"):
        assert client.get(reverse(f"admin:proposals_{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:proposals_message_change", args=[proposal.messages.get().pk])).status_code == 200
    assert client.get(reverse("admin:proposals_callanswer_change", args=[answer.pk])).status_code == 200
