"""What people do with metrics and their data. Every change of this app goes through here."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError, connection, transaction
from django.db.models import Min, Q

from measurement import due, emails, periods, permissions
from measurement.models import (
    Annotation,
    Baseline,
    ChartChoice,
    Correction,
    DataPoint,
    DataReminder,
    Exclusion,
    ImportBatch,
    Metric,
    MetricOwner,
    MetricTarget,
    MetricVersion,
    NotYetMeasured,
    PlannedValue,
    Rebase,
    Series,
    Trajectory,
)
from projects.models import Affiliation
from psc_portal.accounts.models import User
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import find_nhs_numbers, refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

DEFINITION_FIELDS = ["operational_definition", "numerator", "denominator", "exclusions", "source", "sampling"]
DESCRIPTION_FIELDS = [  # what the metric's owner may change too: nothing here changes a number or who sees it
    "why_it_matters", "known_limits", "collector", "stratified_by", "baseline_from", "baseline_to", "days_to_report",
    "days_until_final",
]  # fmt: skip
METRIC_FIELDS = [
    "code", "name", "kind", "dimension", "priority", "project", "direction", "unit", "multiplier", "frequency",
    "chart_type", "is_public", "numerator_counts_people", "denominator_counts_people", *DESCRIPTION_FIELDS,
    "is_illustrative",
]  # fmt: skip
NOT_YET_FIELDS = ["what", "why", "plan", "by_whom", "since", "priority", "dimension"]
POINT_FIELDS = ["numerator", "denominator", "value", "finality", "note"]
LONGEST_WAIT = "5s"  # for another writer, while a person waits
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's error code
ROWS_AT_ONCE = 2_000  # of an import, in memory together
EARLIEST = dt.date(1990, 1, 1)  # older than any series the collaborative could hold: a mistyped year


def _require(may, by, *subject) -> None:
    """`by` None is the portal itself: seeding, and other actions that have checked already."""
    if by is not None and not may(by, *subject):
        raise PermissionDenied


def _check(row) -> None:
    """Run the model's own checks and say the first that fails as a sentence.

    Raises:
        ActionRefused: names the field and what is wrong with it.
    """
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        name, problems = next(iter(error.message_dict.items()))
        place = row._meta.get_field(name).verbose_name if name in {f.name for f in row._meta.fields} else "this"
        raise ActionRefused(f"{str(place).capitalize()}: {problems[0]}")


# Metrics and their definitions ---------------------------------------------------------------------------------------


def _next_code() -> str:
    taken = Metric.objects.filter(code__regex=r"^M[0-9]+$").values_list("code", flat=True)
    return f"M{max((int(code[1:]) for code in taken), default=0) + 1}"


@transaction.atomic
def create_metric(
    *, name, kind, dimension, direction, unit, definition, by, code=None, multiplier=1, frequency="month",
    chart_type="xmr", priority=None, project=None, target=None, target_from=None, target_set_by="", series_of=None,
    **details,
):  # fmt: skip
    """Add a metric with its first definition and its first series.

    Args:
        code: like PU1; the next free M1, M2 … if left out.
        definition: operational_definition, and where they apply numerator, denominator, exclusions, source and
            sampling. What it names decides how a period is entered: numerator and denominator, one count, or one value.
        series_of: organisations to open a series for, None standing for the region; if left out, the project's lead
            organisation, or the region where there is no project.
        details: any other field of Metric, for example is_public (members only if left out).

    Raises:
        PermissionDenied: `by` may not manage metrics.
        ActionRefused: a field is missing or does not fit the others.
    """
    _require(permissions.can_manage, by)
    metric = Metric(
        code=(code or _next_code()).strip().upper(), name=name, kind=kind, dimension=dimension, direction=direction,
        unit=unit, multiplier=multiplier, frequency=frequency, chart_type=chart_type, priority=priority,
        project=project, **details,
    )  # fmt: skip
    _check_metric(metric, definition)
    if target is None and target_from is not None:
        raise ActionRefused("There is a date for the target but no target: give the target too.")
    if Metric.objects.filter(code=metric.code).exists():
        raise ActionRefused(f"There is a metric {metric.code} already: give this one another code.")
    metric.save()
    metric.versions.create(number=1, created_by=by, **_definition(definition))
    if target is not None:
        _new_target(metric, decimal(target), from_date=target_from, set_by=target_set_by, reason="", by=by)
    if series_of is None:
        series_of = [project.lead_organisation if project else None]
    Series.objects.bulk_create(Series(metric=metric, organisation=organisation) for organisation in series_of)
    audit.record("create", metric, by=by, after=audit.snapshot(metric, METRIC_FIELDS))
    return metric


@transaction.atomic
def edit_metric(*, metric, by, **changes):
    """Change what is not part of the definition: name, priority, who may see it.

    Raises:
        PermissionDenied: `by` may not manage metrics.
        ActionRefused: a value does not fit.
    """
    _require(permissions.can_manage, by, metric)
    return _edit(metric, changes, by)


@transaction.atomic
def describe_metric(*, metric, by, **changes):
    """Change what explains a metric: why it matters, its known limits, who collects it, when values come.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: a value does not fit.
    """
    _require(permissions.can_explain, by, metric)
    if unknown := set(changes) - set(DESCRIPTION_FIELDS):
        raise TypeError(f"{', '.join(sorted(unknown))} cannot be changed here")
    return _edit(metric, changes, by)


def _edit(metric, changes, by):
    metric = Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    before = audit.snapshot(metric, METRIC_FIELDS)
    if changes.get("frequency", metric.frequency) != metric.frequency and _has_points(metric):
        raise ActionRefused("The frequency cannot change once there are data points: add a new metric instead.")
    for field, value in changes.items():
        setattr(metric, field, value)
    newest = metric.version
    _check_metric(metric, {field: getattr(newest, field) for field in DEFINITION_FIELDS})
    metric.save()
    after = audit.snapshot(metric, METRIC_FIELDS)
    changed = [field for field in METRIC_FIELDS if before[field] != after[field]]
    audit.record("edit", metric, by=by, before={f: before[f] for f in changed}, after={f: after[f] for f in changed})
    return metric


@transaction.atomic
def define_metric(*, metric, valid_from, reason, by, **definition):
    """Give a metric a new definition from a date on. The line on its charts breaks there.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: nothing changed, no reason, or the date does not come after the definition before.
    """
    _require(permissions.can_explain, by, metric)
    metric = Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    newest = metric.version
    definition = _definition(definition)
    _check_metric(metric, definition)
    if definition == {field: getattr(newest, field) for field in DEFINITION_FIELDS}:
        raise ActionRefused("This is the definition in force: change something, or go back.")
    if not (reason or "").strip():
        raise ActionRefused("Say why the definition changes.")
    refuse_nhs_numbers({"Reason": reason})
    if newest.valid_from and valid_from <= newest.valid_from:
        raise ActionRefused(f"The definition before applies from {newest.valid_from:%d/%m/%Y}: give a later date.")
    if _entry_of(definition) != newest.entry and _has_points(metric):
        raise ActionRefused("A new definition must be entered like the old one: add a new metric instead.")
    version = metric.versions.create(
        number=newest.number + 1, valid_from=valid_from, reason=reason, created_by=by, **definition
    )
    audit.record("define", metric, by=by, before={"version": newest.number}, after={"version": version.number})
    return version


def _definition(given) -> dict[str, str]:
    unknown = set(given) - set(DEFINITION_FIELDS)
    if unknown:
        raise TypeError(f"A definition has no {', '.join(sorted(unknown))}")
    return {field: (given.get(field) or "").strip() for field in DEFINITION_FIELDS}


def _entry_of(definition):
    return MetricVersion(**definition).entry


def _has_points(metric) -> bool:
    return DataPoint.objects.current().filter(series__metric=metric).exists()


def _check_metric(metric, definition) -> None:
    definition = _definition(definition)
    metric.name, metric.unit = (metric.name or "").strip(), (metric.unit or "").strip()
    _check(metric)
    if not definition["operational_definition"]:
        raise ActionRefused("Say in the operational definition exactly what is counted and how.")
    if definition["denominator"] and not definition["numerator"]:
        raise ActionRefused("A denominator needs a numerator.")
    if (metric.baseline_from is None) != (metric.baseline_to is None):
        raise ActionRefused("A baseline period needs its first and its last day: give both, or neither.")
    if metric.baseline_from and metric.baseline_from > metric.baseline_to:
        raise ActionRefused("The baseline period must start before it ends.")
    refuse_nhs_numbers(
        {"Why it matters": metric.why_it_matters, "Known limits": metric.known_limits, "Name": metric.name}
        | {"Collector": metric.collector, "Stratified by": metric.stratified_by}
        | {MetricVersion._meta.get_field(field).verbose_name: text for field, text in definition.items()}
    )


@transaction.atomic
def set_owner(*, metric, user, by, deputy=None):
    """Make `user` the metric's owner from today on, with an optional deputy; the owner before steps back.

    Raises:
        PermissionDenied: `by` may not manage metrics.
        ActionRefused: owner and deputy are the same, or an account is closed.
    """
    _require(permissions.can_manage, by, metric)
    Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    if deputy is not None and deputy == user:
        raise ActionRefused("Owner and deputy must be two people.")
    if not all(person.is_active for person in (user, deputy) if person is not None):
        raise ActionRefused("This account is closed: choose somebody else.")
    today = clock.today()
    before = metric.owners.filter(to_date__isnull=True).first()
    if before is not None:
        before.to_date = today
        before.save(update_fields=["to_date"])
    held = MetricOwner.objects.create(metric=metric, user=user, deputy=deputy, from_date=today)
    audit.record(
        "set_owner",
        metric,
        by=by,
        before={"user": before and before.user_id, "deputy": before and before.deputy_id},
        after={"user": user.pk, "deputy": deputy and deputy.pk},
    )
    return held


@transaction.atomic
def open_series(*, metric, by, organisation=None):
    """The series of one organisation (None: the region), opened if there is none yet.

    Raises:
        PermissionDenied: `by` may not manage metrics.
    """
    _require(permissions.can_manage, by, metric)
    series, is_new = Series.objects.get_or_create(metric=metric, organisation=organisation)
    if is_new:
        audit.record("open", series, by=by, after=audit.snapshot(series, ["metric", "organisation"]))
    return series


# Data points ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Values:
    """What one period says. Which of the three numbers are there is decided by the metric's definition."""

    numerator: Decimal | None = None
    denominator: Decimal | None = None
    value: Decimal | None = None
    is_provisional: bool = False
    note: str = ""

    @property
    def as_fields(self) -> dict:
        finality = DataPoint.Finality.PROVISIONAL if self.is_provisional else DataPoint.Finality.FINAL
        return {
            "numerator": self.numerator,
            "denominator": self.denominator,
            "value": self.value,
            "finality": finality,
            "note": self.note,
        }


