"""Our XmR chart against NHSRplotthedots 0.2.2, the package that NHS analysts trust: every field of every case."""

import pytest

from measurement import spc
from tests.reference import cases

FORM = "improvement_direction"


def chart_of(case):
    given = case["input"]
    return spc.xmr(
        cases.days(given["dates"]),
        given["values"],
        direction=given["improvement_direction"],
        target=given["target"],
        rebase=cases.days(given["rebase"]),
        baseline=given["fix_after_n_points"],
        trajectory=given["trajectory"],
        screen=given["screen_outliers"],
    )


def in_the_words_of_the_package(chart):
    lines = [part.limits for part in chart.parts for _ in range(part.n)]
    points = {
        "date": [day.isoformat() for day in chart.dates],
        "rebase_group": list(chart.groups),
        "mean": [line.mean for line in lines],
        "lpl": [line.lower for line in lines],
        "upl": [line.upper for line in lines],
        "nlpl": [line.near_lower for line in lines],
        "nupl": [line.near_upper for line in lines],
        "outside_limits": list(chart.outside),
        "relative_to_mean": list(chart.sides),
        "close_to_limits": list(chart.near),
        "special_cause_type": [str(label) for label in chart.labels],
        "special_cause_flag": [label != spc.Label.COMMON_CAUSE for label in chart.labels],
        "point_type": [str(kind) for kind in chart.point_types],
        "short_group_warning": [part.is_short for part in chart.parts for _ in range(part.n)],
        "target": [chart.target] * len(chart.dates),
        "trajectory": list(chart.trajectory),
    }
    assurance_types = {
        spc.Assurance.PASS: "consistent_pass",
        spc.Assurance.FAIL: "consistent_fail",
        spc.Assurance.INCONSISTENT: "inconsistent",
        None: None,
    }
    groups = []
    for part in chart.parts:
        kinds = chart.point_types[part.start : part.stop]
        is_last = part is chart.parts[-1]
        groups.append(
            {
                "rebase_group": part.group,
                "n": part.n,
                "mean": part.limits.mean,
                "lpl": part.limits.lower,
                "upl": part.limits.upper,
                "common_cause": kinds.count(spc.PointType.COMMON_CAUSE),
                "special_cause_improvement": kinds.count(spc.PointType.IMPROVEMENT),
                "special_cause_concern": kinds.count(spc.PointType.CONCERN),
                "variation_type": str(kinds[-1]),
                "assurance_type": assurance_types[chart.assurance] if is_last else None,
            }
        )
    return {
        "points": points,
        "groups": groups,
        "variation_type": str(chart.point_types[-1]),
        "assurance_type": assurance_types[chart.assurance],
        "variation_icon": str(chart.variation),
        "assurance_icon": chart.assurance and str(chart.assurance),
        "short_series_warning": chart.is_short,
    }


@pytest.mark.parametrize("case", cases.with_input(FORM))
def test_every_field_equals_the_package(case):
    cases.assert_same(in_the_words_of_the_package(chart_of(case)), case["expected"], case["id"])


@pytest.mark.parametrize("case", cases.with_input(FORM, "refused"))
def test_what_the_package_refuses_is_refused_with_a_sentence(case):
    if cases.is_answered_instead(case):
        chart = chart_of(case)

        for stretch in range(len(chart.dates) - spc.RUN_LENGTH + 1):
            window = slice(stretch, stretch + spc.RUN_LENGTH)
            assert None not in chart.values[window] or not all(chart.trends[window])
        assert chart.dates or (chart.parts, chart.variation, chart.assurance) == ((), spc.Variation.COMMON_CAUSE, None)
    else:
        with pytest.raises(ValueError, match=r"^[A-Z].+\.$"):
            chart_of(case)
