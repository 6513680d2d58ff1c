import pytest
from django.urls import reverse

from measurement.models import (
    Annotation,
    Baseline,
    DataPoint,
    Exclusion,
    ImportBatch,
    Metric,
    MetricTarget,
    NotYetMeasured,
    Rebase,
    Trajectory,
)
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill

pytestmark = pytest.mark.django_db

ADD = {
    "code": "pu9", "name": "Ulcers", "kind": "outcome", "dimension": "past_harm", "direction": "decrease",
    "unit": "per 1,000 occupied bed days", "multiplier": "1000", "frequency": "month", "days_to_report": "30",
    "chart_type": "xmr", "operational_definition": "Every new ulcer", "numerator": "Ulcers", "denominator": "Bed days",
    "numerator_counts_people": "on",
}  # fmt: skip


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def test_staff_add_define_and_own_a_metric_through_the_admin(client_as, staff):
    browser = client_as(staff)

    added = browser.post(reverse("admin:measurement_metric_add"), ADD)
    metric = Metric.objects.get(code="PU9")
    defined = browser.post(
        reverse("admin:measurement_metric_define", args=[metric.pk]),
        {
            "operational_definition": "Every new ulcer of category 2", "numerator": "Ulcers", "denominator": "Bed days",
            "valid_from_day": "1", "valid_from_month": "4", "valid_from_year": "2025", "reason": "Clearer",
        },
    )  # fmt: skip
    owned = browser.post(reverse("admin:measurement_metric_set_owner", args=[metric.pk]), {"user": staff.pk})

    assert (added.status_code, defined.status_code, owned.status_code) == (302, 302, 302)
    assert [version.number for version in metric.versions.all()] == [1, 2]
    assert metric.owners.get().user == staff
    assert (metric.numerator_counts_people, metric.denominator_counts_people) == (True, False)


def test_a_refusal_keeps_the_form_and_says_what_to_do(client_as, staff):
    MetricFactory(code="PU9")

    response = client_as(staff).post(reverse("admin:measurement_metric_add"), ADD)

    assert response.status_code == 200
    assert "There is a metric PU9 already" in response.content.decode()
    assert 'value="Ulcers"' in response.content.decode()


def test_every_page_of_the_admin_opens_for_staff_and_is_not_there_for_reviewers(client_as, staff):
    series = SeriesFactory()
    (point,) = fill(series, [(1, 9)])
    annotation = Annotation.objects.create(metric=series.metric, date=point.period_start, kind="pdsa", text="X")
    rebase = Rebase.objects.create(series=series, from_date=point.period_start, reason="X")
    batch = ImportBatch.objects.create(
        metric=series.metric, name="a.csv", token="0b9d0a52-55c6-4a1c-9d0c-3f1a5f8d7f10", by=staff
    )
    day = {"series": series, "reason": "X"}
    decisions = [
        Exclusion.objects.create(**day, period_start=point.period_start), Baseline.objects.create(**day, points=12),
        Trajectory.objects.create(**day), MetricTarget.objects.create(metric=series.metric, value=5),
    ]  # fmt: skip
    entry = NotYetMeasured.objects.create(what="X", why="Y", plan="Z")
    verbs = [
        *((f"{row._meta.model_name}_withdraw", row) for row in decisions),
        ("metric_set_target", series.metric), ("metric_choose_chart", series.metric), ("series_exclude", series),
        ("series_set_trajectory", series), ("notyetmeasured_edit", entry), ("notyetmeasured_end", entry),
        ("metric_edit", series.metric), ("metric_define", series.metric), ("metric_set_owner", series.metric),
        ("metric_open_series", series.metric), ("metric_annotate", series.metric), ("series_rebase", series),
        ("series_set_baseline", series), ("importbatch_undo", batch), ("annotation_withdraw", annotation),
        ("rebase_withdraw", rebase),
    ]  # fmt: skip
    pages = [reverse("admin:measurement_metric_add"), reverse("admin:measurement_notyetmeasured_add")]
    for row in (series.metric, series, point, annotation, rebase, batch, *decisions, entry):
        name = f"admin:measurement_{row._meta.model_name}"
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
    pages += [reverse(f"admin:measurement_{verb}", args=[row.pk]) for verb, row in verbs]
    browser, reviewer = client_as(staff), client_as(UserFactory(reviewer=True))

    assert {page: browser.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
    assert {page: reviewer.get(page).status_code for page in pages} == dict.fromkeys(pages, 404)


def test_data_points_are_read_only_in_the_admin(client_as, staff):
    (point,) = fill(SeriesFactory(), [(1, 9)])
    change = reverse("admin:measurement_datapoint_change", args=[point.pk])

    response = client_as(staff).post(change, {"numerator": "5"})

    assert response.status_code in {403, 404, 405}
    assert DataPoint.objects.get().numerator == 1
    assert client_as(staff).get("/admin/measurement/datapoint/add/").status_code in {403, 404}


def test_rebasing_in_the_admin_needs_a_reason(client_as, staff):
    series = SeriesFactory()
    fill(series, [(1, 9)] * 3)
    path = reverse("admin:measurement_series_rebase", args=[series.pk])
    since = {"from_date_day": "1", "from_date_month": "4", "from_date_year": "2023"}

    refused = client_as(staff).post(path, {**since, "reason": ""})
    done = client_as(staff).post(path, {**since, "reason": "New pathway"})

    assert "Enter reason" in refused.content.decode()
    assert done.status_code == 302
    assert Rebase.objects.get().reason == "New pathway"
