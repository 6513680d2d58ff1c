"""The plan: definitions, targets, decisions about charts, its health and what is not yet measured."""

import csv
import datetime as dt
import io
import json
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from measurement import actions, health, readings
from measurement.figures import Reading
from measurement.models import (
    Annotation,
    Baseline,
    ChartChoice,
    Exclusion,
    Metric,
    MetricTarget,
    NotYetMeasured,
    PlannedValue,
    Rebase,
    Trajectory,
)
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, MetricOwnerFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db

NHS_NUMBER = "943 476 5919"
APRIL_24 = dt.date(2024, 4, 1)


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def series():
    """Two years of values near 50 of 100, from April 2023."""
    series = SeriesFactory()
    fill(series, [(50 + number % 3, 100) for number in range(24)])
    return series


@pytest.fixture
def owner(series):
    return MetricOwnerFactory(metric=series.metric).user


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def read(series):
    return readings.reading(series, readings.OWNER)


# The record ----------------------------------------------------------------------------------------------------------


def test_the_owner_describes_and_defines_and_a_new_definition_is_marked_on_the_chart(client_as, series, owner):
    metric, browser = series.metric, client_as(owner)

    described = browser.post(
        reverse("measurement:metric_describe", args=[metric.code]),
        {
            "collector": "Ward clerks", "stratified_by": "Organisation", "days_to_report": "20",
            "days_until_final": "90",
            "baseline_from_day": "1", "baseline_from_month": "4", "baseline_from_year": "2023",
            "baseline_to_day": "31", "baseline_to_month": "3", "baseline_to_year": "2024",
        },
    )  # fmt: skip
    defined = browser.post(
        reverse("measurement:metric_define", args=[metric.code]),
        {
            "operational_definition": "All wards", "numerator": "Checked", "denominator": "Admissions",
            "sampling": "20 a week", "valid_from_day": "1", "valid_from_month": "6", "valid_from_year": "2024",
            "reason": "Two wards had been left out",
        },
    )  # fmt: skip

    page = text_of(browser.get(metric.get_absolute_url()))
    assert (described.status_code, defined.status_code) == (302, 302)
    for said in (
        "Collected by Ward clerks", "Stratified by Organisation", "20 days after the end of a period, final after 90",
        "1 April 2023 to 31 March 2024", "Sampling 20 a week", "Version 2, from 1 June 2024",
        "1. 1 June 2024 Version 2. Two wards had been left out Definition changed",
    ):  # fmt: skip
        assert said in page
    assert [line.is_new_definition for line in read(series).lines] == [False, True]


def test_owners_cannot_change_who_sees_a_metric_and_outsiders_nothing(series, owner):
    metric = series.metric
    with pytest.raises(PermissionDenied):
        actions.edit_metric(metric=metric, is_public=False, by=owner)
    with pytest.raises(TypeError):
        actions.describe_metric(metric=metric, is_public=False, by=owner)
    for action in (
        lambda by: actions.describe_metric(metric=metric, collector="X", by=by),
        lambda by: actions.set_target(metric=metric, value=60, from_date=None, by=by),
        lambda by: actions.exclude_point(series=series, period_start=APRIL_24, reason="X", by=by),
        lambda by: actions.set_baseline(series=series, points=12, reason="X", by=by),
        lambda by: actions.set_trajectory(series=series, steps=[(APRIL_24, Decimal(1))] * 2, reason="X", by=by),
        lambda by: actions.choose_chart(metric=metric, chart_type="run", reason="X", by=by),
    ):
        with pytest.raises(PermissionDenied):
            action(UserFactory())


def test_half_a_baseline_period_is_refused(series, staff):
    with pytest.raises(ActionRefused, match="first and its last day"):
        actions.describe_metric(metric=series.metric, baseline_from=APRIL_24, by=staff)
    with pytest.raises(ActionRefused, match="before it ends"):
        actions.describe_metric(metric=series.metric, baseline_from=APRIL_24, baseline_to=dt.date(2024, 3, 1), by=staff)


# Targets -------------------------------------------------------------------------------------------------------------