def decimal(number) -> Decimal | None:
    """What a form, a file or a test gives as a number, exactly."""
    return None if number is None or number == "" else Decimal(str(number))


def check_values(metric, period_start, values: Values, *, version=None, today=None) -> None:
    """What must hold for every period of a metric, whichever way it comes in.

    Raises:
        ActionRefused: one sentence about the first thing that is wrong.
    """
    check_period(metric, period_start, today=today)
    check_numbers(metric, version or metric.version, values)
    check_note(values.note)


def check_period(metric, period_start, *, today=None) -> None:
    """
    Raises:
        ActionRefused: no period of this metric starts then, or it is not over yet.
    """
    today = today or clock.today()
    frequency = metric.frequency
    if not EARLIEST <= period_start <= dt.date(9000, 1, 1):
        raise ActionRefused(f"The year {period_start.year} cannot be right: check the period.")
    if periods.start_of(period_start, frequency) != period_start:
        expected = periods.start_of(period_start, frequency)
        raise ActionRefused(
            f"The period must start on the first day of a {periods.word(frequency)}: for this date that is "
            f"{expected.day} {expected:%B %Y}."
        )
    end = periods.end_of(period_start, frequency)
    if end > today or (end == today and frequency != metric.Frequency.EVENT):
        label = periods.label(period_start, frequency)
        raise ActionRefused(f"{label[0].upper()}{label[1:]} is not over yet: enter it when it has ended.")


