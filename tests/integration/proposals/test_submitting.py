import datetime as dt
import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from proposals import actions, questions
from proposals.models import Call, Extension, Proposal
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, complete_answers

VALID_NHS_NUMBER = "943 476 5919"


@pytest.mark.django_db
def test_submit_proposal_to_a_closed_call_is_refused_and_changes_nothing():
    proposal = ProposalFactory(call__closed=True)
    answers = dict(proposal.answers)

    with pytest.raises(ActionRefused, match="closed"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    proposal.refresh_from_db()
    assert (proposal.status, list(proposal.status_changes.all())) == (Proposal.Status.DRAFT, [])
    assert (proposal.answers, proposal.reference, proposal.is_too_late) == (answers, None, True)
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_a_submitted_proposal_has_its_number_its_rows_and_one_receipt_by_mail(settings):
    settings.REFERENCE_PREFIX = "EM"
    proposal = ProposalFactory()

    actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    proposal.refresh_from_db()
    year = clock.today().year
    assert (proposal.status, proposal.reference) == (Proposal.Status.SUBMITTED, f"EM-{year}-0001")
    assert proposal.lay_summary.startswith("A check on the first day")
    assert [(benefit.metric_name, benefit.aim_on) for benefit in proposal.benefits.all()] == [
        ("Falls on the ward", dt.date(2028, 3, 31))
    ]
    assert (proposal.amount_asked, proposal.evidence_level, proposal.care_settings) == (12500, 3, ["acute"])
    assert [change.to_status for change in proposal.status_changes.all()] == ["submitted"]
    message = OutboxMessage.objects.get(kind="mail")
    assert (message.to, proposal.reference in message.body) == ([proposal.applicant.email], True)


@pytest.mark.django_db
def test_each_line_of_the_budget_keeps_its_year_and_pages_show_it_with_the_sums(client_as):
    proposal = ProposalFactory()
    proposal.answers |= {"budget-2-description": "Training", "budget-2-year": "2", "budget-2-asked": "500"}
    proposal.save()

    actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    lines = [(line.description, line.year, line.asked) for line in proposal.budget_lines.all()]
    assert lines == [("Nurse time", 1, 12500), ("Training", 2, 500)]
    proposal.refresh_from_db()
    [budget] = [one for one in questions.shown_of(proposal) if one.section.slug == "budget"]
    assert [row[1].text for _number, row in budget.rows] == ["Year 1", "Year 2"]  # the first was left empty
    copy = (
        client_as(proposal.applicant)
        .get(reverse("proposals:proposal_copy", args=[proposal.reference]))
        .content.decode()
    )
    staff = client_as(UserFactory(staff=True)).get(reverse("admin:proposals_proposal_screen", args=[proposal.pk]))
    for page in (copy, staff.content.decode()):
        assert "Year 2: £500 asked of us" in page


@pytest.mark.django_db
def test_submitting_twice_gives_one_number_and_one_receipt():
    proposal = ProposalFactory()
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    with pytest.raises(ActionRefused, match="submitted already"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    assert proposal.status_changes.count() == 1
    assert OutboxMessage.objects.filter(kind="mail").count() == 1


@pytest.mark.django_db
def test_posting_the_last_page_twice_shows_the_receipt_the_second_time(client_as):
    proposal = ProposalFactory()
    client = client_as(proposal.applicant)
    url = reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id])

    first = client.post(url, {"declares": "on"})
    second = client.post(url, {"declares": "on"}, follow=True)

    proposal.refresh_from_db()
    assert first.url == proposal.get_absolute_url()
    assert proposal.reference in second.content.decode()
    assert "submitted already" in second.content.decode()
    assert OutboxMessage.objects.filter(kind="mail").count() == 1


@pytest.mark.django_db
def test_numbers_follow_each_other_without_gaps_even_after_a_refusal():
    call = CallFactory()
    first, refused, second = (ProposalFactory(call=call) for _ in range(3))
    refused.answers["title"] = ""
    refused.save()

    actions.submit_proposal(proposal=first, by=first.applicant)
    with pytest.raises(ActionRefused):
        actions.submit_proposal(proposal=refused, by=refused.applicant)
    actions.submit_proposal(proposal=second, by=second.applicant)

    numbers = [Proposal.objects.get(pk=one.pk).reference[-4:] for one in (first, second)]
    assert numbers == ["0001", "0002"]


@pytest.mark.django_db
def test_a_number_in_the_declaration_can_be_explained_too(client_as):
    proposal = ProposalFactory()
    client = client_as(proposal.applicant)
    url = reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id])
    sent = {"declares": "on", "interests": f"My firm has the number {VALID_NHS_NUMBER}"}

    refused = client.post(url, sent).content.decode()
    again = client.get(url).content.decode()
    client.post(url, sent | {"numbers_explained": "A company number"})

    assert "Declaration of interests" in refused and 'name="numbers_explained"' in refused
    assert 'name="numbers_explained"' in again
    assert Proposal.objects.get().numbers_explained == "A company number"


@pytest.mark.django_db
def test_an_nhs_number_cannot_be_submitted_and_the_refusal_names_the_place():
    proposal = ProposalFactory()
    proposal.answers["problem"] = f"A patient, {VALID_NHS_NUMBER}, fell."
    proposal.save()

    with pytest.raises(ActionRefused, match="What problem does it solve") as refusal:
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    proposal.refresh_from_db()
    assert VALID_NHS_NUMBER not in str(refusal.value)
    assert VALID_NHS_NUMBER in proposal.answers["problem"]


