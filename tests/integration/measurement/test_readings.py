import datetime as dt
import json

import pytest

from measurement import readings
from measurement.figures import Reading
from measurement.models import Annotation, Metric, MetricVersion, Rebase
from tests.factories.measurement import MetricFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import OrganisationFactory

pytestmark = pytest.mark.django_db


def people(**fields):
    return SeriesFactory(metric=MetricFactory(of_people=True, **fields))


def test_a_metric_without_a_series_or_data_reads_as_no_data_yet():
    reading = readings.reading(MetricFactory())

    assert (reading.points, reading.sentence, reading.latest_text) == ((), "There is no data yet.", "No data yet")


def test_values_come_from_numerator_denominator_and_multiplier():
    series = SeriesFactory(metric=MetricFactory(rate=True))
    fill(series, [(3, 1500), (7, 2000)])

    reading = readings.reading(series, audience="owner")

    assert [point.value for point in reading.points] == [2.0, 3.5]
    assert reading.latest_text == "3.5 per 1,000 occupied bed days"
    assert reading.latest.label == "May 2023"


def test_a_left_out_month_is_missing_and_not_zero():
    series = SeriesFactory()
    fill(series, [(90, 100), None, (80, 100)])

    points = readings.reading(series).points

    assert [(point.label, point.value) for point in points] == [
        ("April 2023", 90),
        ("May 2023", None),
        ("June 2023", 80),
    ]


def test_a_denominator_of_nobody_gives_no_value():
    series = SeriesFactory()
    fill(series, [(0, 0)])

    assert readings.reading(series).points[0].value is None


def test_the_public_sees_hidden_and_rounded_counts_and_the_owner_the_true_ones():
    series = people()
    fill(series, [(41, 98), (3, 98), (2, 6), (0, 98)])

    public, owner = readings.reading(series), readings.reading(series, audience="owner")

    assert [(p.numerator_text, p.denominator_text, p.value_text) for p in public.points] == [
        ("40", "100", "40"),
        ("*", "*", "*"),
        ("*", "*", "*"),
        ("0", "100", "0"),
    ]
    assert [(p.numerator, p.denominator) for p in owner.points] == [(41, 98), (3, 98), (2, 6), (0, 98)]
    assert "2 values are hidden" in public.sentence
    assert "rounded to the nearest 5" in public.published_as
    assert (owner.published_as, "hidden" in owner.sentence) == ("", False)


def test_nothing_in_the_public_reading_depends_on_a_hidden_count():
    one, other = people(), people()
    shared = [(40 + n % 3, 100) for n in range(20)]
    fill(one, [*shared, (1, 100)])
    fill(other, [*shared, (7, 100)])

    public = [readings.reading(series) for series in (one, other)]

    assert public[0].points == public[1].points
    assert public[0].lines == public[1].lines
    assert public[0].sentence == public[1].sentence


def region_and_organisations(*counts, **fields):
    """A metric of counts of people: the first row is the region, the others organisations A, B, C."""
    metric = MetricFactory(numerator_counts_people=True, multiplier=1000, definition={"denominator": ""}, **fields)
    places = [None, *(OrganisationFactory(name=name) for name in "ABCDEFGH"[: len(counts) - 1])]
    return [
        fill(SeriesFactory(metric=metric, organisation=place), [(count, None) for count in row])[0].series
        for place, row in zip(places, counts, strict=True)
    ]


def shown(series_list):
    return [[point.numerator_text for point in r.points] for r in readings.readings_of(series_list)]


def test_no_organisation_follows_from_the_region_and_the_others():
    rows = region_and_organisations([78, 90, 19], [7, 20, 6], [11, 30, 6], [60, 40, 7])

    assert shown(rows) == [
        ["80", "90", "20"],
        ["*", "20", "*"],  # 78 - 11 - 60: the smallest other one is hidden too
        ["*", "30", "*"],
        ["60", "40", "*"],
    ]


def test_what_one_reader_may_see_hides_no_less_from_another():
    """The member of one organisation sees its true counts, and of the others what everybody sees."""
    region, own, other, third = region_and_organisations([78], [7], [11], [60])

    found = readings.readings_of([region, own, other, third], lambda series: "owner" if series == own else "public")

    assert [r.points[0].numerator_text for r in found] == ["80", "7", "*", "60"]


