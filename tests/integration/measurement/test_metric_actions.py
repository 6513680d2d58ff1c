import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from measurement import actions
from measurement.actions import NewPoint, Values
from measurement.models import Annotation, Correction, DataPoint, ImportBatch, Metric, MetricOwner, MetricVersion
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, MetricOwnerFactory, SeriesFactory, ValueMetricFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory, PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db

APRIL = dt.date(2023, 4, 1)
NHS_NUMBER = "943 476 5919"


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def new_metric(**changes):
    given = {
        "name": "Falls",
        "kind": "outcome",
        "dimension": "past_harm",
        "direction": "decrease",
        "unit": "per 1,000 occupied bed days",
        "multiplier": 1000,
        "definition": {"operational_definition": "Every fall", "numerator": "Falls", "denominator": "Bed days"},
    }
    return {**given, **changes}


def decimals(numerator, denominator):
    return {"numerator": Decimal(numerator), "denominator": Decimal(denominator)}


# Metrics -------------------------------------------------------------------------------------------------------------


def test_create_metric_gives_the_next_free_code_a_first_definition_and_the_regions_series(staff):
    first = actions.create_metric(**new_metric(), by=staff)
    second = actions.create_metric(**new_metric(), by=staff)

    assert (first.code, second.code) == ("M1", "M2")
    assert [(v.number, v.numerator, v.created_by) for v in first.versions.all()] == [(1, "Falls", staff)]
    assert [series.organisation for series in first.series.all()] == [None]
    assert not first.is_public
    assert AuditEvent.objects.filter(verb="create", subject_type="measurement.metric").count() == 2


def test_a_metric_of_a_project_has_the_series_of_its_lead_organisation(staff):
    project = ProjectFactory()

    metric = actions.create_metric(**new_metric(project=project, priority=PriorityFactory()), by=staff)

    assert [series.organisation for series in metric.series.all()] == [project.lead_organisation]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"code": "PU 1"}, "capital letters"),
        ({"name": " "}, "Name"),
        ({"unit": ""}, "Unit"),
        ({"kind": "nonsense"}, "Kind"),
        ({"definition": {"operational_definition": " "}}, "operational definition"),
        ({"definition": {"operational_definition": "X", "denominator": "Beds"}}, "needs a numerator"),
        ({"target_from": APRIL}, "no target"),
        ({"target": 120, "unit": "%", "multiplier": 100}, "between 0 and 100"),
        ({"why_it_matters": f"Ask {NHS_NUMBER}"}, "NHS number"),
    ],
)
def test_create_metric_refuses_what_does_not_fit(changes, sentence, staff):
    with pytest.raises(ActionRefused, match=sentence):
        actions.create_metric(**new_metric(**changes), by=staff)

    assert not Metric.objects.exists()


def test_a_code_is_given_once(staff):
    actions.create_metric(**new_metric(code="pu1"), by=staff)

    with pytest.raises(ActionRefused, match="metric PU1 already"):
        actions.create_metric(**new_metric(code="PU1"), by=staff)


def test_only_staff_and_leads_manage_metrics():
    for person in (UserFactory(), UserFactory(reviewer=True)):
        with pytest.raises(PermissionDenied):
            actions.create_metric(**new_metric(), by=person)

    actions.create_metric(**new_metric(), by=UserFactory(lead=True))


def test_a_new_definition_is_a_new_version_and_the_old_one_cannot_be_changed(staff):
    metric = actions.create_metric(**new_metric(), by=staff)
    text = {"operational_definition": "Every fall with harm", "numerator": "Falls", "denominator": "Bed days"}

    actions.define_metric(metric=metric, valid_from=dt.date(2025, 4, 1), reason="Clearer", by=staff, **text)

    metric.refresh_from_db()
    assert [(v.number, v.operational_definition) for v in metric.versions.all()] == [
        (1, "Every fall"),
        (2, "Every fall with harm"),
    ]
    with pytest.raises(ActionRefused, match="definition in force"):
        actions.define_metric(metric=metric, valid_from=dt.date(2025, 5, 1), reason="Again", by=staff, **text)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        MetricVersion.objects.filter(number=1).update(numerator="Other")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": " "}, "why"),
        ({"valid_from": dt.date(2024, 1, 1)}, "later date"),
        ({"denominator": ""}, "entered like the old one"),
    ],
)
def test_a_new_definition_is_refused_when_it_does_not_follow_the_old_one(changes, sentence, staff):
    metric = actions.create_metric(**new_metric(), by=staff)
    fill(metric.series.get(), [(1, 100)])
    text = {"numerator": "Falls", "denominator": "Bed days", "reason": "Clearer", "by": staff}
    actions.define_metric(metric=metric, valid_from=dt.date(2024, 1, 1), operational_definition="B", **text)

    with pytest.raises(ActionRefused, match=sentence):
        actions.define_metric(
            metric=metric, **{"valid_from": dt.date(2025, 1, 1), "operational_definition": "C", **text, **changes}
        )


