"""The drawing, with ordinary and with awkward data. Readings are made without a database."""

import datetime as dt
import math
import random
import xml.etree.ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from measurement import charts, periods, readings
from measurement.decisions import Decision, Decisions
from measurement.figures import ASSURANCE_ICONS, VARIATION_ICONS
from measurement.models import Annotation, Metric, MetricVersion, Series
from measurement.readings import Row
from projects.models import Organisation

SVG = "{http://www.w3.org/2000/svg}"


def a_reading(
    values, *, frequency="month", audience="owner", notes=(), rebases=(), versions=(), target=None, targets=(),
    planned=(), excluded=(), **fields,
):  # fmt: skip
    """A reading of values, counts (numerator, denominator) or None, one a period from April 2020."""
    given = {"code": "X1", "name": "Falls", "direction": "increase", "unit": "%", "multiplier": 100, **fields}
    metric = Metric(frequency=frequency, **given)
    series = Series(metric=metric, organisation=Organisation(pk=1, name="Hospital & Sons <Trust>", ods_code="R1"))
    rows, start = [], periods.start_of(dt.date(2020, 4, 1), frequency)
    for value in values:
        numbers = (value[0], value[1], None) if isinstance(value, tuple) else (None, None, value)
        if value is not None:
            why = "Strike" if start in excluded else ""
            rows.append(Row(start, periods.end_of(start, frequency), *numbers, False, "", excluded_because=why))
        start = periods.next_start(start, frequency)
    first = MetricVersion(number=1, operational_definition="What", numerator="n", denominator="d")
    later = [MetricVersion(number=2 + i, valid_from=day, operational_definition="X") for i, day in enumerate(versions)]
    return readings._read(
        metric,
        series,
        audience,
        rows=readings.published({1: rows}, metric)[1] if audience == "public" else rows,
        versions=[first, *later],
        decided=Decisions(
            rebases=[Decision(day, None, "New pathway") for day in rebases],
            targets=[Decision(day, value, "") for day, value in targets or ([(None, target)] if target else [])],
            planned=[Decision(day, value, "") for day, value in planned],
        ),
        annotations=[Annotation(pk=i, date=day, kind="pdsa", text=text) for i, (day, text) in enumerate(notes)],
    )


def noise(n, mean=50, spread=5):
    rng = random.Random(1)
    return [rng.gauss(mean, spread) for _ in range(n)]


def drawn(reading, **options):
    return ET.fromstring(charts.chart_svg(reading, **options))


def test_the_title_is_a_direct_child_and_says_everything():
    reading = a_reading([*noise(20), 90], target=60)

    svg = drawn(reading)

    assert svg.get("role") == "img"
    assert svg[0].tag == f"{SVG}title"
    assert svg[0].text == f"Falls, Hospital & Sons <Trust>. {reading.sentence}"
    assert svg.find(f"{SVG}desc").text.startswith("XmR chart of 21 periods from April 2020 to December 2021.")


def test_sixty_points_weigh_less_than_12_kb_and_all_plain_dots_are_one_path():
    svg = charts.chart_svg(a_reading(noise(60), target=60))

    assert len(svg.encode()) < 12_000
    assert svg.count('stroke-linecap="round"') == 1


@pytest.mark.parametrize(
    "values",
    [
        [],
        [5],
        [0],
        [0, 0, 0],
        [-5, -3, -9, -4],
        noise(24, 1.2e8, 5e6),
        noise(24, 3e-6, 1e-6),
        noise(400),
        [1, None, None, 4, None, 6],
        [(3, 5), (2, 4)],
        [1e11, 1],
    ],
    ids=["none", "one", "zero", "zeros", "negative", "huge", "tiny", "400", "missing", "counts", "far apart"],
)
@pytest.mark.parametrize("width", [charts.WIDTH, charts.NARROW])
def test_awkward_data_is_drawn_inside_the_picture(values, width):
    svg = drawn(a_reading(values, target=3), width=width)

    box = [float(number) for number in svg.get("viewBox").split()]
    for text in svg.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= box[2]
        assert 0 <= float(text.get("y")) <= box[3]
    assert "nan" not in ET.tostring(svg, "unicode").lower()


def test_a_missing_value_breaks_the_line():
    line = next(path for path in drawn(a_reading([1, 2, None, 4, 5])).iter() if path.get("stroke-linejoin"))

    assert line.get("d").count("M") == 2


def test_a_new_definition_breaks_the_line_and_a_rebase_only_its_limits():
    broken = drawn(a_reading(noise(30), versions=[dt.date(2021, 4, 1)]))
    rebased = drawn(a_reading(noise(30), rebases=[dt.date(2021, 4, 1)]))

    def line(svg):
        return next(path for path in svg.iter() if path.get("stroke-linejoin")).get("d").count("M")

    def texts(svg):
        return [text.text for text in svg.iter(f"{SVG}text")]

    assert (line(broken), line(rebased)) == (2, 1)
    assert "New definition" in texts(broken)
    assert "Rebased" in texts(rebased)


