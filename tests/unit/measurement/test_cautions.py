"""What is told where the rules alone would mislead, and which chart is suggested."""

from datetime import date, timedelta

import pytest

from measurement import sentences, spc
from measurement.spc import ChartType, ClosedLimits, GapInRun, Label, Reason, SameValue, TwoRules

CALM = [9.5, 10.5] * 6  # mean 10, limits 7.34 and 12.66
START = date(2024, 1, 1)


def days(n):
    return [START + timedelta(days=7 * i) for i in range(n)]


def chart(values, direction="increase", **options):
    return spc.xmr(days(len(values)), values, direction=direction, **options)


def told(result, **more):
    given = sentences.Given(
        chart=result,
        labels=[f"month {i + 1}" for i in range(len(result.values))],
        unit="%",
        decimals=0,
        frequency="month",
        target=result.target,
        cautions=spc.cautions(result),
        **more,
    )
    return sentences.full(given)


def test_an_ordinary_chart_needs_no_caution():
    assert spc.cautions(chart(CALM, target=10)) == spc.cautions(chart([])) == ()


# Closed limits -------------------------------------------------------------------------------------------------------
def test_a_rare_event_series_whose_limits_closed_is_offered_a_g_or_t_chart():
    result = chart([0] * 9 + [1] + [0] * 10 + [1], direction="decrease")

    assert result.limits.upper == result.limits.lower
    assert spc.cautions(result) == (ClosedLimits((ChartType.G, ChartType.T)),)
    assert "choose a g chart (cases between events) or a t chart (days between events)" in told(result)
    assert "further than chance" not in told(result)


def test_two_levels_whose_limits_closed_are_told_but_no_rare_event_chart_is_offered():
    result = chart([5] * 9 + [8] * 9)

    assert spc.cautions(result) == (ClosedLimits(()),)
    assert "do not read that as a change" in told(result)
    assert "g chart" not in told(result)


# The same value every time -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "direction", "is_met", "said"),
    [
        (100, "increase", True, "Each of the 15 values is 100%, which meets the target of 95%."),
        (90, "increase", False, "Each of the 15 values is 90%, which misses the target of 95%."),
        (90, "decrease", True, "Each of the 15 values is 90%, which meets the target of 95%."),
        (95, "increase", True, "Each of the 15 values is 95%, which meets the target of 95%."),
    ],
)
def test_a_constant_value_is_compared_with_the_target_although_there_are_no_limits(value, direction, is_met, said):
    result = chart([value] * 15, direction=direction, target=95)

    assert result.assurance == spc.Assurance.INCONSISTENT  # the reference's answer stays
    assert spc.cautions(result) == (SameValue(value, 15, is_met),)
    assert said in told(result)
    assert "nothing can be said" not in told(result)


def test_a_constant_value_is_told_since_when():
    result = chart([80] * 5 + [100] * 7, target=95, rebase=[days(6)[5]])

    assert "Each of the 7 values since month 6 is 100%, which meets the target of 95%." in told(result)


@pytest.mark.parametrize(
    ("values", "options"),
    [([100], {"target": 95}), ([100] * 9, {}), ([100] * 9, {"target": 95, "direction": "neutral"})],
)
def test_one_value_no_target_or_no_direction_is_not_judged(values, options):
    assert spc.cautions(chart(values, **options)) == ()


# A gap in a run ------------------------------------------------------------------------------------------------------
def test_a_missing_value_that_breaks_a_shift_is_told():
    result = chart([*CALM, 9.9, 10.5, 10.1, 10.5, None, 10.1, 10.5, 10.1, 10.5], baseline=12)

    assert result.labels[-1] == Label.COMMON_CAUSE
    assert spc.cautions(result) == (GapInRun(Label.SHIFT_ABOVE, 13, 7, (16,)),)
    assert "But for the missing value of month 17, 7 values in a row since month 14 lie above the mean" in told(result)
    assert "hidden value of month 17" in told(result, hidden=frozenset({16}))


def test_a_missing_value_that_breaks_a_trend_is_told():
    result = chart([*CALM, 9.6, 9.7, 9.8, None, None, 10.1, 10.2, 10.3, 10.4], baseline=12)

    assert spc.cautions(result) == (GapInRun(Label.TREND_UP, 12, 7, (15, 16)),)
    assert "But for the 2 missing values, 7 values in a row since month 13 have risen at every step" in told(result)


@pytest.mark.parametrize(
    "tail",
    [
        [9.9, 10.5, 10.1, None, 10.5, 10.1, 10.5],  # six only
        [9.9, 10.5, 10.1, 10.5, None, None, None, 10.1, 10.5, 10.1, 10.5],  # too long a gap
        [9.9, None, *[10.5, 10.1] * 4],  # the rule fires without the gap
        [9.9, *[10.5, 10.1] * 4, None],  # the gap is at the end
    ],
)
def test_a_gap_that_hides_nothing_is_not_told(tail):
    assert not [one for one in spc.cautions(chart(CALM + tail, baseline=12)) if isinstance(one, GapInRun)]