def test_edit_metric_audits_what_changed_and_keeps_the_frequency_once_there_is_data(staff):
    metric = actions.create_metric(**new_metric(), by=staff)
    fill(metric.series.get(), [(1, 100)])

    actions.edit_metric(metric=metric, days_to_report=10, is_public=True, by=staff)

    event = AuditEvent.objects.get(verb="edit")
    assert event.before == {"days_to_report": 30, "is_public": False}
    assert event.after["is_public"] is True
    with pytest.raises(ActionRefused, match="frequency"):
        actions.edit_metric(metric=metric, frequency="week", by=staff)


def test_the_owner_before_steps_back(staff):
    metric, first, second = MetricFactory(), UserFactory(), UserFactory()

    actions.set_owner(metric=metric, user=first, by=staff)
    actions.set_owner(metric=metric, user=second, deputy=first, by=staff)

    assert [(held.user, held.is_current) for held in metric.owners.order_by("pk")] == [(first, False), (second, True)]
    assert MetricOwner.objects.held_by(first).get().user == second
    with pytest.raises(ActionRefused, match="two people"):
        actions.set_owner(metric=metric, user=first, deputy=first, by=staff)


# Data points ---------------------------------------------------------------------------------------------------------


def test_who_may_enter_data():
    series = SeriesFactory(organisation=OrganisationFactory())
    member = AffiliationFactory(organisation=series.organisation).user
    owner = MetricOwnerFactory(metric=series.metric).user
    claimed = AffiliationFactory(organisation=series.organisation, status="claimed").user
    elsewhere = AffiliationFactory().user

    for month, person in enumerate((member, owner, UserFactory(staff=True)), start=4):
        actions.enter_point(series=series, period_start=dt.date(2023, month, 1), by=person, **decimals(1, 2))
    for person in (claimed, elsewhere, UserFactory(reviewer=True)):
        with pytest.raises(PermissionDenied):
            actions.enter_point(series=series, period_start=dt.date(2023, 8, 1), by=person, **decimals(1, 2))

    assert series.points.count() == 3


