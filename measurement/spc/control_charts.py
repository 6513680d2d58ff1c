"""Run charts and Shewhart's control charts for counts, proportions, rates and time between events.

Point for point as the R package qicharts2 0.8.1. Formulas from D. C. Montgomery, Introduction to Statistical Quality
Control, 8th ed. (2019), except where another source is named; docs/methods.md has them in a table.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from statistics import median

from measurement.spc.making_data_count import mean_range
from measurement.spc.runs import RunsAnalysis, runs_analysis
from measurement.spc.series import Column, base_length, mean, own_centre, position_of, split

# Mean range of two points / sigma, d2 of subgroups of two. Montgomery, appendix VI.
RANGE_PER_SIGMA = 1.128
# A moving range chart has its upper limit at D4 = 3.267 times the mean range. Montgomery, appendix VI.
RANGE_LIMIT = 3.267
# The days between events, to this power, are near enough to normal. Montgomery, section 7.3.5, after L. S. Nelson,
# A control chart for parts-per-million nonconforming items, J Qual Technol 1994;26:239-40.
EVENT_POWER = 3.6
# Median of a geometric distribution / its mean, ln 2. L. Provost, S. Murray, The Health Care Data Guide (2011), p. 228.
MEDIAN_PER_MEAN = 0.693
# W. A. Taylor's I' chart: a range above 3.2665 times the mean range is left out. qicharts2 0.8.1.
I_PRIME_SCREEN = 3.2665
# Limits lie 3 sigma from the centre, near lines 2. W. A. Shewhart, Economic Control (1931); Montgomery, section 5.3.2.
FAR, NEAR = 3, 2
# Beyond this, squares and powers no longer fit a floating-point number.
LARGEST = 1e100


class ChartType(StrEnum):
    """Values are the names that the metric and the reference package use."""

    XMR = "xmr"  # by `xmr`, with the rules of Making Data Count
    RUN = "run"
    I = "i"  # noqa: E741 (its name)
    MR = "mr"
    I_PRIME = "ip"
    P = "p"
    P_PRIME = "pp"
    U = "u"
    U_PRIME = "up"
    C = "c"
    G = "g"
    T = "t"


NEEDS_DENOMINATORS = frozenset({ChartType.P, ChartType.P_PRIME, ChartType.U, ChartType.U_PRIME})
_OF_PROPORTIONS = frozenset({ChartType.P, ChartType.P_PRIME})
_OF_COUNTS = NEEDS_DENOMINATORS | {ChartType.C, ChartType.G}


@dataclass(frozen=True, slots=True)
class ShewhartPart:
    """The points from one rebase to the next, `start` to `stop` (not included), with a runs analysis of their own."""

    number: int
    start: int
    stop: int
    runs: RunsAnalysis

    @property
    def n(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class ShewhartChart:
    """An analysed chart: columns of equal length in date order, in the unit that is shown, and its parts.

    `sides` is -1, 0 or 1 by the centre line. `outside` is beyond the 3-sigma limits, never where there are none.
    """

    chart: ChartType
    dates: tuple[date, ...]
    values: tuple[float | None, ...]
    denominators: tuple[float | None, ...]
    centre: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    near_lower: tuple[float | None, ...]
    near_upper: tuple[float | None, ...]
    sides: tuple[int | None, ...]
    outside: tuple[bool, ...]
    excluded: frozenset[int]
    parts: tuple[ShewhartPart, ...]

    @property
    def has_signal(self) -> bool:
        return any(self.outside) or any(part.runs.is_signal for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Point:
    """The rows of one date. `y` is None where they give no value, `n` where their denominator is 0 or unknown."""

    day: date
    y: float | None
    numerator: float
    n: float | None


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a part, a value for each point, on the scale that its points are judged on."""

    centre: float | None
    lower: Column
    upper: Column
    near_lower: Column
    near_upper: Column