def test_the_target_in_force_at_the_end_of_the_chart_judges_and_each_period_has_its_own(series, staff):
    metric = series.metric
    actions.set_target(metric=metric, value=40, from_date=None, set_by="Board", by=staff)
    actions.set_target(metric=metric, value=90, from_date=APRIL_24, reason="Too easy", by=staff)
    actions.set_target(metric=metric, value=99, from_date=dt.date(2031, 4, 1), reason="Later", by=staff)

    reading = read(series)

    assert [point.target for point in reading.points] == [40] * 12 + [90] * 12
    assert (reading.target, reading.target_from, reading.assurance.name) == (90, APRIL_24, "fail")
    assert "expect the target of 90% to be missed" in reading.sentence
    assert Reading.from_json(json.loads(json.dumps(reading.as_json()))) == reading


def test_a_target_can_end_and_a_withdrawn_one_no_longer_counts(series, staff):
    metric = series.metric
    first = actions.set_target(metric=metric, value=40, from_date=None, by=staff)
    ended = actions.set_target(metric=metric, value=None, from_date=APRIL_24, reason="Under review", by=staff)

    assert read(series).target is None
    actions.withdraw_target(metric_target=ended, by=staff)
    assert read(series).target == 40
    actions.withdraw_target(metric_target=first, by=staff)
    assert (read(series).assurance_words, MetricTarget.objects.count()) == ("No target", 2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": " "}, "why the target changes"),
        ({"from_date": None}, "Give the date"),
        ({"from_date": APRIL_24}, "from this date already"),
        ({"value": 60}, "in force on that date already"),
        ({"value": 120}, "between 0 and 100"),
        ({"value": "NaN"}, "ordinary number"),
        ({"reason": f"Ask {NHS_NUMBER}"}, "NHS number"),
        ({"set_by": "x" * 121}, "Set by"),
    ],
)
def test_a_change_of_target_that_does_not_fit_is_refused(changes, sentence, series, staff):
    actions.set_target(metric=series.metric, value=60, from_date=APRIL_24, by=staff)
    given = {"value": 70, "from_date": dt.date(2025, 1, 1), "reason": "Higher", **changes}

    with pytest.raises(ActionRefused, match=sentence):
        actions.set_target(metric=series.metric, by=staff, **given)

    assert MetricTarget.objects.count() == 1


def test_a_reading_kept_before_targets_could_change_is_drawn_with_its_target(series, staff):
    actions.set_target(metric=series.metric, value=60, from_date=APRIL_24, by=staff)
    kept = read(series).as_json()
    for point in kept["points"]:
        for name in ("target", "planned", "excluded_because", "begins_because"):
            del point[name]

    assert [point.target for point in Reading.from_json(kept).points] == [None] * 12 + [60] * 12


# A plan --------------------------------------------------------------------------------------------------------------


