"""A reading: one series as it is shown to somebody. Page, chart, CSV, admin and annual report share these classes.

Plain values that survive a trip through JSON, so that a frozen report can keep a reading and draw it again.
"""

import datetime as dt
import math
from dataclasses import asdict, dataclass
from typing import Any

from measurement import spc

MINUS = "\N{MINUS SIGN}"
HIDDEN = "*"  # stands for a count of 1 to 7 people, and for what would reveal one


def number_text(value: float | None, decimals: int) -> str:
    """A number for people: thousands commas, a real minus sign, no minus zero."""
    if value is None:
        return ""
    text = f"{value:,.{decimals}f}"
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def decimals_for(values: list[float]) -> int:
    """So many decimals that the values can be told apart: two figures of their spread, none for whole numbers."""
    if all(float(value).is_integer() for value in values):
        return 0
    spread = max(values) - min(values) or abs(values[0])
    return min(9, max(0 if spread >= 1000 else 1, 1 - math.floor(math.log10(spread))))


def plain_text(value: float) -> str:
    """A number that somebody set, with the decimals it was given."""
    text = f"{value:.9f}".rstrip("0")
    return number_text(value, len(text) - text.index(".") - 1)


@dataclass(frozen=True, slots=True)
class Point:
    """One period. `value` is None where it is missing, or hidden because of small numbers."""

    label: str
    period_start: dt.date
    period_end: dt.date
    numerator: float | None = None
    denominator: float | None = None
    value: float | None = None
    is_hidden: bool = False
    is_provisional: bool = False
    note: str = ""
    version: int = 1
    mean: float | None = None
    lower: float | None = None
    upper: float | None = None
    rule: str = spc.Label.COMMON_CAUSE
    point_type: str = spc.PointType.COMMON_CAUSE
    numerator_text: str = ""
    denominator_text: str = ""
    value_text: str = ""
    target: float | None = None  # in force at the end of the period
    planned: float | None = None
    excluded_because: str = ""  # why a person left it out of mean and limits
    begins_because: str = ""  # why mean and limits start anew here

    @property
    def is_special(self) -> bool:
        return self.point_type != spc.PointType.COMMON_CAUSE

    @property
    def meaning(self) -> str:
        """What the point says, in words, for the table."""
        if self.is_hidden:
            return "Hidden: rests on 1 to 7 people or would reveal such a number"
        if self.value is None:
            return "Missing"
        return f"{POINT_WORDS[self.point_type]}: {RULE_WORDS[self.rule]}" if self.is_special else ""


