"""Our XmR chart against NHSRplotthedots 0.2.2, the package that NHS analysts trust: every field of every case."""

import json
import os
from datetime import date
from pathlib import Path

import pytest

from measurement import spc

ROOT = Path(__file__).resolve().parents[2]
FOLDER = (ROOT / os.environ.get("SPC_REFERENCE_DIR", "../shared/reference/spc")).resolve()
CASES_FILE = FOLDER / "plotthedots.json"
CASES = json.loads(CASES_FILE.read_text()) if CASES_FILE.is_file() else {"cases": [], "refused": []}

# The package crashes on these two. METHOD.md says what to do instead: no trend, and an empty chart.
ANSWERED_INSTEAD = {"err-missing-in-trend", "err-empty"}
REFUSED = [case for case in CASES["refused"] if case["id"] not in ANSWERED_INSTEAD]


@pytest.fixture(autouse=True)
def reference_cases_are_there():
    if not CASES_FILE.is_file():
        pytest.skip(f"no reference cases at {CASES_FILE}: set SPC_REFERENCE_DIR to the folder that has them")


def chart_of(case):
    given = dict(case["input"])
    if given["values"] is None:
        series = json.loads((FOLDER / "series.json").read_text())["series"][given["series"]]
        given |= {"dates": series["dates"], "values": series["values"]}
    return spc.xmr(
        [date.fromisoformat(day) for day in given["dates"]],
        given["values"],
        direction=given["improvement_direction"],
        target=given["target"],
        rebase=[date.fromisoformat(day) for day in given["rebase"]],
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


def assert_same(ours, theirs, place):
    """Numbers to a relative 1e-9, everything else exactly."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), place
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), place
        for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, other, f"{place}[{i}]")
    elif isinstance(theirs, int | float) and not isinstance(theirs, bool) and ours is not None:
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12), place
    else:
        assert type(ours) is type(theirs), place
        assert ours == theirs, place


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["id"])
def test_every_field_equals_the_package(case):
    assert_same(in_the_words_of_the_package(chart_of(case)), case["expected"], case["id"])


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["id"])
def test_what_the_package_refuses_is_refused_with_a_sentence(case):
    with pytest.raises(ValueError, match=r"^[A-Z].+\.$"):
        chart_of(case)


def test_a_missing_value_inside_a_rise_is_no_trend():
    case = next(case for case in CASES["refused"] if case["id"] == "err-missing-in-trend")

    chart = chart_of(case)

    assert set(chart.trends) == {0}


def test_no_data_is_an_empty_chart():
    case = next(case for case in CASES["refused"] if case["id"] == "err-empty")

    chart = chart_of(case)

    assert (chart.parts, chart.variation, chart.assurance) == ((), spc.Variation.COMMON_CAUSE, None)
