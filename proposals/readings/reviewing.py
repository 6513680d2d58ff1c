"""Who can review what, who has an interest, and how far the reviewing is."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Count, Q

from proposals import matching, scoring, ties
from proposals.models import Assignment, CalibrationExample, ConflictOfInterest, Proposal, Review
from proposals.models.drafts import without_conflict
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


def to_screen(user, call):
    """What of a call waits to be screened, as it came in; staff see none in which they have an interest."""
    waiting = Proposal.objects.filter(call=call, status=Proposal.Status.SUBMITTED).seen_by_staff(user)
    return waiting.order_by("submitted_at", "pk")


def next_to_review(user, after: Assignment) -> Assignment | None:
    """The reviewer's next open review, soonest due first, other than the one they are at."""
    mine = Assignment.objects.current().filter(reviewer=user, proposal__status=Proposal.Status.IN_ASSESSMENT)
    mine = mine.filter(without_conflict(user, "proposal__"))
    open_ones = mine.exclude(pk=after.pk).exclude(review__status=Review.Status.LOCKED)
    shown = open_ones.select_related("proposal", "review").only("status", "proposal__reference", "review__status")
    return shown.order_by("due_on", "pk").first()


def examples_to_score(user, call) -> list[CalibrationExample]:
    """Examples of the call that the reviewer has not scored yet."""
    return list(call.examples.exclude(scores__reviewer=user))


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


# Assigning reviewers to a whole call ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class PlannedProposal:
    proposal: Proposal
    already: list  # users
    new: list
    why_short: str = ""  # empty: it gets all that the call wants


@dataclass(frozen=True)
class Plan:
    """Who would get what: nothing is written yet."""

    proposals: list[PlannedProposal]
    loads: list[tuple]  # (user, before, after)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        return [(one.proposal.pk, user.pk) for one in self.proposals for user in one.new]

    @property
    def fingerprint(self) -> str:
        """The same for the same plan: what staff looked at is what is done."""
        return hashlib.sha256(repr(self.pairs).encode()).hexdigest()[:16]

    @property
    def short(self) -> list[PlannedProposal]:
        return [one for one in self.proposals if one.why_short]

    @property
    def changed(self) -> list[PlannedProposal]:
        return [one for one in self.proposals if one.new]


def plan_of(call, user, people=None) -> Plan:
    """An even assignment of the reviewers to every proposal of the call in assessment that `user` may handle.

    Who is assigned stays. Who declined, was taken back or has an interest is not asked.

    Args:
        people: the reviewers to choose from; by default all of them.
    """
    everyone = list(reviewers())
    people = everyone if people is None else [one for one in everyone if one in set(people)]
    waiting = Proposal.objects.filter(call=call, status=Proposal.Status.IN_ASSESSMENT).seen_by_staff(user)
    proposals = list(waiting.defer("answers", "search").order_by("reference"))
    fixed, barred = defaultdict(set), defaultdict(set)
    given = Assignment.objects.filter(proposal__in=proposals).select_related("reviewer").order_by("pk")
    users = {one.pk: one for one in everyone}
    for one in given:
        users.setdefault(one.reviewer_id, one.reviewer)
        is_current = one.status in (Assignment.Status.ASSIGNED, Assignment.Status.CLEARED)
        (fixed if is_current else barred)[one.proposal_id].add(one.reviewer_id)
    why = people_with_interest(proposals, people)
    choice = {one.pk for one in people}
    found = matching.match(
        allowed={one.pk: choice - why.get(one.pk, {}).keys() - barred[one.pk] for one in proposals},
        lay={pk for pk, one in users.items() if one.is_lay},
        reviews=call.reviews_wanted,
        lay_reviews=call.lay_reviews_wanted,
        fixed=fixed,
        load=dict.fromkeys(choice, 0),
    )
    before = defaultdict(int)
    for ids in fixed.values():
        for pk in ids:
            before[pk] += 1
    planned = [
        PlannedProposal(
            one,
            [users[pk] for pk in sorted(fixed[one.pk])],
            [users[pk] for pk in found.reviewers[one.pk] if pk not in fixed[one.pk]],
            _why_short(found.short.get(one.pk), people, why.get(one.pk, {}), barred[one.pk]),
        )
        for one in proposals
    ]
    loads = [(users[pk], before[pk], found.loads[pk]) for pk in found.loads]
    return Plan(planned, sorted(loads, key=lambda row: (row[0].full_name, row[0].pk)))


def _why_short(short, people, why, barred) -> str:
    if short is None:
        return ""
    lay = [one for one in people if one.is_lay]
    words = []
    for missing, kind, group in (
        (short.lay_reviews, "lay ", lay),
        (short.reviews - short.lay_reviews, "", people),
    ):
        if missing:
            interest = sum(one.pk in why for one in group)
            said_no = sum(one.pk in barred and one.pk not in why for one in group)
            words.append(
                f"{missing} more {kind}reviewer{'' if missing == 1 else 's'} wanted. Of {len(group)} {kind}chosen, "
                f"{interest} {'has' if interest == 1 else 'have'} an interest and {said_no} declined or "
                f"{'was' if said_no == 1 else 'were'} taken back."
            )
    return " ".join(words)


# Calibration ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class CalibrationLine:
    """How everyone scored one criterion of an example, and how one reviewer did. No names."""

    criterion: object
    mine: str
    given: tuple[int, ...]  # how many gave 0, 1, ... 5
    not_applicable: int

    @property
    def lowest(self) -> int | None:
        return next((level for level, count in enumerate(self.given) if count), None)

    @property
    def highest(self) -> int | None:
        return next((level for level in reversed(scoring.LEVELS) if self.given[level]), None)

    @property
    def in_words(self) -> str:
        parts = [f"{count} gave {level}" for level, count in enumerate(self.given) if count]
        parts += [f"{self.not_applicable} not applicable"] if self.not_applicable else []
        return ", ".join(parts)


def calibration_of(example, user) -> list[CalibrationLine]:
    """The spread of an example's scores by criterion: for staff, and for a reviewer who has scored it."""
    scores = list(example.scores.select_related("criterion").order_by("criterion__number", "pk"))
    mine = {one.criterion_id: one for one in scores if one.reviewer_id == user.pk}
    if not mine and not user.is_programme_staff:
        return []
    by_criterion = defaultdict(list)
    for one in scores:
        by_criterion[one.criterion].append(one)
    return [
        CalibrationLine(
            criterion,
            _shown(mine.get(criterion.pk)),
            tuple(sum(one.value == level for one in given) for level in scoring.LEVELS),
            sum(one.is_not_applicable for one in given),
        )
        for criterion, given in by_criterion.items()
    ]


def _shown(score) -> str:
    if score is None:
        return "–"
    return "Not applicable" if score.is_not_applicable else str(score.value)
