from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import scoring

WEIGHTS = {"need": 20, "proof": 25, "spread": 15, "value": 20, "people": 15, "growth": 5}
CRITERIA = list(WEIGHTS)

WEIGHTS_IN_ORDER = list(WEIGHTS.values())


def total_of(scores):
    return scoring.weighted_mean([scores.get(criterion) for criterion in CRITERIA], WEIGHTS_IN_ORDER)


score_sets = st.fixed_dictionaries({criterion: st.integers(0, 5) for criterion in CRITERIA})


def test_weighted_mean_of_a_case_worked_by_hand():
    scores = {"need": 4, "proof": 3, "spread": 5, "value": 2, "people": 4, "growth": 0}

    # (20*4 + 25*3 + 15*5 + 20*2 + 15*4 + 5*0) / 100 = (80 + 75 + 75 + 40 + 60 + 0) / 100
    assert total_of(scores) == Decimal("3.3000")


def test_not_applicable_is_left_out_and_never_counts_as_nought():
    scores = {"need": 4, "proof": 3, "spread": 5, "value": 2, "people": 4, "growth": None}

    # 330 / 95 = 3.47368...
    assert total_of(scores) == Decimal("3.4737")


def test_a_review_with_nothing_applicable_has_no_total():
    assert total_of({}) is None


def test_only_criteria_without_weight_give_no_total():
    assert scoring.weighted_mean([3], [0]) is None


@pytest.mark.parametrize("score", [-1, 6])
def test_a_score_outside_nought_to_five_is_refused(score):
    with pytest.raises(ValueError, match="0 to 5"):
        scoring.weighted_mean([score], [100])


@given(score_sets)
def test_the_mean_lies_between_lowest_and_highest_score(scores):
    assert min(scores.values()) <= total_of(scores) <= max(scores.values())


@given(score_sets, st.integers(0, 100))
def test_adding_a_not_applicable_never_changes_a_mean(scores, weight):
    longer = scoring.weighted_mean([*map(scores.get, CRITERIA), None], [*WEIGHTS_IN_ORDER, weight])

    assert longer == total_of(scores)


def test_mean_of_reviews_counts_each_review_the_same():
    assert scoring.mean([Decimal("3.3"), Decimal("4.0"), None, Decimal("2.0")]) == Decimal("3.1000")


def test_no_review_gives_no_mean():
    assert scoring.mean([]) is None


def test_a_spread_is_the_distance_between_the_highest_and_the_lowest_score_of_a_criterion():
    assert scoring.spreads([[5, 3, 4], [2, 4, 4], [3, 3, 4]]) == [3, 1, 0]


def test_not_applicable_is_no_score_to_be_far_apart_from():
    assert scoring.spreads([[5, None, None], [3, 0, None]]) == [2, 0, 0]


def test_a_wide_spread_hidden_by_the_mean_is_seen():
    reviews = [[5, 1], [1, 5]]

    assert scoring.mean([scoring.weighted_mean(review, [50, 50]) for review in reviews]) == Decimal("3.0000")
    assert scoring.spreads(reviews) == [4, 4]


def test_equal_means_share_a_rank_and_the_next_is_skipped():
    means = {"a": Decimal("4.1"), "b": Decimal("3.2"), "c": Decimal("3.2"), "d": Decimal("3"), "e": None}

    assert scoring.ranks(means) == {"a": 1, "b": 2, "c": 2, "d": 4, "e": None}


@pytest.mark.parametrize(("weights", "sentence"), [([50, 49], "add to 99"), ([60, 41], "add to 101"), ([], "add to 0")])
def test_weights_that_do_not_add_to_a_hundred_are_named(weights, sentence):
    assert sentence in scoring.weights_problem(weights)


def test_weights_that_add_to_a_hundred_are_fine():
    assert scoring.weights_problem(WEIGHTS.values()) == ""


def test_a_negative_weight_is_refused_even_when_the_sum_is_a_hundred():
    assert "0 or more" in scoring.weights_problem([110, -10])


@pytest.mark.parametrize(
    ("means", "bands"),
    [
        ([1, 2, 3, 4, 5], ""),  # five are too few
        ([0, 1, 2, 3, 4, 5], "llmmuu"),
        ([0, 1, 2, 3, 4, 5, None], "llmmuu"),  # who has no mean is not of the field
        ([3, 3, 3, 3, 3, 3], "mmmmmm"),  # equal means share a third
        ([0, 0, 0, 5, 5, 5], "llluuu"),
        ([1, 5, 5, 5, 5, 5], ""),  # the lower third would point at one
        ([0, 0, 1, 1, 2, 2, 3], "llmmuuu"),
        ([0, 0, 1, 1, 2, 3, 3], "llmmmuu"),
    ],
)
def test_thirds_of_a_field_share_ties_and_never_point_at_a_single_one(means, bands):
    found = scoring.thirds({key: None if mean is None else Decimal(mean) for key, mean in enumerate(means)})

    assert "".join(found[key][0] for key in sorted(found)) == bands
