"""What the sentence says, for every rule and every answer about the target."""

from datetime import date, timedelta

import pytest

from measurement import sentences, spc
from measurement.sentences import Given

CALM = [9.5, 10.5] * 6  # mean 10, limits 7.34 and 12.66
START = date(2024, 1, 1)


def given(values, *, direction="increase", unit="%", target=None, hidden=(), because=(), rebase=(), baseline=12):
    dates = [START + timedelta(days=7 * i) for i in range(len(values))]
    chart = spc.xmr(
        dates,
        values,
        direction=direction,
        target=target,
        baseline=baseline if len(values) >= 12 else None,
        rebase=[dates[i] for i in rebase],
    )
    return Given(
        chart=chart,
        labels=[f"month {i + 1}" for i in range(len(values))],
        unit=unit,
        decimals=1,
        frequency="month",
        target=target,
        hidden=frozenset(hidden),
        because=because,
    )


@pytest.mark.parametrize(
    ("tail", "up", "down"),
    [
        (
            [13],
            "Better: the value is above the upper process limit of 12.7%, further than chance alone would take it.",
            "Worse: the value is above the upper process limit of 12.7%, further than chance alone would take it.",
        ),
        (
            [7],
            "Worse: the value is below the lower process limit of 7.3%, further than chance alone would take it.",
            "Better: the value is below the lower process limit of 7.3%, further than chance alone would take it.",
        ),
        (
            [9.1, 9.2, 9.3, 9.8, 10.2, 10.3, 10.4],
            "Better: values have risen at every step since month 13, 7 in a row.",
            "Worse: values have risen at every step since month 13, 7 in a row.",
        ),
        (
            [10.9, 10.8, 10.7, 10.2, 9.8, 9.7, 9.6],
            "Worse: values have fallen at every step since month 13, 7 in a row.",
            "Better: values have fallen at every step since month 13, 7 in a row.",
        ),
        (
            [10.1, 12.0, 12.1],
            "Better: 2 of the last 3 values lie close to the upper process limit, more than chance would put there.",
            "Worse: 2 of the last 3 values lie close to the upper process limit, more than chance would put there.",
        ),
        (
            [9.9, 8.0, 7.9],
            "Worse: 2 of the last 3 values lie close to the lower process limit, more than chance would put there.",
            "Better: 2 of the last 3 values lie close to the lower process limit, more than chance would put there.",
        ),
        (
            [9.5, *[10.5, 10.1] * 4],
            "Better: 8 values in a row, since month 14, lie above the mean of 10.0%.",
            "Worse: 8 values in a row, since month 14, lie above the mean of 10.0%.",
        ),
        (
            [9.5, 9.9] * 4,
            "Worse: 8 values in a row, since month 13, lie below the mean of 10.0%.",
            "Better: 8 values in a row, since month 13, lie below the mean of 10.0%.",
        ),
    ],
)
def test_the_summary_says_which_rule_when_and_whether_it_is_better(tail, up, down):
    assert sentences.summary(given(CALM + tail)) == up
    assert sentences.summary(given(CALM + tail, direction="decrease")) == down


def test_a_neutral_metric_is_changed_not_better_or_worse():
    assert sentences.summary(given([*CALM, 13], direction="neutral")).startswith("Changed, higher: the value is above")


def test_no_sign_of_change_says_since_when_and_what_the_last_one_was():
    said = sentences.full(given([*CALM, 13, 9.5, 10.5]))

    assert "No sign of change since month 13." in said
    assert "The last sign of change was a value above the upper process limit, in month 13, for the better." in said
    assert said.endswith("Do not read a single rise or fall as a change.")


def test_natural_variation_alone_says_so():
    assert sentences.summary(given(CALM)) == (
        "No sign of change: the values vary as chance alone would make them vary."
    )


@pytest.mark.parametrize(
    ("target", "direction", "expected"),
    [
        (13, "increase", "If nothing changes, expect the target of 13% to be missed in every month"),
        (13, "decrease", "If nothing changes, expect the target of 13% to be met in every month."),
        (7, "increase", "If nothing changes, expect the target of 7% to be met in every month."),
        (10, "increase", "expect it to be met in some months and missed in others, by chance."),
        (10, "neutral", "The target is 10%."),
    ],
)
def test_the_target_is_explained(target, direction, expected):
    assert expected in sentences.full(given(CALM, target=target, direction=direction))


def test_a_short_series_is_told_to_have_trial_limits():
    assert "trial limits: they rest on 4 values, and 13 are needed" in sentences.full(given([3, 5, 4, 8]))


def test_a_rebase_is_told_with_its_reason():
    said = sentences.full(given(CALM + [19.5, 20.5] * 7, rebase=[12], because=["", "The new form is in use."]))

    assert "Mean and limits are calculated anew from month 13: The new form is in use." in said


@pytest.mark.parametrize(
    ("values", "hidden", "expected"),
    [
        ([], [], "There is no data yet."),
        ([None, None], [], "There is no usable value yet."),
        (
            [None, None],
            [0, 1],
            "No value can be shown: each one rests on 1 to 7 people or would reveal such a number.",
        ),
        ([5], [], "There is 1 value: too few to see a change."),
        ([5, 5, 5], [], "No sign of change: every value is the same."),
    ],
)
def test_too_little_to_judge_is_said(values, hidden, expected):
    assert sentences.summary(given(values, hidden=hidden)) == expected


def test_a_missing_or_hidden_last_value_is_said():
    assert sentences.full(given([*CALM, None])).startswith("The value for month 13 is missing. In month 12")
    assert sentences.full(given([*CALM, None], hidden=[12])).startswith("The value for month 13 is hidden. In month 12")


def test_without_limits_nothing_is_said_about_the_target():
    said = sentences.full(given([5, 5, 5], target=9))

    assert "Without limits, nothing can be said yet about the target of 9%." in said


def test_the_unit_is_said_once():
    said = sentences.full(given([*CALM, 13], unit="per 1,000 occupied bed days", target=9))

    assert said.count("per 1,000 occupied bed days") == 1
