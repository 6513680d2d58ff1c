"""Whether a proposal meets the rules of its call, and its way to the panel."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction

from proposals import permissions
from proposals.actions.interests import infer_conflicts
from proposals.models import (
    Call,
    Proposal,
    Review,
    Screening,
)
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused


def locked(proposal) -> Proposal:
    return Proposal.objects.locked().get(pk=proposal.pk)


@transaction.atomic
def screen_proposal(*, proposal, by, is_eligible, reason="") -> Screening:
    """Say whether a submitted proposal is eligible. If not, the applicant is told why and what to do."""
    stored = locked(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    reason = reason.strip()
    if not is_eligible and not reason:
        raise ActionRefused("Say which rule the proposal does not meet, and what the applicant can do.")
    refuse_nhs_numbers({"Reason": reason})
    if is_eligible and stored.call.status not in (Call.Status.PUBLISHED, Call.Status.ASSESSMENT):
        raise ActionRefused("The panel has begun. A proposal can no longer join the assessment of this call.")
    to = Proposal.Status.IN_ASSESSMENT if is_eligible else Proposal.Status.INELIGIBLE
    stored.change_status(to, by=by)
    screening = Screening.objects.create(
        proposal=stored, is_eligible=is_eligible, reason=reason, screened_by=by, screened_at=clock.now()
    )
    audit.record("screen_proposal", stored, by=by, after={"is_eligible": is_eligible})
    if is_eligible:
        infer_conflicts(proposals=[stored])
    if not is_eligible:
        outbox.send_mail(
            to=[stored.applicant.email],
            template="proposals/ineligible",
            context=_about(stored) | {"reason": reason},
            key=f"proposals.ineligible.{screening.pk}",
        )
    return screening


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
    stored = locked(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    if stored.call.status not in (Call.Status.ASSESSMENT, Call.Status.PANEL):
        raise ActionRefused("Start the assessment of the call first.")
    reviews, wanted = Review.objects.counted().filter(proposal=stored).count(), stored.call.reviews_wanted
    if reviews < wanted and not accept_fewer_reviews:
        raise ActionRefused(
            f"{reviews} of {wanted} reviews are locked. Wait for the others, or tick the box to go on with fewer."
        )
    stored.change_status(Proposal.Status.AT_PANEL, by=by)
    audit.record("send_to_panel", stored, by=by, after={"reviews": reviews})
    return stored
