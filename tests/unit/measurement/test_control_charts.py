"""Run charts and control charts against cases worked by hand."""

import math
from datetime import date, timedelta

import pytest

from measurement import spc

START = date(2024, 1, 1)


def days(n):
    return [START + timedelta(days=7 * i) for i in range(n)]


def chart(kind, values, denominators=None, **options):
    return spc.shewhart(kind, days(len(values)), values, denominators, **options)


def lines(result, at=0):
    return [line[at] for line in (result.lower, result.near_lower, result.centre, result.near_upper, result.upper)]


def test_the_run_chart_has_the_median_and_no_limits():
    result = chart("run", [2, 9, 4, 8])

    assert lines(result) == [None, None, 6, None, None]
    assert result.sides == (-1, 1, -1, 1)


def test_the_i_chart_is_mean_and_mean_range_over_1_128():
    # mean (3 + 5 + 4 + 8) / 4 = 5; ranges 2, 1, 4
    result = chart("i", [3, 5, 4, 8])

    sigma = 7 / 3 / 1.128
    assert lines(result) == pytest.approx([5 - 3 * sigma, 5 - 2 * sigma, 5, 5 + 2 * sigma, 5 + 3 * sigma])


def test_the_mr_chart_shows_ranges_and_never_signals_by_runs():
    result = chart("mr", [1, 3, 6, 6, *[20, 21] * 10])

    assert result.values[:5] == (None, 2, 3, 0, 14)
    assert result.centre[0] == pytest.approx((2 + 3 + 0 + 14 + 19) / 23)
    assert (result.lower[0], result.upper[0]) == (0, pytest.approx(3.267 * 38 / 23))
    assert result.near_upper[0] == pytest.approx(2 / 3 * 3.267 * 38 / 23)
    assert result.outside.index(True) == 4
    assert (result.parts[0].runs.has_long_run, result.parts[0].runs.is_signal) == (True, False)


def test_the_p_chart_has_wider_limits_for_smaller_denominators():
    # 30 of 100: sigma of 25 is sqrt(0.3 x 0.7 / 25), of 75 is smaller
    result = chart("p", [5, 25], [25, 75])

    wide, narrow = (3 * math.sqrt(0.3 * 0.7 / n) for n in (25, 75))
    assert (result.lower[0], result.upper[0]) == pytest.approx((0.3 - wide, 0.3 + wide))
    assert (result.lower[1], result.upper[1]) == pytest.approx((0.3 - narrow, 0.3 + narrow))
    assert result.values == (0.2, 25 / 75)


def test_limits_of_proportions_stay_between_0_and_1_and_of_counts_above_0():
    few, many = chart("p", [1, 0], [4, 4]), chart("p", [4, 3], [4, 4])

    assert (few.lower[0], few.near_lower[0]) == (0, 0)
    assert (many.upper[0], many.near_upper[0]) == (1, 1)
    assert chart("c", [1, 0]).lower[0] == chart("u", [1, 0], [4, 4]).lower[0] == chart("g", [1, 0]).lower[0] == 0


def test_the_u_chart_is_multiplied_last():
    # 6 events in 3,000 days: 2 per 1,000; sigma of 1,000 days is sqrt(0.002 / 1000)
    result = chart("u", [2, 4], [1000, 2000], multiply=1000)

    assert result.values == (2, 2)
    assert (result.centre[0], result.upper[0]) == pytest.approx((2, 2 + 3 * math.sqrt(0.002 / 1000) * 1000))


@pytest.mark.parametrize(("kind", "plain"), [("pp", "p"), ("up", "u")])
def test_a_prime_chart_widens_the_limits_by_how_much_the_scores_vary(kind, plain):
    # one denominator: scores z are the values in sigmas, their mean range is that of the values / sigma
    values, n = [20, 40, 25, 35], [100] * 4
    ordinary, prime = chart(plain, values, n), chart(kind, values, n)

    sigma = (ordinary.upper[0] - 0.3) / 3
    factor = (0.2 + 0.15 + 0.1) / 3 / sigma / 1.128
    assert prime.upper[0] == pytest.approx(0.3 + 3 * sigma * factor)
    assert prime.centre[0] == 0.3


def test_the_c_chart_is_the_mean_and_its_root():
    assert lines(chart("c", [4, 5, 18])) == pytest.approx([0, 3, 9, 15, 18])
    assert lines(chart("c", [15, 16, 17]))[0] == 4


