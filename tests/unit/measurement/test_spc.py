"""The XmR chart against cases worked by hand."""

import math
from datetime import date, timedelta

import pytest

from measurement import spc
from measurement.spc import Assurance, Label, PointType, Variation

START = date(2024, 1, 1)


def days(n):
    return [START + timedelta(days=7 * i) for i in range(n)]


def chart(values, direction="increase", **options):
    return spc.xmr(days(len(values)), values, direction=direction, **options)


# Twelve points about 10 whose moving ranges are all 1: mean 10, limits 10 -/+ 2.66, two-sigma lines 10 -/+ 1.7733.
CALM = [9.5, 10.5] * 6


def test_limits_worked_by_hand():
    # mean (3 + 5 + 4 + 8) / 4 = 5; ranges 2, 1, 4, average 7/3; none reaches 3.267 x 7/3
    limits = spc.xmr_limits([3, 5, 4, 8])

    assert limits.mean == 5
    assert limits.upper == pytest.approx(5 + 2.66 * 7 / 3)
    assert limits.lower == pytest.approx(5 - 2.66 * 7 / 3)
    assert limits.near_upper == pytest.approx(5 + 2.66 * 2 / 3 * 7 / 3)
    assert limits.near_lower == pytest.approx(5 - 2.66 * 2 / 3 * 7 / 3)


def test_a_wild_moving_range_is_left_out_once_but_its_value_stays_in_the_mean():
    # ranges: eleven of 1, then 89.5 up to 100: average 100.5 / 12 = 8.375, cut 27.4, so 1 remains
    limits = spc.xmr_limits([*CALM, 100])

    assert limits.mean == pytest.approx(220 / 13)
    assert limits.upper - limits.mean == pytest.approx(2.66)
    assert spc.xmr_limits([*CALM, 100], screen=False).upper - limits.mean == pytest.approx(2.66 * 100.5 / 12)


def test_a_missing_value_is_not_bridged_by_a_moving_range():
    # ranges 1 (10 to 11) and 2 (20 to 22); not 9 from 11 to 20
    limits = spc.xmr_limits([10, 11, None, 20, 22])

    assert limits.mean == 63 / 4
    assert limits.upper - limits.mean == pytest.approx(2.66 * 1.5)


@pytest.mark.parametrize("values", [[], [None, None]])
def test_nothing_known_has_no_lines(values):
    assert spc.xmr_limits(values) == spc.NO_LIMITS


@pytest.mark.parametrize("values", [[5], [7, 7, 7], [1, None, 2]])
def test_without_a_usable_moving_range_there_is_a_mean_but_no_limits(values):
    limits = spc.xmr_limits(values)

    assert limits.mean is not None
    assert limits.upper is None


@pytest.mark.parametrize(
    ("tail", "label"),
    [
        ([12.7], Label.ABOVE_LIMIT),
        ([7.3], Label.BELOW_LIMIT),
        ([9.1, 9.2, 9.3, 9.8, 10.2, 10.3, 10.4], Label.TREND_UP),
        ([10.9, 10.8, 10.7, 10.2, 9.8, 9.7, 9.6], Label.TREND_DOWN),
        ([10.1, 12.0, 12.1], Label.TWO_OF_THREE_ABOVE),
        ([9.9, 8.0, 7.9], Label.TWO_OF_THREE_BELOW),
        ([10.5, 10.1] * 3 + [10.5], Label.SHIFT_ABOVE),
        ([9.5, 9.9] * 3 + [9.5], Label.SHIFT_BELOW),
        ([10.5, 9.5], Label.COMMON_CAUSE),
        ([12.66], Label.COMMON_CAUSE),  # exactly on the limit is inside
        ([10.5, 10.1] * 3 + [10.0], Label.COMMON_CAUSE),  # on the mean counts for neither side
        ([10.1, 12.0, 13.0], Label.ABOVE_LIMIT),  # outside is not near: one near is too few
    ],
)
def test_each_rule_names_the_last_point(tail, label):
    result = chart(CALM + tail, baseline=12)

    assert result.labels[-1] == label


def test_two_of_three_marks_only_the_near_points():
    result = chart([*CALM, 10.1, 12.0, 12.1], baseline=12)

    assert result.labels[-3:] == (Label.COMMON_CAUSE, Label.TWO_OF_THREE_ABOVE, Label.TWO_OF_THREE_ABOVE)


def test_one_near_and_one_outside_is_not_two_of_three():
    result = chart([*CALM, 10.1, 13.0, 12.0], baseline=12)

    assert result.labels[-3:] == (Label.COMMON_CAUSE, Label.ABOVE_LIMIT, Label.COMMON_CAUSE)


def test_a_longer_shift_marks_all_its_points_and_a_missing_value_breaks_it():
    run = [10.5, 10.1] * 4
    broken = [*run[:6], None, *run[:6]]

    assert chart(CALM + run, baseline=12).shifts[-8:] == (1,) * 8
    assert set(chart([*CALM, 9.5, *broken], baseline=12).shifts) == {0}


