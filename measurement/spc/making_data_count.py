"""The XmR chart with the rules of NHS England's "Making Data Count", point for point as NHSRplotthedots 0.2.2."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import compress, pairwise
from operator import gt, lt
from typing import Any, NamedTuple

from measurement.spc.series import base_length, in_date_order, mean, position_of, split

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
    LONG_RUN_ABOVE = "Long Run Above CL"  # of run charts and Shewhart charts, as the next one
    LONG_RUN_BELOW = "Long Run Below CL"
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
    PATTERN = "pattern"  # of run charts and Shewhart charts: too few crossings, or a long run that has ended


class Assurance(StrEnum):
    """Whether the process as it is now will meet its target. Values are the names of the package's icons."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "fail"
    INCONSISTENT = "inconsistent"


HIGH = frozenset({Label.ABOVE_LIMIT, Label.TREND_UP, Label.TWO_OF_THREE_ABOVE, Label.SHIFT_ABOVE, Label.LONG_RUN_ABOVE})
LOW = frozenset(
    {Label.BELOW_LIMIT, Label.TREND_DOWN, Label.TWO_OF_THREE_BELOW, Label.SHIFT_BELOW, Label.LONG_RUN_BELOW}
)
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
    Direction.INCREASE: {
        PointType.IMPROVEMENT: Variation.IMPROVEMENT_HIGH,
        PointType.CONCERN: Variation.CONCERN_LOW,
    },
    Direction.DECREASE: {
        PointType.IMPROVEMENT: Variation.IMPROVEMENT_LOW,
        PointType.CONCERN: Variation.CONCERN_HIGH,
    },
    Direction.NEUTRAL: {
        PointType.NEUTRAL_HIGH: Variation.NEUTRAL_HIGH,
        PointType.NEUTRAL_LOW: Variation.NEUTRAL_LOW,
    },
}


class Limits(NamedTuple):
    """The lines of one part of an XmR chart, in the metric's unit, never cut at 0 or 100%.

    `mean` is None without any value, the limits also without a usable moving range.
    """

    mean: float | None
    lower: float | None
    upper: float | None
    near_lower: float | None
    near_upper: float | None


NO_LIMITS = Limits(None, None, None, None, None)


class Part(NamedTuple):
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
    three) hold the side likewise; 0 where the rule does not mark it. `excluded` are the positions of points that
    neither set the lines nor count in a rule that needs several points.
    """

    direction: Direction
    target: float | None
    dates: tuple[date, ...]
    values: tuple[float | None, ...]
    trajectory: tuple[float | None, ...]
    sides: tuple[int | None, ...]
    outside: tuple[bool | None, ...]
    near: tuple[bool | None, ...]
    trends: tuple[int, ...]
    pairs: tuple[int, ...]
    shifts: tuple[int, ...]
    labels: tuple[Label, ...]
    point_types: tuple[PointType, ...]
    parts: tuple[Part, ...]
    excluded: frozenset[int] = frozenset()

    @property
    def variation(self) -> Variation:
        """What the last point says; common cause where there is none."""
        return variation_of(self.labels[-1], self.direction) if self.labels else Variation.COMMON_CAUSE

    @property
    def assurance(self) -> Assurance | None:
        """Whether the process as it is at the end meets the target."""
        return assurance(self.limits, self.target, self.direction)

    @property
    def groups(self) -> tuple[int, ...]:
        """The number of each point's part: rebase dates met so far."""
        return tuple(part.group for part in self.parts for _ in range(part.n))

    @property
    def is_short(self) -> bool:
        """At least one part has too few points for firm limits."""
        return any(part.is_short for part in self.parts)

    @property
    def limits(self) -> Limits:
        """The lines in force at the end of the chart."""
        return self.parts[-1].limits if self.parts else NO_LIMITS

    # The lines as columns, for whoever treats charts of all types alike
    @property
    def centre(self) -> tuple[float | None, ...]:
        return self._line("mean")

    @property
    def lower(self) -> tuple[float | None, ...]:
        return self._line("lower")

    @property
    def upper(self) -> tuple[float | None, ...]:
        return self._line("upper")

    @property
    def near_lower(self) -> tuple[float | None, ...]:
        return self._line("near_lower")

    @property
    def near_upper(self) -> tuple[float | None, ...]:
        return self._line("near_upper")

    def _line(self, name: str) -> tuple[float | None, ...]:
        return tuple(getattr(part.limits, name) for part in self.parts for _ in range(part.n))


