"""A metric and its readings as plain JSON: for the file beside a chart, and for the API."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from measurement import readings
from measurement.figures import Icon, Line, Mark, Point, Reading
from measurement.models import ImportBatch, Metric, MetricTarget, MetricVersion, Series
from psc_portal.common import demonstration

LICENCE = {name: settings.OPEN_DATA_LICENCE[name] for name in ("name", "url")}
TRUE_VALUES, PUBLISHED_VALUES = "true values, not for publication", "as published"


def absolute(path: str) -> str:
    return f"{settings.PORTAL_URL}{path}"


def address(name: str, metric: Metric, series: Series | None = None) -> str:
    """The address of a page or file about a metric, or about one of its series."""
    query = f"?{urlencode({'series': series.key})}" if series else ""
    return absolute(reverse(f"measurement:{name}", args=[metric.code]) + query)


def api_address(name: str, *args: str) -> str:
    return absolute(reverse(f"measurement:api_{name}", args=args))


def said_of_all() -> dict:
    """What every file says: under which licence it comes, and whether its data are made up."""
    return {
        "publisher": settings.COLLABORATIVE["name"],
        "licence": LICENCE,
        "demonstration": demonstration.SENTENCE if demonstration.is_demonstration() else None,
    }


def values_of(reading: Reading) -> str:
    """On which values it rests, in words."""
    return TRUE_VALUES if reading.audience == readings.OWNER else PUBLISHED_VALUES


def metric_json(metric: Metric, all_series: list[Series]) -> dict:
    project = metric.project if metric.project and metric.project.is_public else None
    return {
        "code": metric.code,
        "name": metric.name,
        "page": address("metric_detail", metric),
        "url": api_address("metric", metric.code),
        "priority": {"slug": metric.priority.slug, "title": metric.priority.title} if metric.priority else None,
        "project": {"slug": project.slug, "title": project.title} if project else None,
        "kind": metric.kind,
        "dimension": metric.dimension,
        "direction": metric.direction,
        "unit": metric.unit,
        "multiplier": metric.multiplier,
        "frequency": metric.frequency,
        "targets": [_target(target) for target in metric.standing_targets],
        "why_it_matters": metric.why_it_matters,
        "known_limits": metric.known_limits,
        "collector": metric.collector,
        "stratified_by": metric.stratified_by,
        "baseline_from": _day(metric.baseline_from),
        "baseline_to": _day(metric.baseline_to),
        "days_to_report": metric.days_to_report,
        "days_until_final": metric.days_until_final,
        "is_illustrative": metric.is_illustrative,
        "definition": version_json(metric.version) if metric.version else None,
        "series": [
            {"key": series.key, "place": series.place, "url": api_address("one_series", metric.code, series.key)}
            for series in all_series
        ],
    }


def version_json(version: MetricVersion) -> dict:
    return {
        "version": version.number,
        "valid_from": _day(version.valid_from),
        "text": version.operational_definition,
        "numerator": version.numerator,
        "denominator": version.denominator,
        "exclusions": version.exclusions,
        "source": version.source,
        "sampling": version.sampling,
    }


def _target(target: MetricTarget) -> dict:
    return {
        "value": _number(target.value),
        "from": _day(target.from_date),
        "set_by": target.set_by,
        "reason": target.reason,
    }


def summary_json(series: Series, reading: Reading) -> dict:
    """A series in a list: its newest value and what its chart says."""
    metric, latest = series.metric, reading.latest
    return {
        "metric": metric.code,
        "key": series.key,
        "name": metric.name,
        "place": reading.place,
        "organisation": series.organisation.ods_code or series.organisation.slug if series.organisation_id else None,
        "url": api_address("one_series", metric.code, series.key),
        "points": api_address("points", metric.code, series.key),
        "page": address("metric_detail", metric, series),
        "unit": reading.unit,
        "frequency": reading.frequency,
        "is_illustrative": reading.is_illustrative,
        "latest": point_json(latest) if latest else None,
        "variation": _icon(reading.variation),
        "assurance": _icon(reading.assurance),
        "target": reading.target,
        "sentence": reading.sentence,
        "values": values_of(reading),
        "small_numbers": reading.published_as or None,
    }


def series_json(series: Series, reading: Reading) -> dict:
    """All that the chart of a series says, without its points."""
    metric = series.metric
    return {
        **summary_json(series, reading),
        "direction": reading.direction,
        "target_from": _day(reading.target_from),
        "chart": reading.chart_name,
        "centre_name": reading.centre_name,
        "limit_name": reading.limit_name,
        "rule_set": reading.rule_set,
        "definition": version_json(metric.version) if metric.version else None,
        "published_figures": [
            {"source": source, "licence": licence}
            for source, licence in ImportBatch.objects.published_sources_of(series)
        ],
        "frozen_on": reading.frozen or None,
        "frozen_because": reading.frozen_because or None,
        "lines": [_line(line, reading) for line in reading.lines],
        "annotations": [_mark(mark, reading) for mark in reading.marks],
        "files": {kind: address(f"metric_{kind}", metric, series) for kind in ("csv", "json", "svg", "png")},
        "embed": address("metric_embed", metric, series),
    }


def file_json(metric: Metric, series: Series | None, reading: Reading) -> dict:
    """The file beside a chart: definition, version, rule set and source with the points."""
    return {
        **said_of_all(),
        "metric": metric_json(metric, []) | {"series": None},
        "series": series_json(series, reading) if series else None,
        "points": [point_json(point) for point in reading.points],
    }


def point_json(point: Point) -> dict:
    return {
        "period": point.label,
        "period_start": _day(point.period_start),
        "period_end": _day(point.period_end),
        "numerator": whole(point.numerator),
        "denominator": whole(point.denominator),
        "value": whole(point.value),
        "is_hidden": point.is_hidden,
        "is_provisional": point.is_provisional,
        "definition_version": point.version,
        "centre": point.mean,
        "lower_limit": point.lower,
        "upper_limit": point.upper,
        "signal": str(point.point_type),
        "rule": str(point.rule),
        "target": point.target,
        "planned": point.planned,
        "left_out_because": point.excluded_because or None,
    }


def whole(number: float | None) -> float | int | None:
    """40 rather than 40.0: a count is a whole number."""
    return int(number) if number is not None and float(number).is_integer() else number


def _line(line: Line, reading: Reading) -> dict:
    return {
        "from": _day(reading.points[line.start].period_start),
        "to": _day(reading.points[line.stop - 1].period_end),
        "centre": line.mean,
        "lower_limit": line.lower,
        "upper_limit": line.upper,
        "limits_vary": line.varies,
        "is_trial": line.is_trial,
        "because": line.because,
        "is_new_definition": line.is_new_definition,
    }


def _mark(mark: Mark, reading: Reading) -> dict:
    beside = reading.points[mark.index].period_start if reading.points else None
    return {"number": mark.number, "date": mark.label, "beside": _day(beside), "kind": mark.kind, "text": mark.text}


def _icon(icon: Icon | None) -> dict | None:
    return {"name": icon.name, "words": icon.words} if icon else None


def _day(day) -> str | None:
    return day.isoformat() if day else None


def _number(number) -> float | None:
    return None if number is None else whole(float(number))
