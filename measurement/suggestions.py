"""What the portal suggests to those who keep a metric. A person decides."""

import datetime as dt
from dataclasses import dataclass

from measurement import sentences, spc
from measurement.figures import Reading
from measurement.models import Metric, MetricVersion

KINDS = {
    MetricVersion.Entry.RATIO: spc.DataKind.RATE,
    MetricVersion.Entry.COUNT: spc.DataKind.COUNT,
    MetricVersion.Entry.VALUE: spc.DataKind.VALUE,
}


@dataclass(frozen=True, slots=True)
class ChartSuggestion:
    chart_type: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RebaseSuggestion:
    from_date: dt.date
    label: str
    sentence: str


def chart_for(metric: Metric, reading: Reading) -> ChartSuggestion:
    """The type of chart that suits the data of a reading, with the reason."""
    kind = _kind(metric)
    has_counts = kind != spc.DataKind.VALUE and metric.version.entry != MetricVersion.Entry.VALUE
    numbers = [point.numerator if has_counts else point.value for point in reading.points]
    suggested = spc.suggest_chart(kind, numbers, [point.denominator for point in reading.points])
    sentence = sentences.suggestion(suggested)
    if str(suggested.chart) not in metric.possible_charts:
        sentence += " That needs a metric of its own, with a value for each event."
    return ChartSuggestion(str(suggested.chart), sentence)


def _kind(metric: Metric) -> spc.DataKind:
    entry = metric.version.entry
    if metric.frequency == Metric.Frequency.EVENT:
        return spc.DataKind.TIME_BETWEEN if "day" in metric.unit else spc.DataKind.CASES_BETWEEN
    return spc.DataKind.PROPORTION if metric.is_proportion else KINDS[entry]


def rebase_of(reading: Reading) -> RebaseSuggestion | None:
    """The date to think about, where the newest values have lain on one side of the centre line for long."""
    if not reading.lines:
        return None
    found = spc.sustained_shift(
        [point.value for point in reading.points],
        [point.mean for point in reading.points],
        start=reading.lines[-1].start,
        excluded={i for i, point in enumerate(reading.points) if point.excluded_because},
    )
    if found is None:
        return None
    first = reading.points[found.start]
    side = "above" if found.side == 1 else "below"
    return RebaseSuggestion(
        first.period_start,
        first.label,
        f"The last {found.n} values, since {first.label}, all lie {side} the mean. If you know why, and expect it to "
        f"last, think about calculating mean and limits anew from {first.label}. The portal never does this by itself.",
    )
