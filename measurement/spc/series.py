"""What every chart starts from: points in date order, the parts they fall into, and which of them set the lines."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import lt
from typing import Protocol

Column = Sequence[float | None]


class Stretch(Protocol):
    """A part of a chart: the points `start` to `stop` (not included), `n` of them."""

    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...
    @property
    def n(self) -> int: ...


class Chart(Protocol):
    """What charts of all types have in common, for whoever draws or tabulates one: columns of equal length, oldest
    first, in the unit that is shown. None is a missing value, or a line that is not defined there. `excluded` holds
    the positions of points that were left out of the lines by a person.
    """

    @property
    def dates(self) -> Sequence[date]: ...
    @property
    def values(self) -> Column: ...
    @property
    def centre(self) -> Column: ...
    @property
    def lower(self) -> Column: ...
    @property
    def upper(self) -> Column: ...
    @property
    def near_lower(self) -> Column: ...
    @property
    def near_upper(self) -> Column: ...
    @property
    def outside(self) -> Sequence[bool | None]: ...
    @property
    def excluded(self) -> frozenset[int]: ...
    @property
    def parts(self) -> Sequence[Stretch]: ...


@dataclass(frozen=True, slots=True)
class SettledRebases:
    """Rebase dates as they take effect: `dates` are dates of points. `moved` pairs each date that fell between two
    points with that of the next point, and `waiting` are dates after the last point.
    """

    dates: tuple[date, ...]
    moved: tuple[tuple[date, date], ...]
    waiting: tuple[date, ...]


def settled_rebases(dates: Iterable[date], rebases: Iterable[date]) -> SettledRebases:
    """Move rebase dates that fall between two points to the next point, and say which.

    The charts themselves ignore a rebase date that is no date of a point, as the reference package does: call this
    first where a person has chosen the date.
    """
    dates = sorted(dates)
    settled, moved, waiting = set(), [], []
    for asked in sorted(set(rebases)):
        at = bisect_left(dates, asked)
        if at == len(dates):
            waiting.append(asked)
            continue
        settled.add(dates[at])
        if dates[at] != asked:
            moved.append((asked, dates[at]))
    return SettledRebases(tuple(sorted(settled)), tuple(moved), tuple(waiting))


def mean(values: Column) -> float | None:
    """The mean of the values that are not missing, from their exactly rounded sum.

    With a naive sum a constant series of 0.1 ends up below its own mean and raises a false shift. Divided by some
    numbers even the exact sum comes out beside the constant, so that is its own mean.
    """
    try:
        total, n = math.fsum(values), len(values)
    except TypeError:  # a value is missing; to ask each first would take as long as adding them up
        return mean([y for y in values if y is not None])
    return own_centre(total / n, values) if n else None


def own_centre(centre: float, values: Sequence[float]) -> float:
    """The value itself, if all values are the same, next to `centre`; else `centre`."""
    first = values[0]
    return first if math.isclose(first, centre, rel_tol=1e-12) and values.count(first) == len(values) else centre


def in_date_order(dates: Sequence[date], *columns: Sequence) -> tuple[Sequence, ...]:
    """The dates and the columns beside them, oldest first."""
    if _ascend(dates):
        return dates, *columns
    order = sorted(range(len(dates)), key=dates.__getitem__)
    ordered = [[column[i] for i in order] for column in (dates, *columns)]
    if not _ascend(ordered[0]):
        raise ValueError("Two points have the same date: give each date once.")
    return tuple(ordered)


def split(dates: Sequence[date], rebase: Collection[date]) -> list[tuple[int, int, int]]:
    """Number, start and stop of each part. The number counts the rebase dates met so far, so that a rebase on the
    first point only numbers the first part 1. Dates that are no dates of points have no effect.
    """
    if not rebase or not dates:
        return [(0, 0, len(dates))] if dates else []
    starts = sorted(position_of(dates, rebase))
    number = 1 if starts and starts[0] == 0 else 0
    if not number:
        starts.insert(0, 0)
    stops = [*starts[1:], len(dates)]
    return [(number + k, start, stop) for k, (start, stop) in enumerate(zip(starts, stops, strict=True))]


def position_of(dates: Sequence[date], chosen: Collection[date]) -> frozenset[int]:
    """Where the chosen dates are among the points; those that are no dates of points are nowhere."""
    found = ((day, bisect_left(dates, day)) for day in chosen)
    return frozenset(at for day, at in found if at < len(dates) and dates[at] == day)


def base_length(dates: Sequence[date], baseline: int | date | None, shortest: int = 1) -> int:
    """How many points of a part set its lines: so many first ones, or those up to a date.

    All of them where the part is shorter, or where fewer than `shortest` lie before the date.
    """
    if baseline is None:
        return len(dates)
    chosen = bisect_right(dates, baseline) if isinstance(baseline, date) else baseline
    return chosen if shortest <= chosen <= len(dates) else len(dates)


def _ascend(dates: Sequence[date]) -> bool:
    return all(map(lt, dates, dates[1:]))
