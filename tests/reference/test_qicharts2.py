"""Our run charts and control charts against qicharts2 0.8.1: every field of every case."""

import pytest

from measurement import spc
from tests.reference import cases

FORM = "chart"


def chart_of(case):
    given = case["input"]
    dates = cases.days(given["dates"])
    in_order = sorted(set(dates))

    def day(number):
        return in_order[number - 1]

    return spc.shewhart(
        given["chart"],
        dates,
        given["y"],
        given["n"],
        rebase=[day(last + 1) for last in given["part"] if last < len(in_order)],
        baseline=None if given["part"] else given["freeze"],
        exclude=[day(number) for number in given["exclude"] if number <= len(in_order)],
        centre=given["cl"],
        multiply=given["multiply"],
        screen=given["screened_mr"],
    )


def in_the_words_of_the_package(chart):
    return {
        "points": {
            "date": [day.isoformat() for day in chart.dates],
            "y": list(chart.values),
            "cl": list(chart.centre),
            "lcl": list(chart.lower),
            "ucl": list(chart.upper),
            "lcl95": list(chart.near_lower),
            "ucl95": list(chart.near_upper),
            "part": [part.number for part in chart.parts for _ in range(part.n)],
            "sigma_signal": list(chart.outside),
        },
        "parts": [
            {
                "part": part.number,
                "n_obs": part.runs.n_observed,
                "n_useful": part.runs.n_useful,
                "longest_run": part.runs.longest_run,
                "longest_run_max": part.runs.longest_run_max,
                "n_crossings": part.runs.n_crossings,
                "n_crossings_min": part.runs.n_crossings_min,
                "runs_signal": part.runs.is_signal,
            }
            for part in chart.parts
        ],
    }


@pytest.mark.parametrize("case", cases.with_input(FORM))
def test_every_field_equals_the_package(case):
    given, expected = case["input"], case["expected"]
    if expected["points"]["y"] is None:  # left out where it is the value of a real series
        _, y = zip(*sorted(zip(given["dates"], given["y"], strict=True)), strict=True)
        expected = expected | {"points": expected["points"] | {"y": list(y)}}

    cases.assert_same(in_the_words_of_the_package(chart_of(case)), expected, case["id"])


@pytest.mark.parametrize("case", cases.with_input(FORM, "refused"))
def test_what_the_package_refuses_is_refused_with_a_sentence(case):
    if cases.is_answered_instead(case):
        assert chart_of(case).parts == ()
    else:
        with pytest.raises(ValueError, match=r"^[A-Z].+\.$"):
            chart_of(case)
