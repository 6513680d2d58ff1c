"""Whether a proposal meets the rules of its call, and its way to the panel."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import permissions
from proposals.actions.analysing import scores_changed
from proposals.actions.interests import infer_conflicts
from proposals.actions.locking import locked_under_call
from proposals.models import (
    Call,
    Proposal,
    Screening,
)
from proposals.readings import review_counts
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def screen_proposal(*, proposal, by, is_eligible, rules_not_met=(), reason="", what_to_do="") -> Screening:
    """Say whether a submitted proposal is eligible. If not, the applicant is told which rule, and what to do.

    Args:
        rules_not_met: rules of the call, word for word; the reason is for what no rule says.
        what_to_do: what the applicant can do now; where the call has no rules, the reason may say it.
    """
    stored = locked_under_call(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    rules, not_met = stored.call.eligibility_rules, list(rules_not_met)
    reason, what_to_do = reason.strip(), what_to_do.strip()
    _refuse_half_answers(is_eligible, rules, not_met, reason, what_to_do)
    refuse_nhs_numbers({"Reason": reason, "What the applicant can do": what_to_do})
    if is_eligible and stored.call.status not in (Call.Status.PUBLISHED, Call.Status.ASSESSMENT):
        raise ActionRefused("The panel has begun. A proposal can no longer join the assessment of this call.")
    was_refused = stored.screenings.filter(is_eligible=False).exists()
    to = Proposal.Status.IN_ASSESSMENT if is_eligible else Proposal.Status.INELIGIBLE
    stored.change_status(to, by=by)
    screening = Screening.objects.create(
        proposal=stored,
        is_eligible=is_eligible,
        rules_not_met=[rule for rule in rules if rule in not_met],
        reason=reason,
        what_to_do=what_to_do,
        screened_by=by,
        screened_at=clock.now(),
    )
    audit.record("screen_proposal", stored, by=by, after={"is_eligible": is_eligible, "rules_not_met": len(not_met)})
    if is_eligible:
        infer_conflicts(proposals=[stored])
        scores_changed(stored.call)
        if was_refused:
            _say_eligible_after_all(screening)
    else:
        outbox.send_mail(
            to=[stored.applicant.email],
            template="proposals/ineligible",
            context=_about(stored) | {"screening": screening},
            key=f"proposals.ineligible.{screening.pk}",
        )
    return screening


def _say_eligible_after_all(screening):
    """Or "not eligible" would stay the last thing that the applicant was told."""
    proposal = screening.proposal
    decision_on = proposal.call.decision_on
    outbox.send_mail(
        to=[proposal.applicant.email],
        template="proposals/eligible_after_all",
        context=_about(proposal) | {"decision_on": decision_on if decision_on >= clock.today() else None},
        key=f"proposals.eligible.{screening.pk}",
    )


def _refuse_half_answers(is_eligible, rules, not_met, reason, what_to_do):
    if unknown := [rule for rule in not_met if rule not in rules]:
        raise ActionRefused(f"“{unknown[0]}” is no rule of this call. Open the page again.")
    if is_eligible and not_met:
        raise ActionRefused(
            "You say that a rule is not met, and that the proposal is eligible. Change one of the two answers."
        )
    if not is_eligible and not (not_met or reason):
        raise ActionRefused("Say which rule the proposal does not meet, and what the applicant can do.")
    if not is_eligible and rules and not what_to_do:
        raise ActionRefused("Say what the applicant can do now.")


def _about(proposal) -> dict:
    return {
        "name": proposal.applicant.display_name,
        "reference": proposal.reference,
        "title": proposal.title,
        "call": proposal.call.title,
        "url": settings.PORTAL_URL + proposal.get_absolute_url(),
        "collaborative": settings.COLLABORATIVE,
    }


@transaction.atomic
def send_to_panel(*, proposal, by, accept_fewer_reviews=False) -> Proposal:
    """End the reviewing of one proposal ahead of the others: its reviews can no longer be written or unlocked."""
    stored = locked_under_call(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if stored.call.status not in (Call.Status.ASSESSMENT, Call.Status.PANEL):
        raise ActionRefused("Start the assessment of the call first.")
    reviews, lay = review_counts([stored])[stored.pk]
    if not stored.call.has_enough(reviews, lay) and not accept_fewer_reviews:
        raise ActionRefused(
            f"This call wants {stored.call.reviews_in_words}. Locked so far: {reviews}, {lay} of them lay. "
            "Wait for the others, or tick the box to go on with fewer."
        )
    stored.change_status(Proposal.Status.AT_PANEL, by=by)
    audit.record("send_to_panel", stored, by=by, after={"reviews": reviews, "lay_reviews": lay})
    return stored