def check_note(note: str) -> None:
    if len(note) > 300:
        raise ActionRefused("The note is too long: use at most 300 characters.")
    if note:
        refuse_nhs_numbers({"Note": note})


def check_numbers(metric, version, values: Values) -> None:
    """
    Raises:
        ActionRefused: a number is missing, is none, or does not fit the others.
    """
    entry, wanted = version.entry, MetricVersion.Entry
    for name in ("numerator", "denominator", "value"):
        number = getattr(values, name)
        if number is None:
            continue
        if name != "value" and not (number.is_finite() and number >= 0):
            raise ActionRefused(f"The {name} must be 0 or more.")
        if not number.is_finite() or abs(number) >= 10**11:
            raise ActionRefused("This number is too large: check it.")
    if entry == wanted.VALUE:
        if values.value is None:
            raise ActionRefused("Enter the value.")
        return
    if values.numerator is None:
        raise ActionRefused("Enter the numerator: 0 if there was none.")
    if metric.numerator_counts_people and values.numerator != values.numerator.to_integral_value():
        raise ActionRefused("The numerator counts people: enter a whole number.")
    if entry == wanted.COUNT:
        return
    if values.denominator is None:
        raise ActionRefused("Enter the denominator.")
    if values.denominator == 0 and values.numerator > 0:
        raise ActionRefused("The denominator is 0 but the numerator is not: check both.")
    if metric.multiplier == 100 and values.numerator > values.denominator:
        raise ActionRefused(
            f"The numerator ({values.numerator.normalize():f}) is larger than the denominator "
            f"({values.denominator.normalize():f}): a percentage cannot be above 100. Check both."
        )


NOTHING_STORED = "none"  # the stamp of a period without a value


class PointChanged(ActionRefused):
    """Somebody stored another value after this form was made; `stored` is the point now, None if it was taken back."""

    def __init__(self, label: str, stored: DataPoint | None):
        if stored is None:
            said = f"The value for {label} was taken back while you had this page open. Save again to store yours."
        else:
            who = last_writer(stored)
            said = (
                f"{who.display_name if who else 'The portal'} stored another value for {label} while you had this page "
                "open. Choose which one is right."
            )
        super().__init__(said)
        self.stored = stored
        self.stamp = stored.stamp if stored else NOTHING_STORED


def last_writer(point):
    """Who said what the point says now; None for the portal itself."""
    newest = point.corrections.select_related("by").last()
    return newest.by if newest else point.entered_by


@transaction.atomic
def enter_point(*, series, period_start, by, reason="", seen=None, **numbers):
    """Store one period. Where it has a value already this is a correction, which needs a reason and keeps the old one.

    Args:
        seen: the stamp of what the person saw stored for the period (NOTHING_STORED: no value); None asks nothing.

    Raises:
        PermissionDenied: `by` may not enter data for this series.
        ActionRefused: the numbers do not fit (see `check_values`), or a correction has no reason.
        PointChanged: another value is stored than the person saw.
    """
    _require(permissions.can_enter, by, series)
    values = _values(numbers)
    metric = series.metric
    check_values(metric, period_start, values)
    _lock_while_somebody_waits(metric)
    point = series.points.current().filter(period_start=period_start).first()
    is_as_seen = seen is None or seen == (point.stamp if point else NOTHING_STORED)
    if not is_as_seen and not (point and is_same(point, values)):
        raise PointChanged(periods.label(period_start, metric.frequency), point)
    if point is not None:
        return _correct(point, values, reason=reason, by=by)
    point = DataPoint.objects.create(
        series=series,
        period_start=period_start,
        period_end=periods.end_of(period_start, metric.frequency),
        entered_by=by,
        **values.as_fields,
    )
    audit.record("enter", point, by=by, after={"series": series.pk, "period_start": str(period_start)})
    return point


