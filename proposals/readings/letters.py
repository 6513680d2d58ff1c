"""Which letters of a call still wait, and what they lack."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class LetterCounts:
    """How far the letters of a call are."""

    undecided: int
    waiting: int  # decided, not told
    ready: int  # of the waiting: complete
    told: int

    @property
    def missing(self) -> int:
        return self.undecided + self.waiting - self.ready


def letter_counts(call) -> LetterCounts:
    decisions = pending_decisions(call).select_related("letter")
    waiting = list(decisions.prefetch_related("letter__comments"))
    ready = sum(not missing_of(one, getattr(one, "letter", None)) for one in waiting)
    statuses = (Proposal.Status.IN_ASSESSMENT, Proposal.Status.AT_PANEL)
    told = FeedbackLetter.objects.filter(decision__proposal__call=call, released_at__isnull=False)
    return LetterCounts(
        undecided=call.proposals.filter(status__in=statuses).count(),
        waiting=len(waiting),
        ready=ready,
        told=told.values("decision__proposal").distinct().count(),
    )


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
