"""What run charts and Shewhart charts say of their points, in icons and sentences."""

from datetime import date, timedelta

import pytest

from measurement import analysis, charts, sentences, spc
from measurement.analysis import KINDS
from measurement.readings import Row
from measurement.sentences import Given
from measurement.spc import ChartType, Label, PointType, Variation
from tests.unit.measurement.test_charts import a_reading, drawn

START = date(2024, 1, 1)
ZIGZAG = [9.0, 11.0] * 6


def days(n):
    return [START + timedelta(days=7 * i) for i in range(n)]


def run_chart(values, *, direction="increase", target=None, **options):
    return spc.judged(spc.shewhart("run", days(len(values)), values, **options), direction=direction, target=target)


def c_chart(values, *, direction="decrease", target=None, **options):
    return spc.judged(spc.shewhart("c", days(len(values)), values, **options), direction=direction, target=target)


def told(chart, *, kind=ChartType.RUN, **more):
    labels = [f"month {i + 1}" for i in range(len(chart.dates))]
    return sentences.full(
        Given(
            chart=chart, labels=labels, unit="points", decimals=0, frequency="month", kind=KINDS[kind],
            target=chart.target, **more,
        )
    )  # fmt: skip


def test_a_long_run_names_its_points_and_the_side_decides_better_or_worse():
    values = [*[9.0] * 8, *[11.0] * 8]

    up, down = run_chart(values), run_chart(values, direction="decrease")

    assert set(up.labels[8:]) == {Label.LONG_RUN_ABOVE}
    assert set(up.labels[:8]) == {Label.LONG_RUN_BELOW}
    assert (up.variation, down.variation) == (Variation.IMPROVEMENT_HIGH, Variation.CONCERN_HIGH)
    assert up.point_types[-1] == PointType.IMPROVEMENT
    assert (
        "Better: 8 values in a row, since month 9, lie above the median of 10.0, where chance would seldom put more "
        "than 7." in told(up)
    )


def test_a_long_run_that_has_ended_changes_the_chart_without_judging_the_newest_value():
    chart = run_chart([9, *[11.0] * 9, *[9, 11] * 5], centre=10)

    assert chart.labels[-1] == Label.COMMON_CAUSE
    assert chart.variation == Variation.PATTERN
    assert "Changed: 9 values in a row, from month 2 to month 10, lie above the median" in told(chart)


def test_few_crossings_alone_are_a_pattern_that_names_no_point():
    chart = run_chart([*[9.0] * 6, *[11.0] * 6, *[9.0] * 6, *[11.0] * 6])

    assert set(chart.labels) == {Label.COMMON_CAUSE}
    assert chart.variation == Variation.PATTERN
    assert "They crossed it only 3 times, where chance alone would seldom make it fewer than 8." in told(chart)
    assert told(chart).endswith("Look for the reason before you act on it.")


def test_points_on_the_centre_line_neither_break_a_long_run_nor_belong_to_it():
    chart = run_chart([*[9.0] * 8, *[11.0] * 4, 10, *[11.0] * 4])

    assert chart.labels[12] == Label.COMMON_CAUSE
    assert chart.labels[-1] == Label.LONG_RUN_ABOVE


def test_an_excluded_point_is_no_part_of_a_run_but_is_held_against_the_limits():
    values = [5, 4, 6, 5, 4, 6, 5, 30, 5, 4, 6, 5]

    chart = c_chart(values, exclude=[days(12)[7]])

    assert chart.labels[7] == Label.ABOVE_LIMIT
    assert chart.centre[0] == 5


def test_a_count_above_its_limit_is_worse_where_less_is_better():
    chart = c_chart([4, 5, 6, 4, 5, 6, 4, 5, 6, 4, 5, 15])

    assert (chart.variation, chart.point_types[-1]) == (Variation.CONCERN_HIGH, PointType.CONCERN)
    assert "Worse: the value is above the upper control limit of" in told(chart, kind=ChartType.C)


def test_zigzag_shows_no_sign_of_change():
    chart = run_chart(ZIGZAG)

    assert chart.variation == Variation.COMMON_CAUSE
    assert "No sign of change: the values vary as chance alone would make them vary." in told(chart)


@pytest.mark.parametrize(("target", "expected"), [(40, "pass"), (5, "inconsistent"), (0.5, "inconsistent")])
def test_the_target_is_held_against_the_limits_of_the_newest_point(target, expected):
    assert c_chart([4, 5, 6] * 5, target=target).assurance == expected


def test_a_run_chart_has_no_limits_to_hold_a_target_against():
    chart = run_chart(ZIGZAG, target=10)

    assert chart.assurance is None
    assert "The target is 10." in told(chart)


def test_a_point_that_few_cases_stand_behind_has_wider_limits_on_a_p_chart():
    reading = a_reading([(80, 100)] * 12 + [(8, 10)], chart_type="p")

    wide, narrow = reading.points[-1], reading.points[0]
    assert wide.upper - wide.mean > narrow.upper - narrow.mean
    assert reading.lines[0].varies
    assert (reading.chart_name, reading.centre_name, reading.limit_name) == ("p chart", "mean", "control limit")