def test_a_plan_is_a_line_between_its_values_and_judges_nothing(client_as, series, owner):
    before = read(series)
    path = reverse("measurement:trajectory_set", args=[series.metric.code])
    browser = client_as(owner)

    refused = browser.post(path, {"rows": "May 2023, 50\nsoon; 80", "reason": "Board paper"})
    done = browser.post(path, {"rows": "May 2023, 50\n\n2024-05-01\t62", "reason": "Board paper"})
    again = browser.post(path, {"rows": "May 2023, 40\nMay 2024, 52", "reason": "New paper"})

    reading = read(series)
    assert "Line 2: “soon” is not a period" in text_of(refused)
    assert "soon; 80" in refused.content.decode()
    assert (done.status_code, again.status_code) == (302, 302)
    assert (reading.points[0].planned, reading.points[1].planned, reading.points[13].planned) == (None, 40, 52)
    assert 45 < reading.points[7].planned < 47
    page = text_of(browser.get(series.metric.get_absolute_url()))
    assert "Planned, as the thin line shows: New paper" in page
    assert "Planned: 52" in page
    assert (reading.sentence, reading.variation) == (before.sentence, before.variation)
    assert [plan.withdrawn_by for plan in Trajectory.objects.order_by("pk")] == [owner, None]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        PlannedValue.objects.update(value=1)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([(APRIL_24, "50")], "at least two periods"),
        ([(APRIL_24, "50"), (APRIL_24, "60")], "twice"),
        ([(APRIL_24, "50"), (dt.date(2024, 5, 2), "60")], "not the start of a month"),
        ([(APRIL_24, "50"), (dt.date(2024, 5, 1), "101")], "between 0 and 100"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(steps, sentence, series, staff):
    with pytest.raises(ActionRefused, match=sentence):
        actions.set_trajectory(
            series=series, steps=[(day, Decimal(value)) for day, value in steps], reason="Paper", by=staff
        )

    assert not Trajectory.objects.exists()


# Values left out, frozen limits --------------------------------------------------------------------------------------


def test_a_value_left_out_stays_on_page_chart_and_csv_with_its_reason_and_can_come_back(client_as, client, staff):
    series = SeriesFactory()
    fill(series, [(50 + number % 3, 100) for number in range(12)] + [(95, 100)] + [(50, 100)] * 5)
    with_all = read(series).limits.mean
    browser = client_as(staff)
    path = reverse("measurement:point_exclude", args=[series.metric.code])

    form = browser.get(path, {"period": "2024-04-01"}).content.decode()
    refused = browser.post(path, {"period_start": "2024-04-01", "reason": ""})
    done = browser.post(path, {"period_start": "2024-04-01", "reason": "Strike week"})

    page = client.get(series.metric.get_absolute_url())
    table = b"".join(client.get(reverse("measurement:metric_csv", args=[series.metric.code])).streaming_content)
    row = next(row for row in csv.reader(io.StringIO(table.decode())) if row and row[0] == "April 2024")
    assert '<option value="2024-04-01" selected>' in form
    assert "Enter reason" in text_of(refused)
    assert done.status_code == 302
    assert read(series).limits.mean < with_all
    assert "April 2024 left out of mean and limits: Strike week" in text_of(page)
    assert "Left out of mean and limits: Strike week" in text_of(page)
    assert "The value of April 2024 is left out of mean and limits" in text_of(page)
    assert "Left out of mean and limits</text>" in page.content.decode()
    assert "Strike week" in row

    actions.withdraw_exclusion(exclusion=Exclusion.objects.get(), by=staff)

    assert read(series).limits.mean == with_all
    assert Exclusion.objects.get().withdrawn_by == staff
    actions.exclude_point(series=series, period_start=APRIL_24, reason="After all", by=staff)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"period_start": dt.date(2030, 1, 1)}, "no value for this period"),
        ({"reason": f"Ask {NHS_NUMBER}"}, "NHS number"),
        ({"reason": "x" * 301}, "too long"),
        ({"reason": ""}, "Say why"),
    ],
)
def test_leaving_out_what_does_not_fit_is_refused(changes, sentence, series, staff):
    with pytest.raises(ActionRefused, match=sentence):
        actions.exclude_point(**{"series": series, "period_start": APRIL_24, "reason": "X", **changes}, by=staff)

    assert not Exclusion.objects.exists()


def test_the_same_value_is_left_out_once(series, staff):
    actions.exclude_point(series=series, period_start=APRIL_24, reason="Strike", by=staff)

    with pytest.raises(ActionRefused, match="left out already"):
        actions.exclude_point(series=series, period_start=APRIL_24, reason="Strike", by=staff)


def test_limits_freeze_on_so_many_values_or_up_to_a_date_and_each_takes_the_place_of_the_other(series, staff):
    fill(series, [(80, 100)] * 6, start=dt.date(2025, 4, 1))

    actions.set_baseline(series=series, points=12, reason="Before the project", by=staff)
    first = read(series)
    actions.set_baseline(series=series, until=dt.date(2025, 3, 31), reason="Two years before", by=staff)
    second = read(series)

    assert "frozen on the first 12 values of each part" in first.sentence
    assert (second.limits.mean, second.frozen_because) == (51, "Two years before")
    assert "Mean and limits are frozen on the values up to 31 March 2025." in second.sentence
    assert [row.withdrawn_at is None for row in Baseline.objects.order_by("pk")] == [False, True]
    actions.rebase(series=series, from_date=dt.date(2025, 4, 1), reason="New way", by=staff)
    assert "frozen" not in read(series).sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"points": 11}, "at least 12"),
        ({"until": dt.date(2023, 9, 30)}, "at least 12"),
        ({}, "not both"),
        ({"points": 12, "until": APRIL_24}, "not both"),
        ({"points": 12, "reason": ""}, "Say why"),
    ],
)
def test_a_baseline_that_does_not_fit_is_refused(changes, sentence, series, staff):
    with pytest.raises(ActionRefused, match=sentence):
        actions.set_baseline(**{"series": series, "reason": "X", **changes}, by=staff)

    assert not Baseline.objects.exists()


# Suggestions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shifted():
    """A year near 50, then 15 values near 80: the mean of all lies between."""
    series = SeriesFactory()
    fill(series, [(50 + number % 3, 100) for number in range(12)] + [(80 + number % 3, 100) for number in range(15)])
    return series


