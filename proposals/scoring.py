"""The arithmetic of reviews: pure Python, nothing of Django. What each formula rests on is in docs/methods.md."""

import math
import random
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

LOWEST, HIGHEST = 0, 5
LEVELS = range(LOWEST, HIGHEST + 1)
_ALL_LEVELS = frozenset(LEVELS)
WEIGHTS_ADD_TO = 100
WIDE_SPREAD = 3  # scores of one criterion that lie this far apart, or further, are for discussion
FEWEST_FOR_BANDS = 6  # in a smaller field a third would tell too much of the others
KEPT = Decimal("0.0001")  # a total is kept to four places and rounded to two only when shown


def weighted_mean(scores: Sequence[int | None], weights: Sequence[int]) -> Decimal | None:
    """One review's total: the mean of its scores, each counted by its criterion's weight.

    Args:
        scores: one for each criterion, 0 to 5, or None for "not applicable".
        weights: of the same criteria in the same order, whole per cent adding to 100.
    Returns:
        0 to 5 kept to four places. A criterion that is not applicable is left out of numerator and denominator alike,
        so it neither lowers nor raises the mean. None when nothing that carries weight was scored.
    Raises:
        ValueError: a score outside 0 to 5, or another number of weights than of scores.
    """
    if None in scores:
        given = [(score, weight) for score, weight in zip(scores, weights, strict=True) if score is not None]
        scores, weights = [score for score, _ in given], [weight for _, weight in given]
    if not _ALL_LEVELS.issuperset(scores):
        raise ValueError(f"A score is a whole number from {LOWEST} to {HIGHEST}")
    total, counted = math.sumprod(scores, weights), sum(weights)
    if not counted:
        return None
    return _ten_thousandths((2 * total * 10_000 + counted) // (2 * counted))  # half up, in whole numbers: it is quick


@lru_cache(maxsize=1024)  # whole scores and weights of whole per cent give 501 different totals
def _ten_thousandths(number: int) -> Decimal:
    return Decimal(number).scaleb(-4)


def mean(totals: Iterable[Decimal | None]) -> Decimal | None:
    """Mean of the reviews' totals, each review counting the same; reviews without a total are left out."""
    given = [total for total in totals if total is not None]
    if not given:
        return None
    return (sum(given, Decimal(0)) / len(given)).quantize(KEPT, ROUND_HALF_UP)


def spreads(reviews: Sequence[Sequence[int | None]]) -> list[int]:
    """How far the highest score of each criterion lies above its lowest; 0 where nobody gave one.

    Args:
        reviews: each one's scores, all in the same order of criteria; "not applicable" is None and no score.
    """
    return [_width(scores) for scores in zip(*reviews, strict=True)]


@lru_cache(maxsize=4096)  # three reviewers give one criterion 343 different rows of scores
def _width(scores: tuple[int | None, ...]) -> int:
    given = [score for score in scores if score is not None]
    return max(given) - min(given) if given else 0


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


# Severe and lenient reviewers -----------------------------------------------------------------------------------------
class Rating(NamedTuple):
    """The total that one reviewer gave one proposal. Keys are of one kind that can be put in order."""

    proposal: Hashable
    reviewer: Hashable
    total: Decimal


@dataclass(frozen=True)
class Adjustment:
    """Means freed from how severe each reviewer is, as far as the reviews are connected.

    Two proposals can be compared only within a group: somebody who reviewed one of them also reviewed the other, or is
    joined to such a reviewer by a chain of others.
    """

    means: dict[Hashable, Decimal]  # by proposal
    effects: dict[Hashable, Decimal]  # by reviewer: above 0 lenient, below 0 severe, within their group
    group_of: dict[Hashable, int]  # by proposal: 1 is the group with most proposals
    groups: int

    @property
    def is_connected(self) -> bool:
        return self.groups <= 1


def adjusted(ratings: Iterable[Rating]) -> Adjustment:
    """Least-squares fit of total = mean + proposal + reviewer + error, each review counting the same.

    In each connected group the reviewers' effects, each counted as often as its reviewer scored, sum to zero: so the
    group's mean stays what it was, and an adjusted mean is what the group's average reviewer would have given.

    Returns:
        Means and effects kept to four places. A reviewer of a single proposal tells nothing about severity: their total
        is taken up by their own effect.
    """
    ratings = sorted(ratings)  # so that the order in which they come changes no last bit of a sum
    proposals = _numbered(proposal for proposal, _, _ in ratings)
    reviewers = _numbered(reviewer for _, reviewer, _ in ratings)
    rows = [(proposals[proposal], reviewers[reviewer], float(total)) for proposal, reviewer, total in ratings]
    effects = _reviewer_effects(rows, len(proposals), len(reviewers))
    group_of_reviewer, groups = _groups(rows, len(proposals), len(reviewers))
    effects = _sum_to_zero(effects, rows, group_of_reviewer, len(groups))
    freed: list[list[float]] = [[] for _ in proposals]
    for proposal, reviewer, total in rows:
        freed[proposal].append(total - effects[reviewer])
    number_of = {proposal: number for number, members in enumerate(groups, 1) for proposal in members}
    return Adjustment(
        means={key: _kept(math.fsum(freed[place]) / len(freed[place])) for key, place in proposals.items()},
        effects={key: _kept(effects[place]) for key, place in reviewers.items()},
        group_of={key: number_of[place] for key, place in proposals.items()},
        groups=len(groups),
    )


def _numbered(keys) -> dict[Hashable, int]:
    return {key: number for number, key in enumerate(dict.fromkeys(keys))}


def _kept(value: float) -> Decimal:
    """Four places. Rounded to nine first: what is equal but for the last bits of a float stays equal."""
    return Decimal(f"{value:.9f}").quantize(KEPT, ROUND_HALF_UP)


def _reviewer_effects(rows, n_proposals, n_reviewers) -> list[float]:
    """Solve the reviewers' reduced normal equations (proposals eliminated) by conjugate gradients.

    They are symmetric and positive semidefinite, one null direction a group; started from zero, the iteration stays
    clear of these. In exact arithmetic it ends after at most as many steps as there are reviewers.
    """
    reviewers_of: list[list[int]] = [[] for _ in range(n_proposals)]
    sums = [0.0] * n_proposals
    scored = [0] * n_reviewers
    for proposal, reviewer, total in rows:
        reviewers_of[proposal].append(reviewer)
        sums[proposal] += total
        scored[reviewer] += 1
    right = [0.0] * n_reviewers
    for proposal, reviewer, total in rows:
        right[reviewer] += total - sums[proposal] / len(reviewers_of[proposal])
    shared: list[dict[int, float]] = [{} for _ in range(n_reviewers)]  # with whom, how much of their reviews
    for reviewers in reviewers_of:
        part = 1 / len(reviewers)
        for one in reviewers:
            row = shared[one]
            for other in reviewers:
                row[other] = row.get(other, 0.0) + part

    def reduced(vector):
        return [
            count * value - sum([part * vector[other] for other, part in row.items()])
            for count, value, row in zip(scored, vector, shared, strict=True)
        ]

    return _conjugate_gradients(reduced, right, scored)


PRECISE = 1e-20  # squared residual, relative to the right side: far below the four places that are kept


def _conjugate_gradients(times, right, diagonal) -> list[float]:
    """The solution of `times(x) = right`, preconditioned by the diagonal."""
    solution = [0.0] * len(right)
    residual = list(right)
    step = [value / scale for value, scale in zip(residual, diagonal, strict=True)]
    energy = sum(a * b for a, b in zip(residual, step, strict=True))
    precise = energy * PRECISE
    for _ in range(10 * len(right)):
        if energy <= precise:
            break
        image = times(step)
        curvature = sum(a * b for a, b in zip(step, image, strict=True))
        if curvature <= 0:
            break
        length = energy / curvature
        solution = [a + length * b for a, b in zip(solution, step, strict=True)]
        residual = [a - length * b for a, b in zip(residual, image, strict=True)]
        scaled = [value / scale for value, scale in zip(residual, diagonal, strict=True)]
        energy, before = sum(a * b for a, b in zip(residual, scaled, strict=True)), energy
        step = [a + energy / before * b for a, b in zip(scaled, step, strict=True)]
    return solution


def _groups(rows, n_proposals, n_reviewers) -> tuple[list[int], list[list[int]]]:
    """Which group each reviewer is in, and the proposals of each group, most proposals first."""
    parent = list(range(n_proposals + n_reviewers))

    def root(node):
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for proposal, reviewer, _ in rows:
        parent[root(n_proposals + reviewer)] = root(proposal)
    members: dict[int, list[int]] = {}
    for proposal in range(n_proposals):
        members.setdefault(root(proposal), []).append(proposal)
    ordered = sorted(members, key=lambda found: (-len(members[found]), members[found][0]))
    place = {found: number for number, found in enumerate(ordered)}
    return [place[root(n_proposals + reviewer)] for reviewer in range(n_reviewers)], [members[one] for one in ordered]


def _sum_to_zero(effects, rows, group_of_reviewer, n_groups) -> list[float]:
    sums, counts = [0.0] * n_groups, [0] * n_groups
    for _, reviewer, _ in rows:
        sums[group_of_reviewer[reviewer]] += effects[reviewer]
        counts[group_of_reviewer[reviewer]] += 1
    return [effect - sums[group] / counts[group] for effect, group in zip(effects, group_of_reviewer, strict=True)]


def adjusted_ranks(adjustment: Adjustment) -> dict[Hashable, int]:
    """Competition ranks of the adjusted means within each group: groups are not compared with one another."""
    by_group: dict[int, dict[Hashable, Decimal]] = {}
    for proposal, group in adjustment.group_of.items():
        by_group.setdefault(group, {})[proposal] = adjustment.means[proposal]
    return {proposal: rank for means in by_group.values() for proposal, rank in ranks(means).items()}


# How firm a rank is ---------------------------------------------------------------------------------------------------
RESAMPLES = 1000
TAIL = 0.05  # left out at each end of the resampled ranks: the range holds nine tenths of them


class RankRange(NamedTuple):
    best: int
    worst: int


def ranges_leaving_one_out(ratings: Sequence[Rating]) -> dict[Hashable, RankRange]:
    """By proposal: its best and worst rank (raw) when each reviewer in turn had not taken part.

    The rank with everybody is part of the range. A proposal whose only review is left out has no rank that time.
    """
    totals: dict[Hashable, dict[Hashable, Decimal]] = {}
    for rating in ratings:
        totals.setdefault(rating.proposal, {})[rating.reviewer] = rating.total
    means = {proposal: mean(given.values()) for proposal, given in totals.items()}
    seen = {proposal: [rank, rank] for proposal, rank in ranks(means).items()}
    reviewed: dict[Hashable, list[Hashable]] = {}
    for rating in ratings:
        reviewed.setdefault(rating.reviewer, []).append(rating.proposal)
    for reviewer, proposals in reviewed.items():
        without = dict(means)
        for proposal in proposals:
            without[proposal] = mean(total for by, total in totals[proposal].items() if by != reviewer)
        for proposal, rank in ranks(without).items():
            if rank is not None:
                seen[proposal] = [min(seen[proposal][0], rank), max(seen[proposal][1], rank)]
    return {proposal: RankRange(*found) for proposal, found in seen.items()}


def adjusted_ranges_leaving_one_out(ratings: Sequence[Rating]) -> dict[Hashable, RankRange]:
    """The same for adjusted ranks. Without a reviewer that held the field together, that turn is not counted."""
    whole = adjusted(ratings)
    seen = {proposal: [rank, rank] for proposal, rank in adjusted_ranks(whole).items()}
    for reviewer in dict.fromkeys(rating.reviewer for rating in ratings):
        without = adjusted([rating for rating in ratings if rating.reviewer != reviewer])
        if without.groups > whole.groups:
            continue
        for proposal, rank in adjusted_ranks(without).items():
            seen[proposal] = [min(seen[proposal][0], rank), max(seen[proposal][1], rank)]
    return {proposal: RankRange(*found) for proposal, found in seen.items()}


def resampled_ranges(ratings: Sequence[Rating], *, seed: str, times: int = RESAMPLES) -> dict[Hashable, RankRange]:
    """By proposal: where its rank (raw) lies in nine tenths of the fields drawn anew from the reviews.

    Each time, every proposal draws as many of its own reviews as it has, with repetition. The rank with all reviews is
    part of the range.

    Args:
        seed: what the draws begin from: the same reviews with the same seed give the same ranges.
    """
    totals: dict[Hashable, list[int]] = {}
    for rating in sorted(ratings):
        totals.setdefault(rating.proposal, []).append(int(rating.total / KEPT))
    # Means are compared exactly: each is a whole number over the least common multiple of all counts
    common = math.lcm(*{len(given) for given in totals.values()}) if totals else 1
    fields = [(given, common // len(given)) for given in totals.values()]
    drawn: list[list[int]] = [[] for _ in fields]
    dice = random.Random(seed)  # noqa: S311 draws, not secrets
    for _ in range(times):
        values = [sum(dice.choices(given, k=len(given))) * factor for given, factor in fields]
        for place, rank in enumerate(_fast_ranks(values)):
            drawn[place].append(rank)
    whole = _fast_ranks([sum(given) * factor for given, factor in fields])
    cut = int(times * TAIL)
    result = {}
    for proposal, rank, found in zip(totals, whole, drawn, strict=True):
        found.sort()
        inner = [*found[cut : len(found) - cut], rank]
        result[proposal] = RankRange(min(inner), max(inner))
    return result


def _fast_ranks(values: Sequence[int]) -> list[int]:
    first: dict[int, int] = {}
    for place, value in enumerate(sorted(values, reverse=True), 1):
        first.setdefault(value, place)
    return [first[value] for value in values]


# Agreement ------------------------------------------------------------------------------------------------------------
def alpha(units: Iterable[Sequence[float]]) -> float | None:
    """Krippendorff's alpha for interval data: 1 is full agreement, 0 is what chance gives, below 0 is worse.

    Args:
        units: for each proposal the scores that its reviewers gave one criterion; missing ones are simply not there.
    Returns:
        None where it is not defined: no proposal has two scores, or all scores are the same.
    Source: K. Krippendorff, Content Analysis, 3rd ed. (2013), ch. 12: 1 - observed / expected disagreement.
    """
    pairable = [list(unit) for unit in units if len(unit) > 1]
    values = [value for unit in pairable for value in unit]
    if not values or min(values) == max(values):
        return None
    observed = sum(_squares_between(unit) / (len(unit) - 1) for unit in pairable) / len(values)
    expected = _squares_between(values) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def _squares_between(values: Sequence[float]) -> float:
    """Sum of squared differences over all ordered pairs."""
    return 2 * (len(values) * sum(value * value for value in values) - sum(values) ** 2)


# Money ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class MoneyLine:
    """What the money reaches, going down a ranking."""

    funded: tuple[Hashable, ...]
    on_the_line: tuple[Hashable, ...]  # equal in rank, and the money does not cover all of them: none is in
    spent: Decimal
    reaches_rank: int  # of the last funded; 0 where nothing is


def money_line(
    ranked: Mapping[Hashable, int | None],
    *,
    asked: Mapping[Hashable, Decimal | None],
    money: Decimal | None = None,
    number: int | None = None,
) -> MoneyLine:
    """Go down the ranks until the money, or the number of places, is used up; nothing below the line jumps the queue.

    Args:
        asked: pounds by proposal; a proposal that names no amount costs nothing here, and the caller says so.
        money, number: either limit, or both.
    """
    by_rank: dict[int, list[Hashable]] = {}
    for proposal, rank in ranked.items():
        if rank is not None:
            by_rank.setdefault(rank, []).append(proposal)
    funded: list[Hashable] = []
    spent, reaches = Decimal(0), 0
    for rank in sorted(by_rank):
        equal = by_rank[rank]
        cost = sum((asked.get(proposal) or Decimal(0) for proposal in equal), Decimal(0))
        too_dear = money is not None and spent + cost > money
        too_many = number is not None and len(funded) + len(equal) > number
        if too_dear or too_many:
            return MoneyLine(tuple(funded), tuple(equal), spent, reaches)
        funded += equal
        spent, reaches = spent + cost, rank
    return MoneyLine(tuple(funded), (), spent, reaches)