def shewhart(
    chart: ChartType | str,
    dates: Sequence[date],
    numerators: Column,
    denominators: Column | None = None,
    *,
    rebase: Collection[date] = (),
    baseline: int | date | None = None,
    exclude: Collection[date] = (),
    centre: float | None = None,
    multiply: float = 1,
    screen: bool = True,
) -> ShewhartChart:
    """Analyse one series as a run chart or a control chart.

    Args:
        chart: its type; for an XmR chart with the rules of Making Data Count call `xmr`.
        dates: one a row, in any order. Rows of one date are combined: numerators and denominators are added, values
            without denominator averaged, counts of a c chart added; a row that misses either is left out.
        numerators: shape (n,), counts or values; None is missing.
        denominators: shape (n,); 0 or None gives no value for that row's date. Needed by p, p', u and u' charts.
        rebase: dates on which a new part starts, with the point on that date; others have no effect. Each part is
            calculated and tested on its own.
        baseline: the first so many points, or those up to a date, set the lines. Ignored where a rebase takes effect.
        exclude: dates of points to leave out of centre line, limits and runs analysis; still tested against limits.
        centre: a centre line known beforehand, before `multiply`. For a g chart the mean of the distribution, for a
            t chart a mean of days to the power of 1 / 3.6, as the reference package takes them.
        multiply: factor for values and lines, applied last: 1000 for a rate per 1,000.
        screen: leave out moving ranges of 3.267 times their mean or more, once (i, t, p' and u' charts).

    Returns:
        The chart in date order. No rows: an empty chart.

    Raises:
        ValueError: one sentence that says what is wrong with the input.
    """
    chart = _checked_type(chart, denominators)
    _refuse_bad_options(baseline, centre, multiply)
    points = _combined(chart, dates, numerators, denominators)
    days = tuple([point.day for point in points])
    excluded = position_of(days, exclude)
    spans = split(days, rebase)
    columns = _Columns()
    parts = []
    for number, (_, start, stop) in enumerate(spans, start=1):
        kept = [i for i in range(stop - start) if start + i not in excluded]
        base_stop = base_length(days[start:stop], baseline if len(spans) == 1 else None)
        base = [i for i in kept if i < base_stop]
        sides = columns.add(chart, points[start:stop], base, centre, screen)
        runs = runs_analysis([sides[i] for i in kept], can_signal=chart != ChartType.MR)
        parts.append(ShewhartPart(number, start, stop, runs))
    return ShewhartChart(
        chart=chart,
        dates=days,
        values=_times(columns.values, multiply),
        denominators=tuple([point.n for point in points]),
        centre=_times(columns.centre, multiply),
        lower=_times(columns.lower, multiply),
        upper=_times(columns.upper, multiply),
        near_lower=_times(columns.near_lower, multiply),
        near_upper=_times(columns.near_upper, multiply),
        sides=tuple(columns.sides),
        outside=tuple(columns.outside),
        excluded=excluded,
        parts=tuple(parts),
    )


@dataclass(frozen=True, slots=True)
class Funnel:
    """One period of many places: columns in the order they were given, in the unit that is shown.

    `outside` is beyond the 3-sigma limits, `near` between these and the 2-sigma limits.
    """

    chart: ChartType
    multiply: float
    centre: float | None
    values: tuple[float | None, ...]
    denominators: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    near_lower: tuple[float | None, ...]
    near_upper: tuple[float | None, ...]
    outside: tuple[bool, ...]
    near: tuple[bool, ...]

    def limits_at(self, n: float) -> tuple[float, float, float, float]:
        """Lower, near lower, near upper and upper limit for a place with the denominator n, to draw the curves."""
        if self.centre is None or not n > 0:
            raise ValueError("Limits need a centre line and a denominator above 0.")
        centre = self.centre / self.multiply
        lines = _around(centre, [_sigma(self.chart, centre, n)], self.chart)
        columns = lines.lower, lines.near_lower, lines.near_upper, lines.upper
        return tuple([column[0] * self.multiply for column in columns])