@pytest.mark.parametrize(
    ("start", "numbers", "sentence"),
    [
        (dt.date(2023, 4, 2), decimals(1, 2), "1 April 2023"),
        (dt.date(1023, 4, 1), decimals(1, 2), "year 1023"),
        (dt.date(2024, 6, 1), decimals(1, 2), "June 2024 is not over yet"),
        (dt.date(2031, 6, 1), decimals(1, 2), "not over yet"),
        (APRIL, decimals(3, 2), "larger than the denominator"),
        (APRIL, decimals(-1, 2), "numerator must be 0 or more"),
        (APRIL, decimals(1, 0), "denominator is 0"),
        (APRIL, {"numerator": None, "denominator": Decimal(2)}, "Enter the numerator"),
        (APRIL, {"numerator": Decimal(2)}, "Enter the denominator"),
        (APRIL, decimals("1e15", "1e16"), "too large"),
        (APRIL, decimals("NaN", 2), "0 or more"),
        (APRIL, {**decimals(1, 2), "note": f"Mrs X {NHS_NUMBER}"}, "NHS number in: Note"),
        (APRIL, {**decimals(1, 2), "note": "x" * 301}, "note is too long"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused_with_a_sentence(start, numbers, sentence, staff):
    series = SeriesFactory()

    with clock.at(dt.datetime(2024, 6, 30, 12, tzinfo=clock.UK)), pytest.raises(ActionRefused, match=sentence):
        actions.enter_point(series=series, period_start=start, by=staff, **numbers)

    assert not DataPoint.objects.exists()


def test_a_count_of_people_is_whole(staff):
    series = SeriesFactory(metric=MetricFactory(of_people=True))

    with pytest.raises(ActionRefused, match="whole number"):
        actions.enter_point(series=series, period_start=APRIL, by=staff, **decimals("1.5", 20))


def test_a_correction_needs_a_reason_and_keeps_the_old_value(staff):
    series = SeriesFactory()
    point = actions.enter_point(series=series, period_start=APRIL, by=staff, **decimals(10, 20))

    with pytest.raises(ActionRefused, match="value for April 2023 already: say why"):
        actions.enter_point(series=series, period_start=APRIL, by=staff, **decimals(12, 20))
    actions.enter_point(series=series, period_start=APRIL, by=staff, reason="Counted twice", **decimals(12, 20))

    point.refresh_from_db()
    kept = Correction.objects.get()
    assert point.numerator == 12
    assert (kept.numerator_before, kept.numerator_after, kept.reason, kept.by) == (10, 12, "Counted twice", staff)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Correction.objects.update(reason="Never mind")


def test_the_same_value_sent_twice_is_stored_once(staff):
    series = SeriesFactory()

    for _ in range(2):
        actions.enter_point(series=series, period_start=APRIL, by=staff, **decimals(10, 20))

    assert (series.points.count(), Correction.objects.count()) == (1, 0)


def test_a_metric_of_plain_values_takes_a_value(staff):
    series = SeriesFactory(metric=ValueMetricFactory())

    point = actions.enter_point(series=series, period_start=APRIL, by=staff, value=Decimal("-2.5"))

    assert (point.value, point.numerator) == (Decimal("-2.5"), None)


# Imports -------------------------------------------------------------------------------------------------------------


def rows_for(series, *numbers):
    months = [dt.date(2023, 4 + i, 1) for i in range(len(numbers))]
    return [NewPoint(series, month, Values(Decimal(n), Decimal(100))) for month, n in zip(months, numbers, strict=True)]


def test_an_import_is_stored_once_whatever_is_sent_twice(staff):
    series, token = SeriesFactory(), uuid4()

    batches = [
        actions.store_points(metric=series.metric, rows=rows_for(series, 1, 2), name="a.csv", by=staff, token=token)
        for _ in range(2)
    ]

    assert batches[0] == batches[1]
    assert series.points.count() == 2


def test_an_import_with_one_bad_row_stores_nothing(staff):
    series = SeriesFactory()

    with pytest.raises(ActionRefused, match="larger than the denominator"):
        actions.store_points(metric=series.metric, rows=rows_for(series, 1, 101), name="a.csv", by=staff)

    assert not DataPoint.objects.exists()
    assert not ImportBatch.objects.exists()


def test_rows_for_somebody_elses_series_are_not_stored():
    metric = MetricFactory()
    mine = SeriesFactory(metric=metric, organisation=OrganisationFactory())
    theirs = SeriesFactory(metric=metric, organisation=OrganisationFactory())
    of_another_metric = SeriesFactory(organisation=mine.organisation)
    member = AffiliationFactory(organisation=mine.organisation).user

    for series in (theirs, of_another_metric):
        with pytest.raises(PermissionDenied):
            actions.store_points(metric=metric, rows=rows_for(series, 1), name="a.csv", by=member)

    assert not DataPoint.objects.exists()


def test_an_import_is_undone_as_one_with_its_corrections_and_all_stays_in_the_history(staff):
    series = SeriesFactory()
    actions.enter_point(series=series, period_start=APRIL, by=staff, **decimals(50, 100))
    batch = actions.store_points(
        metric=series.metric, rows=rows_for(series, 1, 2, 3), name="a.csv", by=staff, reason="New count"
    )

    actions.undo_import(import_batch=batch, by=staff)

    assert [(p.period_start, p.numerator) for p in series.points.current()] == [(APRIL, 50)]
    assert series.points.filter(withdrawn_by=staff).count() == 2
    assert [c.reason for c in Correction.objects.order_by("pk")] == ["New count", "Import “a.csv” undone"]
    assert [change.to_status for change in batch.status_changes.all()] == ["undone"]
    with pytest.raises(ActionRefused):
        actions.undo_import(import_batch=batch, by=staff)


def test_an_import_whose_values_were_corrected_since_is_not_undone(staff):
    series = SeriesFactory()
    batch = actions.store_points(metric=series.metric, rows=rows_for(series, 1, 2), name="a.csv", by=staff)
    actions.enter_point(series=series, period_start=APRIL, by=staff, reason="Wrong", **decimals(9, 100))

    with pytest.raises(ActionRefused, match="April 2023 was corrected after this import"):
        actions.undo_import(import_batch=batch, by=staff)

    assert series.points.current().count() == 2


def test_only_who_made_the_import_or_answers_for_the_metric_undoes_it(staff):
    series = SeriesFactory(organisation=OrganisationFactory())
    maker = AffiliationFactory(organisation=series.organisation).user
    colleague = AffiliationFactory(organisation=series.organisation).user
    batch = actions.store_points(metric=series.metric, rows=rows_for(series, 1), name="a.csv", by=maker)

    with pytest.raises(PermissionDenied):
        actions.undo_import(import_batch=batch, by=colleague)

    assert actions.undo_import(import_batch=batch, by=maker).status == "undone"


def test_a_withdrawn_period_can_be_entered_again(staff):
    series = SeriesFactory()
    batch = actions.store_points(metric=series.metric, rows=rows_for(series, 1), name="a.csv", by=staff)
    actions.undo_import(import_batch=batch, by=staff)

    actions.enter_point(series=series, period_start=APRIL, by=staff, **decimals(9, 100))

    assert [point.numerator for point in series.points.current()] == [9]


# Annotations and rebases ---------------------------------------------------------------------------------------------


def test_annotate_and_withdraw(staff):
    metric = MetricFactory()
    made = actions.annotate(metric=metric, date=APRIL, kind="pdsa", text="Tried it", by=staff)

    actions.withdraw_annotation(annotation=made, by=staff)

    made.refresh_from_db()
    assert made.withdrawn_by == staff
    with pytest.raises(ActionRefused, match="withdrawn already"):
        actions.withdraw_annotation(annotation=made, by=staff)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"text": " "}, "what happened"),
        ({"date": dt.date(2999, 1, 1)}, "future"),
        ({"text": f"Call {NHS_NUMBER}"}, "NHS number"),
        ({"kind": "party"}, "Kind"),
        ({"text": "x" * 201}, "Text"),
    ],
)
def test_an_annotation_that_does_not_fit_is_refused(changes, sentence, staff):
    with pytest.raises(ActionRefused, match=sentence):
        actions.annotate(**{"metric": MetricFactory(), "date": APRIL, "kind": "pdsa", "text": "X", **changes}, by=staff)

    assert not Annotation.objects.exists()


