"""Who can review what, who has an interest, and how far the reviewing is."""

from collections import defaultdict
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Count, Q

from proposals import ties
from proposals.models import Assignment, ConflictOfInterest, Proposal, Review
from psc_portal.accounts.models import Role


def people_with_interest(proposals, users) -> dict[int, dict[int, str]]:
    """By proposal, then by user: why that person does not see, score or discuss it.

    For many people what `clear_of_conflict_with` says for one: declared, recorded and inferred interests, without
    those that were overridden.
    """
    users, proposals = list(users), list(proposals)
    why: dict[int, dict[int, str]] = defaultdict(dict)
    overridden = set()
    rows = ConflictOfInterest.objects.filter(proposal__in=proposals, user__in=users)
    for conflict in rows:
        if conflict.is_in_force:
            words = str(conflict) if not conflict.explanation else f"{conflict}: {conflict.explanation}"
            why[conflict.proposal_id].setdefault(conflict.user_id, words)
        else:
            overridden.add((conflict.proposal_id, conflict.user_id, conflict.kind))
    for tie in ties.found(proposals, users):
        if tie.key not in overridden or tie.kind == ties.Kind.INVOLVED:
            why[tie.proposal].setdefault(tie.user, tie.why)
    return dict(why)


def without_interest(users, proposal):
    """Those of `users` (a QuerySet) who may score and discuss the proposal: what a quorum counts."""
    return users.exclude(pk__in=people_with_interest([proposal], users).get(proposal.pk, {}))


def reviewers():
    """Everyone who can be asked to review."""
    return get_user_model().objects.with_role(Role.REVIEWER).order_by("full_name", "pk")


@dataclass(frozen=True)
class PossibleReviewer:
    user: object
    why_not: str = ""  # empty: can be assigned
    is_assigned: bool = False
    load: int = 0  # proposals that are theirs to review in this call


def possible_reviewers(proposal: Proposal) -> list[PossibleReviewer]:
    """Every reviewer with their load in this call, and for those who cannot review this proposal, why."""
    people = list(reviewers())
    assigned = set(proposal.assignments.current().values_list("reviewer", flat=True))
    why = people_with_interest([proposal], people).get(proposal.pk, {})
    loads = load_of(proposal.call, people)
    return [PossibleReviewer(user, why.get(user.pk, ""), user.pk in assigned, loads.get(user.pk, 0)) for user in people]


def load_of(call, people) -> dict[int, int]:
    """How many proposals of a call are each reviewer's to review."""
    rows = Assignment.objects.current().filter(proposal__call=call, reviewer__in=people).order_by()
    return dict(rows.values_list("reviewer").annotate(count=Count("pk")))


def assignment_counts(proposals) -> dict[int, tuple[int, int]]:
    """By proposal: how many assignments count, and how many reviews are locked."""
    rows = (
        Assignment.objects.current()
        .filter(proposal__in=proposals)
        .order_by()
        .values("proposal")
        .annotate(assigned=Count("pk"), locked=Count("pk", filter=Q(review__status=Review.Status.LOCKED)))
    )
    return {row["proposal"]: (row["assigned"], row["locked"]) for row in rows}
