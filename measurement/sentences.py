"""What a chart says, in plain English: which rule fired, when, for better or worse, and what about the target.

The sentence is the chart's text alternative too, so it stands alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from measurement import figures, periods, spc
from measurement.analysis import KINDS, Kind
from measurement.figures import POINT_WORDS
from measurement.spc import Label


@dataclass(frozen=True, slots=True)
class Given:
    """What the sentences are made from, beside the analysed chart."""

    chart: spc.XmrChart | spc.JudgedChart
    labels: Sequence[str]  # what each period is called
    unit: str
    decimals: int
    frequency: str
    target: float | None = None
    hidden: frozenset[int] = frozenset()  # which points are hidden because of small numbers
    because: Sequence[str] = ()  # why each part of the chart starts, "" for the first
    excluded: Sequence[str] = ()  # what the points are called that somebody left out of mean and limits
    frozen: str = ""  # what mean and limits rest on where somebody froze them
    moved: Sequence[tuple[str, str]] = ()  # parts that start later than was asked: for when, and when instead
    cautions: Sequence[spc.Caution] = ()
    kind: Kind = KINDS[spc.ChartType.XMR]
    problem: str = ""  # why it is not the chart that was chosen

    def text_of_value(self, value: float) -> str:
        return self._short(figures.number_text(value, self.decimals))

    def text(self, value: float) -> str:
        """A mean or limit. Its unit was said with the latest value, so only % is said again."""
        return self._short(figures.line_text(value, self.decimals))

    @property
    def target_text(self) -> str:
        return self._short(figures.plain_text(self.target))

    def _short(self, text: str) -> str:
        return text + "%" if self.unit == "%" else text


def summary(given: Given) -> str:
    """One sentence: the signal at the end of the chart."""
    chart = given.chart
    if not given.labels:
        return "There is no data yet."
    if all(value is None for value in chart.values):
        return _nothing_to_show(given)
    rule = chart.labels[-1]
    if chart.variation == spc.Variation.PATTERN:
        return _pattern(given)
    if rule == Label.COMMON_CAUSE:
        return _no_sign(given)
    return f"{POINT_WORDS[chart.point_types[-1]]}: {_signal(given)}."


def full(given: Given) -> str:
    """The whole story: latest value, signal, target, and what not to conclude."""
    if not given.labels or all(value is None for value in given.chart.values):
        return summary(given)
    said = [
        _latest(given),
        summary(given),
        _earlier(given),
        *[_told(given, caution) for caution in given.cautions],
        _target(given),
        _part(given),
        _moved(given),
        _frozen(given),
        _excluded(given),
        _trial(given),
        _caution(given),
        _hidden(given),
        given.problem,
    ]
    return " ".join(sentence for sentence in said if sentence)


def _nothing_to_show(given: Given) -> str:
    if given.hidden:
        return "No value can be shown: each one rests on 1 to 7 people or would reveal such a number."
    return "There is no usable value yet."


def _in(label: str) -> str:
    """In October 2026; on 3 May 2026; in the week from 5 October 2026."""
    if label.startswith("week"):
        return f"in the {label}"
    return f"on {label}" if label[0].isdigit() and " " in label else f"in {label}"


def _since(label: str) -> str:
    return f"since the {label}" if label.startswith("week") else f"since {label}"


def _the(label: str) -> str:
    return f"the {label}" if label.startswith("week") else label


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _latest(given: Given) -> str:
    values = given.chart.values
    last = max(i for i, value in enumerate(values) if value is not None)
    value = figures.number_text(values[last], given.decimals)
    said = f"{_capital(_in(given.labels[last]))} the value was {figures.with_unit(value, given.unit)}."
    if last == len(values) - 1:
        return said
    gap = "hidden" if len(values) - 1 in given.hidden else "missing"
    return f"The value for {_the(given.labels[-1])} is {gap}. {said}"


def _run_start(marks: Sequence[int], last: int, first: int) -> int:
    """Where the unbroken stretch of equal marks that ends at `last` starts, not before `first`."""
    start = last
    while start > first and marks[start - 1] == marks[last]:
        start -= 1
    return start


def _signal(given: Given, at: int | None = None) -> str:
    """The rule at one point (the last one if left out), as a clause."""
    chart = given.chart
    at = len(chart.labels) - 1 if at is None else at
    part = next(part for part in chart.parts if part.start <= at < part.stop)
    rule = chart.labels[at]
    if rule in (Label.ABOVE_LIMIT, Label.BELOW_LIMIT):
        upper, lower = chart.upper[at], chart.lower[at]
        side, limit = ("above the upper", upper) if rule == Label.ABOVE_LIMIT else ("below the lower", lower)
        if upper == lower:
            return f"the value is {side.split()[0]} the mean of {given.text(limit)}, on which both limits have closed"
        return f"the value is {side} {given.kind.limit} of {given.text(limit)}, further than chance alone would take it"
    if rule in (Label.LONG_RUN_ABOVE, Label.LONG_RUN_BELOW):
        return _long_run(given, next(run for run in spc.long_runs(chart, part) if run[0] <= at < run[1]), part)
    if rule in (Label.TREND_UP, Label.TREND_DOWN):
        start = _run_start(chart.trends, at, part.start)
        way = "risen" if rule == Label.TREND_UP else "fallen"
        return f"values have {way} at every step {_since(given.labels[start])}, {at - start + 1} in a row"
    if rule in (Label.TWO_OF_THREE_ABOVE, Label.TWO_OF_THREE_BELOW):
        side = "upper" if rule == Label.TWO_OF_THREE_ABOVE else "lower"
        return f"2 of the last 3 values lie close to the {side} process limit, more than chance would put there"
    start = _run_start(chart.shifts, at, part.start)
    side = "above" if rule == Label.SHIFT_ABOVE else "below"
    return (
        f"{at - start + 1} values in a row, {_since(given.labels[start])}, lie {side} the mean of "
        f"{given.text(part.limits.mean)}"
    )


def _long_run(given: Given, run: tuple[int, int], part: spc.ShewhartPart) -> str:
    chart, (start, stop) = given.chart, run
    side = chart.sides[start]
    count = sum(chart.sides[i] == side and i not in chart.excluded for i in range(start, stop))
    when = _since(given.labels[start])
    if stop < part.stop:
        when = f"from {_the(given.labels[start])} to {_the(given.labels[stop - 1])}"
    return (
        f"{count} values in a row, {when}, lie {'above' if side == 1 else 'below'} the {given.kind.centre} of "
        f"{given.text(chart.centre[start])}, where chance would seldom put more than {part.runs.longest_run_max}"
    )


def _pattern(given: Given) -> str:
    """What the runs analysis of the last part found, where it says nothing of the newest point."""
    part = given.chart.parts[-1]
    if part.runs.has_few_crossings:
        n = part.runs.n_crossings
        times = {0: "never", 1: "only once"}.get(n, f"only {n} times")
        since = f"{_since(given.labels[part.start])} " if part.start else ""
        return (
            f"Changed: {since}values keep to one side of the {given.kind.centre} for longer than chance would have it. "
            f"They crossed it {times}, where chance alone would seldom make it fewer than {part.runs.n_crossings_min}."
        )
    *_, last = spc.long_runs(given.chart, part)
    return f"Changed: {_long_run(given, last, part)}."


def _last_special(given: Given) -> int | None:
    """The newest special cause of the part that the chart ends with."""
    chart = given.chart
    start = chart.parts[-1].start
    special = [i for i in range(start, len(chart.labels)) if chart.labels[i] != Label.COMMON_CAUSE]
    return special[-1] if special else None


def _no_sign(given: Given) -> str:
    last = _last_special(given)
    if last is not None:
        return f"No sign of change {_since(given.labels[last])}."
    start = given.chart.parts[-1].start
    since = f" {_since(given.labels[start])}" if start else ""
    known = [value for value in given.chart.values[start:] if value is not None]
    if len(known) < 2:
        return f"There is 1 value{since}: too few to see a change." if known else f"There is no value{since}."
    if len(set(known)) == 1:
        return f"No sign of change{since}: every value is the same."
    if isinstance(given.chart, spc.JudgedChart) and not given.chart.parts[-1].runs.can_signal:
        return f"There are {len(known)} values{since}: too few to see a change."
    if given.chart.upper[-1] is None and given.kind.centre != "median":
        return f"No sign of change{since}: the values give no limits to judge them by."
    return f"No sign of change{since}: the values vary as chance alone would make them vary."


def _earlier(given: Given) -> str:
    """The last special cause, where the newest point is none."""
    last = _last_special(given)
    if last is None or last == len(given.labels) - 1:
        return ""
    rule = given.chart.labels[last]
    chart = given.chart
    judged = {
        spc.PointType.IMPROVEMENT: "for the better",
        spc.PointType.CONCERN: "for the worse",
        spc.PointType.NEUTRAL_HIGH: "upwards",
        spc.PointType.NEUTRAL_LOW: "downwards",
    }[chart.point_types[last]]
    what = {
        Label.ABOVE_LIMIT: f"a value above the upper {given.kind.limit}",
        Label.BELOW_LIMIT: f"a value below the lower {given.kind.limit}",
        Label.TREND_UP: "the end of a rise",
        Label.TREND_DOWN: "the end of a fall",
        Label.TWO_OF_THREE_ABOVE: "2 of 3 values close to the upper process limit",
        Label.TWO_OF_THREE_BELOW: "2 of 3 values close to the lower process limit",
        Label.SHIFT_ABOVE: "the end of 7 or more values above the mean",
        Label.SHIFT_BELOW: "the end of 7 or more values below the mean",
        Label.LONG_RUN_ABOVE: f"the end of a long run above the {given.kind.centre}",
        Label.LONG_RUN_BELOW: f"the end of a long run below the {given.kind.centre}",
    }[rule]
    return f"The last sign of change was {what}, {_in(given.labels[last])}, {judged}."


def _target(given: Given) -> str:
    chart = given.chart
    if given.target is None:
        return ""
    target = given.target_text
    if chart.assurance is None:
        return f"The target is {target}."
    if any(isinstance(caution, spc.SameValue) for caution in given.cautions):
        return ""  # which says it all
    if all(upper is None for upper in chart.upper[chart.parts[-1].start :]):
        return f"Without limits, nothing can be said yet about the target of {target}."
    each = periods.word(given.frequency)
    if chart.assurance == spc.Assurance.PASS:
        return f"If nothing changes, expect the target of {target} to be met in every {each}."
    if chart.assurance == spc.Assurance.FAIL:
        return (
            f"If nothing changes, expect the target of {target} to be missed in every {each}: "
            "only a different way of working will reach it."
        )
    return (
        f"The target of {target} lies between the {given.kind.limit}s: "
        f"expect it to be met in some {each}s and missed in others, by chance."
    )


def _part(given: Given) -> str:
    part = given.chart.parts[-1]
    because = given.because[-1] if given.because else ""
    if not because or not part.start:
        return ""
    lines = "The median is" if given.kind.centre == "median" else "Mean and limits are"
    return f"{lines} calculated anew from {_the(given.labels[part.start])}: {because.rstrip('.')}."


def _moved(given: Given) -> str:
    return " ".join(
        f"The new part set for {asked} would have started between two values; it starts with the next one, {placed}."
        for asked, placed in given.moved
    )


def _told(given: Given, caution: spc.Caution) -> str:
    match caution:
        case spc.TwoRules():
            return _two_rules(given, caution)
        case spc.ClosedLimits():
            return _closed_limits(caution)
        case spc.SameValue():
            return _same_value(given, caution)
        case spc.GapInRun():
            return _gap_in_run(given, caution)


def _two_rules(given: Given, caution: spc.TwoRules) -> str:
    one, other = (
        f"{figures.RULE_WORDS[label]} ({POINT_WORDS[spc.point_type_of(label, given.chart.direction)].lower()})"
        for label in (caution.shown, caution.other)
    )
    return f"Two rules judge the latest value differently, and both are shown: it is {one}, and {other}."


def _closed_limits(caution: spc.ClosedLimits) -> str:
    if caution.offers:
        return (
            "Most values are 0, so the process limits have closed on the mean and any other value counts as outside: "
            "do not read that as a change. For events as rare as these choose a g chart (cases between events) or a "
            "t chart (days between events)."
        )
    return (
        "Most values equal the one before, so the process limits have closed on the mean and any value off it counts "
        "as outside: do not read that as a change."
    )


def _same_value(given: Given, caution: spc.SameValue) -> str:
    verb, expected = ("meets", "met") if caution.is_met else ("misses", "missed")
    value = given.text_of_value(caution.value)
    start = given.chart.parts[-1].start
    since = f" {_since(given.labels[start])}" if start else ""
    return (
        f"Each of the {caution.n} values{since} is {value}, which {verb} the target of {given.target_text}. "
        "Values that never vary give no limits, and need none: if nothing changes, expect the target to be "
        f"{expected} again."
    )


def _gap_in_run(given: Given, caution: spc.GapInRun) -> str:
    chart, labels = given.chart, given.labels
    lacks = [labels[i] for i in caution.gaps]
    gap = "hidden" if given.hidden.issuperset(caution.gaps) else "missing"
    which = f"{gap} value of {_the(lacks[0])}" if len(lacks) == 1 else f"{len(lacks)} {gap} values"
    done = {
        Label.TREND_UP: "have risen at every step",
        Label.TREND_DOWN: "have fallen at every step",
        Label.SHIFT_ABOVE: f"lie above the mean of {given.text(chart.limits.mean)}",
        Label.SHIFT_BELOW: f"lie below the mean of {given.text(chart.limits.mean)}",
    }[caution.rule]
    return (
        f"But for the {which}, {caution.n} values in a row {_since(labels[caution.start])} {done}, "
        "which would be a sign of change: watch the next values."
    )


SUGGESTED = {
    spc.ChartType.XMR: "An XmR chart",
    spc.ChartType.RUN: "A run chart",
    spc.ChartType.P: "A p chart",
    spc.ChartType.P_PRIME: "A p′ chart",
    spc.ChartType.U: "A u chart",
    spc.ChartType.U_PRIME: "A u′ chart",
    spc.ChartType.C: "A c chart",
    spc.ChartType.G: "A g chart",
    spc.ChartType.T: "A t chart",
}


def suggestion(suggested: spc.Suggestion) -> str:
    """Which chart suits the data, and why."""
    return f"{SUGGESTED[suggested.chart]} suits these data: {_reason(suggested)}."


def _reason(suggested: spc.Suggestion) -> str:
    number = suggested.figure
    match suggested.reason:
        case spc.Reason.RARE:
            between = "cases" if suggested.chart == spc.ChartType.G else "days"
            noughts = "1 of the values is 0" if number == 1 else f"{number} of the values are 0"
            return f"{noughts}, and of events so rare the {between} between two say more than their number"
        case spc.Reason.TOO_FEW:
            return f"{'1 value is' if number == 1 else f'{number} values are'} too few for limits"
        case spc.Reason.TIME_BETWEEN:
            return "they are days between events"
        case spc.Reason.CASES_BETWEEN:
            return "they are cases between events"
        case spc.Reason.PROPORTION:
            return "they are proportions, known better where there are more cases"
        case spc.Reason.RATE:
            return "they are events per exposure, known better where there is more exposure"
        case spc.Reason.COUNT:
            return "they are counts that vary as chance alone would make them vary"
        case spc.Reason.OVER_DISPERSED:
            return f"they vary {number:.1f} times as much as chance alone would make them, too much for ordinary limits"
        case spc.Reason.VALUE:
            return "they are measured values, one a period"


def _frozen(given: Given) -> str:
    if not given.frozen:
        return ""
    return f"{_lines_of(given).capitalize()} {'is' if _has_median_only(given) else 'are'} frozen on {given.frozen}."


def _has_median_only(given: Given) -> bool:
    return given.kind == KINDS[spc.ChartType.RUN]


def _lines_of(given: Given) -> str:
    return "the median" if _has_median_only(given) else f"{given.kind.centre} and limits"


def _excluded(given: Given) -> str:
    if not given.excluded:
        return ""
    if len(given.excluded) > 1:
        said = f"{len(given.excluded)} values are left out of {_lines_of(given)}, for reasons"
    else:
        said = f"The value {_of(given.excluded[0])} is left out of {_lines_of(given)}, for a reason"
    return f"{said} given below the chart."


def _of(label: str) -> str:
    return f"of the {label}" if label.startswith("week") else f"of {label}"


def _trial(given: Given) -> str:
    part = given.chart.parts[-1]
    if not 1 < part.n < spc.FIRM_LIMITS_FROM:
        return ""
    if given.chart.upper[-1] is None:
        is_weak = isinstance(given.chart, spc.JudgedChart) and part.runs.can_signal
        return f"{part.n} values are few: only a large change would show." if is_weak else ""
    return f"The limits are trial limits: they rest on {part.n} values, and {spc.FIRM_LIMITS_FROM} are needed."


def _caution(given: Given) -> str:
    if given.chart.variation == spc.Variation.COMMON_CAUSE:
        return "Do not read a single rise or fall as a change."
    return "Look for the reason before you act on it."


def _hidden(given: Given) -> str:
    if not given.hidden:
        return ""
    if len(given.hidden) == 1:
        return "1 value is hidden because it rests on 1 to 7 people or would reveal such a number."
    return f"{len(given.hidden)} values are hidden because they rest on 1 to 7 people or would reveal such a number."