def _lock_while_somebody_waits(metric) -> None:
    """One writer of a metric's data at a time; an import of 100,000 rows takes longer than a person waits.

    Raises:
        ActionRefused: another writer is at it, and does not come to an end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LONGEST_WAIT])
    try:
        Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE:
            raise
        raise ActionRefused("A large import of this metric is being stored. Wait a minute, then save again.")


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of one row of the page with all that is due."""

    point: DataPoint | None = None
    refusal: ActionRefused | None = None


@transaction.atomic
def enter_points(*, rows: Iterable[dict], by) -> list[Entered]:
    """Store many periods, each of them or not: a row that is refused keeps no other from being stored.

    Args:
        rows: what `enter_point` takes for each, but for `by`.

    Raises:
        PermissionDenied: `by` may not enter data for one of the series; nothing is stored then.
    """
    rows = list(rows)
    outcomes: list[Entered] = [Entered()] * len(rows)
    # metrics are locked in one order, so that two people who store the same page wait for each other, and no more
    for number in sorted(range(len(rows)), key=lambda number: (rows[number]["series"].metric_id, number)):
        try:
            outcomes[number] = Entered(point=enter_point(by=by, **rows[number]))
        except ActionRefused as refusal:
            outcomes[number] = Entered(refusal=refusal)
    return outcomes


def _values(numbers) -> Values:
    numbers = dict(numbers)
    for field in ("numerator", "denominator", "value"):
        numbers[field] = decimal(numbers.get(field))
    numbers["note"] = (numbers.get("note") or "").strip()
    return Values(**numbers)


def is_same(point, values: Values) -> bool:
    """Whether a stored point says just this already."""
    return all(getattr(point, field) == value for field, value in values.as_fields.items())


def _correct(point, values: Values, *, reason, by):
    """Change a point that the caller has locked by its series; what it said before goes to its history."""
    if is_same(point, values):
        return point  # sent twice, or nothing changed
    label = periods.label(point.period_start, point.series.metric.frequency)
    reason = _reason(reason, f"There is a value for {label} already: say why you correct it.")
    _correct_many([(point, values)], reason=reason, by=by)
    return point


def _reason(reason, wanted: str) -> str:
    reason = (reason or "").strip()
    if not reason:
        raise ActionRefused(wanted)
    refuse_nhs_numbers({"Reason": reason})
    return reason[:300]


def _correct_many(changes: list[tuple[DataPoint, Values]], *, reason: str, by, batch=None) -> None:
    """Change points that the caller has locked by their series; what they said before goes to their history."""
    now, corrections = clock.now(), []
    for point, values in changes:
        before = {f"{field}_before": getattr(point, field) for field in POINT_FIELDS}
        after = {f"{field}_after": value for field, value in values.as_fields.items()}
        corrections.append(Correction(point=point, reason=reason, by=by, batch=batch, **before, **after))
        for field, value in values.as_fields.items():
            setattr(point, field, value)
        point.updated_at = now
    points = [point for point, _ in changes]
    Correction.objects.bulk_create(corrections)
    DataPoint.objects.bulk_update(points, [*POINT_FIELDS, "updated_at"], batch_size=500)
    kept = [{"series": point.series_id, "period_start": str(point.period_start)} for point in points]
    audit.record_many("correct", points, by=by, after=kept)


@dataclass(frozen=True, slots=True)
class NewPoint:
    """One checked row of an import."""

    series: Series
    period_start: dt.date
    values: Values


@transaction.atomic
def store_points(
    *,
    metric,
    rows: Iterable[NewPoint],
    name,
    by,
    token: UUID | None = None,
    refused=0,
    reason="",
    source="",
    licence="",
):
    """Store many checked periods at once as an import that can be undone as one. The same token again: no second time.

    Rows for periods that have another value already are corrections, with `reason`. Rows are taken and written a few
    thousand at a time, so there may be any number of them.

    Args:
        source, licence: where published figures come from and what they may be used for; shown with the metric.

    Raises:
        PermissionDenied: `by` may not enter data for one of the series.
        ActionRefused: a row does not fit; nothing is stored then.
    """
    metric = Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    token = token or uuid4()
    if (done := ImportBatch.objects.filter(token=token).first()) is not None:
        if done.metric_id != metric.pk or done.by_id != (by and by.pk):
            raise PermissionDenied
        return done
    if find_nhs_numbers(name):
        raise ActionRefused("The name of the import holds what looks like an NHS number: give it another name.")
    batch = ImportBatch.objects.create(
        metric=metric, name=name.strip()[:120] or "Pasted rows", token=token, by=by, rows_refused=refused,
        source=source[:200], licence=licence[:300],
    )  # fmt: skip
    storing = _Storing(metric, batch, by=by, reason=reason)
    rows = iter(rows)
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        storing.store(chunk)
    if not storing.count:
        raise ActionRefused("There is no row to store.")
    batch.rows_stored = storing.count
    batch.save(update_fields=["rows_stored"])
    audit.record("import", batch, by=by, after={"metric": metric.code, "rows": storing.count, "new": storing.new})
    return batch


