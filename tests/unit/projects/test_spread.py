"""Counting how work spreads, and who is near whom."""

import datetime as dt

import pytest

from projects import spread
from projects.spread import Dated, Place, Step

A, B, C = 1, 2, 3


def day(number):
    return dt.date(2026, 1, number)


ROWS = [
    Dated(A, 9, "interested", day(1)),
    Dated(A, 9, "testing", day(5)),
    Dated(B, 9, "testing", day(5)),
    Dated(A, 9, "in_use", day(9)),
    Dated(B, 9, "stopped", day(12)),
]


def test_the_curve_counts_each_organisation_once_after_each_day_of_change():
    assert spread.curve(ROWS, day(20)) == [
        Step(day(1), 0, 0, 0),
        Step(day(5), 0, 2, 0),
        Step(day(9), 1, 2, 0),
        Step(day(12), 1, 1, 1),
        Step(day(20), 1, 1, 1),
    ]
    assert spread.curve([], day(20)) == []


def test_the_curve_is_told_in_words():
    assert spread.in_words(spread.curve(ROWS, day(20))) == (
        "1 organisation uses it now; the first began by 9 January 2026. 1 organisation has stopped."
    )
    testing = spread.curve(ROWS[:3], day(6))
    assert spread.in_words(testing) == "No organisation uses it now. 2 organisations are testing it."
    assert spread.in_words([]) == "No organisation is noted as using it yet."


def test_the_latest_stage_counts():
    assert {key: row.stage for key, row in spread.latest(ROWS).items()} == {(A, 9): "in_use", (B, 9): "stopped"}


def test_reach_counts_an_organisation_once_under_its_furthest_stage_and_names_the_others():
    places = [Place(A, "A", "North"), Place(B, "B", "North"), Place(C, "C", "East")]

    east, north = spread.reach(places, {A: ["interested", "in_use"], B: ["stopped"]})

    assert (east.system, east.organisations, east.none_yet) == ("East", 1, ["C"])
    assert north.counts == [("In use", 1), ("Testing", 0), ("Interested", 0), ("Stopped", 1)]


@pytest.mark.parametrize(
    ("settings", "answer"),
    [([], True), (["whole_system"], True), (["acute", "pharmacy"], True), (["pharmacy"], False)],
)
def test_a_project_is_meant_for_organisations_of_its_settings(settings, answer):
    assert spread.may_use(Place(A, "A", "North", frozenset({"acute"})), settings) is answer


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ln2 5qy", ("LN", "LN2")),
        ("LN25QY", ("LN", "LN2")),
        ("le11 5ww", ("LE", "LE11")),
        ("LN2", ("LN", "LN2")),
        ("ln", ("LN", "")),
        ("W1A 1AA", ("W", "W1A")),
        ("Lincoln", ("", "")),
        ("", ("", "")),
        ("'; --", ("", "")),
        ("ＬＮ２", ("", "")),
    ],
)
def test_the_first_half_of_a_postcode_is_read(typed, found):
    assert spread.outward(typed) == found


def test_near_is_the_same_district_else_the_same_area():
    postcodes = [("LN2 5QY", 1), ("LN1 1FS", 2), ("NG7 2UH", 3), ("", 4)]

    assert spread.systems_near("LN2", postcodes) == {1}
    assert spread.systems_near("LN9 1AA", postcodes) == {1, 2}
    assert spread.systems_near("LN", postcodes) == {1, 2}
    assert spread.systems_near("ZZ1", postcodes) == spread.systems_near("Lincoln", postcodes) == set()