def funnel(
    chart: ChartType | str,
    numerators: Column,
    denominators: Column,
    *,
    centre: float | None = None,
    multiply: float = 1,
) -> Funnel:
    """Limits for a funnel plot of proportions (p) or rates (u) of many places in one period.

    The arithmetic of a p or u chart, with places for dates: D. J. Spiegelhalter, Funnel plots for comparing
    institutional performance, Stat Med 2005;24:1185-202 (its normal approximation).

    Args:
        numerators, denominators: one a place; None or a denominator of 0 gives no value and no limits.
        centre: what to compare with, before `multiply`; otherwise all numerators over all denominators.

    Raises:
        ValueError: one sentence that says what is wrong with the input.
    """
    if chart not in (ChartType.P, ChartType.U):
        raise ValueError("A funnel plot shows proportions or rates: choose p or u.")
    places = [date.fromordinal(i + 1) for i in range(len(numerators))]
    found = shewhart(chart, places, numerators, denominators, centre=centre, multiply=multiply)
    beyond = map(_is_outside, found.values, found.near_lower, found.near_upper)
    return Funnel(
        chart=found.chart,
        multiply=multiply,
        centre=found.centre[0] if places else None,
        values=found.values,
        denominators=found.denominators,
        lower=found.lower,
        upper=found.upper,
        near_lower=found.near_lower,
        near_upper=found.near_upper,
        outside=found.outside,
        near=tuple([far and not out for far, out in zip(beyond, found.outside, strict=True)]),
    )


def dispersion(chart: ChartType, numerators: Column, denominators: Column) -> float | None:
    """By how much limits of a p or u chart would have to be widened: Laney's sigma of the scores, 1 for chance alone.

    None where there is nothing to tell it from.
    """
    places = [date.fromordinal(i + 1) for i in range(len(numerators))]
    points = _combined(chart, places, numerators, denominators)
    centre = _pooled(points)
    if centre is None:
        return None
    sigmas = [_sigma(chart, centre, point.n) for point in points]
    return _dispersion([point.y for point in points], centre, sigmas, screen=True)


def _checked_type(chart: ChartType | str, denominators: Column | None) -> ChartType:
    try:
        chart = ChartType(chart)
    except ValueError:
        raise ValueError(f"The chart type must be one of {', '.join(ChartType)}.") from None
    if chart == ChartType.XMR:
        raise ValueError("An XmR chart has rules of its own: it is made by another function.")
    if chart in NEEDS_DENOMINATORS and denominators is None:
        raise ValueError("Charts of proportions and rates need a denominator for each date.")
    return chart


def _refuse_bad_options(baseline: int | date | None, centre: float | None, multiply: float) -> None:
    if baseline is not None and not isinstance(baseline, date) and (baseline != int(baseline) or baseline < 1):
        raise ValueError("A baseline must have at least 1 point.")
    if centre is not None and not abs(centre) <= LARGEST:
        raise ValueError("The centre line must be an ordinary number.")
    if not 0 < multiply <= LARGEST:
        raise ValueError("The multiplier must be a number above 0.")


def _combined(chart: ChartType, dates: Sequence[date], numerators: Column, denominators: Column | None) -> list[_Point]:
    """One point for each date, oldest first. Without denominators each row counts 1."""
    if len(numerators) != len(dates) or (denominators is not None and len(denominators) != len(dates)):
        raise ValueError("Give one value, or None, for each date.")
    rows: dict[date, list[tuple[float, float]]] = {day: [] for day in sorted(dates)}
    for day, y, n in zip(dates, numerators, denominators or [1] * len(dates), strict=True):
        if y is not None and not abs(y) <= LARGEST:
            raise ValueError("Every value must be an ordinary number, or None where it is missing.")
        if n is not None and not 0 <= n <= LARGEST:
            raise ValueError("Every denominator must be an ordinary number, not below 0, or None where it is missing.")
        if y is not None and n is not None:
            rows[day].append((y, n))
    return [_point(chart, day, of_day) for day, of_day in rows.items()]