@pytest.mark.django_db
def test_what_only_looks_like_an_nhs_number_can_be_explained_and_is_logged(client_as):
    proposal = ProposalFactory()
    proposal.answers["problem"] = f"Order {VALID_NHS_NUMBER} of our supplier."
    proposal.save()
    client = client_as(proposal.applicant)
    url = reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id])

    refused = client.post(url, {"declares": "on"}).content.decode()
    client.post(url, {"declares": "on", "numbers_explained": "An order number"})

    proposal.refresh_from_db()
    assert "looks like an NHS number" in refused
    assert (proposal.status, proposal.numbers_explained) == (Proposal.Status.SUBMITTED, "An order number")
    assert AuditEvent.objects.get(verb="submit_proposal").after["has_explained_numbers"]


@pytest.mark.django_db
def test_an_nhs_number_in_a_row_of_the_budget_is_found_too():
    proposal = ProposalFactory()
    proposal.answers["budget-1-description"] = VALID_NHS_NUMBER
    proposal.save()

    with pytest.raises(ActionRefused, match="Budget line 1"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)


@pytest.mark.django_db
def test_a_proposal_that_asks_for_more_than_the_call_gives_is_refused():
    proposal = ProposalFactory(call__money_per_project=10000)

    with pytest.raises(ActionRefused, match="1 answer"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("lay_summary", "word " * 151),
        ("title", ""),
        ("benefit-1-aim_on", "31/2/2028"),
        ("benefit-1-baseline", "about six"),
        ("budget-1-asked", "-5"),
        ("organisation", "999999"),
        ("priorities", ["999999"]),
        ("evidence_level", "9"),
        ("sites_now", "a few"),
    ],
)
def test_a_wrong_answer_is_refused_by_the_action_itself_and_kept(answer, text):
    proposal = ProposalFactory()
    proposal.answers[answer] = text
    proposal.save()

    with pytest.raises(ActionRefused, match="missing or must be changed"):
        actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    proposal.refresh_from_db()
    assert (proposal.status, proposal.answers[answer]) == (Proposal.Status.DRAFT, text)


@pytest.mark.django_db
def test_only_the_applicant_can_submit():
    proposal = ProposalFactory()

    with pytest.raises(PermissionDenied):
        actions.submit_proposal(proposal=proposal, by=UserFactory())


@pytest.mark.django_db
def test_the_published_grace_counts():
    proposal = ProposalFactory(call__closed=True, call__grace=dt.timedelta(hours=2))

    actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.SUBMITTED


@pytest.mark.django_db
def test_an_extension_for_one_applicant_is_for_that_applicant_only():
    call = CallFactory(closed=True)
    mine, theirs = ProposalFactory(call=call), ProposalFactory(call=call)
    actions.extend_call(
        call=call,
        by=call.created_by,
        closes_at=timezone.now() + dt.timedelta(days=1),
        reason="Their hospital was flooded.",
        applicant=mine.applicant,
    )

    actions.submit_proposal(proposal=mine, by=mine.applicant)
    with pytest.raises(ActionRefused, match="closed"):
        actions.submit_proposal(proposal=theirs, by=theirs.applicant)

    mine.refresh_from_db()
    assert mine.status == Proposal.Status.SUBMITTED


@pytest.mark.django_db
def test_an_extension_for_all_stands_on_the_page_of_the_call(client):
    call = CallFactory()
    later = call.closes_at + dt.timedelta(days=7)

    actions.extend_call(call=call, by=call.created_by, closes_at=later, reason="The holidays were in between.")

    assert Call.objects.get(pk=call.pk).closes_at == later
    assert Extension.objects.get().closed_at_before == call.closes_at
    assert "The holidays were in between." in client.get(call.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_on_submit_give_one_receipt():
    proposal = ProposalFactory()
    outcomes, gate = [], threading.Barrier(20)

    def submit():
        try:
            gate.wait(timeout=30)
            actions.submit_proposal(proposal=proposal, by=proposal.applicant)
            outcomes.append("in")
        except ActionRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert (outcomes.count("in"), outcomes.count("refused")) == (1, 19)
    assert (OutboxMessage.objects.filter(kind="mail").count(), proposal.status_changes.count()) == (1, 1)


@pytest.mark.django_db
def test_withdrawing_needs_a_reason_and_keeps_the_text():
    proposal = ProposalFactory(submitted=True)

    with pytest.raises(ActionRefused, match="why"):
        actions.withdraw_proposal(proposal=proposal, by=proposal.applicant, reason=" ")
    actions.withdraw_proposal(proposal=proposal, by=proposal.applicant, reason="We found other money.")

    proposal.refresh_from_db()
    assert (proposal.status, proposal.withdrawal_reason) == ("withdrawn", "We found other money.")
    assert proposal.answers["title"]


@pytest.mark.django_db
def test_an_unreleased_decision_is_not_told_by_the_refusal_to_withdraw():
    proposal = ProposalFactory(declined=True)

    with pytest.raises(ActionRefused) as refusal:
        actions.withdraw_proposal(proposal=proposal, by=proposal.applicant, reason="Why not.")

    assert "declined" not in str(refusal.value).lower()


@pytest.mark.django_db
def test_complete_answers_have_no_problems():
    call = CallFactory()

    found = questions.read(questions.sections_of(call), complete_answers(call), questions.Choices(call))

    assert found.problems == {}