def test_a_hidden_number_and_one_that_would_reveal_it_look_the_same():
    _, small, large, _ = region_and_organisations([78] * 3, [7] * 3, [11] * 3, [60] * 3)

    readings_of_both = [readings.reading(series) for series in (small, large)]

    assert len({tuple(p.meaning for p in r.points) for r in readings_of_both}) == 1
    assert len({(r.sentence, r.latest_text) for r in readings_of_both}) == 1


def test_two_tables_that_are_published_alike_are_read_alike():
    """Mean, limits, icons, sentence, marks: nothing tells which of them is the true one."""
    others = ([30 + n % 4 for n in range(14)], [60] * 14)
    tables = []
    for small in (3, 5):
        own = [9] * 13 + [small]
        total = [sum(row) for row in zip(own, *others, strict=True)]
        tables.append(region_and_organisations(total, own, *others, target=20, direction="decrease"))
    public = [readings.readings_of(rows) for rows in tables]

    kept = [[{**r.as_json(), "metric_pk": 0, "series_pk": 0, "code": "", "name": ""} for r in rows] for rows in public]

    assert [p.is_hidden for p in public[0][1].points] == [False] * 13 + [True]
    assert [rows[0]["points"][-1]["numerator"] for rows in kept] == [95, 95]
    for row in (*kept[0], *kept[1]):
        row["series_key"] = ""
    assert kept[0] == kept[1]


def test_what_a_region_holds_beside_its_organisations_needs_no_second_hidden_one():
    assert shown(region_and_organisations([400], [7], [30])) == [["400"], ["*"], ["30"]]


def test_a_list_of_metrics_hides_what_their_organisations_ask_for():
    region, *_ = region_and_organisations([13], [6], [7])

    assert readings.reading(region.metric).latest_text == "Hidden (small numbers)"


def test_the_public_does_not_see_notes_or_the_exact_dates_of_rare_events():
    series = SeriesFactory(metric=ValueMetricFactory(frequency=Metric.Frequency.EVENT))
    fill(series, [12], start=dt.date(2025, 3, 17), note="Ward 7")

    public, owner = readings.reading(series).points[0], readings.reading(series, audience="owner").points[0]

    assert (public.label, public.period_start, public.note) == ("March 2025", dt.date(2025, 3, 1), "")
    assert (owner.label, owner.period_start, owner.note) == ("17 March 2025", dt.date(2025, 3, 17), "Ward 7")


def events(metric, place, first: dt.date, gaps: list[int]):
    series = SeriesFactory(metric=metric, organisation=place)
    day = first
    fill(series, [1], start=day)
    for gap in gaps:
        day += dt.timedelta(days=gap)
        fill(series, [gap], start=day)
    return series


def test_the_same_is_published_on_whichever_day_of_its_month_the_first_event_fell():
    """31 March, and 1 April a day later: with the true months, both dates would follow from the day between them."""
    public = []
    for day in (1, 17, 31):
        metric, first = ValueMetricFactory(frequency=Metric.Frequency.EVENT), dt.date(2024, 3, day)
        region = events(metric, None, first, [1, 29, 1, 30, 1])
        own = events(metric, OrganisationFactory(), first + dt.timedelta(days=31), [30])
        Annotation.objects.create(metric=metric, date=dt.date(2024, 4, 11), kind="pdsa", text="Began")
        Rebase.objects.create(series=region, from_date=dt.date(2024, 4, 20), reason="New mattresses")
        public.append([(r.points, r.lines, r.marks, r.sentence) for r in readings.readings_of([region, own])])

    assert public[0] == public[1] == public[2]
    assert {point.period_start.month for point in public[0][0][0]} == {3, 4, 5}


def test_a_rebase_of_events_starts_with_a_published_month():
    series = events(ValueMetricFactory(frequency=Metric.Frequency.EVENT), None, dt.date(2024, 1, 1), [40] * 9)
    Rebase.objects.create(series=series, from_date=dt.date(2024, 6, 10), reason="New mattresses")

    assert [line.start for line in readings.reading(series).lines] == [0, 4]
    assert readings.reading(series).points[4].label == "June 2024"