def test_better_and_worse_have_shapes_and_words_of_their_own():
    better = charts.chart_svg(a_reading([*noise(20), 90]))
    worse = charts.chart_svg(a_reading([*noise(20), 90], direction="decrease"))

    assert charts.TONES["improvement"] in better
    assert "Better (special cause)" in better
    assert charts.TONES["concern"] in worse
    assert "Worse (special cause)" in worse


def test_annotations_are_numbered_and_do_not_cover_each_other():
    when = dt.date(2021, 5, 2)
    svg = drawn(a_reading(noise(36), notes=[(when, "One"), (when, "Two"), (when, "Three")]))

    centres = {(circle.get("cx"), circle.get("cy")) for circle in svg.iter(f"{SVG}circle")}

    assert len(centres) == 3
    assert "Mark 2, 2 May 2021: Two." in svg.find(f"{SVG}desc").text


def test_hidden_values_are_marked_and_explained():
    svg = charts.chart_svg(a_reading([(40, 100), (3, 100), (41, 100)], audience="public"))

    assert "Hidden: small numbers" in svg


def test_text_of_people_is_escaped():
    svg = charts.chart_svg(a_reading(noise(5), name='<script>alert("1")</script>'), with_heading=True)

    assert "<script>" not in svg


def test_a_picture_of_its_own_has_name_place_and_footer_and_becomes_png():
    svg = charts.chart_svg(a_reading(noise(24)), with_heading=True, footer="Made up")

    assert all(words in svg for words in ("Falls", "Hospital &amp; Sons", "Made up"))
    assert charts.png(svg, width=300).startswith(b"\x89PNG")


@pytest.mark.parametrize("icon", [*VARIATION_ICONS.values(), *ASSURANCE_ICONS.values()], ids=lambda icon: icon.name)
def test_every_icon_has_its_words(icon):
    assert ET.fromstring(charts.icon_svg(icon))[0].text == icon.words
    assert "<title>" not in charts.icon_svg(icon, is_decorative=True)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
@settings(max_examples=200)
def test_ticks_are_round_numbers_around_the_range(low, span):
    assume(span >= abs(low) * 1e-6)  # closer than that, floating point itself has no numbers between
    ticks = charts.nice_ticks(low, low + span)

    slack = (ticks[1] - ticks[0]) * 1e-6 + 4 * math.ulp(max(abs(low), abs(low + span)))
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack


def test_ticks_of_a_month_axis_fall_on_april_and_october():
    texts = [text.text for text in drawn(a_reading(noise(36))).iter(f"{SVG}text")]

    assert [text for text in texts if text[:3] in ("Apr", "Oct")] == [
        "Apr 2020", "Oct 2020", "Apr 2021", "Oct 2021", "Apr 2022", "Oct 2022",
    ]  # fmt: skip


# Targets, plans and values left out ----------------------------------------------------------------------------------


def stroke_path(svg, colour, **wanted):
    """The data of the one path with this stroke colour and these attributes."""
    found = [path for path in svg.iter(f"{SVG}path") if path.get("stroke") == colour]
    return [path.get("d") for path in found if all(path.get(name) == value for name, value in wanted.items())]


def test_a_target_that_changes_is_drawn_as_steps():
    svg = drawn(a_reading(noise(24), targets=[(None, 40), (dt.date(2021, 4, 1), 60)]))

    (steps,) = stroke_path(svg, charts.TARGET_COLOUR, **{"stroke-width": "2"})
    assert (steps.count("M"), steps.count("H"), steps.count("V")) == (1, 2, 1)


def test_a_target_that_ends_and_begins_again_leaves_a_gap():
    dates = [(None, 40), (dt.date(2020, 10, 1), None), (dt.date(2021, 4, 1), 60)]
    svg = drawn(a_reading(noise(24), targets=dates))

    (steps,) = stroke_path(svg, charts.TARGET_COLOUR, **{"stroke-width": "2"})
    assert (steps.count("M"), steps.count("H"), steps.count("V")) == (2, 2, 0)


def test_a_plan_is_a_thin_line_over_its_periods_and_named_in_the_legend():
    reading = a_reading(noise(24), planned=[(dt.date(2020, 6, 1), 50), (dt.date(2021, 2, 1), 60)])

    svg = drawn(reading)

    (line,) = [path for path in stroke_path(svg, charts.TARGET_COLOUR) if "L" in path]
    assert line.count("L") == 8
    assert "Planned" in "".join(svg.itertext())


def test_a_value_left_out_is_a_cross_that_its_neighbours_are_joined_past():
    reading = a_reading([50, 51, 52, 90, 50, 51, 52] * 3, excluded=[dt.date(2020, 7, 1)])

    svg = drawn(reading)

    text = "".join(svg.itertext())
    assert "Left out of mean and limits" in text
    assert any(path.get("stroke-width") == "2" and "m0-9" in path.get("d") for path in svg.iter(f"{SVG}path"))
    (line,) = [path for path in stroke_path(svg, "#768692") if path.count("L") == 19]
    assert line.count("M") == 1
