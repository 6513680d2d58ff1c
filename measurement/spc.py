"""Statistical process control: the arithmetic behind the charts, without Django.

So far the XmR chart with the rules of NHS England's "Making Data Count", equal to the R package NHSRplotthedots 0.2.2
point for point. Run charts and the other Shewhart charts stand beside `xmr` as functions of their own, each with its
result type, when they come.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

# Natural process limits lie 3 sigma from the mean, sigma being the average moving range / d2 with d2 = 1.128 for ranges
# of two points. D. J. Wheeler, Understanding Variation, 2nd ed. (2000), rounds 3 / 1.128 to 2.66; so does NHS England.
XMR_SCALE = 2.66
# Two-sigma lines: two thirds of the way to the limits. L. Provost, S. Murray, The Health Care Data Guide (2011).
NEAR_SCALE = XMR_SCALE * 2 / 3
# Upper limit of a moving range, D4 = 3.267: a range that reaches it is left out before limits are set, once.
# L. S. Nelson, Control charts for individual measurements, J Qual Technol 1982;14:172-3.
SCREEN_SCALE = 3.267
# "Seven points" of the shift and trend rules. NHS England, Making data count: getting started (2019).
RUN_LENGTH = 7
# Limits from fewer points than this are called trial limits. NHSRplotthedots: "should have at least 13".
FIRM_LIMITS_FROM = 13
# A frozen baseline needs at least so many points. NHSRplotthedots, argument fix_after_n_points.
SHORTEST_BASELINE = 12

RULE_SET = "NHS England, Making Data Count (XmR chart, moving ranges screened once)"


class Direction(StrEnum):
    INCREASE = "increase"
    DECREASE = "decrease"
    NEUTRAL = "neutral"


class Label(StrEnum):
    """The rule that a point is named after. Values are the names that the reference package gives."""

    ABOVE_LIMIT = "Above UCL"
    BELOW_LIMIT = "Below LCL"
    TREND_UP = "7 Point Trend (Increasing)"
    TREND_DOWN = "7 Point Trend (Decreasing)"
    TWO_OF_THREE_ABOVE = "2 in 3 Above CL"
    TWO_OF_THREE_BELOW = "2 in 3 Below CL"
    SHIFT_ABOVE = "7 Points Above CL"
    SHIFT_BELOW = "7 Points Below CL"
    COMMON_CAUSE = "Common Cause"


class PointType(StrEnum):
    IMPROVEMENT = "special_cause_improvement"
    CONCERN = "special_cause_concern"
    NEUTRAL_HIGH = "special_cause_neutral_high"
    NEUTRAL_LOW = "special_cause_neutral_low"
    COMMON_CAUSE = "common_cause"


class Variation(StrEnum):
    """What the last point says. High and low follow the improvement direction, not the value."""

    COMMON_CAUSE = "common_cause"
    IMPROVEMENT_HIGH = "improvement_high"
    IMPROVEMENT_LOW = "improvement_low"
    CONCERN_HIGH = "concern_high"
    CONCERN_LOW = "concern_low"
    NEUTRAL_HIGH = "neutral_high"
    NEUTRAL_LOW = "neutral_low"


class Assurance(StrEnum):
    """Whether the process as it is now will meet its target. Values are the names of the package's icons."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "fail"
    INCONSISTENT = "inconsistent"


HIGH = frozenset({Label.ABOVE_LIMIT, Label.TREND_UP, Label.TWO_OF_THREE_ABOVE, Label.SHIFT_ABOVE})
LOW = frozenset({Label.BELOW_LIMIT, Label.TREND_DOWN, Label.TWO_OF_THREE_BELOW, Label.SHIFT_BELOW})

