"""The panel's decision and the project it makes."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from measurement.actions import create_metric
from projects.actions import create_project
from proposals import permissions, questions
from proposals.actions.interests import infer_conflicts
from proposals.actions.locking import locked_under_call
from proposals.models import Call, Decision, Panel, PromisedBenefit, Proposal
from proposals.readings.panel import basis_of_decision, money_of, rooms_of
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_datetime

DIMENSIONS = {  # where nothing better is known; staff can correct it in the metric's definition
    PromisedBenefit.Kind.OUTCOME: "past_harm",
    PromisedBenefit.Kind.PROCESS: "reliability",
    PromisedBenefit.Kind.BALANCING: "operations",
}


@transaction.atomic
def decide(
    *,
    proposal,
    by,
    outcome,
    reasons,
    conditions="",
    amount=None,
    lead_organisation=None,
    quorum_reason="",
    overspend_reason="",
) -> Decision:
    """Record the panel's decision. Approval makes the project, with the promised benefits as its metrics.

    The applicant is told nothing before the feedback is released.

    Args:
        quorum_reason: why the panel decides although too few members without an interest are present.
        overspend_reason: why it awards more than is left of the call's money.
    Raises:
        ActionRefused: reasons or conditions are missing, or the proposal is not (or no longer) at panel; no quorum, or
            not enough money, and no reason for it.
    """
    stored = locked_under_call(proposal)  # two awards cannot both spend the last of the money
    if not permissions.can_handle(by, stored) or not permissions.can_discuss(by, stored):
        raise PermissionDenied
    if stored.call.status not in (Call.Status.PANEL, Call.Status.DECIDED):
        raise ActionRefused("The panel of this call has not begun. Move the call to panel first.")
    if outcome not in Decision.Outcome.values:
        raise ActionRefused("Choose the decision.")
    if not reasons.strip():
        raise ActionRefused("Give the panel's reasons.")
    if outcome == Decision.Outcome.APPROVED_WITH_CONDITIONS and not conditions.strip():
        raise ActionRefused("Write down the conditions.")
    texts = {"Reasons": reasons, "Conditions": conditions, "Quorum": quorum_reason, "Money": overspend_reason}
    refuse_nhs_numbers(texts)
    if stored.status in Proposal.DECIDED and stored.status != Proposal.Status.RESERVE:
        raise ActionRefused(_decided_already(stored))
    if stored.status == Proposal.Status.RESERVE and stored.released_decision is None:
        raise ActionRefused("Release the feedback on the reserve decision first.")
    panel = Panel.objects.filter(call=stored.call, closed_at__isnull=True).first()
    said = {}
    if panel is not None:
        members = [member.user for member in panel.members.select_related("user")]
        infer_conflicts(proposals=[stored], users=members)  # so that the minutes say why somebody left the room
        said["quorum_reason"] = _refuse_without_quorum(panel, stored, quorum_reason)
    if outcome in Proposal.FUNDED:
        said["overspend_reason"] = _refuse_overspending(stored.call, amount, overspend_reason)
    basis = basis_of_decision(stored, panel, **said)
    stored.change_status(outcome, by=by)
    decision = Decision.objects.create(
        proposal=stored,
        outcome=outcome,
        reasons=reasons.strip(),
        conditions=conditions.strip() if outcome == Decision.Outcome.APPROVED_WITH_CONDITIONS else "",
        amount=amount if outcome in Proposal.FUNDED else None,
        decided_by=by,
        decided_at=clock.now(),
        basis=basis,
    )
    if outcome in Proposal.FUNDED:
        _make_project(stored, lead_organisation or stored.organisation, by)
    audit.record("decide", stored, by=by, after={"outcome": outcome, "amount": str(decision.amount or "")})
    return decision


def _decided_already(proposal) -> str:
    latest = proposal.decisions.select_related("decided_by").last()
    return (
        f"{latest.decided_by.display_name} recorded a decision on {proposal.reference} at "
        f"{uk_datetime(latest.decided_at)}: {latest.get_outcome_display()}. Yours was not recorded."
    )


def _refuse_without_quorum(panel, proposal, reason) -> str:
    """The reason, where one was needed."""
    room = rooms_of(panel, [proposal])[proposal.pk]
    if room.is_quorate:
        return ""
    if not reason.strip():
        raise ActionRefused(
            f"There is no quorum for {proposal.reference}: {len(room.present)} of the {room.quorum} members that it "
            "takes are present and without an interest. Wait for more members, or say why the panel decides all "
            "the same."
        )
    return reason.strip()


def _refuse_overspending(call, amount, reason) -> str:
    """The reason, where one was needed."""
    money = money_of(call)
    over = money.over_with(amount)
    if not over:
        return ""
    if not reason.strip():
        raise ActionRefused(
            f"This award is {questions.pounds(over)} more than what is left: {questions.pounds(max(money.left, 0))} of "
            f"{questions.pounds(money.total)}. Award less, or say why the panel awards more than there is."
        )
    return reason.strip()


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
