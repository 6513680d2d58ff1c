import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from measurement.models import Metric
from projects.models import Project
from proposals import actions
from proposals.models import Call, Decision, FeedbackLetter, PromisedBenefit, Proposal
from psc_portal.common import registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory
from tests.factories.proposals import ProposalFactory, review_of

APPROVED = {"outcome": "approved", "reasons": "Strong evidence, and four wards are ready."}


def at_panel(**kwargs) -> Proposal:
    proposal = ProposalFactory(at_panel=True, call__at_panel=True, **kwargs)
    PromisedBenefit.objects.create(
        proposal=proposal, position=1, metric_name="Falls on the ward", kind="outcome", unit="per 1,000 bed days",
        direction="decrease", baseline=Decimal("6.6"), aim=Decimal("5"), aim_on=dt.date(2028, 3, 31),
    )  # fmt: skip
    return proposal


def feedback_on(proposal, text="Well described.") -> dict:
    return {criterion.pk: text for criterion in proposal.call.criterion_set.criteria.all()}


def told(proposal, staff, outcome="approved", **kwargs):
    actions.decide(proposal=proposal, by=staff, **APPROVED | {"outcome": outcome} | kwargs)
    actions.write_feedback(proposal=proposal, by=staff, comments=feedback_on(proposal))
    return actions.release_feedback(proposal=proposal, by=staff, reason="The others follow.")


@pytest.mark.django_db
def test_approval_makes_the_project_with_its_promised_metrics():
    proposal, staff, partner = at_panel(), UserFactory(staff=True), OrganisationFactory()
    proposal.partners.add(partner)

    actions.decide(proposal=proposal, by=staff, amount=Decimal("12500"), **APPROVED)

    proposal.refresh_from_db()
    project, metric = proposal.project, Metric.objects.get()
    assert (proposal.status, project.origin, project.is_public) == ("approved", "call", False)
    assert (project.title, project.aim) == (proposal.title, "A quarter fewer falls by March 2028.")
    assert (project.lead_organisation, list(project.partners.all())) == (proposal.organisation, [partner])
    assert set(project.priorities.all()) == set(proposal.priorities.all())
    assert (metric.project, metric.name, metric.direction, metric.targets.get().value) == (
        project, "Falls on the ward", "decrease", Decimal("5"),
    )  # fmt: skip
    assert proposal.benefits.get().metric == metric


@pytest.mark.django_db
def test_approving_twice_makes_one_project():
    proposal, staff = at_panel(), UserFactory(staff=True)
    actions.decide(proposal=proposal, by=staff, **APPROVED)

    with pytest.raises(ActionRefused):
        actions.decide(proposal=proposal, by=staff, **APPROVED)

    assert (Project.objects.count(), Metric.objects.count(), Decision.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_approve_at_once_make_one_project():
    proposal = at_panel()
    people = [UserFactory(staff=True) for _ in range(4)]
    outcomes, gate = [], threading.Barrier(len(people))

    def approve(user):
        try:
            gate.wait(timeout=30)
            actions.decide(proposal=proposal, by=user, **APPROVED)
            outcomes.append("approved")
        except ActionRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert (outcomes.count("approved"), Project.objects.count(), Metric.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_an_approval_that_cannot_make_its_project_decides_nothing():
    proposal, staff = at_panel(organisation=None, organisation_name="A small firm"), UserFactory(staff=True)

    with pytest.raises(ActionRefused, match="not on the register"):
        actions.decide(proposal=proposal, by=staff, **APPROVED)
    proposal.refresh_from_db()
    assert (proposal.status, Decision.objects.count(), Project.objects.count()) == ("at_panel", 0, 0)

    lead = OrganisationFactory()
    actions.decide(proposal=proposal, by=staff, lead_organisation=lead, **APPROVED)
    assert Project.objects.get().lead_organisation == lead


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"outcome": "maybe"}, "Choose the decision"),
        ({"reasons": "  "}, "reasons"),
        ({"outcome": "approved_with_conditions"}, "conditions"),
    ],
)
def test_a_decision_without_what_it_needs_is_refused(change, sentence):
    proposal = at_panel()

    with pytest.raises(ActionRefused, match=sentence):
        actions.decide(proposal=proposal, by=UserFactory(staff=True), **APPROVED | change)

    assert not Decision.objects.exists()