def xmr(
    dates: Sequence[date],
    values: Sequence[float | None],
    *,
    direction: Direction | str,
    target: float | None = None,
    rebase: Collection[date] = (),
    baseline: int | date | None = None,
    exclude: Collection[date] = (),
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
        baseline: the first so many points of each part (12 or more), or those up to a date, set its lines. None, a
            shorter part, or fewer than 12 points up to the date: all its points do.
        exclude: dates of points to leave out of mean, limits and of the rules that need several points; their
            neighbours become adjacent, and they are still judged against the limits. Ours: the package has no such.
        trajectory: planned values, one a point; carried through only.
        screen: leave out moving ranges of 3.267 times their mean or more, once, before limits are set.

    Returns:
        The chart in date order. No points: an empty chart with common cause variation.

    Raises:
        ValueError: one sentence that says what is wrong with the input.
    """
    direction = _direction(direction)
    planned = (None,) * len(dates) if trajectory is None else trajectory
    _refuse_what_is_no_series(dates, values, planned, baseline, target)
    dates, ys, planned = in_date_order(dates, values, planned)
    excluded = position_of(dates, exclude) if exclude else frozenset()
    sides: list[int | None] = []
    outside: list[bool | None] = []
    near: list[bool | None] = []
    rules = _Marks()
    parts: list[Part] = []
    for group, start, stop in split(dates, rebase):
        part_ys = ys[start:stop]
        base = base_length(dates[start:stop], baseline, SHORTEST_BASELINE)
        kept = [i for i in range(stop - start) if start + i not in excluded] if excluded else None
        limits = xmr_limits(part_ys[:base] if kept is None else [part_ys[i] for i in kept if i < base], screen=screen)
        part_sides = _sides(part_ys, limits.mean)
        part_outside, part_near, beyond = _zones(part_ys, limits)
        rules.outside += [start + i for i in beyond]
        if kept is None:
            rules.find(part_ys, part_sides, part_near, range(start, stop))
        else:
            columns = ([column[i] for i in kept] for column in (part_ys, part_sides, part_near))
            rules.find(*columns, [start + i for i in kept])
        sides += part_sides
        outside += part_outside
        near += part_near
        parts.append(Part(group, start, stop, limits))
    n = len(dates)
    labels = rules.labels(sides)
    of_label = _POINT_TYPES[direction]
    point_types = {i: of_label[label] for i, label in labels.items()}
    return XmrChart(
        direction=direction,
        target=target,
        dates=tuple(dates),
        values=tuple(ys),
        trajectory=tuple(planned),
        sides=tuple(sides),
        outside=tuple(outside),
        near=tuple(near),
        trends=_column(rules.trends, n, 0),
        pairs=_column(rules.pairs, n, 0),
        shifts=_column(rules.shifts, n, 0),
        labels=_column(labels, n, Label.COMMON_CAUSE),
        point_types=_column(point_types, n, PointType.COMMON_CAUSE),
        parts=tuple(parts),
        excluded=excluded,
    )


def xmr_limits(base: Sequence[float | None], *, screen: bool = True) -> Limits:
    """Mean and natural process limits from the base points, oldest first, None where a value is missing.

    Every base value counts in the mean, wild or not; a moving range is not bridged over a missing value.
    """
    centre = mean(base)
    if centre is None:
        return NO_LIMITS
    try:
        ranges = [abs(b - a) for a, b in pairwise(base)]
    except TypeError:  # a value is missing
        ranges = [abs(b - a) for a, b in pairwise(base) if a is not None and b is not None]
    average = mean_range(ranges, screen=screen)
    if average is None:
        return Limits(centre, None, None, None, None)
    far, close = XMR_SCALE * average, NEAR_SCALE * average
    return Limits(centre, centre - far, centre + far, centre - close, centre + close)


def mean_range(ranges: Sequence[float], *, screen: bool, cut_at: float = SCREEN_SCALE) -> float | None:
    """Mean moving range, without those of `cut_at` times the mean or more where screened. None where none is left."""
    if not ranges:
        return None
    average = math.fsum(ranges) / len(ranges)
    if not screen or max(ranges) < cut_at * average:
        return average
    ranges = [one for one in ranges if one < cut_at * average]
    return math.fsum(ranges) / len(ranges) if ranges else None


def assurance(limits: Limits, target: float | None, direction: Direction) -> Assurance | None:
    """Whether a process inside these limits meets the target always, never, or now and then."""
    if target is None or direction == Direction.NEUTRAL:
        return None
    if limits.upper is not None and target > limits.upper:
        return Assurance.FAIL if direction == Direction.INCREASE else Assurance.PASS
    if limits.lower is not None and target < limits.lower:
        return Assurance.PASS if direction == Direction.INCREASE else Assurance.FAIL
    return Assurance.INCONSISTENT


def variation_of(label: Label, direction: Direction) -> Variation:
    """What the icon of a chart says whose last point this rule marks."""
    return _VARIATIONS[direction].get(_POINT_TYPES[direction][label], Variation.COMMON_CAUSE)


def point_type_of(label: Label, direction: Direction) -> PointType:
    """Whether a point that this rule marks is better or worse, or just changed."""
    return _POINT_TYPES[direction][label]


def _direction(direction: Direction | str) -> Direction:
    try:
        return Direction(direction)
    except ValueError:
        raise ValueError("The improvement direction must be increase, decrease or neutral.") from None


def _refuse_what_is_no_series(dates, values, trajectory, baseline, target) -> None:
    """Refuses input from which no honest chart can be made."""
    if len(values) != len(dates):
        raise ValueError("Give one value, or None, for each date.")
    if len(trajectory) != len(dates):
        raise ValueError("Give one trajectory value for each date.")
    if (
        baseline is not None
        and not isinstance(baseline, date)
        and (baseline != int(baseline) or baseline < SHORTEST_BASELINE)
    ):
        raise ValueError(f"A baseline must have at least {SHORTEST_BASELINE} points.")
    if target is not None and not math.isfinite(target):
        raise ValueError("The target must be an ordinary number.")
    if not _all_ordinary(values):
        raise ValueError("Every value must be an ordinary number, or None where it is missing.")


def _all_ordinary(values: Sequence[float | None]) -> bool:
    """Neither infinite nor undefined, nor too large to be squared: any of these would show in the sum of squares."""
    try:
        return math.isfinite(math.sumprod(values, values))
    except TypeError:
        ys = [y for y in values if y is not None]
        return math.isfinite(math.sumprod(ys, ys))
    except OverflowError:
        return False


def _column(marks: dict[int, Any], n: int, otherwise: Any) -> tuple:
    """Marks by position as a column of n points."""
    if not marks:
        return (otherwise,) * n
    column = [otherwise] * n
    for i, mark in marks.items():
        column[i] = mark
    return tuple(column)


class _Marks:
    """Which points of the chart the rules mark, by position: 1 for high or rising, -1 for low."""

    __slots__ = ("outside", "pairs", "shifts", "trends")

    def __init__(self):
        self.outside: list[int] = []
        self.trends: dict[int, int] = {}
        self.pairs: dict[int, int] = {}
        self.shifts: dict[int, int] = {}

    def find(self, ys: Sequence[float | None], sides: Sequence[int | None], near: Sequence, at: Sequence[int]) -> None:
        """Apply the rules of several points to one part; `at` says where in the chart these are."""
        for i, way in _trends(ys).items():
            self.trends[at[i]] = way
        for i, side in _pairs(sides, near).items():
            self.pairs[at[i]] = side
        for i, side in _shifts(sides).items():
            self.shifts[at[i]] = side

    def labels(self, sides: Sequence[int | None]) -> dict[int, Label]:
        """The first rule that marks each point: outside the limits, trend, two of three, shift; so the last first."""
        labels = {}
        for i, side in self.shifts.items():
            labels[i] = Label.SHIFT_ABOVE if side == 1 else Label.SHIFT_BELOW
        for i, side in self.pairs.items():
            labels[i] = Label.TWO_OF_THREE_ABOVE if side == 1 else Label.TWO_OF_THREE_BELOW
        for i, way in self.trends.items():
            labels[i] = Label.TREND_UP if way == 1 else Label.TREND_DOWN
        for i in self.outside:
            labels[i] = Label.ABOVE_LIMIT if sides[i] == 1 else Label.BELOW_LIMIT
        return labels


def _sides(ys: Sequence[float | None], mean: float | None) -> list[int | None]:
    if mean is None:
        return [None] * len(ys)
    return [None if y is None else 1 if y > mean else -1 if y < mean else 0 for y in ys]


def _zones(ys: Sequence[float | None], limits: Limits) -> tuple[list[bool | None], list[bool | None], list[int]]:
    """Outside the limits; not outside but beyond the two-sigma line; and the positions of those outside.

    A point exactly on a line is inside it.
    """
    _, lower, upper, near_lower, near_upper = limits
    if lower is None or upper is None or near_lower is None or near_upper is None:
        return [None] * len(ys), [None] * len(ys), []
    near = [None if y is None else y > near_upper or y < near_lower for y in ys]
    outside, beyond = near.copy(), []
    for i in _where(near):
        if lower <= ys[i] <= upper:
            outside[i] = False
        else:
            near[i] = False
            beyond.append(i)
    return outside, near, beyond


def _where(marks: Sequence[int | None]) -> list[int]:
    """The positions of what is neither 0, False nor None."""
    return list(compress(range(len(marks)), marks))


def _trends(ys: Sequence[float | None]) -> dict[int, int]:
    """1 or -1 for points in seven or more that rise or fall at every step; the mean plays no part.

    The direction of a marked point is that of its step to the next marked point, else from the previous one, and only
    an upward step counts as rising: so a top shared by a rise and a fall is falling, as in the reference.
    """
    try:
        stretches = _monotone(ys)
    except TypeError:  # a value is missing: one that is neither more nor less than any other breaks a trend as well
        return _trends([math.nan if y is None else y for y in ys])
    marked = {i for start, stop in stretches for i in range(start, stop)}
    rising = {i for i in marked if (ys[i + 1] > ys[i] if i + 1 in marked else ys[i] > ys[i - 1])}
    return {i: 1 if i in rising else -1 for i in marked}


def _monotone(ys: Sequence[float]) -> list[tuple[int, int]]:
    """Start and stop of every stretch of at least seven points that rise, or fall, at every step.

    Looks at every fifth point only: one of these is inside any such stretch, with a neighbour on either side.
    """
    found = []
    inside, last = RUN_LENGTH - 2, len(ys) - 1
    for probe in range(inside, last, inside):
        before, y, after = ys[probe - 1 : probe + 2]
        if before < y < after:
            in_order = lt
        elif before > y > after:
            in_order = gt
        else:
            continue
        start, stop = probe - 1, probe + 1
        while start and in_order(ys[start - 1], ys[start]):
            start -= 1
        while stop < last and in_order(ys[stop], ys[stop + 1]):
            stop += 1
        if stop - start >= RUN_LENGTH - 1:
            found.append((start, stop + 1))
    return found


def _shifts(sides: Sequence[int | None]) -> dict[int, int]:
    """The side, for points in seven or more on one side of the mean. Every seventh point is in any such run."""
    marks, n = {}, len(sides)
    for probe in range(RUN_LENGTH - 1, n, RUN_LENGTH):
        side, start, stop = sides[probe], probe, probe + 1
        while start and sides[start - 1] == side:
            start -= 1
        while stop < n and sides[stop] == side:
            stop += 1
        if side and stop - start >= RUN_LENGTH:
            marks |= dict.fromkeys(range(start, stop), side)
    return marks


def _pairs(sides: Sequence[int | None], near: Sequence[bool | None]) -> dict[int, int]:
    """The side, for near points of three in a row on one side of which at least two are near."""
    marks = {}
    for first, second in pairwise(_where(near)):
        if second - first > 2:
            continue
        for start in range(max(0, second - 2), min(first, len(sides) - 3) + 1):  # the windows that hold both
            window = range(start, start + 3)
            if sides[start] and sides[start] == sides[start + 1] == sides[start + 2]:
                marks |= {i: sides[i] for i in window if near[i]}
    return marks
