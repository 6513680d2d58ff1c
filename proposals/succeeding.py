"""What becomes of an applicant's proposals when they leave, and of an organisation's when it merges."""

from functools import partial

from django.db.models import Q

from proposals import actions
from proposals.models import Proposal
from psc_portal.common.registry import Duty, MergeStep

Status = Proposal.Status
LIVE = [status for status in Status if Proposal.TRANSITIONS[status]]


def duties(user, organisation_pk):
    """Proposals that the person applies with; handed over to somebody of the team."""
    mine = Proposal.objects.filter(applicant=user, status__in=LIVE).select_related("call")
    if organisation_pk:
        mine = mine.filter(Q(organisation=organisation_pk) | Q(organisation__isnull=True))
    return [
        Duty(
            key=f"proposal-{proposal.pk}",
            kind="Proposal",
            title=proposal.reference or f"Draft for {proposal.call}",  # whoever closes an account may not read more
            url=proposal.get_absolute_url(),
            hand_over=partial(_hand_over, proposal),
        )
        for proposal in mine
    ]


def _hand_over(proposal, to, *, by):
    actions.hand_over(proposal=proposal, by=proposal.applicant, to=to)


def merge_steps(organisation, into, on):
    """How many only: staff who have an interest in one must not learn whose it is."""
    if count := Proposal.objects.filter(organisation=organisation).count():
        yield MergeStep("Proposals", f"{count} in all", "stay with the name of their time; their teams are unchanged")