def test_a_lasting_shift_suggests_a_rebase_to_the_owner_alone_and_does_nothing(client, client_as, shifted):
    page = shifted.metric.get_absolute_url()
    owner = MetricOwnerFactory(metric=shifted.metric).user

    for reader in (client, client_as(UserFactory())):
        assert "think about calculating" not in text_of(reader.get(page))
    told = client_as(owner).get(page)

    assert "The last 15 values, since April 2024, all lie above the mean." in text_of(told)
    assert "from=2024-04-01" in told.content.decode()
    assert not Rebase.objects.exists()
    assert len(read(shifted).lines) == 1


def test_the_suggested_date_is_filled_in_and_the_suggestion_goes_once_it_is_followed(client_as, shifted, staff):
    path = reverse("measurement:metric_rebase", args=[shifted.metric.code])
    browser = client_as(staff)

    form = browser.get(path, {"series": shifted.key, "from": "2024-04-01"}).context["form"]
    actions.rebase(series=shifted, from_date=APRIL_24, reason="New way", by=staff)
    page = text_of(browser.get(shifted.metric.get_absolute_url()))

    assert form["from_date"].value() == APRIL_24
    assert "think about calculating" not in page
    assert "Mean and limits calculated anew from April 2024: New way" in page
    assert "Mean and limits start anew: New way" in page


def test_a_chart_is_suggested_with_the_reason_and_chosen_by_a_person(client_as, series, owner):
    metric, browser = series.metric, client_as(owner)
    path = reverse("measurement:chart_choose", args=[metric.code])

    shown = text_of(browser.get(reverse("measurement:metric_decisions", args=[metric.code])))
    refused = browser.post(path, {"chart_type": "t", "reason": "X"})
    done = browser.post(path, {"chart_type": "p", "reason": "Proportions of very different size"})

    metric.refresh_from_db()
    assert re.search(r"A p.? chart suits these data: they ", shown)
    assert "It is drawn as: XmR chart" in shown
    assert refused.status_code == 200
    assert done.status_code == 302
    assert (metric.chart_type, ChartChoice.objects.get().by) == ("p", owner)
    assert AuditEvent.objects.get(verb="choose_chart").before == {"chart_type": "xmr"}
    with pytest.raises(ActionRefused, match="already"):
        actions.choose_chart(metric=metric, chart_type="p", reason="X", by=owner)
    with pytest.raises(ActionRefused, match="does not fit"):
        actions.choose_chart(metric=metric, chart_type="t", reason="X", by=owner)


# Decisions and their history -----------------------------------------------------------------------------------------


def test_the_owner_sees_every_decision_and_takes_each_back_and_others_find_nothing(client, client_as, series, owner):
    metric = series.metric
    given = {"by": owner, "reason": "Because"}
    rows = {
        "event": actions.annotate(metric=metric, date=APRIL_24, kind="pdsa", text="Because", by=owner),
        "rebase": actions.rebase(series=series, from_date=APRIL_24, **given),
        "exclusion": actions.exclude_point(series=series, period_start=APRIL_24, **given),
        "baseline": actions.set_baseline(series=series, points=12, **given),
        "plan": actions.set_trajectory(
            series=series, steps=[(APRIL_24, Decimal(50)), (dt.date(2024, 6, 1), Decimal(60))], **given
        ),
        "target": actions.set_target(metric=metric, value=60, from_date=None, **given),
    }
    page = reverse("measurement:metric_decisions", args=[metric.code])
    browser = client_as(owner)

    assert text_of(browser.get(page)).count("Because") >= len(rows)
    for kind, row in rows.items():
        path = reverse("measurement:decision_withdraw", args=[metric.code, kind, row.pk])
        assert client.post(path).status_code == 302
        assert client_as(UserFactory()).post(path).status_code == 404
        row.refresh_from_db()
        assert row.withdrawn_at is None
        assert "Because" in text_of(browser.get(path))
        done = browser.post(path, follow=True)
        row.refresh_from_db()
        assert row.withdrawn_by == owner
        assert "withdrawn. It stays in the history" in text_of(done)
    assert text_of(browser.get(page)).count("Withdrawn") == len(rows)
    assert "Decisions about the chart" not in text_of(browser.get(metric.get_absolute_url()))