def test_the_shared_top_of_a_rise_and_a_fall_is_falling():
    rise, fall = [1, 2, 3, 4, 5, 6, 7], [6, 5, 4, 3, 2, 1]

    result = chart(rise + fall)

    assert result.trends == (1,) * 6 + (-1,) * 7


@pytest.mark.parametrize(
    ("direction", "kind", "icon"),
    [
        ("increase", PointType.IMPROVEMENT, Variation.IMPROVEMENT_HIGH),
        ("decrease", PointType.CONCERN, Variation.CONCERN_HIGH),
        ("neutral", PointType.NEUTRAL_HIGH, Variation.NEUTRAL_HIGH),
    ],
)
def test_a_high_last_point_is_judged_by_the_direction(direction, kind, icon):
    result = chart([*CALM, 13], direction=direction, baseline=12)

    assert (result.point_types[-1], result.variation) == (kind, icon)


@pytest.mark.parametrize(
    ("target", "direction", "expected"),
    [
        (13, "increase", Assurance.FAIL),
        (13, "decrease", Assurance.PASS),
        (7, "increase", Assurance.PASS),
        (7, "decrease", Assurance.FAIL),
        (10, "increase", Assurance.INCONSISTENT),
        (12.66, "increase", Assurance.INCONSISTENT),
        (13, "neutral", None),
        (None, "increase", None),
    ],
)
def test_assurance_compares_the_target_with_the_limits(target, direction, expected):
    assert chart(CALM, direction=direction, target=target).assurance == expected


def test_a_constant_series_lies_on_its_mean_whatever_the_sum_rounds_to():
    value, n = 7.74379, 347

    assert math.fsum([value] * n) / n != value
    assert set(chart([value] * n).sides) == {0}
    assert set(chart([value, None] * n).sides) == {0, None}


def test_a_baseline_without_a_value_gives_no_lines():
    result = chart([None] * 12 + [1.0, 2.0], baseline=12)

    assert (result.limits, result.sides[-1], result.outside[-1]) == (spc.NO_LIMITS, None, None)


def test_a_baseline_may_go_up_to_a_date():
    values = [*CALM, 20, 21]

    by_date = chart(values, baseline=days(14)[11] + timedelta(days=3))

    assert by_date == chart(values, baseline=12)
    assert chart(values, baseline=days(14)[10]) == chart(values)  # 11 points are too few


def test_an_excluded_point_leaves_the_lines_and_the_rules_but_is_judged_by_the_limits():
    values = [*CALM[:6], 100, *CALM[6:]]

    result = chart(values, exclude=[days(13)[6]])

    assert (result.limits.mean, result.limits.upper) == (10, pytest.approx(12.66))
    assert result.labels[6] == Label.ABOVE_LIMIT
    assert set(result.labels[:6] + result.labels[7:]) == {Label.COMMON_CAUSE}


def test_a_run_goes_on_across_an_excluded_point():
    run = [10.5, 10.1, 10.5, 10.1, 9.0, 10.5, 10.1, 10.5]

    result = chart([*CALM, 9.9, *run], baseline=12, exclude=[days(21)[17]])

    assert result.shifts[13:] == (1, 1, 1, 1, 0, 1, 1, 1)
    assert set(chart([*CALM, 9.9, *run], baseline=12).shifts) == {0}


def test_the_lines_are_columns_too_as_on_every_chart():
    result = chart(CALM + [19.5, 20.5] * 6, rebase=[days(24)[12]])

    assert result.centre == (10,) * 12 + (20,) * 12
    assert (result.upper[0], result.near_lower[23]) == (result.parts[0].limits.upper, result.limits.near_lower)


def test_limits_runs_and_trends_never_cross_a_rebase():
    values = [9.5, 10.5] * 7 + [19.5, 20.5] * 7

    result = spc.xmr(days(28), values, direction="increase", rebase=[days(28)[14]])

    assert [part.limits.mean for part in result.parts] == [10, 20]
    assert set(result.labels) == {Label.COMMON_CAUSE}
    assert result.groups == (0,) * 14 + (1,) * 14


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"direction": "sideways"}, "improvement direction"),
        ({"baseline": 11}, "at least 12 points"),
        ({"target": math.inf}, "target"),
        ({"trajectory": [1]}, "trajectory"),
    ],
)
def test_bad_options_are_refused_with_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        chart(CALM, **options)


@pytest.mark.parametrize(
    ("dates", "values", "sentence"),
    [
        ([START, START], [1, 2], "same date"),
        ([START], [1, 2], "one value"),
        ([START], [math.nan], "ordinary number"),
        ([START], [math.inf], "ordinary number"),
        ([START, START + timedelta(days=1)], [1e200, None], "ordinary number"),
        ([START], [10**400], "ordinary number"),
    ],
)
def test_bad_points_are_refused_with_a_sentence(dates, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        spc.xmr(dates, values, direction="increase")