class _Storing:
    """Checks and writes the rows of one import, some at a time."""

    def __init__(self, metric, batch, *, by, reason):
        self.metric, self.batch, self.by, self.reason = metric, batch, by, reason
        self.version, self.today = metric.version, clock.today()
        self.allowed: set[int] = set()
        self.seen: set[tuple[int, dt.date]] = set()
        self.count = self.new = 0

    def store(self, rows: list[NewPoint]) -> None:
        for row in rows:
            self._check(row)
        there = {
            (point.series_id, point.period_start): point
            for point in DataPoint.objects.current().filter(
                series__in={row.series.pk for row in rows}, period_start__in={row.period_start for row in rows}
            )
        }
        fresh, changes = [], []
        for row in rows:
            point = there.get((row.series.pk, row.period_start))
            if point is None:
                fresh.append(self._fresh(row))
            elif not is_same(point, row.values):
                changes.append((point, row.values))
        DataPoint.objects.bulk_create(fresh)
        if changes:
            label = periods.label(changes[0][0].period_start, self.metric.frequency)
            wanted = f"There is a value for {label} already: say why you correct it."
            _correct_many(changes, reason=_reason(self.reason, wanted), by=self.by, batch=self.batch)
        self.count += len(rows)
        self.new += len(fresh)

    def _check(self, row: NewPoint) -> None:
        if row.series.pk not in self.allowed:
            if row.series.metric_id != self.metric.pk:
                raise PermissionDenied
            _require(permissions.can_enter, self.by, row.series)
            self.allowed.add(row.series.pk)
        check_values(self.metric, row.period_start, row.values, version=self.version, today=self.today)
        if (key := (row.series.pk, row.period_start)) in self.seen:
            label = periods.label(row.period_start, self.metric.frequency)
            raise ActionRefused(f"{label[0].upper()}{label[1:]} is there twice.")
        self.seen.add(key)

    def _fresh(self, row: NewPoint) -> DataPoint:
        return DataPoint(
            series=row.series,
            period_start=row.period_start,
            period_end=periods.end_of(row.period_start, self.metric.frequency),
            entered_by=self.by,
            batch=self.batch,
            **row.values.as_fields,
        )


@transaction.atomic
def undo_import(*, import_batch, by):
    """Take back a whole import: its new points are withdrawn, its corrections turned back. All stays in the history.

    Raises:
        PermissionDenied: `by` neither made the import nor answers for the metric.
        ActionRefused: it is undone already, or one of its points was corrected since.
    """
    _require(permissions.can_undo, by, import_batch)
    _lock_while_somebody_waits(import_batch.metric)
    own = import_batch.corrections.all()
    first = own.aggregate(first=Min("pk"))["first"] or 0
    later = (
        Correction.objects.filter(Q(point__in=own.values("point")) | Q(point__batch=import_batch), pk__gt=first)
        .exclude(batch=import_batch)
        .select_related("point__series__metric")
        .first()
    )
    if later is not None:
        point = later.point
        label = periods.label(point.period_start, point.series.metric.frequency)
        raise ActionRefused(f"The value for {label} was corrected after this import: correct the values one by one.")
    import_batch.change_status(ImportBatch.Status.UNDONE, by=by)
    now = clock.now()
    withdrawn = import_batch.points.current().update(withdrawn_at=now, withdrawn_by=by, updated_at=now)
    corrections = list(own.values_list("pk", flat=True))
    for start in range(0, len(corrections), ROWS_AT_ONCE):
        chunk = Correction.objects.filter(pk__in=corrections[start : start + ROWS_AT_ONCE]).select_related("point")
        changes = [(correction.point, _values_before(correction)) for correction in chunk]
        _correct_many(changes, reason=f"Import “{import_batch.name}” undone", by=by, batch=import_batch)
    audit.record("undo", import_batch, by=by, after={"points": withdrawn, "corrections": len(corrections)})
    return import_batch


def _values_before(correction) -> Values:
    return Values(
        numerator=correction.numerator_before,
        denominator=correction.denominator_before,
        value=correction.value_before,
        is_provisional=correction.finality_before == DataPoint.Finality.PROVISIONAL,
        note=correction.note_before,
    )


# Reminders -----------------------------------------------------------------------------------------------------------


def remind_of_late_data() -> int:
    """Write to owner and deputy of each metric whose data are late: one mail a person, each late period once.

    Returns how many people were written to.
    """
    late = [one for one in due.of_series(Series.objects.all(), most=1) if one.days_late]
    keepers: dict[int, list] = {}
    owners = MetricOwner.objects.current().filter(metric__in={one.series.metric_id for one in late})
    for held in owners.select_related("user", "deputy"):
        keepers[held.metric_id] = [person for person in (held.user, held.deputy) if person and person.is_active]
    people = {person.pk: person for those in keepers.values() for person in those}
    has_left = _those_who_left(people)
    written = 0
    for person in people.values():
        wanted = [
            one
            for one in late
            if person in keepers.get(one.series.metric_id, []) and not has_left(person, one.series.organisation_id)
        ]
        written += _remind(person, wanted)
    return written