@pytest.mark.django_db
def test_only_staff_without_an_interest_decide():
    proposal, staff = at_panel(), UserFactory(staff=True)
    actions.record_conflict(
        proposal=proposal, by=UserFactory(staff=True), user=staff, kind="involved", explanation="They are friends."
    )

    for user in (staff, UserFactory(reviewer=True), UserFactory(lead=True), proposal.applicant):
        with pytest.raises(PermissionDenied):
            actions.decide(proposal=proposal, by=user, **APPROVED)


@pytest.mark.django_db
def test_a_decision_keeps_what_it_rested_on_and_cannot_be_rewritten():
    proposal = at_panel()
    review_of(proposal, scores=[5, 4, 4, 4, 4, 4], locked=True)
    review_of(proposal, scores=[1, 4, 4, 4, 4, 4], locked=True)

    decision = actions.decide(proposal=proposal, by=UserFactory(staff=True), **APPROVED)

    assert (decision.basis["mean"], decision.basis["reviews"], decision.basis["widest_spread"]) == ("3.8000", 2, 4)
    assert sum(decision.basis["weights"].values()) == 100
    with pytest.raises(DatabaseError), transaction.atomic():
        Decision.objects.update(outcome="declined")


@pytest.mark.django_db
def test_the_applicant_learns_nothing_before_the_feedback_is_released(client_as):
    proposal, staff = at_panel(), UserFactory(staff=True)
    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="The costs are not shown.")
    actions.write_feedback(proposal=proposal, by=staff, comments=feedback_on(proposal, "Too vague."))
    client = client_as(proposal.applicant)
    page = reverse("proposals:proposal_detail", args=[proposal.reference])

    before = client.get(page).content.decode()
    actions.release_feedback(proposal=proposal, by=staff)
    after = client.get(page).content.decode()

    told_words = ("Declined", "The costs are not shown.", "Too vague.")
    assert [word in before for word in told_words] == [False, False, False]
    assert "At panel" in before
    assert [word in after for word in told_words] == [True, True, True]


@pytest.mark.django_db
def test_feedback_is_written_on_each_criterion_before_it_can_be_released():
    proposal, staff = at_panel(), UserFactory(staff=True)
    actions.decide(proposal=proposal, by=staff, **APPROVED)

    with pytest.raises(ActionRefused, match="Write the feedback first"):
        actions.release_feedback(proposal=proposal, by=staff)
    comments = feedback_on(proposal)
    comments[max(comments)] = ""
    actions.write_feedback(proposal=proposal, by=staff, comments=comments)
    with pytest.raises(ActionRefused, match="Missing: 6\\."):
        actions.release_feedback(proposal=proposal, by=staff)

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_feedback_is_sent_once_kept_word_for_word_and_never_changed():
    proposal, staff = at_panel(), UserFactory(staff=True)
    letter = told(proposal, staff)

    with pytest.raises(ActionRefused, match="sent once"):
        actions.release_feedback(proposal=proposal, by=staff)
    with pytest.raises(ActionRefused, match="cannot be changed"):
        actions.write_feedback(proposal=proposal, by=staff, comments=feedback_on(proposal, "Other words."))

    message = OutboxMessage.objects.get()
    letter = FeedbackLetter.objects.get(pk=letter.pk)
    assert message.to == [proposal.applicant.email]
    assert letter.sent_text.split("\n", 1)[1].strip() == message.body.strip()
    assert message.body.count("Well described.") == 6


