"""What a run chart or Shewhart chart says of each of its points and of its end, in the terms of the XmR chart.

Two rules, as in qicharts2: a point outside the 3-sigma limits, and Anhøj's runs analysis of each part. Neither knows
better from worse: the improvement direction decides. A part that signals by its few crossings alone has no point to
name: then the chart as a whole shows a pattern.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from measurement.spc.control_charts import ChartType, ShewhartChart, ShewhartPart
from measurement.spc.making_data_count import (
    Assurance,
    Direction,
    Label,
    Limits,
    PointType,
    Variation,
    assurance,
    point_type_of,
    variation_of,
)


@dataclass(frozen=True, slots=True)
class JudgedChart:
    """A ShewhartChart with the rule that each point is named after, and its icons: columns as in XmrChart."""

    analysed: ShewhartChart
    direction: Direction
    target: float | None
    labels: tuple[Label, ...]
    point_types: tuple[PointType, ...]
    variation: Variation
    assurance: Assurance | None

    def __getattr__(self, name):
        """Dates, values, lines and parts are those of the chart."""
        return getattr(self.analysed, name)


def judged(chart: ShewhartChart, *, direction: Direction | str, target: float | None = None) -> JudgedChart:
    """
    Args:
        direction: which way is better.
        target: in the unit of the chart; compared with the limits of the newest point that has any.
    """
    direction = Direction(direction)
    labels = [Label.COMMON_CAUSE] * len(chart.dates)
    for part in chart.parts:
        for start, stop in long_runs(chart, part):
            name = Label.LONG_RUN_ABOVE if chart.sides[start] == 1 else Label.LONG_RUN_BELOW
            for i in range(start, stop):
                if chart.sides[i] == chart.sides[start] and i not in chart.excluded:
                    labels[i] = name
    for i, is_outside in enumerate(chart.outside):
        if is_outside:
            labels[i] = Label.ABOVE_LIMIT if chart.sides[i] == 1 else Label.BELOW_LIMIT
    variation = variation_of(labels[-1], direction) if labels else Variation.COMMON_CAUSE
    if variation == Variation.COMMON_CAUSE and chart.parts and chart.parts[-1].runs.is_signal:
        variation = Variation.PATTERN
    return JudgedChart(
        analysed=chart,
        direction=direction,
        target=target,
        labels=tuple(labels),
        point_types=tuple([point_type_of(label, direction) for label in labels]),
        variation=variation,
        assurance=assurance(_newest_limits(chart), target, direction) if chart.chart != ChartType.RUN else None,
    )


def long_runs(chart: ShewhartChart, part: ShewhartPart) -> Iterator[tuple[int, int]]:
    """Start and stop of each run of a part that is longer than chance would make it. Points on the centre line and
    excluded ones neither break a run nor count."""
    if not part.runs.is_signal:
        return
    useful = [i for i in range(part.start, part.stop) if chart.sides[i] and i not in chart.excluded]
    for _side, run in groupby(useful, key=chart.sides.__getitem__):
        places = list(run)
        if len(places) > part.runs.longest_run_max:
            yield places[0], places[-1] + 1


def _newest_limits(chart: ShewhartChart) -> Limits:
    limited = [i for i, upper in enumerate(chart.upper) if upper is not None]
    if not limited:
        return Limits(None, None, None, None, None)
    at = limited[-1]
    return Limits(chart.centre[at], chart.lower[at], chart.upper[at], chart.near_lower[at], chart.near_upper[at])