def test_limits_that_vary_are_drawn_as_steps_and_those_that_do_not_as_lines():
    varying = charts.chart_svg(a_reading([(80, 100), (40, 50)] * 10, chart_type="p"))
    constant = charts.chart_svg(a_reading([(80, 100), (81, 100)] * 10, chart_type="p"))

    assert varying.count("V") > constant.count("V") + 40


def test_percentages_are_not_drawn_beyond_a_hundred():
    svg = charts.chart_svg(a_reading([(98, 100), (100, 100), (99, 100)] * 5, chart_type="p"))

    assert ">100<" in svg
    assert ">102<" not in svg
    assert ">110<" not in svg


@pytest.mark.parametrize("kind", [kind.value for kind in KINDS])
def test_every_chart_type_is_drawn_with_its_name_in_its_text(kind):
    counted = kind in ("p", "pp", "u", "up", "ip")
    values = [(40 + i % 7, 100 + i) for i in range(24)] if counted else [3.0 + i % 5 for i in range(24)]

    reading = a_reading(values, chart_type=kind, unit="units")
    svg = drawn(reading)

    assert svg[1].text.lower().startswith(f"{KINDS[kind].name.lower()} of 24 periods")
    assert reading.sentence.startswith("In March 2022 the value was")


def test_a_chart_that_the_data_do_not_allow_becomes_an_xmr_chart_and_says_why():
    rows = [Row(day, day, None, None, 3.0 + i % 2, False, "") for i, day in enumerate(days(14))]
    found = analysis.analysed(
        "p", days(14), rows, [row.value for row in rows], multiplier=100, direction="increase", target=None,
        rebase=(), baseline=None,
    )  # fmt: skip

    assert isinstance(found.chart, spc.XmrChart)
    assert found.problem == (
        "The p chart that was chosen cannot be drawn, so this is an XmR chart. "
        "It needs a numerator and a denominator for each period."
    )


def test_two_events_on_one_day_are_told_where_a_t_chart_was_chosen():
    reading = a_reading([5.0, 0.0, 9.0, 12.0] * 4, chart_type="t", unit="days")

    assert reading.chart_name == "XmR chart"
    assert "give two events on one day as half a day" in reading.sentence


def test_so_few_values_that_no_rule_could_fire_are_not_called_chance():
    assert "There are 4 values: too few to see a change." in told(run_chart([9, 11, 9, 11]))


def test_a_short_run_chart_says_that_only_a_large_change_would_show():
    assert "8 values are few: only a large change would show." in told(run_chart([9.0, 11.0] * 4))


@pytest.mark.parametrize("counts", [(0, 50), (50, 50), (25, 50)])
def test_values_that_never_vary_are_called_the_same_not_too_few(counts):
    reading = a_reading([counts] * 24, chart_type="p")

    assert "No sign of change: every value is the same." in reading.sentence


@pytest.mark.parametrize("counts", [(0, 50), (50, 50)])
def test_the_axis_of_values_that_never_vary_ends_where_a_percentage_does(counts):
    svg = drawn(a_reading([counts] * 24, chart_type="p"))

    ticks = [float(text.text) for text in svg.iter() if text.get("dx") == "-6"]
    assert 0 <= min(ticks) < max(ticks) <= 100


def test_lines_that_lie_on_one_another_are_named_from_top_to_bottom():
    svg = drawn(a_reading([(50, 50)] * 24, chart_type="p"), with_heading=True)

    named = [text.text for text in svg.iter() if text.text and text.text.startswith(("Upper", "Mean", "Lower"))]
    assert [name.split()[0] for name in named] == ["Upper", "Mean", "Lower"]


AWKWARD = {
    "one": [(3, 40)],
    "gaps": [(3 + i % 4, 40) if i % 5 else None for i in range(30)],
    "none_of_any": [(0, 40)] * 20,
    "tiny": [(1e-6 * (1 + i % 3), 1e3) for i in range(20)],
    "huge": [(1e9 * (1 + i % 3), 5e9) for i in range(20)],
    "one_of_two": [(i % 3, 2) for i in range(20)],
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("kind", [kind.value for kind in KINDS])
def test_every_chart_type_is_drawn_with_awkward_data(kind, name):
    reading = a_reading(AWKWARD[name], chart_type=kind, unit="days", multiplier=1)

    svg = drawn(reading)

    numbers = " ".join(path.get("d", "") for path in svg.iter())
    assert "nan" not in numbers
    assert "inf" not in numbers
    assert svg[0].text == f"{reading.title}. {reading.sentence}"


@pytest.mark.parametrize("kind", [kind.value for kind in KINDS])
def test_sixty_points_weigh_less_than_twelve_kilobytes(kind):
    values = [(40 + i % 7, 100 + i % 13) for i in range(60)]

    assert len(charts.chart_svg(a_reading(values, chart_type=kind), with_heading=True).encode()) < 12_000


@pytest.mark.parametrize("kind", [kind.value for kind in KINDS])
def test_four_hundred_points_are_drawn(kind):
    values = [(40 + i % 7, 100 + i % 13) for i in range(400)]

    assert drawn(a_reading(values, chart_type=kind)).get("role") == "img"
