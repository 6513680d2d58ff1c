"""One metric in many places: side by side, added up, and one period of all against chance. Never a league table."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from measurement import figures, spc
from measurement.figures import Point, Reading

FEWEST = 3  # places that a funnel compares


@dataclass(frozen=True, slots=True)
class PlaceInFunnel:
    """One place in one period. `value` is None where it is missing or hidden."""

    name: str
    key: str
    point: Point
    value: float | None
    denominator: float | None
    meaning: str
    tone: str  # of its mark: common where chance alone explains it


@dataclass(frozen=True, slots=True)
class PlacesFunnel:
    """A period of all places against the limits that chance would set for their sizes."""

    period: str
    funnel: spc.Funnel
    places: tuple[PlaceInFunnel, ...]
    unit: str
    centre_text: str
    sentence: str


def periods_of(readings: Sequence[Reading]) -> dict[dt.date, str]:
    """Periods, newest first, for which enough places show a value with its denominator; with their labels."""
    found: dict[dt.date, list[str]] = {}
    for reading in readings:
        for point in reading.points:
            if point.value is not None and point.denominator:
                found.setdefault(point.period_start, []).append(point.label)
    return {start: labels[0] for start, labels in sorted(found.items(), reverse=True) if len(labels) >= FEWEST}


def funnel_of(readings: Sequence[Reading], period: dt.date, *, multiplier: int) -> PlacesFunnel:
    """
    Args:
        readings: one a place, of the same audience: limits rest on what that audience sees.
        period: one of `periods_of`.
        multiplier: of the metric; 100 makes it a chart of proportions.
    """
    chart = spc.ChartType.P if multiplier == 100 else spc.ChartType.U
    found = [(one, _point(one, period)) for one in sorted(readings, key=lambda one: one.place)]
    found = [(one, point) for one, point in found if point is not None]
    numerators = [None if point.value is None else point.numerator for _, point in found]
    denominators = [None if point.value is None else point.denominator for _, point in found]
    funnel = spc.funnel(chart, numerators, denominators, multiply=multiplier)
    first = found[0][0]
    places = tuple(_place(one, point, funnel, i) for i, (one, point) in enumerate(found))
    centre = first.line_text(funnel.centre)
    return PlacesFunnel(
        period=found[0][1].label,
        funnel=funnel,
        places=places,
        unit=first.unit,
        centre_text=figures.with_unit(centre, first.unit),
        sentence=_sentence(found[0][1].label, places),
    )


def _point(reading: Reading, period: dt.date) -> Point | None:
    return next((point for point in reading.points if point.period_start == period), None)


def _place(reading: Reading, point: Point, funnel: spc.Funnel, i: int) -> PlaceInFunnel:
    value = funnel.values[i]
    is_high = value is not None and value > funnel.centre
    tone, meaning = "common", "Within what chance would make"
    if value is None:
        meaning = point.meaning or "Missing"
    elif funnel.outside[i]:
        label = spc.Label.ABOVE_LIMIT if is_high else spc.Label.BELOW_LIMIT
        kind = spc.point_type_of(label, spc.Direction(reading.direction))
        tone = figures.VARIATION_ICONS[spc.variation_of(label, spc.Direction(reading.direction))].tone
        meaning = f"{figures.POINT_WORDS[kind]}: {'above' if is_high else 'below'} the 3-sigma limit"
    elif funnel.near[i]:
        meaning = f"{'Above' if is_high else 'Below'} the 2-sigma limit: 1 in 20 would be by chance"
    return PlaceInFunnel(
        reading.place, reading.series_key, point, value, None if value is None else point.denominator, meaning, tone
    )


def _sentence(period: str, places: Sequence[PlaceInFunnel]) -> str:
    compared = [one for one in places if one.value is not None]
    outside = [one for one in compared if one.tone != "common"]
    left_out = len(places) - len(compared)
    said = [f"{period}: {len(compared)} places are compared."]
    if not outside:
        said.append("All lie within the limits: chance alone would make differences like these.")
    elif len(outside) * 4 > len(compared):
        said.append(
            f"{len(outside)} lie beyond the 3-sigma limits. That so many do means that places differ in more than "
            "this: in whom they care for, or in how they count."
        )
    else:
        names = " and ".join(one.name for one in outside)
        said.append(
            f"{names} {'lies' if len(outside) == 1 else 'lie'} beyond the 3-sigma limits, further from the others than "
            "chance would take it. First check how it is counted, then whom the place cares for, then the care itself."
        )
    if left_out:
        said.append(f"{left_out} {'place is' if left_out == 1 else 'places are'} missing or hidden for this period.")
    return " ".join(said)


def scale_of(readings: Sequence[Reading]) -> tuple[float, float] | None:
    """Lowest and highest of all values and lines of all places, so that their charts can be compared by eye."""
    inside = [
        number
        for reading in readings
        for point in reading.points
        for number in (point.value, point.mean, point.lower, point.upper)
        if number is not None
    ]
    return (min(inside), max(inside)) if inside else None


@dataclass(frozen=True, slots=True)
class Sum:
    """One period of all places together."""

    start: dt.date
    end: dt.date
    numerator: float
    denominator: float | None
    is_provisional: bool


def added_up(readings: Sequence[Reading]) -> tuple[list[Sum], int]:
    """The periods for which every place shows its counts, added up; and how many periods some place lacks."""
    by_period: dict[dt.date, list[Point]] = {}
    for reading in readings:
        for point in reading.points:
            by_period.setdefault(point.period_start, []).append(point)
    sums, incomplete = [], 0
    for start, points in sorted(by_period.items()):
        known = [point for point in points if point.value is not None and point.numerator is not None]
        if len(known) < len(readings) or len({point.denominator is None for point in known}) > 1:
            incomplete += 1
            continue
        denominators = [point.denominator for point in known if point.denominator is not None]
        sums.append(
            Sum(
                start=start,
                end=max(point.period_end for point in known),
                numerator=sum(point.numerator for point in known),
                denominator=sum(denominators) if denominators else None,
                is_provisional=any(point.is_provisional for point in known),
            )
        )
    return sums, incomplete
