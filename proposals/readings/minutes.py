"""The minutes of a panel as a document: made of decisions, scores and interests as they stood when it was closed."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string

from proposals.models import Assignment, ConflictOfInterest, Decision, Proposal
from proposals.readings.panel import money_of
from psc_portal.common import demonstration


def html(panel) -> str:
    """The whole document. Reviewers are not named in it; members of the panel are."""
    call = panel.call
    members = list(panel.members.select_related("user"))
    names = {member.user_id: member.user.display_name for member in members}
    decisions = list(
        Decision.objects.filter(proposal__call=call, decided_at__lte=panel.closed_at)
        .select_related("proposal__organisation", "decided_by")
        .prefetch_related("proposal__panel_scores__by")
        .order_by("proposal__reference", "decided_at")
    )
    named = {pk for one in decisions for pk in _people(one)} - names.keys()
    names |= {user.pk: user.display_name for user in get_user_model().objects.filter(pk__in=named)}
    interests: dict[int, list] = {}
    known = ConflictOfInterest.objects.filter(
        proposal__in=[one.proposal_id for one in decisions], recorded_at__lte=panel.closed_at
    )
    for one in known.filter(user__in=names).select_related("user").prefetch_related("earlier"):
        interests.setdefault(one.proposal_id, []).append(one)
    of_reviewers: dict[int, list] = {}
    was_asked = Assignment.objects.filter(proposal=OuterRef("proposal"), reviewer=OuterRef("user"))
    for one in known.in_force().exclude(user__in=names).filter(Exists(was_asked)):
        of_reviewers.setdefault(one.proposal_id, []).append(one)
    weights = call.weights.select_related("criterion")
    return render_to_string(
        "proposals/minutes.html",
        {
            "panel": panel,
            "call": call,
            "reopenings": list(panel.reopenings.select_related("by")),
            "members": members,
            "items": [
                _item(one, names, interests.get(one.proposal_id, []), of_reviewers.get(one.proposal_id, []))
                for one in decisions
            ],
            "weights": [(one.criterion, one.weight, panel.weights.get(one.criterion.code)) for one in weights],
            "money": money_of(call),
            "withdrawn": call.proposals.filter(
                status=Proposal.Status.WITHDRAWN, status_changes__from_status=Proposal.Status.AT_PANEL
            ),
            "owner": settings.COLLABORATIVE["name"],
            "mark": demonstration.SENTENCE if demonstration.is_demonstration() else "",
        },
    )


def _people(decision) -> list[int]:
    said = decision.basis.get("panel", {})
    return [*said.get("present", []), *said.get("left", [])]


def _item(decision, names, interests, of_reviewers) -> dict:
    basis = decision.basis
    said = basis.get("panel", {})
    calculated_at = basis.get("ranges_calculated_at")
    return {
        "decision": decision,
        "proposal": decision.proposal,
        "basis": basis,
        "said": said,
        "ranges_calculated_at": datetime.fromisoformat(calculated_at) if calculated_at else None,
        "present": [names[pk] for pk in said.get("present", [])],
        "left": [names[pk] for pk in said.get("left", [])],
        "interests": interests,
        "interests_of_reviewers": of_reviewers,
        "scores": [one for one in decision.proposal.panel_scores.all() if one.at <= decision.decided_at],
    }