def _those_who_left(people):
    """A function of person and organisation: whether the person has left it, or whatever they once belonged to."""
    ever, now = defaultdict(set), defaultdict(set)
    for user, organisation in Affiliation.objects.filter(
        user__in=people, status__in=[Affiliation.Status.CONFIRMED, Affiliation.Status.ENDED]
    ).values_list("user", "organisation"):
        ever[user].add(organisation)
    for user, organisation in Affiliation.objects.current().filter(user__in=people).values_list("user", "organisation"):
        now[user].add(organisation)

    def has_left(person, organisation) -> bool:
        belonged, belongs = ever[person.pk], now[person.pk]
        return bool(belonged) and (not belongs or (organisation in belonged and organisation not in belongs))

    return has_left


@transaction.atomic
def _remind(person, late: list[due.Due]) -> bool:
    """One mail about what the person has not been reminded of yet; the row of the person keeps two jobs apart."""
    User.objects.select_for_update(of=["self"], no_key=True).get(pk=person.pk)
    known = set(
        DataReminder.objects.filter(user=person, series__in=[one.series for one in late]).values_list(
            "series", "period_start"
        )
    )
    fresh = [one for one in late if (one.series.pk, one.start) not in known]
    if not fresh:
        return False
    DataReminder.objects.bulk_create(
        DataReminder(series=one.series, period_start=one.start, user=person) for one in fresh
    )
    emails.late_data(person, fresh)
    return True


# Annotations and decisions about a chart ------------------------------------------------------------------------------


@transaction.atomic
def annotate(*, metric, date, kind, text, by, series=None, pdsa_cycle=None):
    """Mark on the chart that something happened: on one series, or on all of the metric's.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: no text, a date in the future, or a series or cycle that belongs elsewhere.
    """
    _require(permissions.can_explain, by, metric)
    text = (text or "").strip()
    if not text:
        raise ActionRefused("Say in a few words what happened.")
    if date > clock.today():
        raise ActionRefused("This date is in the future: annotate what has happened.")
    if series is not None and series.metric_id != metric.pk:
        raise ActionRefused("This series belongs to another metric: choose one of this metric.")
    if pdsa_cycle is not None and pdsa_cycle.project_id != metric.project_id:
        raise ActionRefused("This cycle belongs to another project: choose one of the metric's project.")
    refuse_nhs_numbers({"What happened": text})
    annotation = Annotation(metric=metric, series=series, date=date, kind=kind, text=text, by=by, pdsa_cycle=pdsa_cycle)
    _check(annotation)
    annotation.save()
    audit.record("annotate", metric, by=by, after=audit.snapshot(annotation, ["series", "date", "kind"]))
    return annotation


@transaction.atomic
def rebase(*, series, from_date, reason, by):
    """Calculate mean and limits of a series anew from a date on: a person's decision, with the reason.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: no reason, no point from that date on, or rebased there already.
    """
    _require(permissions.can_explain, by, series.metric)
    reason = _reason(reason, "Say why mean and limits should be calculated anew.")
    series = Series.objects.select_for_update(of=["self"]).get(pk=series.pk)
    if not series.points.current().filter(period_start__gte=from_date).exists():
        raise ActionRefused("There is no data from this date on: choose an earlier date.")
    if series.rebases.filter(from_date=from_date, withdrawn_at__isnull=True).exists():
        raise ActionRefused("The chart is rebased on this date already.")
    made = Rebase.objects.create(series=series, from_date=from_date, reason=reason, by=by)
    audit.record("rebase", series, by=by, after={"from_date": str(from_date)})
    return made


def _reason(text, ask: str) -> str:
    """A reason as it is stored; `ask` is the refusal where there is none."""
    text = (text or "").strip()
    if not text:
        raise ActionRefused(ask)
    if len(text) > 300:
        raise ActionRefused("The reason is too long: use at most 300 characters.")
    refuse_nhs_numbers({"Reason": text})
    return text


@transaction.atomic
def exclude_point(*, series, period_start, reason, by):
    """Leave one value out of mean and limits: a person's decision, with the reason. It stays on the chart.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: no reason, no value for this period, or it is left out already.
    """
    _require(permissions.can_explain, by, series.metric)
    reason = _reason(reason, "Say why this value should not count in mean and limits.")
    series = Series.objects.select_for_update(of=["self"]).get(pk=series.pk)
    if not series.points.current().filter(period_start=period_start).exists():
        raise ActionRefused("There is no value for this period: choose another one.")
    if series.exclusions.filter(period_start=period_start, withdrawn_at__isnull=True).exists():
        raise ActionRefused("This value is left out already.")
    made = Exclusion.objects.create(series=series, period_start=period_start, reason=reason, by=by)
    audit.record("exclude", series, by=by, after={"period_start": str(period_start)})
    return made


