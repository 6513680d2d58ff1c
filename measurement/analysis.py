"""Which chart a series is drawn as, and what its lines are called."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from measurement import spc
from measurement.spc import ChartType


@dataclass(frozen=True, slots=True)
class Kind:
    """Names of a chart type and its lines, as pages and sentences use them."""

    name: str
    rule_set: str
    centre: str = "mean"
    limit: str = "control limit"


_SHEWHART = "Anhøj’s runs analysis and 3-sigma limits ({})"
KINDS = {
    ChartType.XMR: Kind("XmR chart", spc.RULE_SET, limit="process limit"),
    ChartType.RUN: Kind("run chart", "Anhøj’s runs analysis (run chart, median)", centre="median"),
    ChartType.G: Kind("g chart", _SHEWHART.format("g chart"), centre="median"),
} | {
    kind: Kind(name, _SHEWHART.format(name))
    for kind, name in {
        ChartType.P: "p chart",
        ChartType.P_PRIME: "p′ chart",
        ChartType.U: "u chart",
        ChartType.U_PRIME: "u′ chart",
        ChartType.C: "c chart",
        ChartType.T: "t chart",
        ChartType.I_PRIME: "I′ chart",
    }.items()
}
FROM_COUNTS = spc.NEEDS_DENOMINATORS | {ChartType.I_PRIME}


class Counted(Protocol):
    """A period's numbers."""

    numerator: float | None
    denominator: float | None


@dataclass(frozen=True, slots=True)
class Analysed:
    chart: spc.XmrChart | spc.JudgedChart
    kind: Kind
    problem: str = ""  # why it is not the chart that was chosen


def analysed(
    chart_type: ChartType | str,
    dates: Sequence[dt.date],
    rows: Sequence[Counted],
    values: Sequence[float | None],
    *,
    multiplier: float,
    direction: str,
    target: float | None,
    rebase: Collection[dt.date],
    baseline: int | dt.date | None,
    exclude: Collection[dt.date] = (),
) -> Analysed:
    """The chart that was chosen for a series; an XmR chart with the reason where the data do not allow it.

    Args:
        rows, values: one a date, oldest first. Proportions and rates are worked out from the counts of the rows, all
            other charts from the values.
        multiplier: of numerator / denominator.
    """
    chart_type = ChartType(chart_type)
    common = {"rebase": rebase, "baseline": baseline, "exclude": exclude}
    judging = {"direction": direction, "target": target}
    problem = ""
    if chart_type != ChartType.XMR:
        try:
            if chart_type in FROM_COUNTS:
                chart = _from_counts(chart_type, dates, rows, values, multiplier, common)
            else:
                chart = spc.shewhart(chart_type, dates, values, **common)
            return Analysed(spc.judged(chart, **judging), KINDS[chart_type])
        except ValueError as refusal:
            problem = (
                f"The {KINDS[chart_type].name} that was chosen cannot be drawn, so this is an XmR chart. {refusal}"
            )
    return Analysed(spc.xmr(dates, values, **judging, **common), KINDS[ChartType.XMR], problem)


def _from_counts(chart_type, dates, rows, values, multiplier, common) -> spc.ShewhartChart:
    if any(value is not None and row.denominator is None for row, value in zip(rows, values, strict=True)):
        raise ValueError("It needs a numerator and a denominator for each period.")
    numerators = [row.numerator for row in rows]
    denominators = [row.denominator for row in rows]
    return spc.shewhart(chart_type, dates, numerators, denominators, multiply=multiplier, **common)
