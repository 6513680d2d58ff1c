"""What a reader of an XmR chart should be told because the rules alone would mislead. Changes no number and no rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from measurement.spc.control_charts import ChartType
from measurement.spc.making_data_count import RUN_LENGTH, Direction, Label, XmrChart

# Longer gaps are not looked across: by then the process may have been another one. Ours.
LONGEST_GAP = 2


@dataclass(frozen=True, slots=True)
class ClosedLimits:
    """Screening left only moving ranges of 0, so both limits fall on the mean and every value off it is outside.

    `offers` are the chart types for rare events, where most values are 0.
    """

    offers: tuple[ChartType, ...]


@dataclass(frozen=True, slots=True)
class SameValue:
    """All `n` values are the same, so there are no limits to compare the target with: yet it is met, or missed."""

    value: float
    n: int
    is_met: bool


@dataclass(frozen=True, slots=True)
class GapInRun:
    """Seven or more values at the end would fire a rule, but missing ones among them (`gaps`) break the run.

    `start` is where the run would start, `n` how many values it has, `rule` what it would be called.
    """

    rule: Label
    start: int
    n: int
    gaps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TwoRules:
    """Two rules judge the last value differently: `shown` names it, `other` says the opposite."""

    shown: Label
    other: Label


Caution = ClosedLimits | SameValue | GapInRun | TwoRules


def cautions(chart: XmrChart) -> tuple[Caution, ...]:
    """What to tell about the end of the chart: its last part and its last point."""
    if not chart.parts:
        return ()
    found = (_two_rules(chart), _closed_limits(chart), _same_value(chart), _gap_in_run(chart))
    return tuple([caution for caution in found if caution])


def _last_part(chart: XmrChart) -> list[int]:
    """The positions in the last part, without excluded ones."""
    part = chart.parts[-1]
    return [i for i in range(part.start, part.stop) if i not in chart.excluded]


def _known(chart: XmrChart) -> list[float]:
    return [y for i in _last_part(chart) if (y := chart.values[i]) is not None]


def _closed_limits(chart: XmrChart) -> ClosedLimits | None:
    limits, known = chart.limits, _known(chart)
    if limits.upper is None or limits.upper != limits.lower or len(set(known)) < 2:
        return None
    return ClosedLimits((ChartType.G, ChartType.T) if is_rare(known) else ())


def is_rare(values: Sequence[float]) -> bool:
    """Of events so rare that a chart of their number is mostly noughts: at least half of the values. Ours."""
    return bool(values) and min(values) >= 0 and 2 * values.count(0) >= len(values)


def _same_value(chart: XmrChart) -> SameValue | None:
    known, target = _known(chart), chart.target
    has_no_limits = chart.limits.upper is None or chart.limits.upper == chart.limits.lower
    if target is None or chart.direction == Direction.NEUTRAL or not has_no_limits:
        return None
    if len(known) < 2 or len(set(known)) > 1:
        return None
    value = known[0]
    return SameValue(value, len(known), value >= target if chart.direction == Direction.INCREASE else value <= target)


def _gap_in_run(chart: XmrChart) -> GapInRun | None:
    """Looks back from the last value, across gaps, as long as the values rise or fall or stay on one side."""
    part = _last_part(chart)
    at = [i for i in part if chart.values[i] is not None]
    if len(at) < RUN_LENGTH or chart.trends[at[-1]] or chart.shifts[at[-1]]:
        return None
    steps = [(chart.values[b] > chart.values[a]) - (chart.values[b] < chart.values[a]) for a, b in pairwise(at)]
    sides = [chart.sides[i] for i in at]
    for signs, names, extra in (
        (steps, (Label.TREND_UP, Label.TREND_DOWN), 1),
        (sides, (Label.SHIFT_ABOVE, Label.SHIFT_BELOW), 0),
    ):
        sign, n = signs[-1], 0
        while n < len(signs) and signs[-1 - n] == sign:
            n += 1
        run = at[len(at) - n - extra :]
        gaps = tuple(i for i in part if run[0] < i < run[-1] and chart.values[i] is None)
        if sign and len(run) >= RUN_LENGTH and len(gaps) > 0 and _longest(gaps) <= LONGEST_GAP:
            return GapInRun(names[0] if sign == 1 else names[1], run[0], len(run), gaps)
    return None


def _longest(gaps: Sequence[int]) -> int:
    """The most missing values in a row."""
    longest = run = 1
    for one, following in pairwise(gaps):
        run = run + 1 if following == one + 1 else 1
        longest = max(longest, run)
    return longest


def _two_rules(chart: XmrChart) -> TwoRules | None:
    last = len(chart.labels) - 1
    side = chart.sides[last] if chart.outside[last] else 0
    marked = [
        (side, Label.ABOVE_LIMIT, Label.BELOW_LIMIT),
        (chart.trends[last], Label.TREND_UP, Label.TREND_DOWN),
        (chart.pairs[last], Label.TWO_OF_THREE_ABOVE, Label.TWO_OF_THREE_BELOW),
        (chart.shifts[last], Label.SHIFT_ABOVE, Label.SHIFT_BELOW),
    ]
    fired = [(sign, high if sign == 1 else low) for sign, high, low in marked if sign]
    others = [label for sign, label in fired if sign != fired[0][0]]
    return TwoRules(fired[0][1], others[0]) if others else None
