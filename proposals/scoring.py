"""The arithmetic of reviews: pure Python, nothing of Django. What each formula rests on is in docs/methods.md."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

LOWEST, HIGHEST = 0, 5
LEVELS = range(LOWEST, HIGHEST + 1)
WEIGHTS_ADD_TO = 100
WIDE_SPREAD = 3  # scores of one criterion that lie this far apart, or further, are for discussion
FEWEST_FOR_BANDS = 6  # in a smaller field a third would tell too much of the others
KEPT = Decimal("0.0001")  # a total is kept to four places and rounded to two only when shown


@dataclass(frozen=True)
class CriterionSpread:
    """The lowest and highest score that reviewers gave one criterion of one proposal."""

    criterion: Hashable
    lowest: int
    highest: int

    @property
    def width(self) -> int:
        return self.highest - self.lowest

    @property
    def is_wide(self) -> bool:
        return self.width >= WIDE_SPREAD


@dataclass(frozen=True)
class Standing:
    """Where one proposal stands: mean of its reviews' totals (0 to 5), how many reviews, how far they disagree."""

    mean: Decimal | None
    reviews: int
    spreads: tuple[CriterionSpread, ...]

    @property
    def widest(self) -> int:
        return max((spread.width for spread in self.spreads), default=0)

    @property
    def is_wide(self) -> bool:
        return self.widest >= WIDE_SPREAD


def weighted_mean(scores: Mapping[Hashable, int | None], weights: Mapping[Hashable, int]) -> Decimal | None:
    """One review's total: the mean of its scores, each counted by its criterion's weight.

    Args:
        scores: by criterion, 0 to 5, or None for "not applicable".
        weights: by criterion, whole per cent adding to 100; criteria without a score are ignored.
    Returns:
        0 to 5 kept to four places. A criterion that is not applicable is left out of numerator and denominator alike,
        so it neither lowers nor raises the mean. None when nothing that carries weight was scored.
    Raises:
        ValueError: a score outside 0 to 5.
    """
    applicable = {criterion: score for criterion, score in scores.items() if score is not None}
    if any(score not in LEVELS for score in applicable.values()):
        raise ValueError(f"A score is a whole number from {LOWEST} to {HIGHEST}")
    weight = sum(weights[criterion] for criterion in applicable)
    if not weight:
        return None
    total = sum(Decimal(weights[criterion]) * score for criterion, score in applicable.items())
    return (total / weight).quantize(KEPT, ROUND_HALF_UP)


def mean(totals: Iterable[Decimal | None]) -> Decimal | None:
    """Mean of the reviews' totals, each review counting the same; reviews without a total are left out."""
    given = [total for total in totals if total is not None]
    if not given:
        return None
    return (sum(given, Decimal(0)) / len(given)).quantize(KEPT, ROUND_HALF_UP)


def spreads(reviews: Sequence[Mapping[Hashable, int | None]]) -> tuple[CriterionSpread, ...]:
    """Lowest and highest score of each criterion over the reviews; "not applicable" is no score."""
    given: dict[Hashable, list[int]] = {}
    for review in reviews:
        for criterion, score in review.items():
            if score is not None:
                given.setdefault(criterion, []).append(score)
    return tuple(CriterionSpread(criterion, min(values), max(values)) for criterion, values in given.items())


def standing(reviews: Sequence[Mapping[Hashable, int | None]], weights: Mapping[Hashable, int]) -> Standing:
    """The raw standing of one proposal from its locked reviews (each: score by criterion)."""
    totals = [weighted_mean(review, weights) for review in reviews]
    return Standing(mean(totals), sum(total is not None for total in totals), spreads(reviews))


def ranks(means: Mapping[Hashable, Decimal | None]) -> dict[Hashable, int | None]:
    """Competition ranks, highest mean first: equal means share a rank and the next one is skipped (1, 2, 2, 4).

    A proposal without a mean has no rank.
    """
    first_places: dict[Decimal, int] = {}
    for place, value in enumerate(sorted((value for value in means.values() if value is not None), reverse=True), 1):
        first_places.setdefault(value, place)
    return {key: None if value is None else first_places[value] for key, value in means.items()}


def thirds(means: Mapping[Hashable, Decimal | None]) -> dict[Hashable, str]:
    """In which third of its field each one stands: "upper", "middle" or "lower". Equal means share a third.

    One stands where the middle of its rank does: (those below + half of those equal, itself included) / all, under 1/3
    is lower and over 2/3 upper. Those without a mean are not part of the field.

    Returns:
        Nothing where the field has fewer than 6, or where one of the thirds would point at a single one.
    """
    field = {key: value for key, value in means.items() if value is not None}
    size = len(field)
    if size < FEWEST_FOR_BANDS:
        return {}
    found = {}
    for key, value in field.items():
        below = sum(other < value for other in field.values())
        equal = sum(other == value for other in field.values())
        place = 3 * (2 * below + equal)  # of 6 x size
        found[key] = "lower" if place < 2 * size else "upper" if place > 4 * size else "middle"
    return {} if 1 in Counter(found.values()).values() else found


def weights_problem(weights: Iterable[int]) -> str:
    """What is wrong with a call's weights, as a sentence that says what to do; empty when nothing is."""
    weights = list(weights)
    if any(weight < 0 for weight in weights):
        return "Give each criterion a weight of 0 or more."
    total = sum(weights)
    if total != WEIGHTS_ADD_TO:
        return f"The weights add to {total}. Change them so that they add to {WEIGHTS_ADD_TO}."
    return ""