def _point(chart: ChartType, day: date, rows: Sequence[tuple[float, float]]) -> _Point:
    numerator = math.fsum([y for y, _ in rows])
    n = math.fsum([n for _, n in rows])
    if chart == ChartType.C:
        return _Point(day, numerator if rows else None, numerator, n or None)
    y = numerator / n if n else None
    if y is not None and not abs(y) <= LARGEST:
        raise ValueError("A value is too large: check its denominator.")
    if chart == ChartType.T and y is not None and y <= 0:
        raise ValueError("Time between events must be greater than zero: give two events on one day as half a day.")
    return _Point(day, y, numerator, n or None)


@dataclass(slots=True)
class _Columns:
    """The columns of the chart while its parts are added, before the multiplier."""

    values: list[float | None] = field(default_factory=list)
    centre: list[float | None] = field(default_factory=list)
    lower: list[float | None] = field(default_factory=list)
    upper: list[float | None] = field(default_factory=list)
    near_lower: list[float | None] = field(default_factory=list)
    near_upper: list[float | None] = field(default_factory=list)
    sides: list[int | None] = field(default_factory=list)
    outside: list[bool] = field(default_factory=list)

    def add(
        self, chart: ChartType, points: Sequence[_Point], base: Sequence[int], centre: float | None, screen: bool
    ) -> list[int | None]:
        """Add a part; `base` says which of its points set the lines. Returns the sides of its points."""
        values = [point.y for point in points]
        judged = values
        if chart == ChartType.MR:
            judged = values = [None, *_ranges(values)]
        elif chart == ChartType.T:
            judged = [None if y is None else y ** (1 / EVENT_POWER) for y in values]
        lines = _lines(chart, points, judged, base, centre, screen)
        sides = [_side(y, lines.centre) for y in judged]
        self.sides += sides
        self.outside += map(_is_outside, judged, lines.lower, lines.upper)
        if chart == ChartType.T:
            lines = _back_to_days(lines)
        self.values += values
        self.centre += [lines.centre] * len(points)
        self.lower += lines.lower
        self.upper += lines.upper
        self.near_lower += lines.near_lower
        self.near_upper += lines.near_upper
        return sides


def _lines(
    chart: ChartType,
    points: Sequence[_Point],
    ys: Column,
    base: Sequence[int],
    given: float | None,
    screen: bool,
) -> _Lines:
    """Centre line and limits of a part, from its base points; a given centre line stands for the calculated one."""
    base_ys = [ys[i] for i in base]
    known = [y for y in base_ys if y is not None]
    centre = given if given is not None else mean(base_ys)
    each = len(points)
    match chart:
        case ChartType.RUN:
            middle = given if given is not None else median(known) if known else None
            return _around(middle, [None] * each, chart)
        case ChartType.MR:
            return _of_ranges(centre, each)
        case ChartType.I | ChartType.T:
            # Montgomery, section 6.4
            range_ = mean_range(_defined(_ranges(base_ys)), screen=screen)
            return _around(centre, [None if range_ is None else range_ / RANGE_PER_SIGMA] * each, chart)
        case ChartType.C:
            # Montgomery, equation 7.17
            return _around(centre, [_root(centre)] * each, chart)
        case ChartType.G:
            # J. C. Benneyan, Health Care Manag Sci 2001;4:305-18: sigma of a geometric distribution counted from 0
            limits = _around(centre, [None if centre is None else _root(centre * (centre + 1))] * each, chart)
            middle = given * MEDIAN_PER_MEAN if given is not None else median(known) if known else None
            return replace(limits, centre=middle)
    pooled = given if given is not None else _pooled([points[i] for i in base])
    if pooled is None:
        return _around(None, [None] * each, chart)
    if chart == ChartType.I_PRIME:
        return _around(pooled, _i_prime_sigmas(points), chart)
    sigmas = [_sigma(chart, pooled, point.n) for point in points]
    if chart in (ChartType.P_PRIME, ChartType.U_PRIME):
        factor = _dispersion([ys[i] for i in base], pooled, [sigmas[i] for i in base], screen)
        sigmas = [None if sigma is None or factor is None else sigma * factor for sigma in sigmas]
    return _around(pooled, sigmas, chart)


