"""What a series says, worked out once for page, chart, CSV, admin and annual report.

`audience="owner"` reads the true values. `audience="public"` first hides and rounds counts of people, and everything
else (mean, limits, icons, sentence) is worked out from what is published: limits on true values would let a reader
solve for a hidden point. What is hidden is decided for all series of a metric together, so that no total reveals it.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from django.db.models import Q

from measurement import analysis, decisions, figures, periods, sentences, spc, suppression
from measurement.decisions import Decision, Decisions
from measurement.figures import Line, Mark, Point, Reading
from measurement.models import Annotation, DataPoint, Metric, MetricVersion, Series
from psc_portal.common import clock

SMALL_NUMBERS_RULE = (
    "Counts of 1 to 7 people are shown as *, and so are numbers that would reveal one. Larger counts of people are "
    "rounded to the nearest 5. Percentages, rates, mean, limits and signals are worked out from what is published."
)
DATES_RULE = (
    "Events are dated by month, and only to within a month: all dates are moved back by the same number of days, so "
    "that the days between them do not reveal the exact ones."
)
PUBLIC, OWNER = "public", "owner"
MOST_GAPS = 600  # an old stray point must not stretch a weekly chart over decades


@dataclass(frozen=True, slots=True)
class Row:
    """One stored data point, as plain values."""

    start: dt.date
    end: dt.date
    numerator: float | None
    denominator: float | None
    value: float | None
    is_provisional: bool
    note: str
    is_hidden: bool = False
    is_region: bool = False
    excluded_because: str = ""


def reading(metric_or_series: Metric | Series, audience: str = PUBLIC) -> Reading:
    """The reading of one series, or of a metric's first one (the region's where there is one)."""
    return readings_of([metric_or_series], audience=audience)[0]


def readings_of(
    things: Iterable[Metric | Series],
    audience: str | Callable[[Series | None], str] = PUBLIC,
    *,
    until: dt.date | None = None,
    with_marks: bool = True,
) -> list[Reading]:
    """Readings of many metrics or series, in their order, in at most six queries.

    Args:
        things: metrics (their first series is read) or series, mixed as one likes.
        audience: "public" or "owner", or a function that says which for each series.
        until: leave out periods that end, and what happened, after this day (the annual report's data cut).
        with_marks: read the annotations too; a list of many does without.
    """
    things = list(things)
    chosen = _series_for(things)
    ids = [series.pk for series in chosen if series is not None]
    metric_ids = {thing.pk if isinstance(thing, Metric) else thing.metric_id for thing in things}
    until = until or dt.date.max
    rows = _rows(ids, metric_ids, until)
    seen_by_public: dict[int, dict[int, list[Row]]] = {}  # metric -> the published rows of each of its series
    decided = decisions.of_series(
        (series and series.pk, thing.pk if isinstance(thing, Metric) else thing.metric_id)
        for thing, series in zip(things, chosen, strict=True)
    )
    for (key, metric_id), found in decided.items():
        rows[metric_id][key] = _without(rows[metric_id][key], found.exclusions)
    versions = _by(MetricVersion.objects.filter(metric__in=metric_ids).exclude(valid_from__gt=until), "metric_id")
    notes = Annotation.objects.filter(metric__in=metric_ids, withdrawn_at__isnull=True, date__lte=until)
    annotations = _by(notes.select_related("pdsa_cycle") if with_marks else notes.none(), "metric_id")
    result = []
    for thing, series in zip(things, chosen, strict=True):
        metric = thing if isinstance(thing, Metric) else thing.metric
        key = series.pk if series else None
        reader = audience(series) if callable(audience) else audience
        if reader == PUBLIC and metric.pk not in seen_by_public:
            seen_by_public[metric.pk] = published(rows[metric.pk], metric)
        true_rows = rows[metric.pk].get(key, [])
        result.append(
            _read(
                metric,
                series,
                reader,
                rows=seen_by_public[metric.pk].get(key, []) if reader == PUBLIC else true_rows,
                versions=versions[metric.pk],
                decided=decided[key, metric.pk],
                annotations=_with_definitions(
                    [note for note in annotations[metric.pk] if note.series_id in (None, key)],
                    versions[metric.pk] if with_marks else [],
                ),
            )
        )
    return result


def total_of(metric: Metric, sums: Iterable, audience: str, *, place: str) -> Reading:
    """The reading of places added up, out of `places.added_up`: of no series, so with its metric's targets alone."""
    rows = [Row(one.start, one.end, one.numerator, one.denominator, None, one.is_provisional, "") for one in sums]
    decided = decisions.of_series([(None, metric.pk)])[None, metric.pk]
    versions = list(metric.versions.all())
    found = _read(metric, None, audience, rows=rows, versions=versions, decided=decided, annotations=[])
    return replace(found, place=place)


def published(series_rows: dict[int, list[Row]], metric: Metric) -> dict[int, list[Row]]:
    """The rows of all series of a metric as the public may see them: hidden, rounded, without notes or exact dates."""
    hidden = _withheld(series_rows, metric)
    moved = _moved_back(series_rows, metric)
    return {
        key: [_published(row, moved(row), metric, is_hidden=(key, row.start) in hidden) for row in rows]
        for key, rows in series_rows.items()
    }


def _people(metric: Metric, *, has_denominator: bool) -> suppression.People:
    return suppression.People(
        metric.numerator_counts_people,
        metric.denominator_counts_people and has_denominator,
        is_proportion=has_denominator and metric.multiplier == 100,
    )


def _withheld(series_rows: dict[int, list[Row]], metric: Metric) -> set[tuple[int, dt.date]]:
    """Which rows to hide, as series and start: period by period, organisations beside the region."""
    if not (metric.numerator_counts_people or metric.denominator_counts_people):
        return set()
    tables: dict[tuple[dt.date, bool], dict[int, Row]] = defaultdict(dict)
    for key, rows in series_rows.items():
        for row in rows:
            if row.numerator is not None:
                tables[row.start, row.denominator is not None][key] = row
    found = set()
    for (start, has_denominator), table in tables.items():
        counts = {key: suppression.Counts(row.numerator, row.denominator) for key, row in table.items()}
        region = next((key for key, row in table.items() if row.is_region), None)
        whole = counts.pop(region, None)
        hidden = suppression.withheld(counts, whole, _people(metric, has_denominator=has_denominator))
        found |= {(key, start) for key in hidden.parts}
        if hidden.whole:
            found.add((region, start))
    return found


def _moved_back(series_rows: dict[int, list[Row]], metric: Metric) -> Callable[[Row], dict]:
    """Start and end that the public sees. The exact date of a rare event could name a person.

    Months alone would not do: days between events and the months that they fall in fix the dates, often to the day. So
    every date of the metric is moved back by as many days as puts its first event on the first of that month.
    """
    if metric.frequency != Metric.Frequency.EVENT:
        return lambda row: {}
    first = min((row.start for rows in series_rows.values() for row in rows), default=dt.date.min)

    def month(row: Row) -> dict:
        start = (row.start - dt.timedelta(days=first.day - 1)).replace(day=1)
        return {"start": start, "end": periods.last_day_of_month(start)}

    return month


def _published(row: Row, dates: dict, metric: Metric, *, is_hidden: bool) -> Row:
    if is_hidden:  # a statistic that rests on few people is hidden with all its parts
        return replace(row, numerator=None, denominator=None, value=None, note="", is_hidden=True, **dates)
    counts = {}
    if row.numerator is not None:
        people = _people(metric, has_denominator=row.denominator is not None)
        counts = {column: suppression.rounded(getattr(row, column)) for column in people.columns}
    return replace(row, note="", **counts, **dates)


def _by(rows, key: str) -> dict:
    grouped = defaultdict(list)
    for row in rows:
        grouped[getattr(row, key)].append(row)
    return grouped


def _series_for(things: list[Metric | Series]) -> list[Series | None]:
    """The series to read for each thing; for a metric its first: the region, else by name of organisation."""
    wanted = [thing.pk for thing in things if isinstance(thing, Metric)]
    first = {}
    if wanted:
        for series in Series.objects.filter(metric__in=wanted).select_related("organisation", "metric"):
            first.setdefault(series.metric_id, series)
    return [first.get(thing.pk) if isinstance(thing, Metric) else thing for thing in things]


def _number(value) -> float | None:
    return None if value is None else float(value)


def _rows(series_ids: list[int], metric_ids: set[int], until: dt.date) -> dict[int, dict[int, list[Row]]]:
    """Metric -> series -> rows. Other series of metrics that count people, or date events, are read too."""
    beside = Metric.objects.filter(pk__in=metric_ids).filter(
        Q(numerator_counts_people=True) | Q(denominator_counts_people=True) | Q(frequency=Metric.Frequency.EVENT)
    )
    found = (
        DataPoint.objects.current()
        .filter(Q(series__in=series_ids) | Q(series__metric__in=beside), period_end__lte=until)
        .order_by("series_id", "period_start")
        .values_list(
            "series__metric_id", "series_id", "series__organisation_id",
            "period_start", "period_end", "numerator", "denominator", "value", "finality", "note",
        )
    )  # fmt: skip
    grouped: dict[int, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for metric_id, series_id, organisation_id, start, end, numerator, denominator, value, finality, note in found:
        grouped[metric_id][series_id].append(
            Row(
                start,
                end,
                _number(numerator),
                _number(denominator),
                _number(value),
                finality == DataPoint.Finality.PROVISIONAL,
                note,
                is_region=organisation_id is None,
            )
        )
    return grouped


def _with_gaps(rows: list[Row], frequency: str) -> list[Row]:
    """The rows, with an empty one for every period left out between them: missing is not zero, nor nothing."""
    if frequency == Metric.Frequency.EVENT or len(rows) < 2:
        return rows
    filled = []
    for row, following in pairwise(rows):
        filled.append(row)
        for start in periods.between(row.start, following.start, frequency)[:MOST_GAPS]:
            filled.append(Row(start, periods.end_of(start, frequency), None, None, None, False, ""))
    return [*filled, rows[-1]]


def _value(row: Row, multiplier: int) -> float | None:
    """The value of a row: as entered, or count, or numerator / denominator x multiplier. No denominator, no value."""
    if row.numerator is None:
        return row.value
    if row.denominator is None:
        return row.numerator
    return row.numerator / row.denominator * multiplier if row.denominator else None


def _label(start: dt.date, metric: Metric, audience: str) -> str:
    if metric.frequency == Metric.Frequency.EVENT and audience == PUBLIC:
        return periods.label(start, "month")
    return periods.label(start, metric.frequency)


def _asked_breaks(
    versions: list[MetricVersion], rebases: list[Decision], *, by_month: bool
) -> dict[dt.date, tuple[str, bool]]:
    """Where somebody asked for a new part: date, or its month, -> why, and whether by a new definition."""
    asked = {}
    for rebase in rebases:
        asked[_day_or_month(rebase.day, by_month)] = (rebase.text, False)
    for version in versions:
        if version.valid_from:
            asked[_day_or_month(version.valid_from, by_month)] = (
                f"definition {version.number} applies from here",
                True,
            )
    return asked


def _day_or_month(day: dt.date, by_month: bool) -> dt.date:
    return day.replace(day=1) if by_month else day


def _in_order(rows: list[Row]) -> list[dt.date]:
    """A day of its own for each event of which only the month is shown; true days would say more than that."""
    days: list[dt.date] = []
    for row in rows:
        days.append(max(row.start, days[-1] + dt.timedelta(days=1)) if days else row.start)
    return days


def _breaks(asked: dict[dt.date, tuple[str, bool]], settled: spc.SettledRebases) -> dict[dt.date, tuple[str, bool]]:
    """The same by the date of the first point of each part; a new definition matters more than a rebase."""
    moved_to = dict(settled.moved)
    placed: dict[dt.date, tuple[str, bool]] = {}
    for when, (why, is_new_definition) in sorted(asked.items()):
        first = moved_to.get(when, when)
        if when not in settled.waiting and not (first in placed and placed[first][1]):
            placed[first] = (why, is_new_definition)
    return placed


def _moved(settled: spc.SettledRebases, metric: Metric, audience: str) -> list[tuple[str, str]]:
    """When parts were asked for that start later, and when they start, in words."""
    if metric.frequency == Metric.Frequency.EVENT:
        said = [(_label(asked, metric, audience), _label(first, metric, audience)) for asked, first in settled.moved]
        return [pair for pair in said if pair[0] != pair[1]]
    return [(f"{asked.day} {asked:%B %Y}", periods.label(first, metric.frequency)) for asked, first in settled.moved]


def _without(rows: list[Row], exclusions: list[Decision]) -> list[Row]:
    """The rows, those marked that somebody left out of mean and limits."""
    reasons = {one.day: one.text for one in exclusions}
    return [replace(row, excluded_because=reasons[row.start]) if row.start in reasons else row for row in rows]


def _frozen_on(baseline: Decision | None, *, by_month: bool) -> int | dt.date | None:
    """So many values, or those up to a date: of events the public sees a month."""
    if baseline is None or baseline.day is None:
        return None if baseline is None else int(baseline.number)
    return periods.last_day_of_month(baseline.day) if by_month else baseline.day


def _read(metric, series, audience, *, rows, versions, decided: Decisions, annotations) -> Reading:
    by_month = metric.frequency == Metric.Frequency.EVENT and audience == PUBLIC
    if metric.frequency != Metric.Frequency.EVENT:
        rows = _with_gaps(rows, metric.frequency)
    dates = _in_order(rows) if by_month else [row.start for row in rows]
    values = [_value(row, metric.multiplier) for row in rows]
    in_force = decided.target_at(rows[-1].end if rows else clock.today())
    target = in_force.number if in_force else None
    asked = _asked_breaks(versions, decided.rebases, by_month=by_month)
    settled = spc.settled_rebases(dates, asked)
    breaks = _breaks(asked, settled)
    analysed = analysis.analysed(
        metric.chart_type,
        dates,
        rows,
        values,
        multiplier=metric.multiplier,
        direction=metric.direction,
        target=target,
        rebase=list(breaks),
        baseline=_frozen_on(decided.baseline, by_month=by_month),
        exclude=[day for day, row in zip(dates, rows, strict=True) if row.excluded_because],
    )
    chart, kind = analysed.chart, analysed.kind
    frozen = decided.baseline if _is_frozen(decided.baseline, breaks, kind) else None
    known = [value for value in values if value is not None]
    decimals = figures.decimals_for(known + ([target] if target is not None else [])) if known else 1
    labels = [_label(row.start, metric, audience) for row in rows]
    because = [breaks[dates[part.start]][0] if dates[part.start] in breaks else "" for part in chart.parts]
    given = sentences.Given(
        chart=chart,
        labels=labels,
        decimals=decimals,
        unit=metric.unit,
        frequency=metric.frequency,
        target=target,
        hidden=frozenset(i for i, row in enumerate(rows) if row.is_hidden),
        because=because,
        excluded=[label for label, row in zip(labels, rows, strict=True) if row.excluded_because],
        frozen=_frozen_text(frozen),
        moved=_moved(settled, metric, audience),
        cautions=spc.cautions(chart) if isinstance(chart, spc.XmrChart) else (),
        kind=kind,
        problem=analysed.problem,
    )
    version = max(versions, key=lambda one: one.number, default=None)
    return Reading(
        metric_pk=metric.pk,
        series_pk=series.pk if series else None,
        code=metric.code,
        name=metric.name,
        place=series.place if series else "",
        series_key=series.key if series else "",
        audience=audience,
        direction=metric.direction,
        unit=metric.unit,
        frequency=metric.frequency,
        points=_with_plan(
            _points(rows, dates, values, labels, chart, versions, decimals, by_month=by_month), chart, because, decided
        ),
        lines=_lines(chart, because, breaks, dates),
        marks=_marks(annotations, rows, metric, audience),
        frozen=_frozen_text(frozen),
        frozen_because=frozen.text if frozen else "",
        planned_because=decided.planned[0].text if decided.planned else "",
        variation=_variation(chart, rows, known),
        other_variation=_other_variation(given),
        assurance=_assurance(given) if known else None,
        summary=sentences.summary(given),
        sentence=sentences.full(given),
        target=target,
        target_text=figures.with_unit(figures.plain_text(target), metric.unit) if target is not None else "",
        target_from=in_force.day if in_force else None,
        decimals=decimals,
        rule_set=kind.rule_set,
        chart_name=kind.name,
        centre_name=kind.centre,
        limit_name=kind.limit,
        definition=version.operational_definition if version else "",
        definition_number=version.number if version else 0,
        source=version.source if version else "",
        numerator_name=version.numerator if version else "",
        denominator_name=version.denominator if version else "",
        is_illustrative=metric.is_illustrative,
        published_as=_published_as(metric, version) if audience == PUBLIC else "",
    )


def _variation(chart, rows: list[Row], known: list[float]) -> figures.Icon:
    """The icon of the chart; one that says so where there is too little to judge."""
    if not rows:
        return figures.VARIATION_ICONS["no_data"]
    return figures.VARIATION_ICONS["too_few" if len(known) < 2 else chart.variation]


def _other_variation(given: sentences.Given) -> figures.Icon | None:
    """What another rule says of the last point that judges it the other way."""
    for caution in given.cautions:
        if isinstance(caution, spc.TwoRules):
            return figures.VARIATION_ICONS[spc.variation_of(caution.other, given.chart.direction)]
    return None


def _assurance(given: sentences.Given) -> figures.Icon | None:
    """The icon of the target; where all values are the same, one that says so instead of a question mark."""
    for caution in given.cautions:
        if isinstance(caution, spc.SameValue):
            return figures.ASSURANCE_ICONS["same_pass" if caution.is_met else "same_fail"]
    return figures.ASSURANCE_ICONS[given.chart.assurance] if given.chart.assurance else None


def _published_as(metric: Metric, version: MetricVersion | None) -> str:
    said = []
    counts_people = metric.numerator_counts_people or metric.denominator_counts_people
    if version and version.entry != MetricVersion.Entry.VALUE and counts_people:
        said.append(SMALL_NUMBERS_RULE)
    if metric.frequency == Metric.Frequency.EVENT:
        said.append(DATES_RULE)
    return " ".join(said)


def _count_text(count: float | None, *, is_hidden: bool, is_used: bool) -> str:
    if is_hidden and is_used:
        return figures.HIDDEN
    return "" if count is None else figures.number_text(count, 0 if count.is_integer() else 1)


def _points(rows, dates, values, labels, chart, versions, decimals, *, by_month) -> tuple[Point, ...]:
    centre, lower, upper = chart.centre, chart.lower, chart.upper
    has_numerator = any(row.numerator is not None for row in rows) or any(row.is_hidden for row in rows)
    has_denominator = bool(versions) and versions[-1].entry == MetricVersion.Entry.RATIO
    begun = [(one, _day_or_month(one.valid_from or dt.date.min, by_month)) for one in versions]
    points = []
    for i, (row, value) in enumerate(zip(rows, values, strict=True)):
        points.append(
            Point(
                label=labels[i],
                period_start=row.start,
                period_end=row.end,
                numerator=row.numerator,
                denominator=row.denominator,
                value=value,
                is_hidden=row.is_hidden,
                is_provisional=row.is_provisional,
                note=row.note,
                excluded_because=row.excluded_because,
                version=max((one.number for one, since in begun if since <= dates[i]), default=1),
                mean=centre[i],
                lower=lower[i],
                upper=upper[i],
                rule=str(chart.labels[i]),
                point_type=str(chart.point_types[i]),
                numerator_text=_count_text(row.numerator, is_hidden=row.is_hidden, is_used=has_numerator),
                denominator_text=_count_text(row.denominator, is_hidden=row.is_hidden, is_used=has_denominator),
                value_text=figures.HIDDEN if row.is_hidden else figures.number_text(value, decimals),
            )
        )
    return tuple(points)


def _with_plan(points: tuple[Point, ...], chart, because: list[str], decided: Decisions) -> tuple[Point, ...]:
    """The points with what people decided about each: target and plan of its period, why limits start anew there."""
    begins = {part.start: why for part, why in zip(chart.parts, because, strict=True) if part.start}
    planned = []
    for i, point in enumerate(points):
        target = decided.target_at(point.period_end)
        planned.append(
            replace(
                point,
                target=target.number if target else None,
                planned=decided.planned_at(point.period_start),
                begins_because=begins.get(i, ""),
            )
        )
    return tuple(planned)


def _is_frozen(baseline: Decision | None, breaks: dict[dt.date, tuple[str, bool]], kind: analysis.Kind) -> bool:
    """Whether it is in force at the end of the chart: not after a later rebase, nor, but for XmR, after any."""
    if baseline is None or not breaks:
        return baseline is not None
    is_xmr = kind is analysis.KINDS[spc.ChartType.XMR]
    return is_xmr and (baseline.day is None or max(breaks) <= baseline.day)


def _frozen_text(baseline: Decision | None) -> str:
    if baseline is None:
        return ""
    if baseline.day is not None:
        return f"the values up to {baseline.day.day} {baseline.day:%B %Y}"
    return f"the first {int(baseline.number)} values of each part"


def _lines(chart, because: list[str], breaks: dict, dates: list[dt.date]) -> tuple[Line, ...]:
    centre, lower, upper = chart.centre, chart.lower, chart.upper
    return tuple(
        Line(
            start=part.start,
            stop=part.stop,
            mean=centre[part.stop - 1],
            lower=lower[part.stop - 1],
            upper=upper[part.stop - 1],
            varies=len({*lower[part.start : part.stop], *upper[part.start : part.stop]}) > 2,
            is_trial=part.n < spc.FIRM_LIMITS_FROM and upper[part.stop - 1] is not None,
            because=why,
            is_new_definition=breaks.get(dates[part.start], ("", False))[1] and part.start > 0,
        )
        for part, why in zip(chart.parts, because, strict=True)
    )


def _with_definitions(annotations: list[Annotation], versions: list[MetricVersion]) -> list[Annotation]:
    """The annotations, with one for each changed definition that nobody marked by hand."""
    kind = Annotation.Kind.DEFINITION
    marked = {note.date for note in annotations if note.kind == kind}
    return annotations + [
        Annotation(date=one.valid_from, kind=kind, text=f"Version {one.number}. {one.reason}")
        for one in versions
        if one.valid_from and one.valid_from not in marked
    ]


def _marks(annotations, rows, metric, audience) -> tuple[Mark, ...]:
    """Annotations in date order, each at the period that holds its date; those outside the chart at its ends."""
    marks = []
    for number, note in enumerate(sorted(annotations, key=lambda one: (one.date, one.pk or 0)), start=1):
        before = [i for i, row in enumerate(rows) if row.start <= note.date]
        shown = (
            _label(note.date, metric, audience) if metric.frequency == "event" else f"{note.date.day} {note.date:%B %Y}"
        )
        cycle = note.pdsa_cycle.number if note.pdsa_cycle_id else None
        marks.append(Mark(number, before[-1] if before else 0, shown, note.get_kind_display(), note.text, cycle))
    return tuple(marks)