def test_a_rebase_between_two_periods_starts_with_the_next_one():
    series = SeriesFactory()
    fill(series, [(50 + n % 2, 100) for n in range(14)] + [(70 + n % 2, 100) for n in range(14)])
    Rebase.objects.create(series=series, from_date=dt.date(2024, 5, 20), reason="The new checklist is in use")

    reading = readings.reading(series)

    lines = reading.lines
    assert [(line.start, line.stop, line.mean) for line in lines] == [(0, 14, 50.5), (14, 28, 70.5)]
    assert lines[1].because == "The new checklist is in use"
    assert "The new part set for 20 May 2024 would have started between two values" in reading.sentence
    assert "it starts with the next one, June 2024." in reading.sentence


def test_the_public_is_told_only_the_month_for_which_a_rebase_of_rare_events_was_set():
    series = SeriesFactory(metric=ValueMetricFactory(frequency="event"))
    fill(series, [20], start=dt.date(2025, 3, 17))
    fill(series, [64], start=dt.date(2025, 5, 20))
    Rebase.objects.create(series=series, from_date=dt.date(2025, 4, 18), reason="New ward")

    public, owner = readings.reading(series), readings.reading(series, audience="owner")

    assert "The new part set for April 2025" in public.sentence
    assert "18 April" not in public.sentence
    assert "The new part set for 18 April 2025" in owner.sentence


def test_a_constant_value_that_meets_its_target_is_not_a_question_mark():
    series = SeriesFactory(metric=MetricFactory(target=95))
    fill(series, [(100, 100)] * 14)

    reading = readings.reading(series)

    assert reading.assurance.words == "The same every time: meets its target"
    assert "Each of the 14 values is 100%, which meets the target of 95%." in reading.sentence


def test_a_last_value_that_two_rules_judge_differently_has_both_icons():
    series = SeriesFactory()
    series.baseline_points = 12
    fill(series, [(40 + n % 2, 100) for n in range(12)] + [(count, 100) for count in (80, 77, 74, 71, 68, 65, 62)])

    reading = readings.reading(series)

    assert (reading.variation.name, reading.other_variation.name) == ("improvement_high", "concern_low")
    assert Reading.from_json(json.loads(json.dumps(reading.as_json()))) == reading


def test_a_new_definition_breaks_the_line():
    series = SeriesFactory()
    fill(series, [(50, 100)] * 4)
    MetricVersion.objects.create(
        metric=series.metric, number=2, valid_from=dt.date(2023, 6, 1), operational_definition="New", reason="Clearer"
    )

    reading = readings.reading(series)

    assert [(line.start, line.is_new_definition) for line in reading.lines] == [(0, False), (2, True)]
    assert [point.version for point in reading.points] == [1, 1, 2, 2]


def test_annotations_are_numbered_by_date_and_only_those_of_the_series_are_shown():
    series = SeriesFactory()
    other = SeriesFactory(metric=series.metric, organisation=OrganisationFactory())
    fill(series, [(50, 100)] * 4)
    for when, owner, text in [
        (dt.date(2023, 6, 15), None, "Second"),
        (dt.date(2023, 4, 2), series, "First"),
        (dt.date(2023, 5, 1), other, "Elsewhere"),
    ]:
        Annotation.objects.create(metric=series.metric, series=owner, date=when, kind="intervention", text=text)

    marks = readings.reading(series).marks

    assert [(mark.number, mark.index, mark.text) for mark in marks] == [(1, 0, "First"), (2, 2, "Second")]


def test_a_metric_is_read_by_its_region_first():
    metric = MetricFactory()
    SeriesFactory(metric=metric, organisation=OrganisationFactory(name="AAA"))
    region = SeriesFactory(metric=metric)

    assert readings.reading(metric).series_pk == region.pk


@pytest.mark.parametrize("count", [1, 3, 50])
def test_many_metrics_are_read_in_six_queries_at_most(count, django_assert_max_num_queries):
    metrics = [MetricFactory() for _ in range(count)]
    for metric in metrics:
        fill(SeriesFactory(metric=metric), [(50, 100)] * 3)

    with django_assert_max_num_queries(6):
        found = readings.readings_of(metrics)

    assert [reading.code for reading in found] == [metric.code for metric in metrics]


def test_a_reading_survives_being_kept_as_json():
    series = people(target=60)
    fill(series, [(50 + n, 100) for n in range(9)] + [(3, 100)])
    Annotation.objects.create(metric=series.metric, date=dt.date(2023, 6, 1), kind="pdsa", text="Tried it")
    reading = readings.reading(series)

    assert Reading.from_json(json.loads(json.dumps(reading.as_json()))) == reading