@pytest.mark.django_db
def test_a_reserve_can_be_approved_later_with_a_second_letter(client_as):
    proposal, staff = at_panel(), UserFactory(staff=True)
    told(proposal, staff, outcome="reserve")
    page = reverse("proposals:proposal_detail", args=[proposal.reference])

    actions.decide(proposal=proposal, by=staff, **APPROVED)
    between = client_as(proposal.applicant).get(page).content.decode()
    actions.write_feedback(proposal=proposal, by=staff, comments=feedback_on(proposal))
    actions.release_feedback(proposal=proposal, by=staff)

    assert "On the reserve list" in between
    assert "We contact you to start" not in between
    assert (FeedbackLetter.objects.count(), OutboxMessage.objects.count(), Project.objects.count()) == (2, 2, 1)


@pytest.mark.django_db
def test_only_released_approvals_are_named_in_public(client):
    staff = UserFactory(staff=True)
    released, unreleased, declined = (at_panel(title=title) for title in ("Told", "Untold", "Refused"))
    call = released.call
    Proposal.objects.filter(pk__in=[unreleased.pk, declined.pk]).update(call=call)
    for proposal in (unreleased, declined):
        proposal.refresh_from_db()
    told(released, staff)
    actions.decide(proposal=unreleased, by=staff, **APPROVED)
    told(declined, staff, outcome="declined")

    page = client.get(call.get_absolute_url()).content.decode()
    found = client.get(reverse("search") + "?q=Untold+OR+Refused+OR+Told").content.decode()
    items = registry.thread.collect(registry.Place("call", call.pk), UserFactory())

    assert "3 received" in page
    for body in (page, found):
        assert ("Told" in body, "Untold</" in body, "Refused</" in body) == (True, False, False)
        assert not [one.reference for one in (unreleased, declined) if one.reference in body]
    assert [item.title for item in items if item.kind == "proposal"] == ["Told"]


@pytest.mark.django_db
def test_a_call_is_finished_only_when_everyone_has_been_told():
    proposal, staff = at_panel(), UserFactory(staff=True)

    with pytest.raises(ActionRefused, match="no decision"):
        actions.finish_call(call=proposal.call, by=staff)
    actions.decide(proposal=proposal, by=staff, **APPROVED)
    with pytest.raises(ActionRefused, match="no feedback"):
        actions.finish_call(call=proposal.call, by=staff)
    actions.write_feedback(proposal=proposal, by=staff, comments=feedback_on(proposal))
    actions.release_feedback(proposal=proposal, by=staff)
    actions.finish_call(call=proposal.call, by=staff)

    assert Call.objects.get(pk=proposal.call_id).status == Call.Status.DECIDED


@pytest.mark.django_db
def test_the_thread_of_a_project_and_its_metric_leads_back_to_call_and_proposal():
    proposal, staff = at_panel(), UserFactory(staff=True)
    told(proposal, staff)
    proposal.refresh_from_db()

    for kind, pk in (("project", proposal.project_id), ("metric", proposal.benefits.get().metric_id)):
        items = registry.thread.collect(registry.Place(kind, pk), staff)
        assert {(item.kind, item.title) for item in items if item.kind in ("call", "proposal")} == {
            ("call", proposal.call.title),
            ("proposal", proposal.title),
        }


@pytest.mark.django_db
def test_staff_decide_and_write_back_in_the_admin(client_as):
    proposal, staff = at_panel(), UserFactory(staff=True)
    client = client_as(staff)
    decide = reverse("admin:proposals_proposal_decide", args=[proposal.pk])
    write = reverse("admin:proposals_proposal_feedback", args=[proposal.pk])
    release = reverse("admin:proposals_proposal_release", args=[proposal.pk])

    refused = client.post(decide, {"outcome": "approved_with_conditions", "reasons": "Good, but unclear costs."})
    done = client.post(decide, {"outcome": "approved", "reasons": "Good.", "amount": "12000"})
    written = client.post(write, {f"criterion_{pk}": "Well described." for pk in feedback_on(proposal)})
    preview = client.get(release).content.decode()
    sent = client.post(release)

    assert "Good, but unclear costs." in refused.content.decode()
    assert "Write down the conditions" in refused.content.decode()
    assert [answer.status_code for answer in (done, written, sent)] == [302, 302, 302]
    assert "Award: £12,000" in preview
    assert FeedbackLetter.objects.get().is_released
