"""What is read out of reviews and calls: ranking, counts, and who can review. One definition each, few queries."""

from decimal import Decimal

from django.db.models import Avg, Count, Q

from proposals import scoring
from proposals.models import Proposal, Review
from proposals.readings.correspondence import correspondence_of, promise_of, steps_of
from proposals.readings.files import held_back
from proposals.readings.outcomes import CallCounts, call_report, counts_of_calls
from proposals.readings.panel import basis_of_decision
from proposals.readings.ranking import Ranked, ranking
from proposals.readings.reviewing import (
    PossibleReviewer,
    assignment_counts,
    calibration_of,
    examples_to_score,
    load_of,
    next_to_review,
    people_with_interest,
    plan_of,
    possible_reviewers,
    reviewers,
    to_screen,
    without_interest,
)
from proposals.readings.since import since_last_time_of

__all__ = [
    "CallCounts",
    "PossibleReviewer",
    "Ranked",
    "assignment_counts",
    "bands_of",
    "bands_of_call",
    "basis_of_decision",
    "calibration_of",
    "call_report",
    "correspondence_of",
    "counts_of_calls",
    "examples_to_score",
    "held_back",
    "load_of",
    "next_to_review",
    "people_with_interest",
    "plan_of",
    "possible_reviewers",
    "promise_of",
    "ranking",
    "review_counts",
    "reviewers",
    "since_last_time_of",
    "steps_of",
    "to_screen",
    "without_interest",
]


def review_counts(proposals) -> dict[int, tuple[int, int]]:
    """How many reviews of each proposal count, and how many of these are lay: by proposal id."""
    rows = (
        Review.objects.counted()
        .filter(proposal__in=proposals)
        .order_by()
        .values_list("proposal")
        .annotate(reviews=Count("pk"), lay=Count("pk", filter=Q(assignment__is_lay=True)))
    )
    return dict.fromkeys((proposal.pk for proposal in proposals), (0, 0)) | {pk: (all_, lay) for pk, all_, lay in rows}


def bands_of_call(call) -> dict[int, dict[int, str]]:
    """Where proposals stand in the field of their call, by proposal and criterion id: a CriterionFeedback.Band.

    The field: every eligible proposal of the call with a counted score on that criterion.
    """
    rows = (
        Review.objects.counted()
        .filter(proposal__call=call, proposal__status__in=Proposal.ELIGIBLE)
        .filter(scores__value__isnull=False)
        .order_by()
        .values_list("scores__criterion_id", "proposal_id")
        .annotate(mean=Avg("scores__value"))
    )
    fields: dict[int, dict[int, Decimal]] = {}
    for criterion, one, mean in rows:
        fields.setdefault(criterion, {})[one] = Decimal(mean).quantize(scoring.KEPT)
    bands: dict[int, dict[int, str]] = {}
    for criterion, means in fields.items():
        for one, band in scoring.thirds(means).items():
            if band:
                bands.setdefault(one, {})[criterion] = band
    return bands


def bands_of(proposal: Proposal) -> dict[int, str]:
    """Where one proposal stands in the field of its call, by criterion id: a CriterionFeedback.Band, or missing."""
    return bands_of_call(proposal.call).get(proposal.pk, {})
