"""The panel's decision, the project it makes, and the letter."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.loader import render_to_string

from measurement.actions import create_metric
from projects.actions import create_project
from proposals import permissions, questions
from proposals.models import Call, CriterionFeedback, Decision, FeedbackLetter, PromisedBenefit, Proposal
from proposals.readings import bands_of, basis_of_decision
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

DIMENSIONS = {  # where nothing better is known; staff can correct it in the metric's definition
    PromisedBenefit.Kind.OUTCOME: "past_harm",
    PromisedBenefit.Kind.PROCESS: "reliability",
    PromisedBenefit.Kind.BALANCING: "operations",
}


@transaction.atomic
def decide(*, proposal, by, outcome, reasons, conditions="", amount=None, lead_organisation=None) -> Decision:
    """Record the panel's decision. Approval makes the project, with the promised benefits as its metrics.

    The applicant is told nothing before the feedback is released.

    Raises:
        ActionRefused: reasons or conditions are missing, or the proposal is not (or no longer) at panel.
    """
    stored = Proposal.objects.locked().get(pk=proposal.pk)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if stored.call.status not in (Call.Status.PANEL, Call.Status.DECIDED):
        raise ActionRefused("The panel of this call has not begun. Move the call to panel first.")
    if outcome not in Decision.Outcome.values:
        raise ActionRefused("Choose the decision.")
    if not reasons.strip():
        raise ActionRefused("Give the panel's reasons.")
    if outcome == Decision.Outcome.APPROVED_WITH_CONDITIONS and not conditions.strip():
        raise ActionRefused("Write down the conditions.")
    refuse_nhs_numbers({"Reasons": reasons, "Conditions": conditions})
    if stored.status == Proposal.Status.RESERVE and stored.released_decision is None:
        raise ActionRefused("Release the feedback on the reserve decision first.")
    stored.change_status(outcome, by=by)
    decision = Decision.objects.create(
        proposal=stored,
        outcome=outcome,
        reasons=reasons.strip(),
        conditions=conditions.strip() if outcome == Decision.Outcome.APPROVED_WITH_CONDITIONS else "",
        amount=amount if outcome in Proposal.FUNDED else None,
        decided_by=by,
        decided_at=clock.now(),
        basis=basis_of_decision(stored),
    )
    if outcome in Proposal.FUNDED:
        _make_project(stored, lead_organisation or stored.organisation, by)
    audit.record("decide", stored, by=by, after={"outcome": outcome, "amount": str(decision.amount or "")})
    return decision


def _make_project(proposal, lead_organisation, by):
    if lead_organisation is None:
        raise ActionRefused(
            f"“{proposal.organisation_name}” is not on the register. Add the organisation, then choose it here as lead."
        )
    priorities = list(proposal.priorities.all())
    proposal.project = create_project(
        title=proposal.title,
        lay_summary=proposal.lay_summary,
        aim=(proposal.answers.get("aim") or "").strip(),
        priorities=priorities,
        lead_organisation=lead_organisation,
        partners=list(proposal.partners.all()),
        care_settings=proposal.care_settings,
        origin="call",
        evidence_level=proposal.evidence_level,
        by=by,
    )
    proposal.save(update_fields=["project"])
    for benefit in proposal.benefits.all():
        benefit.metric = create_metric(
            name=benefit.metric_name,
            kind=benefit.kind,
            dimension=DIMENSIONS[benefit.kind],
            direction=benefit.direction,
            unit=benefit.unit,
            frequency="month",
            priority=priorities[0] if priorities else None,
            project=proposal.project,
            target=benefit.aim,
            definition={
                "operational_definition": f"{benefit.metric_name}, in {benefit.unit}. Promised in proposal "
                f"{proposal.reference}: from {benefit.baseline.normalize():f} to {benefit.aim.normalize():f} "
                f"by {benefit.aim_on.day} {benefit.aim_on:%B %Y}.",
                "source": f"Proposal {proposal.reference}",
            },
            by=by,
        )
        benefit.save(update_fields=["metric"])


# The letter -----------------------------------------------------------------------------------------------------------
def _decision_to_answer(by, proposal) -> Decision:
    stored = Proposal.objects.locked().get(pk=proposal.pk)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    decision = stored.decisions.order_by("decided_at", "pk").last()
    if decision is None:
        raise ActionRefused("There is no decision yet to write feedback on.")
    decision.proposal = stored
    return decision


@transaction.atomic
def write_feedback(*, proposal, by, comments, opening="", next_time="") -> FeedbackLetter:
    """Write or rewrite the feedback on the latest decision, criterion by criterion.

    Args:
        comments: text by criterion id.
    """
    decision = _decision_to_answer(by, proposal)
    letter, _ = FeedbackLetter.objects.select_for_update().get_or_create(decision=decision, defaults={"written_by": by})
    if letter.is_released:
        raise ActionRefused("This feedback has been released and cannot be changed.")
    refuse_nhs_numbers(
        {"Opening": opening, "What would change the result": next_time}
        | {f"Criterion {number}": text for number, text in enumerate(comments.values(), 1)}
    )
    letter.opening, letter.next_time, letter.written_by = opening.strip(), next_time.strip(), by
    letter.save()
    criteria = set(decision.proposal.call.criterion_set.criteria.values_list("pk", flat=True))
    for criterion, text in comments.items():
        if criterion in criteria:
            CriterionFeedback.objects.update_or_create(
                letter=letter, criterion_id=criterion, defaults={"text": text.strip()}
            )
    audit.record("write_feedback", decision.proposal, by=by)
    return letter


def letter_text(letter: FeedbackLetter) -> str:
    """The letter as it will be, or was, sent: the first line is its subject."""
    if letter.is_released:
        return letter.sent_text
    decision = letter.decision
    proposal = decision.proposal
    return render_to_string(
        "emails/proposals/letter.txt",
        {
            "name": proposal.applicant.display_name,
            "proposal": proposal,
            "call": proposal.call,
            "decision": decision,
            "award": questions.pounds(decision.amount) if decision.amount else "",
            "letter": letter,
            "comments": letter.comments.select_related("criterion"),
            "url": settings.PORTAL_URL + proposal.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
        },
    ).strip()


@transaction.atomic
def release_feedback(*, proposal, by) -> FeedbackLetter:
    """Tell the applicant: from now on decision and feedback stand on the proposal's page, and the letter is sent once.

    Raises:
        ActionRefused: a criterion has no feedback yet, or it was released before.
    """
    decision = _decision_to_answer(by, proposal)
    letter = FeedbackLetter.objects.select_for_update().filter(decision=decision).first()
    if letter is None:
        raise ActionRefused("Write the feedback first.")
    if letter.is_released:
        raise ActionRefused("This feedback has been released already. It was sent once and is not sent again.")
    letter.decision = decision
    written = {comment.criterion_id for comment in letter.comments.all() if comment.text}
    missing = [str(one) for one in decision.proposal.call.criterion_set.criteria.all() if one.pk not in written]
    if missing:
        raise ActionRefused(f"Write feedback on each criterion. Missing: {'; '.join(missing)}.")
    text = letter_text(letter)
    letter.sent_text = text
    letter.released_at, letter.released_by = clock.now(), by
    letter.save()
    for criterion, band in bands_of(decision.proposal).items():
        letter.comments.filter(criterion=criterion).update(band=band)
    subject, _, body = text.partition("\n")
    outbox.store_mail(
        to=[decision.proposal.applicant.email],
        subject=subject.removeprefix("Subject:"),
        body=body,
        key=f"proposals.letter.{letter.pk}",
    )
    audit.record("release_feedback", decision.proposal, by=by, after={"outcome": decision.outcome})
    return letter