def test_a_decision_of_another_metric_cannot_be_withdrawn_here(client_as, series, owner, staff):
    other = SeriesFactory()
    fill(other, [(1, 2)] * 3)
    theirs = actions.rebase(series=other, from_date=dt.date(2023, 4, 1), reason="X", by=staff)

    for kind in ("rebase", "nonsense"):
        path = reverse("measurement:decision_withdraw", args=[series.metric.code, kind, theirs.pk])
        assert client_as(owner).post(path).status_code == 404

    theirs.refresh_from_db()
    assert theirs.withdrawn_at is None


# PDSA cycles ---------------------------------------------------------------------------------------------------------


def test_a_cycle_and_the_chart_it_is_marked_on_lead_to_each_other(client, staff):
    project = ProjectFactory()
    cycle = project.pdsa_cycles.create(number=3, title="One ward", starts_on=APRIL_24, plan="Try it")
    series = SeriesFactory(metric=MetricFactory(project=project, name="Falls checks"))
    fill(series, [(50, 100)] * 14)
    secret = SeriesFactory(metric=MetricFactory(project=project, members_only=True, name="Secret"))
    for metric in (series.metric, secret.metric):
        actions.annotate(metric=metric, date=APRIL_24, kind="pdsa", text="Tried", pdsa_cycle=cycle, by=staff)

    chart, log = client.get(series.metric.get_absolute_url()), client.get(project.get_absolute_url())

    assert f'<a href="{project.get_absolute_url()}#cycle-3">Cycle 3 of the project</a>' in chart.content.decode()
    assert 'id="cycle-3"' in log.content.decode()
    assert "On the chart of Falls checks" in text_of(log)
    assert "Secret" not in text_of(log)
    Annotation.objects.update(withdrawn_at=clock.now())
    assert "On the chart of" not in text_of(client.get(project.get_absolute_url() + "?"))


# The health of the plan ----------------------------------------------------------------------------------------------


def test_must_do_topics_come_first_and_what_a_family_lacks_is_marked():
    falls, culture = PriorityFactory(title="Falls", position=1), PriorityFactory(must_do=True, title="Culture")
    outcome = MetricFactory(priority=falls, kind="outcome")
    balancing = MetricFactory(priority=falls, kind="balancing")
    stray = MetricFactory()

    found = health.plan_health(UserFactory(staff=True))

    assert [(family.priority, family.missing) for family in found.families] == [
        (culture, ["outcome", "process", "balancing"]),
        (falls, ["process"]),
        (None, ["outcome", "balancing"]),
    ]
    assert found.families[1].outcome == [outcome]
    assert (found.unbalanced, found.incomplete) == ([stray], 2)
    assert balancing not in found.unbalanced


def test_a_dimension_without_a_metric_is_marked(client):
    MetricFactory(dimension="past_harm", name="Falls")

    text = text_of(client.get(reverse("measurement:plan_health")))

    assert "Past harm Falls" in text
    for name in ("Reliability", "Sensitivity to operations", "Anticipation and preparedness"):
        assert f"{name} No metric" in text


def test_late_series_and_metrics_without_owner_or_target_are_named():
    with clock.at(dt.datetime(2024, 6, 15, 12, tzinfo=clock.UK)):
        late, fresh = SeriesFactory(metric=MetricFactory(days_to_report=10)), SeriesFactory()
        fill(late, [(1, 2)] * 12)  # to March 2024: April was due on 10 May
        fill(fresh, [(1, 2)] * 13)
        MetricOwnerFactory(metric=late.metric, from_date=dt.date(2020, 1, 1))
        MetricTarget.objects.create(metric=late.metric, value=50)
        MetricTarget.objects.create(metric=fresh.metric, value=50)
        MetricTarget.objects.create(metric=fresh.metric, value=None, from_date=dt.date(2024, 6, 1))
        neutral = MetricFactory(direction="neutral")

        found = health.plan_health(UserFactory(staff=True))
        waiting = [(one.series, one.label, one.days_late) for one in found.late]

    assert waiting == [(late, "April 2024", 36)]
    assert found.unowned == [fresh.metric, neutral]
    assert found.untargeted == [fresh.metric]
    assert found.nowhere == [neutral]


def test_the_health_of_the_plan_does_not_tell_of_metrics_that_one_may_not_see(client):
    SeriesFactory(metric=MetricFactory(members_only=True, name="Secret"))

    assert "Secret" not in text_of(client.get(reverse("measurement:plan_health")))


