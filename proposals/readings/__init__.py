"""What is read out of reviews and calls: ranking, counts, and who can review. One definition each, few queries."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Avg, Count

from proposals import scoring
from proposals.models import Call, Proposal, Review
from proposals.readings.correspondence import correspondence_of, promise_of, steps_of
from proposals.readings.outcomes import CallCounts, call_report, counts_of_calls
from proposals.readings.reviewing import (
    PossibleReviewer,
    assignment_counts,
    load_of,
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
    "basis_of_decision",
    "call_report",
    "correspondence_of",
    "counts_of_calls",
    "load_of",
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


@dataclass(frozen=True)
class Ranked:
    """One line of the ranking: raw, never adjusted."""

    proposal: Proposal
    rank: int | None
    mean: Decimal | None
    reviews: int
    widest: int
    wide_on: tuple[str, ...]  # titles of criteria whose scores lie 3 or more apart

    @property
    def is_wide(self) -> bool:
        return self.widest >= scoring.WIDE_SPREAD


def _standings(proposals, weights) -> dict[int, scoring.Standing]:
    reviews = Review.objects.counted().filter(proposal__in=proposals)
    scores: dict[int, dict[int, dict]] = {}
    rows = reviews.values_list("proposal_id", "pk", "scores__criterion_id", "scores__value")
    for proposal, review, criterion, value in rows:
        scores.setdefault(proposal, {}).setdefault(review, {})[criterion] = value
    return {proposal: scoring.standing(list(found.values()), weights) for proposal, found in scores.items()}


NOTHING = scoring.Standing(None, 0, ())


def ranking(call: Call, proposals=None) -> list[Ranked]:
    """Proposals of a call that were assessed, best raw mean first; those without a review last."""
    if proposals is None:
        proposals = call.proposals.all()
    proposals = list(proposals.filter(status__in=Proposal.ELIGIBLE).select_related("organisation").order_by("pk"))
    weights = call.weights.select_related("criterion")
    titles = {weight.criterion_id: weight.criterion.title for weight in weights}
    weight_of = {weight.criterion_id: weight.weight for weight in weights}
    standings = _standings([proposal.pk for proposal in proposals], weight_of)
    ranks = scoring.ranks({proposal.pk: standings.get(proposal.pk, NOTHING).mean for proposal in proposals})
    lines = []
    for proposal in proposals:
        standing = standings.get(proposal.pk, NOTHING)
        wide_on = tuple(titles[spread.criterion] for spread in standing.spreads if spread.is_wide)
        lines.append(Ranked(proposal, ranks[proposal.pk], standing.mean, standing.reviews, standing.widest, wide_on))
    return sorted(lines, key=lambda line: (line.rank is None, line.rank or 0, line.proposal.reference))


def basis_of_decision(proposal: Proposal) -> dict:
    """What the panel had before it: weights, raw mean, number of reviews and widest spread, kept with the decision."""
    weights = {weight.criterion_id: weight for weight in proposal.call.weights.select_related("criterion")}
    standing = _standings([proposal.pk], {pk: weight.weight for pk, weight in weights.items()}).get(
        proposal.pk, NOTHING
    )
    return {
        "weights": {weight.criterion.code: weight.weight for weight in weights.values()},
        "mean": None if standing.mean is None else str(standing.mean),
        "reviews": standing.reviews,
        "widest_spread": standing.widest,
    }


def review_counts(call: Call) -> list[tuple[Proposal, int]]:
    """Proposals in assessment, each with how many reviews count."""
    proposals = list(call.proposals.filter(status=Proposal.Status.IN_ASSESSMENT).order_by("pk"))
    counts = dict(
        Review.objects.counted()
        .filter(proposal__in=proposals)
        .order_by()
        .values_list("proposal")
        .annotate(count=Count("pk"))
    )
    return [(proposal, counts.get(proposal.pk, 0)) for proposal in proposals]


def bands_of(proposal: Proposal) -> dict[int, str]:
    """Where a proposal stands in the field of its call, by criterion id: a CriterionFeedback.Band, or missing.

    The field: every eligible proposal of the call with a counted score on that criterion.
    """
    rows = (
        Review.objects.counted()
        .filter(proposal__call=proposal.call_id, proposal__status__in=Proposal.ELIGIBLE)
        .filter(scores__value__isnull=False)
        .order_by()
        .values_list("scores__criterion_id", "proposal_id")
        .annotate(mean=Avg("scores__value"))
    )
    fields: dict[int, dict[int, Decimal]] = {}
    for criterion, one, mean in rows:
        fields.setdefault(criterion, {})[one] = Decimal(mean).quantize(scoring.KEPT)
    bands = {criterion: scoring.thirds(means).get(proposal.pk) for criterion, means in fields.items()}
    return {criterion: band for criterion, band in bands.items() if band}