def test_the_g_chart_draws_the_median_and_sets_limits_around_the_mean():
    # mean 4: sigma sqrt(4 x 5)
    result = chart("g", [1, 3, 8])

    assert lines(result) == pytest.approx([0, 0, 3, 4 + 2 * math.sqrt(20), 4 + 3 * math.sqrt(20)])


def test_the_t_chart_is_an_i_chart_of_the_transformed_days():
    days_between = [1, 30, 1, 30, 1]
    roots = chart("i", [y ** (1 / 3.6) for y in days_between])
    result = chart("t", days_between)

    assert result.values == tuple(days_between)
    assert result.centre[0] == pytest.approx(roots.centre[0] ** 3.6)
    assert result.upper[0] == pytest.approx(roots.upper[0] ** 3.6)
    assert roots.near_lower[0] < 0
    assert (result.lower[0], result.near_lower[0]) == (0, None)


def test_the_i_prime_chart_weighs_ranges_by_both_denominators():
    # values 0.2 and 0.5 of 100 and 50: s = sqrt(pi / 2) x 0.3 / sqrt(0.01 + 0.02), a single range stays
    result = chart("ip", [20, 25, 45], [100, 50, 100])

    weighed = [math.sqrt(math.pi / 2) * gap / math.sqrt(0.03) for gap in (0.3, 0.05)]
    sigma = sum(weighed) / 2
    assert result.centre[0] == 90 / 250
    assert result.upper[:2] == pytest.approx((0.36 + 3 * sigma / 10, 0.36 + 3 * sigma / math.sqrt(50)))


def test_a_single_wild_range_is_screened_only_when_asked():
    calm = [10, 11] * 6 + [60]

    screened, plain = chart("i", calm), chart("i", calm, screen=False)

    assert screened.upper[0] - screened.centre[0] == pytest.approx(3 / 1.128)
    assert plain.upper[0] - plain.centre[0] == pytest.approx(3 * (11 + 49) / 12 / 1.128)


def test_the_baseline_may_be_a_number_of_points_or_a_date():
    values = [10, 12, 10, 12, 30, 32]

    by_number, by_date = chart("i", values, baseline=4), chart("i", values, baseline=days(6)[3] + timedelta(days=2))

    assert by_number == by_date
    assert by_number.centre == (11,) * 6
    assert by_number.outside == (False,) * 4 + (True, True)


def test_a_rebase_starts_a_part_of_its_own_and_the_baseline_is_ignored_then():
    values = [10, 12, 10, 12, 30, 32, 30, 32]

    result = chart("i", values, rebase=[days(8)[4]], baseline=2)

    assert result.centre == (11,) * 4 + (31,) * 4
    assert [(part.number, part.start, part.stop) for part in result.parts] == [(1, 0, 4), (2, 4, 8)]
    alone = [chart("i", values[:4]), chart("i", values[4:])]
    assert result.upper == alone[0].upper + alone[1].upper


def test_an_excluded_point_leaves_lines_and_runs_but_is_still_judged():
    values = [10, 12, 90, 10, 12]

    result = chart("i", values, exclude=[days(5)[2]])

    # ranges 2, 2, 2: the neighbours of what is excluded become adjacent
    assert (result.centre[2], result.upper[2]) == (11, pytest.approx(11 + 3 * 2 / 1.128))
    assert result.outside == (False, False, True, False, False)
    assert (result.parts[0].runs.n_observed, result.excluded) == (4, {2})


def test_a_given_centre_line_stands_before_sigma_is_taken():
    assert lines(chart("c", [4, 5], centre=16)) == [4, 8, 16, 24, 28]
    assert chart("g", [4, 5], centre=100).centre[0] == pytest.approx(69.3)
    assert chart("run", [4, 5], centre=1).sides == (1, 1)


def test_a_missing_value_or_denominator_leaves_a_gap():
    result = chart("u", [3, None, 4, 5], [300, 300, 0, None])

    assert result.values == (0.01, None, None, None)
    assert result.upper[1:] == (None, None, None)
    assert result.centre == (0.01,) * 4


@pytest.mark.parametrize(
    ("kind", "denominators", "expected"),
    [("run", None, 4), ("c", None, 8), ("p", [10, 30], 8 / 40)],
)
def test_rows_of_one_date_are_averaged_or_added(kind, denominators, expected):
    assert spc.shewhart(kind, [START, START], [6, 2], denominators).values == (expected,)