@pytest.mark.parametrize("count", [1, 3])
def test_the_health_of_the_plan_runs_a_constant_number_of_queries(client, count, django_assert_num_queries):
    for _ in range(count):
        SeriesFactory(metric=MetricFactory(priority=PriorityFactory(), target=5))
        NotYetMeasured.objects.create(what="X", why="Y", plan="Z", priority=PriorityFactory())

    with django_assert_num_queries(8):
        client.get(reverse("measurement:plan_health"), {"count": count})


# Not yet measured ----------------------------------------------------------------------------------------------------


def test_a_lead_says_openly_what_is_not_yet_measured_and_closes_it_when_it_is(client, client_as):
    lead, metric = UserFactory(lead=True), MetricFactory(name="Carers’ survey")
    browser, page = client_as(lead), reverse("measurement:plan_health")
    entry = {
        "what": "Psychological harm", "why": "No tool that patients find bearable", "plan": "Try two surveys",
        "by_whom": "Patients’ panel", "since_day": "1", "since_month": "4", "since_year": "2024",
        "dimension": "past_harm",
    }  # fmt: skip

    refused = browser.post(reverse("measurement:not_yet_add"), {**entry, "plan": ""})
    browser.post(reverse("measurement:not_yet_add"), entry)
    kept = NotYetMeasured.objects.get()
    browser.post(reverse("measurement:not_yet_edit", args=[kept.pk]), {**entry, "plan": "Try three surveys"})
    public, listed = text_of(client.get(page)), text_of(client.get(reverse("measurement:metric_list")))
    nothing = browser.post(reverse("measurement:not_yet_end", args=[kept.pk]), {"reason": " "})
    browser.post(reverse("measurement:not_yet_end", args=[kept.pk]), {"metric": metric.pk})

    assert "Enter what is planned" in text_of(refused)
    for said in ("Psychological harm", "No tool that patients find bearable", "Try three surveys", "1 April 2024"):
        assert said in public
    assert "Psychological harm" in listed
    assert "Choose the metric that measures it now" in text_of(nothing)
    kept.refresh_from_db()
    assert (kept.metric, kept.ended_by) == (metric, lead)
    assert "Psychological harm" not in text_of(client.get(page + "?"))
    assert browser.get(reverse("measurement:not_yet_edit", args=[kept.pk])).status_code == 404


def test_only_those_who_manage_metrics_say_what_is_not_yet_measured(client, client_as, owner):
    entry = NotYetMeasured.objects.create(what="X", why="Y", plan="Z")

    for name, arguments in (("not_yet_add", []), ("not_yet_edit", [entry.pk]), ("not_yet_end", [entry.pk])):
        path = reverse(f"measurement:{name}", args=arguments)
        assert client.get(path).status_code == 302
        assert client_as(owner).get(path).status_code == 404
    with pytest.raises(PermissionDenied):
        actions.add_not_yet_measured(what="X", why="Y", plan="Z", by=owner)


# The list ------------------------------------------------------------------------------------------------------------


def test_the_list_sorts_by_signal_with_concern_first_and_keeps_the_filters(client):
    calm, better, worse = [50, 51, 52] * 8, [50, 51, 52] * 8 + [90], [50, 51, 52] * 8 + [10]
    for name, values in (("Calm", calm), ("Better one", better), ("Worse one", worse)):
        series = SeriesFactory(metric=MetricFactory(name=name, priority=PriorityFactory()))
        fill(series, [(value, 100) for value in values])
    page = reverse("measurement:metric_list")

    response = client.get(page, {"sort": "signal", "kind": "process"})

    ((_, rows),) = response.context["groups"]
    assert [row.metric.name for row in rows] == ["Worse one", "Better one", "Calm"]
    assert 'href="?kind=process&amp;sort=name"' in response.content.decode()
    assert "Worse: low values" in text_of(response)
    assert "March 2025" in text_of(response)
    assert client.get(page, {"sort": "nonsense"}).status_code == 200


def test_a_chart_type_must_fit_what_is_entered():
    assert set(MetricFactory().possible_charts) >= {"xmr", "run", "p", "u"}
    assert "p" not in MetricFactory(multiplier=1000).possible_charts
    assert set(ValueMetricFactory().possible_charts) == {"xmr", "run"}
    assert "t" in ValueMetricFactory(frequency=Metric.Frequency.EVENT).possible_charts
