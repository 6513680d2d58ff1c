"""One metric in many places: funnel, sum and common scale. Readings are made without a database."""

import datetime as dt
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from measurement import charts, places
from tests.unit.measurement.test_charts import a_reading

APRIL, MAY = dt.date(2020, 4, 1), dt.date(2020, 5, 1)


def readings_of(by_place, **fields):
    return [
        replace(a_reading(values, **fields), place=place, series_key=place.lower())
        for place, values in by_place.items()
    ]


SIMILAR = {"Ash": [(50, 100)], "Beech": [(260, 500)], "Cedar": [(480, 1000)], "Elm": [(99, 200)]}


def funnel(by_place, *, multiplier=100, **fields):
    return places.funnel_of(readings_of(by_place, multiplier=multiplier, **fields), APRIL, multiplier=multiplier)


def test_places_that_differ_as_chance_would_have_them_are_not_marked():
    found = funnel(SIMILAR)

    assert {one.tone for one in found.places} == {"common"}
    assert found.sentence == (
        "April 2020: 4 places are compared. All lie within the limits: chance alone would make differences like these."
    )


@pytest.mark.parametrize(("direction", "tone"), [("increase", "improvement"), ("decrease", "concern")])
def test_a_place_beyond_three_sigma_is_marked_by_the_improvement_direction(direction, tone):
    found = funnel(SIMILAR | {"Fir": [(160, 200)], "Gorse": [(510, 1000)]}, direction=direction)

    fir = next(one for one in found.places if one.name == "Fir")
    assert fir.tone == tone
    assert "above the 3-sigma limit" in fir.meaning
    assert "Fir lies beyond the 3-sigma limits" in found.sentence


def test_the_limits_are_those_of_a_p_chart_worked_by_hand():
    found = funnel({"Ash": [(40, 100)], "Beech": [(60, 100)], "Cedar": [(50, 100)]})

    # p = 150 / 300 = 0.5, sigma = sqrt(0.25 / 100) = 0.05: limits 35% and 65%, 2 sigma 40% and 60%
    assert found.funnel.limits_at(100) == pytest.approx((35, 40, 60, 65))
    assert found.centre_text == "50.0%"


def test_a_hidden_place_is_listed_and_neither_drawn_nor_counted():
    readings = readings_of(SIMILAR | {"Fir": [(3, 100)]})
    point = replace(readings[-1].points[0], value=None, numerator=None, denominator=None, is_hidden=True)
    readings[-1] = replace(readings[-1], points=(point,))

    found = places.funnel_of(readings, APRIL, multiplier=100)

    assert found.places[-1].meaning.startswith("Hidden: rests on 1 to 7 people")
    assert "1 place is missing or hidden for this period." in found.sentence
    assert found.funnel.centre == funnel(SIMILAR).funnel.centre


def test_places_are_ordered_by_name_never_by_value():
    found = funnel({"Cedar": [(90, 100)], "Ash": [(10, 100)], "Beech": [(50, 100)]})

    assert [one.name for one in found.places] == ["Ash", "Beech", "Cedar"]


def test_a_period_is_offered_only_where_enough_places_show_a_value():
    readings = readings_of({"Ash": [(1, 2), (1, 2)], "Beech": [(1, 2), (1, 2)], "Cedar": [None, (1, 2)]})

    assert list(places.periods_of(readings)) == [MAY]


def test_places_are_added_up_only_where_every_one_is_known():
    readings = readings_of({"Ash": [(10, 100), (20, 100)], "Beech": [(30, 100), None, (5, 10)]})

    sums, incomplete = places.added_up(readings)

    assert [(one.start, one.numerator, one.denominator) for one in sums] == [(APRIL, 40, 200)]
    assert incomplete == 2


def test_all_charts_reach_the_same_scale():
    low, high = readings_of({"Ash": [10.0, 12.0] * 8, "Beech": [50.0, 90.0] * 8})
    scale = places.scale_of([low, high])

    ticks = [
        [text.text for text in ET.fromstring(charts.chart_svg(one, scale=scale)).iter() if text.get("dx") == "-6"]
        for one in (low, high)
    ]

    assert ticks[0] == ticks[1]


@pytest.mark.parametrize(
    "by_place",
    [
        {"Ash": [(0, 100)], "Beech": [(0, 200)], "Cedar": [(0, 50)]},
        {"Ash": [(100, 100)], "Beech": [(200, 200)], "Cedar": [(50, 50)]},
        {"Ash": [(8, 10)], "Beech": [(900_000, 1_000_000)], "Cedar": [(50, 50)]},
        {"A <place> & its very long name that goes on and on": [(1, 1)], "Beech": [(2, 400)], "Cedar": [(1, 500)]},
    ],
)
def test_the_plot_is_drawn_with_awkward_data(by_place):
    found = funnel(by_place)

    drawn = ET.fromstring(f"<div>{charts.funnel_svg(found, x_name='Cases')}</div>")

    assert len(drawn) == 2
    assert all(svg[0].text == found.sentence for svg in drawn)
    assert "nan" not in ET.tostring(drawn, encoding="unicode")
