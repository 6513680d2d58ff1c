"""Severity-adjusted means, how firm a rank is, agreement, and where the money ends."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import scoring
from proposals.scoring import RankRange, Rating

totals = st.integers(0, 500).map(lambda value: (Decimal(value) / 100).quantize(scoring.KEPT))


@st.composite
def fields(draw, *, connected=False):
    """Ratings of up to 6 proposals by up to 5 reviewers, each pair at most once."""
    proposals, reviewers = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    ratings = [
        Rating(f"p{proposal}", f"r{reviewer}", draw(totals))
        for proposal in range(proposals)
        for reviewer in range(reviewers)
        if (connected and reviewer == 0) or draw(st.booleans())
    ]
    return ratings or [Rating("p0", "r0", draw(totals))]


def ratings_of(table: dict) -> list[Rating]:
    return [
        Rating(proposal, reviewer, Decimal(str(total)).quantize(scoring.KEPT))
        for proposal, given in table.items()
        for reviewer, total in given.items()
    ]


# Severe and lenient reviewers -----------------------------------------------------------------------------------------
def test_a_severe_reviewer_is_allowed_for_in_a_case_worked_by_hand():
    # Strict gives 1 less than kind on the one proposal that both read, so the effects differ by 1. Each scored twice:
    # they are -0.5 and +0.5. Freed from them: a = 3, 3 -> 3; b = 2.5 (strict, 2); c = 2.5 (kind, 3).
    ratings = ratings_of({"a": {"strict": 2.5, "kind": 3.5}, "b": {"strict": 2}, "c": {"kind": 3}})

    found = scoring.adjusted(ratings)

    assert found.means == {"a": Decimal("3.0000"), "b": Decimal("2.5000"), "c": Decimal("2.5000")}
    assert found.effects == {"strict": Decimal("-0.5000"), "kind": Decimal("0.5000")}
    assert scoring.adjusted_ranks(found) == {"a": 1, "b": 2, "c": 2}
    assert found.is_connected


def exact_means(ratings) -> dict:
    """The same model solved another way: all normal equations at once, by elimination in fractions."""
    proposals = sorted({one.proposal for one in ratings})
    reviewers = sorted({one.reviewer for one in ratings})
    unknowns = [*proposals, *reviewers]
    size = len(unknowns)
    place = {name: number for number, name in enumerate(unknowns)}
    rows = [[Fraction(0)] * (size + 1) for _ in range(size + 1)]
    for proposal, reviewer, total in ratings:
        for mine, other in ((proposal, reviewer), (reviewer, proposal)):
            rows[place[mine]][place[mine]] += 1
            rows[place[mine]][place[other]] += 1
            rows[place[mine]][size] += Fraction(total)
        rows[size][place[reviewer]] += 1  # the effects, each as often as its reviewer scored, sum to zero
    pivots, used = {}, 0
    for column in range(size):
        found = next((row for row in range(used, len(rows)) if rows[row][column]), None)
        if found is None:
            continue
        rows[used], rows[found] = rows[found], rows[used]
        rows[used] = [value / rows[used][column] for value in rows[used]]
        for row in range(len(rows)):
            if row != used and rows[row][column]:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[used], strict=True)]
        pivots[column], used = used, used + 1
    return {name: rows[pivots[place[name]]][size] for name in proposals}


@given(fields(connected=True))
def test_the_adjusted_means_solve_the_normal_equations_exactly(ratings):
    found = scoring.adjusted(ratings)

    assert found.is_connected
    for proposal, value in exact_means(ratings).items():
        assert abs(Fraction(found.means[proposal]) - value) <= Fraction(1, 10_000)


@given(fields(connected=True), st.integers(0, 4), st.integers(-300, 300))
def test_a_shift_of_one_reviewer_by_a_constant_leaves_the_adjusted_order_unchanged(ratings, reviewer, shift):
    shift = Decimal(shift) / 100
    shifted = [one._replace(total=one.total + shift) if one.reviewer == f"r{reviewer}" else one for one in ratings]

    before, after = scoring.adjusted(ratings), scoring.adjusted(shifted)

    moved = {proposal: after.means[proposal] - before.means[proposal] for proposal in before.means}
    assert max(moved.values()) - min(moved.values()) <= Decimal("0.0001")


@given(fields(), st.randoms(use_true_random=False))
def test_the_order_of_the_reviews_changes_nothing(ratings, dice):
    shuffled = list(ratings)
    dice.shuffle(shuffled)

    assert scoring.adjusted(shuffled).means == scoring.adjusted(ratings).means
    assert scoring.ranges_leaving_one_out(shuffled) == scoring.ranges_leaving_one_out(ratings)
    assert scoring.resampled_ranges(shuffled, seed="s", times=20) == scoring.resampled_ranges(
        ratings, seed="s", times=20
    )


@given(st.lists(totals, min_size=3, max_size=3), st.integers(2, 5))
def test_proposals_with_equal_scores_get_equal_ranks(given_by, number):
    ratings = [
        Rating(f"p{proposal}", f"r{reviewer}", total)
        for proposal in range(number)
        for reviewer, total in enumerate(given_by)
    ]

    assert set(scoring.adjusted_ranks(scoring.adjusted(ratings)).values()) == {1}
    assert set(scoring.ranges_leaving_one_out(ratings).values()) == {RankRange(1, 1)}


def test_without_differences_between_reviewers_the_adjusted_mean_is_the_raw_one():
    ratings = ratings_of({"a": {"x": 4, "y": 4}, "b": {"y": 2, "z": 2}, "c": {"x": 3, "z": 3}})

    assert scoring.adjusted(ratings).means == {"a": Decimal(4), "b": Decimal(2), "c": Decimal(3)}


def test_groups_without_a_common_reviewer_are_not_compared():
    ratings = ratings_of({
        "a": {"x": 5, "y": 4}, "b": {"x": 3}, "c": {"y": 1},
        "d": {"z": 1, "w": 2}, "e": {"z": 0},
    })  # fmt: skip

    found = scoring.adjusted(ratings)

    assert (found.groups, found.is_connected) == (2, False)
    assert {found.group_of[one] for one in "abc"} == {1}
    assert {found.group_of[one] for one in "de"} == {2}
    assert scoring.adjusted_ranks(found)["a"] == scoring.adjusted_ranks(found)["d"] == 1


@given(fields())
def test_the_adjusted_means_keep_the_mean_of_all_reviews_of_a_group(ratings):
    found = scoring.adjusted(ratings)

    for group in set(found.group_of.values()):
        mine = [one for one in ratings if found.group_of[one.proposal] == group]
        drift = sum(one.total for one in mine) - sum(found.means[one.proposal] for one in mine)
        assert abs(drift) <= Decimal("0.0001") * len(mine)


def test_no_review_gives_no_adjustment():
    found = scoring.adjusted([])

    assert (found.means, found.groups, found.is_connected) == ({}, 0, True)


# How firm a rank is ---------------------------------------------------------------------------------------------------
def test_leaving_out_each_reviewer_in_turn_in_a_case_worked_by_hand():
    # All: a 4, b 3.5, c 3. Without x: a 3, b 3.5, c 3, so b, then a and c together. Without y: a alone, 5
    ratings = ratings_of({"a": {"x": 5, "y": 3}, "b": {"y": 3.5}, "c": {"y": 3}})

    assert scoring.ranges_leaving_one_out(ratings) == {
        "a": RankRange(1, 2), "b": RankRange(1, 2), "c": RankRange(2, 3),
    }  # fmt: skip


@given(fields())
def test_every_range_contains_the_rank(ratings):
    given_by = {}
    for one in ratings:
        given_by.setdefault(one.proposal, []).append(one.total)
    raw = scoring.ranks({proposal: scoring.mean(given) for proposal, given in given_by.items()})
    adjusted = scoring.adjusted_ranks(scoring.adjusted(ratings))

    for ranges, ranks in (
        (scoring.ranges_leaving_one_out(ratings), raw),
        (scoring.resampled_ranges(ratings, seed="s", times=20), raw),
        (scoring.adjusted_ranges_leaving_one_out(ratings), adjusted),
    ):
        assert ranges.keys() == ranks.keys()
        assert all(ranges[one].best <= ranks[one] <= ranges[one].worst for one in ranks)


def test_the_same_seed_gives_the_same_ranges():
    ratings = ratings_of({name: {"x": 2 + number, "y": 4, "z": 1} for number, name in enumerate("abc")})

    first = scoring.resampled_ranges(ratings, seed="fingerprint", times=50)

    assert first == scoring.resampled_ranges(ratings, seed="fingerprint", times=50)
    assert first["c"].best == 1


def test_reviewers_who_agree_leave_nothing_to_resample():
    ratings = ratings_of({"a": {"x": 4, "y": 4}, "b": {"x": 3, "y": 3}})

    ranges = scoring.resampled_ranges(ratings, seed="s", times=50)

    assert ranges == {"a": RankRange(1, 1), "b": RankRange(2, 2)}


# Agreement ------------------------------------------------------------------------------------------------------------
def test_alpha_of_krippendorffs_own_example():
    # K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: 4 observers, 12 units, missing data
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    units = [[value for value in unit if value is not None] for unit in zip(*observers, strict=True)]

    assert round(scoring.alpha(units), 3) == 0.849


def test_alpha_worked_by_hand():
    # Pairs within: (1,2) differs by 1, (4,4) by 0: observed = (2 + 0) / 4 = 0.5. All ordered pairs of 1, 2, 4, 4:
    # 2 * (1 + 9 + 9 + 4 + 4 + 0) = 54, expected = 54 / 12 = 4.5. alpha = 1 - 0.5 / 4.5 = 8/9
    assert scoring.alpha([[1, 2], [4, 4], [3]]) == pytest.approx(8 / 9)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8).filter(lambda values: len(set(values)) > 1))
def test_alpha_of_perfect_agreement_is_1(values):
    assert scoring.alpha([[value] * 3 for value in values]) == 1


@pytest.mark.parametrize("units", [[], [[3]], [[3, 3], [3, 3]]])
def test_alpha_is_not_defined_without_pairs_or_without_variation(units):
    assert scoring.alpha(units) is None


# Money ----------------------------------------------------------------------------------------------------------------
ASKED = {"a": Decimal(40), "b": Decimal(50), "c": Decimal(20), "d": Decimal(5)}


def test_the_money_line_lies_above_the_first_that_the_money_does_not_cover():
    line = scoring.money_line({"a": 1, "b": 2, "c": 3, "d": 4}, asked=ASKED, money=Decimal(100))

    assert (line.funded, line.on_the_line) == (("a", "b"), ("c",))  # d would fit, but stands behind c
    assert (line.spent, line.reaches_rank) == (Decimal(90), 2)


def test_equal_ranks_are_funded_together_or_not_at_all():
    line = scoring.money_line({"a": 1, "b": 2, "c": 2}, asked=ASKED, money=Decimal(90))

    assert (line.funded, set(line.on_the_line)) == (("a",), {"b", "c"})


def test_a_number_of_places_limits_too():
    line = scoring.money_line({"a": 1, "b": 2, "c": 3, "d": None}, asked=ASKED, number=2)

    assert (line.funded, line.on_the_line) == (("a", "b"), ("c",))


def test_money_for_all_draws_no_line():
    line = scoring.money_line({"a": 1, "c": 2}, asked=ASKED | {"c": None}, money=Decimal(100))

    assert (line.funded, line.on_the_line, line.spent) == (("a", "c"), (), Decimal(40))