def test_an_annotation_of_another_metrics_series_is_refused(staff):
    with pytest.raises(ActionRefused, match="another metric"):
        actions.annotate(metric=MetricFactory(), series=SeriesFactory(), date=APRIL, kind="pdsa", text="X", by=staff)


def test_rebase_needs_a_reason_and_data_and_is_made_once_on_a_date(staff):
    series = SeriesFactory()
    fill(series, [(1, 2)] * 5)

    for changes, sentence in (
        ({"reason": ""}, "Say why"),
        ({"from_date": dt.date(2024, 1, 1)}, "no data from this date"),
    ):
        with pytest.raises(ActionRefused, match=sentence):
            actions.rebase(**{"series": series, "from_date": APRIL, "reason": "New way", **changes}, by=staff)
    made = actions.rebase(series=series, from_date=APRIL, reason="New way", by=staff)
    with pytest.raises(ActionRefused, match="already"):
        actions.rebase(series=series, from_date=APRIL, reason="New way", by=staff)
    actions.withdraw_rebase(rebase=made, by=staff)

    assert not series.rebases.filter(withdrawn_at__isnull=True).exists()


def test_members_do_not_rebase_but_owners_do():
    series = SeriesFactory(organisation=OrganisationFactory())
    fill(series, [(1, 2)] * 5)
    member = AffiliationFactory(organisation=series.organisation).user
    owner = MetricOwnerFactory(metric=series.metric).user

    with pytest.raises(PermissionDenied):
        actions.rebase(series=series, from_date=APRIL, reason="New way", by=member)

    actions.rebase(series=series, from_date=APRIL, reason="New way", by=owner)