# Two rules about the last point --------------------------------------------------------------------------------------
def test_a_last_point_that_two_rules_judge_differently_shows_both():
    result = chart([*CALM, 20, 19, 18, 17, 16, 15, 14], baseline=12)

    assert result.labels[-1] == Label.ABOVE_LIMIT
    assert spc.cautions(result) == (TwoRules(Label.ABOVE_LIMIT, Label.TREND_DOWN),)
    assert "it is above the upper limit (better), and part of a fall of 7 or more values (worse)." in told(result)


def test_two_rules_that_agree_are_no_caution():
    assert spc.cautions(chart([*CALM, 11, 12, 13, 14, 15, 16, 17], baseline=12)) == ()


# A rebase between points ---------------------------------------------------------------------------------------------
def test_a_rebase_between_two_points_moves_to_the_next_and_is_said():
    dates = days(4)
    between, after = dates[1] + timedelta(days=1), dates[3] + timedelta(days=1)

    settled = spc.settled_rebases(dates, [after, between, dates[0], between])

    assert settled == spc.SettledRebases((dates[0], dates[2]), ((between, dates[2]),), (after,))
    said = told(chart(CALM), moved=[("3 April 2026", "May 2026")])
    assert "The new part set for 3 April 2026 would have started between two values" in said
    assert "it starts with the next one, May 2026." in said


# Which chart ---------------------------------------------------------------------------------------------------------
STEADY = [30, 34, 28, 33, 31, 29, 35, 30, 32, 28, 33, 31]
WILD = [10, 60, 15, 70, 12, 65, 20, 72, 11, 66, 18, 71]


@pytest.mark.parametrize(
    ("kind", "numerators", "denominators", "chart_type", "reason"),
    [
        ("time_between", [3, 8, 40], None, ChartType.T, Reason.TIME_BETWEEN),
        ("time_between", [3, 0, 40], None, ChartType.G, Reason.TIME_BETWEEN),
        ("cases_between", [3, 0, 40], None, ChartType.G, Reason.CASES_BETWEEN),
        ("count", [0, 0, 1, 0, 0, 2], None, ChartType.T, Reason.RARE),
        ("rate", [0, 0, 1, 0], [900] * 4, ChartType.T, Reason.RARE),
        ("proportion", [0, 0, 1, 0], [900] * 4, ChartType.G, Reason.RARE),
        ("value", [0, 0, 1] * 3, None, ChartType.RUN, Reason.TOO_FEW),
        ("value", [0, 0, 1] * 4, None, ChartType.XMR, Reason.VALUE),
        ("proportion", STEADY[:11], [100] * 11, ChartType.RUN, Reason.TOO_FEW),
        ("proportion", STEADY, [100, 120] * 6, ChartType.P, Reason.PROPORTION),
        ("proportion", WILD, [100] * 12, ChartType.P_PRIME, Reason.OVER_DISPERSED),
        ("rate", STEADY, [900, 950] * 6, ChartType.U, Reason.RATE),
        ("rate", WILD, [900] * 12, ChartType.U_PRIME, Reason.OVER_DISPERSED),
        ("count", STEADY, None, ChartType.C, Reason.COUNT),
        ("count", WILD, None, ChartType.XMR, Reason.OVER_DISPERSED),
        ("count", [], None, ChartType.RUN, Reason.TOO_FEW),
    ],
)
def test_a_chart_is_suggested_from_the_data_with_the_reason(kind, numerators, denominators, chart_type, reason):
    suggested = spc.suggest_chart(kind, numerators, denominators)

    assert (suggested.chart, suggested.reason) == (chart_type, reason)
    assert " suits these data: " in sentences.suggestion(suggested)


def test_a_suggestion_is_said_in_a_sentence():
    assert sentences.suggestion(spc.suggest_chart("count", [0, 0, 1, 0, 2])) == (
        "A t chart suits these data: 3 of the values are 0, and of events so rare the days between two say more than "
        "their number."
    )
    assert sentences.suggestion(spc.suggest_chart("value", [5])) == (
        "A run chart suits these data: 1 value is too few for limits."
    )


@pytest.mark.parametrize("arguments", [("mood", [1]), ("rate", [1])])
def test_what_no_chart_can_be_suggested_for_is_refused_with_a_sentence(arguments):
    with pytest.raises(ValueError, match=r"^[A-Z].+\.$"):
        spc.suggest_chart(*arguments)