@dataclass(frozen=True, slots=True)
class Line:
    """Mean and limits of the points `start` to `stop` (not included), and why they start anew there."""

    start: int
    stop: int
    mean: float | None
    lower: float | None
    upper: float | None
    is_trial: bool
    because: str = ""
    is_new_definition: bool = False
    varies: bool = False  # limits differ from point to point: these are those of the last one


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered annotation at the point with this index."""

    number: int
    index: int
    label: str
    kind: str
    text: str
    cycle: int | None = None  # number of the plan-do-study-act cycle of the metric's project


@dataclass(frozen=True, slots=True)
class Icon:
    name: str
    words: str
    letter: str
    tone: str  # improvement, concern, neutral or common


@dataclass(frozen=True, slots=True)
class Reading:
    metric_pk: int
    series_pk: int | None
    code: str
    name: str
    place: str
    series_key: str
    audience: str  # public or owner
    direction: str
    unit: str
    frequency: str
    points: tuple[Point, ...]
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    variation: Icon
    assurance: Icon | None
    summary: str
    sentence: str
    target: float | None
    target_text: str
    target_from: dt.date | None
    decimals: int
    rule_set: str
    definition: str
    definition_number: int
    source: str
    numerator_name: str
    denominator_name: str
    is_illustrative: bool
    published_as: str  # what was hidden or rounded for this audience, in words
    chart_name: str = "XmR chart"
    centre_name: str = "mean"
    limit_name: str = "process limit"
    frozen: str = ""  # what mean and limits rest on where a person froze them
    frozen_because: str = ""
    planned_because: str = ""
    other_variation: Icon | None = None  # where another rule judges the last point differently

    @property
    def latest(self) -> Point | None:
        """The newest point that has a value, or stands hidden for one."""
        return next((point for point in reversed(self.points) if point.value is not None or point.is_hidden), None)

    @property
    def limits(self) -> Line | None:
        """Mean and limits at the end of the chart."""
        return self.lines[-1] if self.lines else None

    @property
    def has_limits(self) -> bool:
        return any(line.upper is not None for line in self.lines)

    @property
    def title(self) -> str:
        return f"{self.name}, {self.place}"

    @property
    def assurance_words(self) -> str:
        if self.assurance:
            return self.assurance.words
        return "No target" if self.target is None else "No judgement: neither direction is better"

    @property
    def latest_text(self) -> str:
        latest = self.latest
        if latest is None:
            return "No data yet"
        return "Hidden (small numbers)" if latest.is_hidden else with_unit(latest.value_text, self.unit)

    def line_text(self, value: float | None) -> str:
        """A mean or limit: with a decimal even where values are whole numbers, unless they are large."""
        return line_text(value, self.decimals)

    @property
    def excluded(self) -> list[Point]:
        return [point for point in self.points if point.excluded_because]

    @property
    def rebased(self) -> list[Point]:
        """Where mean and limits start anew because somebody decided so; a new definition stands among the marks."""
        starts = {line.start for line in self.lines if line.start and not line.is_new_definition}
        return [self.points[i] for i in sorted(starts)]

    @property
    def has_plan(self) -> bool:
        return any(point.planned is not None for point in self.points)

    @property
    def target_number(self) -> str:
        return "" if self.target is None else plain_text(self.target)

    def as_json(self) -> dict[str, Any]:
        def plain(value):
            if isinstance(value, dict):
                return {key: plain(inner) for key, inner in value.items()}
            if isinstance(value, list | tuple):
                return [plain(inner) for inner in value]
            return value.isoformat() if isinstance(value, dt.date) else value

        return plain(asdict(self))

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Reading":
        since = dt.date.fromisoformat(kept["target_from"]) if kept["target_from"] else dt.date.min

        def point(row):
            days = {key: dt.date.fromisoformat(row[key]) for key in ("period_start", "period_end")}
            if "target" not in row and days["period_end"] >= since:  # kept before targets could change
                days["target"] = kept["target"]
            return Point(**{**row, **days})

        return cls(
            **{
                **kept,
                "points": tuple(point(row) for row in kept["points"]),
                "lines": tuple(Line(**row) for row in kept["lines"]),
                "marks": tuple(Mark(**row) for row in kept["marks"]),
                "variation": Icon(**kept["variation"]),
                "assurance": Icon(**kept["assurance"]) if kept["assurance"] else None,
                "other_variation": Icon(**kept["other_variation"]) if kept.get("other_variation") else None,
                "target_from": dt.date.fromisoformat(kept["target_from"]) if kept["target_from"] else None,
            }
        )


def line_text(value: float | None, decimals: int) -> str:
    return number_text(value, decimals if value is not None and abs(value) >= 1000 else max(1, decimals))


def with_unit(text: str, unit: str) -> str:
    if not text:
        return ""
    if unit == "%":
        return f"{text}%"
    return f"{text} {unit.removesuffix('s') if text == '1' and ' ' not in unit else unit}"  # 1 day, 2 days


POINT_WORDS = {
    spc.PointType.IMPROVEMENT: "Better",
    spc.PointType.CONCERN: "Worse",
    spc.PointType.NEUTRAL_HIGH: "Changed, higher",
    spc.PointType.NEUTRAL_LOW: "Changed, lower",
    spc.PointType.COMMON_CAUSE: "No sign of change",
}
RULE_WORDS = {
    spc.Label.ABOVE_LIMIT: "above the upper limit",
    spc.Label.BELOW_LIMIT: "below the lower limit",
    spc.Label.TREND_UP: "part of a rise of 7 or more values",
    spc.Label.TREND_DOWN: "part of a fall of 7 or more values",
    spc.Label.TWO_OF_THREE_ABOVE: "2 of 3 values near the upper process limit",
    spc.Label.TWO_OF_THREE_BELOW: "2 of 3 values near the lower process limit",
    spc.Label.SHIFT_ABOVE: "one of 7 or more values in a row above the mean",
    spc.Label.SHIFT_BELOW: "one of 7 or more values in a row below the mean",
    spc.Label.LONG_RUN_ABOVE: "in a long run above the centre line",
    spc.Label.LONG_RUN_BELOW: "in a long run below the centre line",
    spc.Label.COMMON_CAUSE: "common cause variation",
}
VARIATION_ICONS = {
    icon.name: icon
    for icon in (
        Icon("common_cause", "No sign of change", "~", "common"),
        Icon("improvement_high", "Better: high values", "H", "improvement"),
        Icon("improvement_low", "Better: low values", "L", "improvement"),
        Icon("concern_high", "Worse: high values", "H", "concern"),
        Icon("concern_low", "Worse: low values", "L", "concern"),
        Icon("neutral_high", "Changed: high values", "H", "neutral"),
        Icon("neutral_low", "Changed: low values", "L", "neutral"),
        Icon("pattern", "Changed: an unusual pattern", "\N{ALMOST EQUAL TO}", "neutral"),
        Icon("too_few", "Too few values to tell", "\N{EN DASH}", "common"),
        Icon("no_data", "No data yet", "\N{EN DASH}", "common"),
    )
}
ASSURANCE_ICONS = {
    icon.name: icon
    for icon in (
        Icon("pass", "Will meet its target", "P", "improvement"),
        Icon("fail", "Will miss its target", "F", "concern"),
        Icon("inconsistent", "May meet or miss its target", "?", "common"),
        Icon("same_pass", "The same every time: meets its target", "P", "improvement"),
        Icon("same_fail", "The same every time: misses its target", "F", "concern"),
    )
}