@transaction.atomic
def set_baseline(*, series, reason, by, points=None, until=None):
    """Freeze mean and limits on the first so many values of each part, or on the values up to a date.

    A baseline that was set before is withdrawn.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: no reason, both or neither of the two, or fewer than 12 values.
    """
    _require(permissions.can_explain, by, series.metric)
    reason = _reason(reason, "Say why mean and limits should rest on these values.")
    if (points is None) == (until is None):
        raise ActionRefused("Give a number of values or a date, not both.")
    series = Series.objects.select_for_update(of=["self"]).get(pk=series.pk)
    found = points if until is None else series.points.current().filter(period_start__lte=until).count()
    if found < 12:
        raise ActionRefused("A baseline must have at least 12 values.")
    _withdraw_former(series.baselines, by)
    made = Baseline.objects.create(series=series, points=points, until=until, reason=reason, by=by)
    audit.record("set_baseline", series, by=by, after={"points": points, "until": until and str(until)})
    return made


def _withdraw_former(rows, by) -> None:
    """What a new decision of its kind takes the place of."""
    rows.filter(withdrawn_at__isnull=True).update(withdrawn_at=clock.now(), withdrawn_by=by)


@transaction.atomic
def withdraw_annotation(*, annotation, by):
    """Take an annotation off the charts; it stays in the history.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: it is withdrawn already.
    """
    _require(permissions.can_explain, by, annotation.metric)
    return _withdraw(annotation, by)


@transaction.atomic
def withdraw_rebase(*, rebase, by):
    """Take a rebase back; it stays in the history.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: it is withdrawn already.
    """
    _require(permissions.can_explain, by, rebase.series.metric)
    return _withdraw(rebase, by)


@transaction.atomic
def withdraw_exclusion(*, exclusion, by):
    """Let a value count in mean and limits again; that it was left out stays in the history.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: it is withdrawn already.
    """
    _require(permissions.can_explain, by, exclusion.series.metric)
    return _withdraw(exclusion, by)


@transaction.atomic
def withdraw_baseline(*, baseline, by):
    """Let mean and limits rest on all values again.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: it is withdrawn already.
    """
    _require(permissions.can_explain, by, baseline.series.metric)
    return _withdraw(baseline, by)


def _withdraw(row, by):
    row = type(row).objects.select_for_update(of=["self"]).get(pk=row.pk)
    if row.withdrawn_at is not None:
        raise ActionRefused(f"This {row._meta.verbose_name} is withdrawn already.")
    row.withdrawn_at, row.withdrawn_by = clock.now(), by
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    audit.record("withdraw", row, by=by)
    return row


# Targets, plans and the choice of a chart ----------------------------------------------------------------------------


@transaction.atomic
def set_target(*, metric, value, from_date, by, set_by="", reason=""):
    """Set what a metric should reach from a date on; None ends the target. Earlier targets stay as they were.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: the target does not fit the metric, or a change has no date or no reason.
    """
    _require(permissions.can_explain, by, metric)
    metric = Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    former = list(metric.targets.filter(withdrawn_at__isnull=True))
    if former:
        reason = _reason(reason, "Say why the target changes.")
        if from_date is None:
            raise ActionRefused("Give the date from which the new target holds: there is one before it.")
        if any(one.from_date == from_date for one in former):
            raise ActionRefused("There is a target from this date already: withdraw that one first.")
        in_force = [one for one in former if one.from_date is None or one.from_date < from_date]
        if in_force and in_force[-1].value == decimal(value):
            raise ActionRefused("This is the target in force on that date already.")
    elif value is None:
        raise ActionRefused("Give the target.")
    return _new_target(metric, decimal(value), from_date=from_date, set_by=set_by, reason=reason, by=by)


def _new_target(metric, value, *, from_date, set_by, reason, by):
    if value is not None:
        _check_planned(metric, value, "target")
    target = MetricTarget(
        metric=metric, value=value, from_date=from_date, set_by=(set_by or "").strip(), reason=reason or "", by=by
    )
    _check(target)
    refuse_nhs_numbers({"Who set it": target.set_by, "Reason": target.reason})
    target.save()
    audit.record("set_target", metric, by=by, after=audit.snapshot(target, ["value", "from_date"]))
    return target


def _check_planned(metric, value: Decimal, what: str) -> None:
    if not value.is_finite() or abs(value) >= 10**11:
        raise ActionRefused(f"The {what} must be an ordinary number.")
    if metric.is_proportion and not 0 <= value <= 100:
        raise ActionRefused(f"A {what} in per cent must be between 0 and 100.")


@transaction.atomic
def withdraw_target(*, metric_target, by):
    """Take back a target that was set by mistake; it stays in the history.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: it is withdrawn already.
    """
    _require(permissions.can_explain, by, metric_target.metric)
    return _withdraw(metric_target, by)