def _sigma(chart: ChartType, centre: float, n: float | None) -> float | None:
    """Of a proportion of n (Montgomery, equation 7.8) or of a rate per n (7.19), where the centre line is so much."""
    variance = centre * (1 - centre) if chart in _OF_PROPORTIONS else centre
    return None if n is None else _root(variance / n)


def _dispersion(ys: Column, centre: float, sigmas: Column, screen: bool) -> float | None:
    """How much more the points vary, from one to the next, than chance alone would make them: 1 is by chance alone.

    None where nothing varies. D. B. Laney, Improved control charts for attributes, Qual Eng 2002;14:531-7.
    """
    scores = [None if y is None or not sigma else (y - centre) / sigma for y, sigma in zip(ys, sigmas, strict=True)]
    range_ = mean_range(_defined(_ranges(scores)), screen=screen)
    return None if range_ is None else range_ / RANGE_PER_SIGMA


def _around(centre: float | None, sigmas: Column, chart: ChartType) -> _Lines:
    """Lines 3 and 2 sigma from the centre; of counts not below 0, of proportions not above 1."""

    def line(distance: int) -> Column:
        if centre is None:
            return [None] * len(sigmas)
        found = [None if sigma is None else centre + distance * sigma for sigma in sigmas]
        if chart in _OF_COUNTS:
            found = [None if y is None else max(y, 0) for y in found]
        if chart in _OF_PROPORTIONS:
            found = [None if y is None else min(y, 1) for y in found]
        return found

    return _Lines(centre, line(-FAR), line(FAR), line(-NEAR), line(NEAR))


def _of_ranges(centre: float | None, each: int) -> _Lines:
    upper = None if centre is None else RANGE_LIMIT * centre
    near = None if upper is None else upper * NEAR / FAR
    return _Lines(centre, [0] * each, [upper] * each, [0] * each, [near] * each)


def _i_prime_sigmas(points: Sequence[_Point]) -> Column:
    """W. A. Taylor, Normalized individuals (I') chart (2017): ranges weighed by the denominators of both points."""
    ranges = [
        math.sqrt(math.pi / 2) * abs(b.y - a.y) / math.sqrt(1 / a.n + 1 / b.n)
        for a, b in pairwise(points)
        if a.y is not None and b.y is not None
    ]
    sigma = mean_range(ranges, screen=True, cut_at=I_PRIME_SCREEN)
    return [None if sigma is None or point.n is None else sigma / math.sqrt(point.n) for point in points]


def _back_to_days(lines: _Lines) -> _Lines:
    """The lines of a t chart as days. A limit that cannot be drawn above 0 lies there; a near line is left out."""

    def days(y: float | None) -> float | None:
        return None if y is None or y < 0 else y**EVENT_POWER

    return _Lines(
        centre=days(lines.centre),
        lower=[days(y) or 0 for y in lines.lower],
        upper=[days(y) for y in lines.upper],
        near_lower=[days(y) for y in lines.near_lower],
        near_upper=[days(y) for y in lines.near_upper],
    )


def _pooled(points: Sequence[_Point]) -> float | None:
    """All numerators over all denominators of the points that have a value."""
    points = [point for point in points if point.y is not None]
    n = math.fsum([point.n for point in points])
    if not n:
        return None
    return own_centre(math.fsum([point.numerator for point in points]) / n, [point.y for point in points])


def _ranges(ys: Column) -> list[float | None]:
    """The moving range of each point but the first; none on either side of a missing value."""
    return [None if a is None or b is None else abs(b - a) for a, b in pairwise(ys)]


def _defined(column: Column) -> list[float]:
    return [y for y in column if y is not None]


def _root(square: float | None) -> float | None:
    return None if square is None or square < 0 else math.sqrt(square)


def _side(y: float | None, centre: float | None) -> int | None:
    return None if y is None or centre is None else (y > centre) - (y < centre)


def _is_outside(y: float | None, lower: float | None, upper: float | None) -> bool:
    return y is not None and ((upper is not None and y > upper) or (lower is not None and y < lower))


def _times(column: Column, factor: float) -> tuple[float | None, ...]:
    return tuple(column) if factor == 1 else tuple([None if y is None else y * factor for y in column])
