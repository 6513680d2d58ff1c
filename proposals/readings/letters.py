"""Which letters of a call still wait, and what they lack."""

from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Prefetch

from proposals.models import CriterionFeedback, Decision, FeedbackLetter, Proposal


def pending_decisions(call):
    """Decisions that the applicant has not been told. The latest of each proposal: a reserve may get a second."""
    later = Decision.objects.filter(proposal=OuterRef("proposal"), pk__gt=OuterRef("pk"))
    return (
        Decision.objects.filter(proposal__call=call)
        .filter(~Exists(later))
        .exclude(letter__released_at__isnull=False)
        .select_related("proposal__applicant", "proposal__call__criterion_set")
        .prefetch_related("proposal__call__criterion_set__criteria")
    )


def missing_of(decision: Decision, letter: FeedbackLetter | None) -> list[str]:
    """The criteria without feedback yet."""
    criteria = decision.proposal.call.criterion_set.criteria.all()
    if letter is None:
        return ["no feedback yet"]
    written = {comment.criterion_id for comment in letter.comments.all() if comment.text}
    return [str(one) for one in criteria if one.pk not in written]


UNDECIDED = (Proposal.Status.IN_ASSESSMENT, Proposal.Status.AT_PANEL)


class Missing(NamedTuple):
    """A proposal whose letter cannot go out yet, and why."""

    proposal: Proposal
    what: list[str]
    is_decided: bool


def is_anyone_told(call) -> bool:
    """Whether a letter of the call has been released."""
    return FeedbackLetter.objects.filter(decision__proposal__call=call, released_at__isnull=False).exists()


@dataclass(frozen=True)
class LetterCounts:
    """How far the letters of a call are."""

    undecided: int
    waiting: int  # decided, not told
    told: int
    lacking: list[Missing]  # every one of the call, by number; whose names a user may read is `missing_for`

    @property
    def missing(self) -> int:
        return len(self.lacking)

    @property
    def ready(self) -> int:
        return self.waiting + self.undecided - self.missing

    @property
    def unfinished(self) -> int:
        return self.missing - self.undecided


def letter_counts(call) -> LetterCounts:
    """Equally many queries for any number of letters."""
    texts = [f"proposal__{name}" for name in ("answers", "search", "call__search")]
    decisions = pending_decisions(call).select_related("letter").defer(*texts)
    waiting = list(decisions.prefetch_related("letter__comments"))
    undecided = call.proposals.filter(status__in=UNDECIDED).only("reference", "title", "call_id")
    lacking = [Missing(one, ["no decision yet"], is_decided=False) for one in undecided]
    for one in waiting:
        if what := missing_of(one, getattr(one, "letter", None)):
            lacking.append(Missing(one.proposal, what, is_decided=True))
    told = FeedbackLetter.objects.filter(decision__proposal__call=call, released_at__isnull=False)
    return LetterCounts(
        undecided=len(undecided),
        waiting=len(waiting),
        told=told.values("decision__proposal").distinct().count(),
        lacking=sorted(lacking, key=lambda one: one.proposal.reference),
    )


def missing_for(user, call, counts: LetterCounts) -> list[Missing]:
    """Of what is missing, what this user may know."""
    seen = set(call.proposals.seen_by_staff(user).values_list("pk", flat=True))
    return [one for one in counts.lacking if one.proposal.pk in seen]


def decisions_with_letters(call, user):
    """The latest decision of each proposal that the user may see, with its letter and all that the letter says."""
    later = Decision.objects.filter(proposal=OuterRef("proposal"), pk__gt=OuterRef("pk"))
    comments = CriterionFeedback.objects.select_related("criterion")
    return (
        Decision.objects.filter(~Exists(later), proposal__in=Proposal.objects.filter(call=call).seen_by_staff(user))
        .select_related("proposal__applicant", "proposal__call__criterion_set", "letter__released_by")
        .prefetch_related("proposal__call__criterion_set__criteria", Prefetch("letter__comments", comments))
        .order_by("proposal__reference")
    )