@transaction.atomic
def set_trajectory(*, series, steps: Iterable[tuple[dt.date, Decimal]], reason, by):
    """Plan how a series should go, as values of some periods. The plan before is withdrawn.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: no reason, fewer than two periods, one twice, or a value that does not fit.
    """
    _require(permissions.can_explain, by, series.metric)
    reason = _reason(reason, "Say where this plan comes from.")
    metric, steps = series.metric, sorted(steps)
    if metric.frequency == Metric.Frequency.EVENT:
        raise ActionRefused("Events cannot be planned: this metric has no periods.")
    if len(steps) < 2:
        raise ActionRefused("A plan needs at least two periods: where it starts and where it leads.")
    for start, value in steps:
        if not EARLIEST <= start <= dt.date(2200, 1, 1) or periods.start_of(start, metric.frequency) != start:
            raise ActionRefused(f"{start.day} {start:%B %Y} is not the start of a {periods.word(metric.frequency)}.")
        _check_planned(metric, value, "planned value")
    if len({start for start, _ in steps}) < len(steps):
        raise ActionRefused("A period is there twice: give each one planned value.")
    Series.objects.select_for_update(of=["self"]).get(pk=series.pk)
    _withdraw_former(series.trajectories, by)
    plan = Trajectory.objects.create(series=series, reason=reason, by=by)
    PlannedValue.objects.bulk_create(
        PlannedValue(trajectory=plan, period_start=start, value=value) for start, value in steps
    )
    audit.record("set_trajectory", series, by=by, after={"periods": len(steps)})
    return plan


@transaction.atomic
def withdraw_trajectory(*, trajectory, by):
    """Take the plan off the chart; it stays in the history.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: it is withdrawn already.
    """
    _require(permissions.can_explain, by, trajectory.series.metric)
    return _withdraw(trajectory, by)


@transaction.atomic
def choose_chart(*, metric, chart_type, reason, by):
    """Choose how a metric is drawn and judged: a person's decision, with the reason.

    Raises:
        PermissionDenied: `by` is neither staff nor the metric's owner.
        ActionRefused: no reason, or this type cannot be drawn from what is entered.
    """
    _require(permissions.can_explain, by, metric)
    reason = _reason(reason, "Say why this type of chart suits the data.")
    metric = Metric.objects.select_for_update(of=["self"]).get(pk=metric.pk)
    if chart_type not in metric.possible_charts:
        raise ActionRefused("This type of chart does not fit what is entered for this metric: choose another.")
    if chart_type == metric.chart_type:
        raise ActionRefused("The metric is drawn as this type of chart already.")
    before, metric.chart_type = metric.chart_type, chart_type
    metric.save(update_fields=["chart_type", "updated_at"])
    choice = ChartChoice.objects.create(metric=metric, chart_type=chart_type, reason=reason, by=by)
    audit.record("choose_chart", metric, by=by, before={"chart_type": before}, after={"chart_type": chart_type})
    return choice


# What is not yet measured --------------------------------------------------------------------------------------------


@transaction.atomic
def add_not_yet_measured(*, by, **fields):
    """Say openly that something that matters has no metric yet.

    Raises:
        PermissionDenied: `by` may not manage metrics.
        ActionRefused: a text is missing or does not fit.
    """
    _require(permissions.can_manage, by)
    entry = NotYetMeasured(**fields)
    _check_entry(entry)
    entry.save()
    audit.record("create", entry, by=by, after=audit.snapshot(entry, NOT_YET_FIELDS))
    return entry


@transaction.atomic
def edit_not_yet_measured(*, not_yet_measured, by, **changes):
    """Change what is said about something that is not yet measured.

    Raises:
        PermissionDenied: `by` may not manage metrics.
        ActionRefused: the entry is closed, or a text is missing or does not fit.
    """
    _require(permissions.can_manage, by)
    entry = _open_entry(not_yet_measured)
    before = audit.snapshot(entry, NOT_YET_FIELDS)
    for field, value in changes.items():
        setattr(entry, field, value)
    _check_entry(entry)
    entry.save()
    audit.record("edit", entry, by=by, before=before, after=audit.snapshot(entry, NOT_YET_FIELDS))
    return entry


@transaction.atomic
def end_not_yet_measured(*, not_yet_measured, by, metric=None, reason=""):
    """Close an entry: a metric measures it now, or it is given up for a reason.

    Raises:
        PermissionDenied: `by` may not manage metrics.
        ActionRefused: neither metric nor reason, or it is closed already.
    """
    _require(permissions.can_manage, by)
    entry = _open_entry(not_yet_measured)
    if metric is None:
        reason = _reason(reason, "Choose the metric that measures it now, or say why it is given up.")
    elif reason:
        reason = _reason(reason, "")
    entry.metric, entry.end_reason, entry.ended_at, entry.ended_by = metric, reason, clock.now(), by
    entry.save(update_fields=["metric", "end_reason", "ended_at", "ended_by", "updated_at"])
    audit.record("end", entry, by=by, after={"metric": metric and metric.pk})
    return entry


def _open_entry(entry) -> NotYetMeasured:
    entry = NotYetMeasured.objects.select_for_update(of=["self"]).get(pk=entry.pk)
    if entry.ended_at is not None:
        raise ActionRefused("This entry is closed already.")
    return entry


def _check_entry(entry) -> None:
    for field in ("what", "why", "plan", "by_whom"):
        setattr(entry, field, (getattr(entry, field) or "").strip())
    _check(entry)
    if entry.since > clock.today():
        raise ActionRefused("“Since” is in the future: say since when it is missed.")
    refuse_nhs_numbers({"What": entry.what, "Why": entry.why, "What is planned": entry.plan, "By whom": entry.by_whom})
