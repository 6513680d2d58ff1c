"""Open data of the measurement plan: what is measured, what each chart says now, and every published value.

All numbers come from the readings that visitors get (`readings.PUBLIC`), so that what is hidden or rounded on a page is
hidden and rounded here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import batched

from django.contrib.auth.models import AnonymousUser

from measurement import open_data, readings
from measurement.figures import ASSURANCE_ICONS, POINT_WORDS, VARIATION_ICONS, Reading
from measurement.models import DataPoint, Metric, Series
from measurement.spc import PointType
from projects.datasets import ORGANISATION, PAGE, UPDATED
from psc_portal.common import clock
from psc_portal.common.datasets import Column, Dataset, page_of

SECTION = "Measurement"
METRICS_AT_A_TIME = 10  # whose series are read together: what is hidden is decided for all series of a metric
AS_PUBLISHED = (
    "All numbers are as published: counts of 1 to 7 people, and what would reveal one, are left empty with is_hidden "
    "true; other counts of people are rounded to the nearest 5; everything else is worked out from these numbers.",
    "Dates of rare events are moved and given by month only.",
)


def _metrics():
    return Metric.objects.visible_to(AnonymousUser()).order_by("code")


def _described():
    return _metrics().select_related("priority", "project").prefetch_related("versions").defer("search")


def _series():
    return Series.objects.filter(metric__in=_metrics().order_by().values("pk"))


def _values():
    return DataPoint.objects.current().filter(series__in=_series().order_by().values("pk"))


@dataclass(frozen=True)
class Said:
    """A series beside its reading."""

    series: Series
    reading: Reading


@dataclass(frozen=True)
class Value:
    """One published value of a series, with what the API says of it."""

    series: Series
    number: int
    point: dict

    def __getattr__(self, name):
        try:
            return self.point[name]
        except KeyError:
            raise AttributeError(name) from None


def _read() -> Iterator[Said]:
    """Every series of every public metric as visitors see it, by code and place. At most seven queries a batch."""
    for codes in batched(_metrics().values_list("code", flat=True), METRICS_AT_A_TIME, strict=False):
        rows = Series.objects.filter(metric__code__in=codes).select_related("metric", "organisation")
        rows = sorted(rows.defer("metric__search", "organisation__search"), key=lambda one: (one.metric.code, one.key))
        for series, reading in zip(rows, readings.readings_of(rows, readings.PUBLIC, with_marks=False), strict=True):
            yield Said(series, reading)


def _points() -> Iterator[Value]:
    """Periods that somebody entered; those without a value have no row."""
    for said in _read():
        entered = [
            point
            for point in said.reading.points
            if point.is_hidden or point.numerator is not None or point.value is not None
        ]
        for number, point in enumerate(entered, start=1):
            yield Value(said.series, number, open_data.point_json(point))


def _of_latest(name: str):
    return lambda row: getattr(row.reading.latest, name) if row.reading.latest else None


def _limit(name: str):
    return lambda row: getattr(row.reading.limits, name) if row.reading.limits else None


def _defined(name: str):
    return lambda row: getattr(row.version, name) if row.version else None


def _priority(metric):
    has_begun = metric.priority is not None and metric.priority.from_date <= clock.today()
    return metric.priority.slug if has_begun else None


def _project(metric):
    return metric.project.slug if metric.project is not None and metric.project.is_public else None


METRIC = Column(
    "metric", "string", "Code of the metric", example="PU1", is_always=True, refers_to="metrics.code",
    of=lambda row: row.series.metric.code,
)  # fmt: skip
PLACE = Column(
    "place", "string", "Where the values come from: ODS code or short name of an organisation, or “region”",
    example="region", is_always=True, of=lambda row: row.series.key,
)  # fmt: skip
PLACE_NAME = Column(
    "place_name", "string", "The same as a name", example="Riverside Hospitals NHS Trust", is_always=True,
    of=lambda row: row.series.place,
)  # fmt: skip
OF_ORGANISATION = replace(
    ORGANISATION, meaning="Short name of the organisation; empty for the region", is_always=False,
    of=lambda row: row.series.organisation.slug if row.series.organisation else None,
)  # fmt: skip
UNIT = Column(
    "unit", "string", "The unit of value, mean, limits and target", example="per 1,000 occupied bed days",
    is_always=True, of=lambda row: row.series.metric.unit,
)  # fmt: skip
ILLUSTRATIVE = Column(
    "is_illustrative", "boolean", "Whether the values are made up, to show how it would look", example="false",
    is_always=True, of=lambda row: row.series.metric.is_illustrative,
)  # fmt: skip
OF_UNIT = "as in unit"

DATASETS = [
    Dataset(
        name="metrics",
        title="Metrics and their definitions",
        summary="What is measured and why: kind of metric, unit, how often, which way is better, and the operational "
        "definition in force with numerator, denominator, exclusions and source.",
        section=SECTION,
        page="measurement:metric_list",
        key=("code",),
        rows=_described,
        every="When a metric is added or its definition changes",
        notes=(
            "Metrics for members only are not in it.",
            "Earlier definitions stand on the page of the metric; its values say which one held.",
        ),
        columns=(
            Column("code", "string", "Code of the metric, which never changes", example="PU1", is_always=True),
            Column("name", "string", "What it is called", example="Pressure ulcers of category 2 and above",
                   is_always=True),
            Column("kind", "string", "What it tells", example="outcome", is_always=True,
                   choices=dict(Metric.Kind.choices)),
            Column("dimension", "string", "Which dimension of safety it measures (Vincent, 2013)", example="past_harm",
                   is_always=True, choices=dict(Metric.Dimension.choices)),
            Column("direction", "string", "Which way is better", example="decrease", is_always=True,
                   choices=dict(Metric.Direction.choices)),
            Column("unit", "string", "The unit of its values", example="per 1,000 occupied bed days", is_always=True),
            Column("multiplier", "integer", "By what numerator / denominator is multiplied", example="1000", least=1,
                   is_always=True),
            Column("frequency", "string", "How often there is a value", example="month", is_always=True,
                   choices=dict(Metric.Frequency.choices)),
            Column("chart", "string", "The type of chart that was chosen", example="xmr", is_always=True,
                   choices=dict(Metric.ChartType.choices), of=lambda row: row.chart_type),
            Column("priority", "string", "Short name of its priority", example="pressure-ulcers",
                   refers_to="priorities.slug", of=_priority),
            Column("project", "string", "Short name of its project", example="call-dont-fall",
                   refers_to="projects.slug", of=_project),
            Column("why_it_matters", "string", "Why it is measured", example="Most of them can be prevented."),
            Column("known_limits", "string", "What it cannot tell", example="Reporting differs between wards."),
            Column("definition_version", "integer", "Number of the definition in force", example="2", least=1,
                   of=_defined("number")),
            Column("definition", "string", "What is counted, and how",
                   example="All ulcers first seen after admission.", of=_defined("operational_definition")),
            Column("numerator", "string", "What is counted above the line", example="New pressure ulcers",
                   of=_defined("numerator")),
            Column("denominator", "string", "What is counted below the line", example="Occupied bed days",
                   of=_defined("denominator")),
            Column("exclusions", "string", "What is not counted", example="Present on admission",
                   of=_defined("exclusions")),
            Column("source", "string", "Where the data come from", example="Incident reports",
                   of=_defined("source")),
            Column("sampling", "string", "All cases, or which of them", example="All cases", of=_defined("sampling")),
            Column("baseline_from", "date", "First day of the baseline", example="2024-04-01"),
            Column("baseline_to", "date", "Last day of the baseline", example="2025-03-31"),
            Column("days_to_report", "integer", "Days after the end of a period until its value is due", unit="days",
                   example="30", least=0, is_always=True),
            replace(ILLUSTRATIVE, of=None),
            PAGE,
            UPDATED,
        ),
    ),
    Dataset(
        name="metric-signals",
        title="Metrics: what the charts say now",
        summary="For each metric and place the newest value, mean and process limits, and what statistical process "
        "control (SPC) makes of them: better, worse or no sign of change, whether the target will be met, and the same "
        "as a sentence.",
        section=SECTION,
        page="measurement:metric_list",
        key=("metric", "place"),
        rows=_read,
        stored=_series,
        changed=("metric__updated_at", "points__updated_at"),
        every="When a value is entered or corrected",
        notes=AS_PUBLISHED,
        columns=(
            METRIC,
            PLACE,
            PLACE_NAME,
            OF_ORGANISATION,
            Column("period", "string", "The period of the newest value, in words", example="June 2026",
                   of=_of_latest("label")),
            Column("value", "number", "The newest value", unit=OF_UNIT, example="1.3", of=_of_latest("value")),
            UNIT,
            Column("is_hidden", "boolean", "Whether the newest value is hidden because of small numbers",
                   example="false", is_always=True,
                   of=lambda row: row.reading.latest is not None and row.reading.latest.is_hidden),
            Column("centre", "number", "The centre line at the end of the chart", unit=OF_UNIT, example="1.6",
                   of=_limit("mean")),
            Column("lower_limit", "number", "The lower process limit there", unit=OF_UNIT, example="0.4",
                   of=_limit("lower")),
            Column("upper_limit", "number", "The upper process limit there", unit=OF_UNIT, example="2.8",
                   of=_limit("upper")),
            Column("variation", "string", "What the chart says", example="improvement_low", is_always=True,
                   choices={icon.name: icon.words for icon in VARIATION_ICONS.values()},
                   of=lambda row: row.reading.variation.name),
            Column("target", "number", "The target in force", unit=OF_UNIT, example="1",
                   of=lambda row: row.reading.target),
            Column("assurance", "string", "Whether the target will be met; empty where there is none",
                   example="inconsistent", choices={icon.name: icon.words for icon in ASSURANCE_ICONS.values()},
                   of=lambda row: row.reading.assurance.name if row.reading.assurance else None),
            Column("sentence", "string", "What the chart says, as a sentence", is_always=True,
                   example="The mean is 1.6. The last 7 values are below it: better.",
                   of=lambda row: row.reading.sentence),
            Column("chart", "string", "Type of the chart", example="XmR chart", is_always=True,
                   of=lambda row: row.reading.chart_name),
            Column("rule_set", "string", "By which rules it is judged", example="NHS England, Making Data Count",
                   is_always=True, of=lambda row: row.reading.rule_set),
            ILLUSTRATIVE,
            replace(PAGE, of=lambda row: page_of(row.series),
                    example="https://portal.example.nhs.uk/metrics/PU1/?series=region"),
        ),
    ),
    Dataset(
        name="metric-values",
        title="Metrics: every value",
        summary="Every published value of every metric, with the counts behind it, mean, process limits, target, and "
        "the signal that statistical process control (SPC) finds in it.",
        section=SECTION,
        page="measurement:metric_list",
        key=("metric", "place", "number"),
        rows=_points,
        stored=_values,
        every="When a value is entered or corrected",
        notes=(
            *AS_PUBLISHED,
            "A period without a value has no row. Notes that people wrote beside values are not in it.",
        ),
        columns=(
            METRIC,
            PLACE,
            OF_ORGANISATION,
            Column("number", "integer", "Numbers the values of a place, the oldest first", example="12", least=1,
                   is_always=True),
            Column("period", "string", "The period, in words", example="June 2026", is_always=True),
            Column("period_start", "date", "First day of the period", example="2026-06-01", is_always=True),
            Column("period_end", "date", "Last day of the period", example="2026-06-30", is_always=True),
            Column("numerator", "number", "The count above the line; empty where the value itself is entered, and "
                   "where it is hidden", example="40", least=0),
            Column("denominator", "number", "The count below the line", example="4000", least=0),
            Column("value", "number", "The value; empty where it is hidden", unit=OF_UNIT, example="10"),
            UNIT,
            Column("is_hidden", "boolean", "Whether there is a value that is hidden because of small numbers",
                   example="false", is_always=True),
            Column("is_provisional", "boolean", "Whether the value may still change", example="false", is_always=True),
            Column("definition_version", "integer", "Number of the definition that held", example="1", least=1,
                   is_always=True),
            Column("centre", "number", "The centre line: mean or median", unit=OF_UNIT, example="9.5"),
            Column("lower_limit", "number", "The lower process limit", unit=OF_UNIT, example="4.1"),
            Column("upper_limit", "number", "The upper process limit", unit=OF_UNIT, example="14.9"),
            Column("signal", "string", "What the value says", example="common_cause", is_always=True,
                   choices={str(kind): POINT_WORDS[kind] for kind in PointType}),
            Column("rule", "string", "The rule that the signal is named after", example="Common Cause", is_always=True),
            Column("target", "number", "The target in force at the end of the period", unit=OF_UNIT, example="8"),
            Column("planned", "number", "What people planned for the period; no value is judged by it", unit=OF_UNIT,
                   example="9"),
            Column("left_out_because", "string", "Why a person left the value out of mean and limits",
                   example="The ward was closed for two weeks."),
            ILLUSTRATIVE,
        ),
    ),
]  # fmt: skip