def test_a_row_that_misses_its_denominator_is_left_out_of_its_date():
    assert spc.shewhart("p", [START, START], [6, 2], [10, None]).values == (0.6,)


def test_nothing_varies_leaves_no_limits_where_ranges_are_screened():
    assert chart("i", [5, 5, 5]).upper[0] is None
    assert chart("i", [5, 5, 5], screen=False).upper[0] == 5
    assert chart("pp", [5, 5], [10, 10]).upper[0] is None
    assert chart("up", [0, 0], [10, 10], screen=False).upper[0] is None


def test_no_rows_and_no_values_are_charts_too():
    for kind in set(spc.ChartType) - {spc.ChartType.XMR}:
        assert chart(kind, [], []).parts == ()
        empty = chart(kind, [None, None], [1, None])
        assert (empty.centre, empty.has_signal) == ((None, None), False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("pie", [1]), "chart type must be one of"),
        (("xmr", [1]), "rules of its own"),
        (("p", [1]), "need a denominator"),
        (("t", [0]), "greater than zero"),
        (("c", [math.inf]), "ordinary number"),
        (("c", [math.nan]), "ordinary number"),
        (("u", [1], [-1]), "not below 0"),
        (("u", [1e99], [1e-9]), "too large"),
        (("u", [1, 2], [1]), "one value"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence) as refused:
        chart(*arguments)

    assert str(refused.value)[0].isupper()
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"baseline": 0}, "baseline"), ({"centre": math.nan}, "centre line"), ({"multiply": 0}, "multiplier")],
)
def test_bad_options_are_refused_with_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        chart("c", [1, 2], **options)


# Anhøj's runs analysis ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("n", "longest", "crossings"),
    [(10, 6, 2), (12, 7, 3), (16, 7, 4), (20, 7, 6), (24, 8, 8), (36, 8, 13), (60, 9, 23), (1, 3, 0)],
)
def test_what_chance_alone_allows(n, longest, crossings):
    assert (spc.longest_run_limit(n), spc.crossings_limit(n)) == (longest, crossings)


def test_runs_and_crossings_are_counted_off_the_centre_line():
    result = spc.runs_analysis([1, 1, 0, 1, None, -1, 1])

    assert (result.n_observed, result.n_useful, result.longest_run, result.n_crossings) == (7, 5, 3, 2)


def test_a_long_run_and_few_crossings_signal_but_many_crossings_do_not():
    assert spc.runs_analysis([1] * 7 + [-1, 1, -1]).has_long_run
    assert spc.runs_analysis([1] * 5 + [-1] * 5).has_few_crossings
    assert not spc.runs_analysis([1, -1] * 30).is_signal


def test_points_on_the_centre_line_only_are_no_signal():
    assert spc.runs_analysis([0] * 30) == spc.RunsAnalysis(30, 0, None, None, None, None, False)


# Funnel --------------------------------------------------------------------------------------------------------------
def test_a_funnel_is_the_p_chart_of_places():
    # 100 of 1,000 together; 2-sigma lines of 100 cases 0.1 -/+ 2 x 0.03
    result = spc.funnel("p", [10, 20, 17, 53], [100, 100, 100, 700], multiply=100)

    assert (result.values, result.centre) == ((10, 20, 17, pytest.approx(53 / 7)), 10)
    assert (result.near_lower[0], result.upper[0]) == pytest.approx((4, 19))
    assert (result.outside, result.near) == ((False, True, False, False), (False, False, True, True))
    assert result.limits_at(100) == pytest.approx((1, 4, 16, 19))


def test_a_funnel_may_be_compared_with_a_given_value_and_have_gaps():
    result = spc.funnel("u", [5, None, 3], [100, 100, 0], centre=0.09)

    assert (result.centre, result.values) == (0.09, (0.05, None, None))
    assert result.upper == pytest.approx((0.09 + 3 * 0.03, None, None))


def test_a_funnel_of_nothing_has_no_lines_and_other_types_are_refused():
    assert spc.funnel("p", [], []).centre is None
    with pytest.raises(ValueError, match="choose p or u"):
        spc.funnel("c", [1], [1])
    with pytest.raises(ValueError, match="centre line"):
        spc.funnel("p", [None], [None]).limits_at(5)