_JUDGED_HIGH = {
    Direction.INCREASE: PointType.IMPROVEMENT,
    Direction.DECREASE: PointType.CONCERN,
    Direction.NEUTRAL: PointType.NEUTRAL_HIGH,
}
_JUDGED_LOW = {
    Direction.INCREASE: PointType.CONCERN,
    Direction.DECREASE: PointType.IMPROVEMENT,
    Direction.NEUTRAL: PointType.NEUTRAL_LOW,
}
_POINT_TYPES = {
    direction: dict.fromkeys(HIGH, _JUDGED_HIGH[direction])
    | dict.fromkeys(LOW, _JUDGED_LOW[direction])
    | {Label.COMMON_CAUSE: PointType.COMMON_CAUSE}
    for direction in Direction
}
_VARIATIONS = {
    (PointType.IMPROVEMENT, Direction.INCREASE): Variation.IMPROVEMENT_HIGH,
    (PointType.IMPROVEMENT, Direction.DECREASE): Variation.IMPROVEMENT_LOW,
    (PointType.CONCERN, Direction.INCREASE): Variation.CONCERN_LOW,
    (PointType.CONCERN, Direction.DECREASE): Variation.CONCERN_HIGH,
    (PointType.NEUTRAL_HIGH, Direction.NEUTRAL): Variation.NEUTRAL_HIGH,
    (PointType.NEUTRAL_LOW, Direction.NEUTRAL): Variation.NEUTRAL_LOW,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The lines of one part of an XmR chart, in the metric's unit, never cut at 0 or 100%.

    `mean` is None without any value, the limits also without a usable moving range.
    """

    mean: float | None
    lower: float | None
    upper: float | None
    near_lower: float | None
    near_upper: float | None


NO_LIMITS = Limits(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Part:
    """The points from one rebase to the next: `start` to `stop` (not included) in the chart's columns."""

    group: int
    start: int
    stop: int
    limits: Limits

    @property
    def n(self) -> int:
        return self.stop - self.start

    @property
    def is_short(self) -> bool:
        """Its limits are trial limits."""
        return self.n < FIRM_LIMITS_FROM


@dataclass(frozen=True, slots=True)
class XmrChart:
    """An analysed XmR chart: columns of equal length in date order, and the parts they fall into.

    `sides` is -1, 0 or 1 and None for a missing value; `outside` and `near` are None also where limits are undefined.
    `trends` holds 1 or -1 where the trend rule marks a point, whatever its label says; `shifts` and `pairs` (two of
    three) hold the side likewise; 0 where the rule does not mark it.
    """

    direction: Direction
    target: float | None
    dates: tuple[date, ...]
    values: tuple[float | None, ...]
    trajectory: tuple[float | None, ...]
    groups: tuple[int, ...]
    sides: tuple[int | None, ...]
    outside: tuple[bool | None, ...]
    near: tuple[bool | None, ...]
    trends: tuple[int, ...]
    pairs: tuple[int, ...]
    shifts: tuple[int, ...]
    labels: tuple[Label, ...]
    point_types: tuple[PointType, ...]
    parts: tuple[Part, ...]
    variation: Variation
    assurance: Assurance | None

    @property
    def is_short(self) -> bool:
        """At least one part has too few points for firm limits."""
        return any(part.is_short for part in self.parts)

    @property
    def limits(self) -> Limits:
        """The lines in force at the end of the chart."""
        return self.parts[-1].limits if self.parts else NO_LIMITS


def xmr(
    dates: Sequence[date],
    values: Sequence[float | None],
    *,
    direction: Direction | str,
    target: float | None = None,
    rebase: Sequence[date] = (),
    baseline: int | None = None,
    trajectory: Sequence[float | None] | None = None,
    screen: bool = True,
) -> XmrChart:
    """Analyse one series as an XmR chart by the Making Data Count rules.

    Args:
        dates: one a point, unique, in any order; their spacing is never used.
        values: shape (n,), in the metric's unit; None is a missing value, which breaks runs and moving ranges.
        direction: which way is better.
        target: the value to reach, in the same unit; used for `assurance` only.
        rebase: dates on which a new part starts, with the point on that date; others have no effect.
        baseline: the first so many points of each part (12 or more) set its lines; None, or a shorter part: all do.
        trajectory: planned values, one a point; carried through only.
        screen: leave out moving ranges of 3.267 times their mean or more, once, before limits are set.

    Returns:
        The chart in date order. No points: an empty chart with common cause variation.

    Raises:
        ValueError: one sentence that says what is wrong with the input.
    """
    direction = _direction(direction)
    order = _checked_order(dates, values, baseline, target)
    dates = tuple(dates[i] for i in order)
    ys = tuple(values[i] for i in order)
    if trajectory is not None and len(trajectory) != len(dates):
        raise ValueError("Give one trajectory value for each date.")
    planned = (None,) * len(dates) if trajectory is None else tuple(trajectory[i] for i in order)
    groups, spans = _split(dates, frozenset(rebase))
    sides: list[int | None] = []
    outside: list[bool | None] = []
    near: list[bool | None] = []
    labels: list[Label] = []
    trends: list[int] = []
    pairs: list[int] = []
    shifts: list[int] = []
    parts: list[Part] = []
    for start, stop in spans:
        part_ys = ys[start:stop]
        limits = xmr_limits(part_ys[:baseline] if baseline and len(part_ys) >= baseline else part_ys, screen=screen)
        part_sides = _sides(part_ys, limits.mean)
        part_outside, part_near = _zones(part_ys, limits)
        part_trends = _trends(part_ys)
        part_shifts = _shifts(part_sides)
        part_pairs = _pairs(part_sides, part_near)
        labels += _labels(part_sides, part_outside, part_ys, part_trends, part_pairs, part_shifts)
        sides += part_sides
        outside += part_outside
        near += part_near
        trends += part_trends
        pairs += part_pairs
        shifts += part_shifts
        parts.append(Part(groups[start], start, stop, limits))
    of_label = _POINT_TYPES[direction]
    point_types = tuple([of_label[label] for label in labels])
    last_type = point_types[-1] if point_types else PointType.COMMON_CAUSE
    return XmrChart(
        direction=direction,
        target=target,
        dates=dates,
        values=ys,
        trajectory=planned,
        groups=groups,
        sides=tuple(sides),
        outside=tuple(outside),
        near=tuple(near),
        trends=tuple(trends),
        pairs=tuple(pairs),
        shifts=tuple(shifts),
        labels=tuple(labels),
        point_types=point_types,
        parts=tuple(parts),
        variation=_VARIATIONS.get((last_type, direction), Variation.COMMON_CAUSE),
        assurance=assurance(parts[-1].limits if parts else NO_LIMITS, target, direction),
    )


def xmr_limits(base: Sequence[float | None], *, screen: bool = True) -> Limits:
    """Mean and natural process limits from the base points, oldest first, None where a value is missing.

    Every base value counts in the mean, wild or not; a moving range is not bridged over a missing value.
    """
    known = [y for y in base if y is not None]
    if not known:
        return NO_LIMITS
    # an exactly rounded sum: a naive one puts a constant series of 0.1 below its own mean
    mean = math.fsum(known) / len(known)
    if len(known) == len(base):
        ranges = [abs(b - a) for a, b in pairwise(known)]
    else:
        ranges = [abs(b - a) for a, b in pairwise(base) if a is not None and b is not None]
    if ranges and screen:
        cut = SCREEN_SCALE * (math.fsum(ranges) / len(ranges))
        ranges = [moving_range for moving_range in ranges if moving_range < cut]
    if not ranges:
        return Limits(mean, None, None, None, None)
    average = math.fsum(ranges) / len(ranges)
    far, close = XMR_SCALE * average, NEAR_SCALE * average
    return Limits(mean, mean - far, mean + far, mean - close, mean + close)


def assurance(limits: Limits, target: float | None, direction: Direction) -> Assurance | None:
    """Whether a process inside these limits meets the target always, never, or now and then."""
    if target is None or direction == Direction.NEUTRAL:
        return None
    if limits.upper is not None and target > limits.upper:
        return Assurance.FAIL if direction == Direction.INCREASE else Assurance.PASS
    if limits.lower is not None and target < limits.lower:
        return Assurance.PASS if direction == Direction.INCREASE else Assurance.FAIL
    return Assurance.INCONSISTENT


def _direction(direction: Direction | str) -> Direction:
    try:
        return Direction(direction)
    except ValueError:
        raise ValueError("The improvement direction must be increase, decrease or neutral.") from None


def _checked_order(
    dates: Sequence[date], values: Sequence[float | None], baseline: int | None, target: float | None
) -> Sequence[int]:
    """Positions in date order; refuses input from which no honest chart can be made."""
    n = len(dates)
    if len(values) != n:
        raise ValueError("Give one value, or None, for each date.")
    if baseline is not None and (baseline != int(baseline) or baseline < SHORTEST_BASELINE):
        raise ValueError(f"A baseline must have at least {SHORTEST_BASELINE} points.")
    if len(set(dates)) != n:
        raise ValueError("Two points have the same date: give each date once.")
    if target is not None and not math.isfinite(target):
        raise ValueError("The target must be an ordinary number.")
    if not all(y is None or math.isfinite(y) for y in values):
        raise ValueError("Every value must be an ordinary number, or None where it is missing.")
    return sorted(range(n), key=dates.__getitem__)


def _split(dates: Sequence[date], rebase: frozenset[date]) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """Group number of each point (rebase dates met so far), and where each group starts and stops."""
    group, groups, starts = 0, [], []
    for i, day in enumerate(dates):
        group += day in rebase
        if i == 0 or day in rebase:
            starts.append(i)
        groups.append(group)
    return tuple(groups), list(zip(starts, [*starts[1:], len(dates)], strict=False))


def _sides(ys: Sequence[float | None], mean: float | None) -> list[int | None]:
    return [None if y is None else (y > mean) - (y < mean) for y in ys]


def _zones(ys: Sequence[float | None], limits: Limits) -> tuple[list[bool | None], list[bool | None]]:
    """Outside the limits; and not outside but beyond the two-sigma line. A point exactly on a line is inside it."""
    if limits.upper is None:
        return [None] * len(ys), [None] * len(ys)
    outside = [None if y is None else y > limits.upper or y < limits.lower for y in ys]
    near = [
        None if y is None else not out and (y > limits.near_upper or y < limits.near_lower)
        for y, out in zip(ys, outside, strict=True)
    ]
    return outside, near


def _mark_runs(signs: Sequence[int | None], shortest: int, marks: list[int], extra: int = 0) -> None:
    """Write its sign over every run of at least `shortest` equal signs other than 0 and None, and `extra` after it."""
    start = 0
    for i in range(1, len(signs) + 1):
        if i == len(signs) or signs[i] != signs[start]:
            if signs[start] and i - start >= shortest:
                marks[start : i + extra] = [signs[start]] * (i - start + extra)
            start = i


def _trends(ys: Sequence[float | None]) -> list[int]:
    """1 or -1 for points in seven or more that rise or fall at every step; the mean plays no part.

    The direction of a marked point is that of its step to the next marked point, else from the previous one, and only
    an upward step counts as rising: so a top shared by a rise and a fall is falling, as in the reference.
    """
    marks = [0] * len(ys)
    if len(ys) < RUN_LENGTH:
        return marks
    steps = [None if a is None or b is None else (b > a) - (b < a) for a, b in pairwise(ys)]
    _mark_runs(steps, RUN_LENGTH - 1, marks, extra=1)
    return [
        0 if not mark else (1 if steps[i if i + 1 < len(ys) and marks[i + 1] else i - 1] == 1 else -1)
        for i, mark in enumerate(marks)
    ]


def _shifts(sides: Sequence[int | None]) -> list[int]:
    """The side, for points in seven or more on one side of the mean."""
    marks = [0] * len(sides)
    if len(sides) >= RUN_LENGTH:
        _mark_runs(sides, RUN_LENGTH, marks)
    return marks


def _pairs(sides: Sequence[int | None], near: Sequence[bool | None]) -> list[int]:
    """The side, for near points of three in a row on one side of which at least two are near."""
    marks = [0] * len(sides)
    if not any(near):
        return marks
    for i in range(len(sides) - 2):
        side = sides[i]
        if side and side == sides[i + 1] == sides[i + 2]:
            close = [j for j in (i, i + 1, i + 2) if near[j]]
            if len(close) >= 2:
                for j in close:
                    marks[j] = side
    return marks


def _labels(
    sides: Sequence[int | None],
    outside: Sequence[bool | None],
    ys: Sequence[float | None],
    trends: Sequence[int],
    pairs: Sequence[int],
    shifts: Sequence[int],
) -> list[Label]:
    """The first rule that marks each point: outside the limits, trend, two of three, shift."""
    labels = []
    for side, out, trend, pair, shift in zip(sides, outside, trends, pairs, shifts, strict=True):
        if out:
            labels.append(Label.ABOVE_LIMIT if side == 1 else Label.BELOW_LIMIT)
        elif trend:
            labels.append(Label.TREND_UP if trend == 1 else Label.TREND_DOWN)
        elif pair:
            labels.append(Label.TWO_OF_THREE_ABOVE if pair == 1 else Label.TWO_OF_THREE_BELOW)
        elif shift:
            labels.append(Label.SHIFT_ABOVE if shift == 1 else Label.SHIFT_BELOW)
        else:
            labels.append(Label.COMMON_CAUSE)
    return labels
