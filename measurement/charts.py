"""Charts as SVG, drawn on the server from one template, and as PNG.

Colours are presentation attributes only: WeasyPrint ignores page CSS inside an SVG, and the content security policy
refuses inline styles. Each meaning has a shape as well as a colour, and the <title> says everything in words.
"""

import math
import textwrap
from dataclasses import dataclass, field
from itertools import groupby

import resvg_py
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from measurement import spc
from measurement.figures import Icon, Reading, number_text
from measurement.places import PlacesFunnel

WIDTH = 640
NARROW = 330  # a phone held upright
PLOT_HEIGHT = 230
TEXT_SIZE = 13
CHARACTER = 0.56 * TEXT_SIZE  # mean width of a character of Arial, near enough to leave room
LABEL_GAP = 16
MOST_MARK_ROWS = 3
MARK_GAP = 20
DOT_ROOM = 5  # least distance between dots that are drawn at full size

# NHS.UK palette, each at least 3:1 on white; improvement blue, concern orange, as Making Data Count has them
TONES = {"improvement": "#005eb8", "concern": "#b85000", "neutral": "#490092", "common": "#4c6272"}
TARGET_COLOUR = "#8a1538"
SPECIAL = (
    ("improvement", "Better", {spc.PointType.IMPROVEMENT}),
    ("concern", "Worse", {spc.PointType.CONCERN}),
    ("neutral", "Changed", {spc.PointType.NEUTRAL_HIGH, spc.PointType.NEUTRAL_LOW}),
)


@dataclass(slots=True)
class Drawing:
    """What the template draws: finished paths and texts with their places."""

    width: int
    height: float
    title: str
    desc: str
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    unit: str = ""
    unit_y: str = ""
    heading: list[tuple[str, str]] = field(default_factory=list)
    place: str = ""
    place_y: str = ""
    footer: str = ""
    footer_y: str = ""
    grid: str = ""
    y_ticks: list[tuple[str, str]] = field(default_factory=list)
    x_ticks: str = ""
    x_labels: list[tuple[str, str, str]] = field(default_factory=list)
    x_labels_y: str = ""
    band: str = ""
    limits: str = ""
    means: str = ""
    target: str = ""
    planned: str = ""
    excluded: list[tuple[str, str]] = field(default_factory=list)
    line: str = ""
    dots: str = ""
    dot_size: str = ""
    special: list[tuple[str, str]] = field(default_factory=list)
    provisional: str = ""
    hidden: str = ""
    breaks: str = ""
    break_labels: list[tuple[str, str, str, str]] = field(default_factory=list)
    marks: list[tuple[str, str, str, int]] = field(default_factory=list)
    mark_lines: str = ""
    line_labels: list[tuple[str, str, str]] = field(default_factory=list)
    line_labels_x: str = ""
    legend: list[tuple[str, str, str, str]] = field(default_factory=list)
    empty: str = ""
    size: int = TEXT_SIZE


def chart_svg(
    reading: Reading,
    *,
    width: int = WIDTH,
    with_heading: bool = False,
    footer: str = "",
    css_class: str = "",
    scale: tuple[float, float] | None = None,
) -> SafeString:
    """The chart of a reading as one <svg> element.

    Args:
        reading: what to draw; its sentence becomes the text alternative.
        width: of the drawing's own units; it scales to whatever room it gets.
        with_heading: draw name and place too, for a picture that stands alone.
        footer: a line at the bottom, for example that the data is for demonstration.
        css_class: of the element, where a page chooses between drawings.
        scale: lowest and highest number that the y axis must reach, where charts are compared.
    """
    context = {"d": _drawing(reading, width, with_heading, footer, scale), "css_class": css_class}
    return render_to_string("measurement/chart.svg", context)


def page_svg(reading: Reading) -> SafeString:
    """The chart for a web page, drawn twice: the style sheet shows the one whose text is readable on that screen."""
    wide = chart_svg(reading, css_class="app-chart__wide")
    return format_html("{}{}", wide, chart_svg(reading, width=NARROW, css_class="app-chart__narrow"))


def png(svg: str, *, width: int = 1600) -> bytes:
    """The picture as PNG, with a white ground."""
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, background="white"))


def icon_svg(icon: Icon, *, size: int = 36, is_decorative: bool = False) -> SafeString:
    """A variation or assurance icon of our own: circle better, diamond worse, square changed, and a letter.

    `is_decorative` where its words stand beside it; a PDF needs the title, so leave it off there.
    """
    context = {"icon": icon, "size": size, "colour": TONES[icon.tone], "is_decorative": is_decorative}
    return render_to_string("measurement/icon.svg", context)


def nice_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, from at or below `low` to at or above `high`."""
    if not high > low:
        room = abs(high) * 0.1 or 1.0
        low, high = low - room, high + room
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_texts(ticks: list[float]) -> list[str]:
    """The ticks as short texts, with just the decimals their step needs; millions and billions by their letter."""
    step = abs(ticks[1] - ticks[0])
    for size, letter in ((1e9, "bn"), (1e6, "m")):
        if step >= size / 10:
            return [number_text(tick / size, 0 if step >= size else 1) + letter for tick in ticks]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [number_text(tick, decimals) for tick in ticks]


def _n(value: float) -> str:
    """A coordinate, to a tenth, without a trailing nought."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def _drawing(reading: Reading, width: int, with_heading: bool, footer: str, scale=None) -> Drawing:
    d = Drawing(width=width, height=0, title=f"{reading.title}. {reading.sentence}", desc=_desc(reading))
    y = _heading(d, reading, with_heading)
    shown = [point.value for point in reading.points if point.value is not None]
    if not shown:
        d.empty = reading.summary
        d.height = y + 60
        d.unit_y = _n(y + 34)
        return _footer(d, footer)
    ticks = nice_ticks(*_range(reading, scale))
    texts = tick_texts(ticks)
    labels = _line_labels(reading, is_narrow=width < WIDTH)
    left = 12 + CHARACTER * max(len(text) for text in texts)
    right = width - 14 - CHARACTER * max((len(text) for _, text, _ in labels), default=0)
    step = (right - left - 16) / max(1, len(reading.points) - 1)

    def at_x(index: float) -> float:
        return (left + right) / 2 if len(reading.points) == 1 else left + 8 + index * step

    rows = _mark_rows(reading, at_x)
    top = y + 26 + (max(rows) + 1 if rows else 0) * MARK_GAP
    bottom = top + PLOT_HEIGHT

    def at_y(value: float) -> float:
        return bottom - (value - ticks[0]) / (ticks[-1] - ticks[0]) * PLOT_HEIGHT

    d.left, d.right, d.top, d.bottom = _n(left), _n(right), _n(top), _n(bottom)
    d.unit, d.unit_y = ("Per cent" if reading.unit == "%" else reading.unit[:1].upper() + reading.unit[1:]), _n(y + 14)
    d.grid = "".join(f"M{_n(left)} {_n(at_y(tick))}H{_n(right)}" for tick in ticks)
    d.y_ticks = [(_n(at_y(tick) + 4.5), text) for tick, text in zip(ticks, texts, strict=True)]
    _draw_lines(d, reading, at_x, at_y, step)
    _draw_points(d, reading, at_x, at_y, step, bottom)
    _draw_breaks(d, reading, at_x, step, top, bottom)
    _draw_marks(d, reading, at_x, rows, y, bottom)
    _draw_x_axis(d, reading, at_x, step, bottom, left, right)
    d.line_labels = _spread([(at_y(value), text, colour) for value, text, colour in labels], top, bottom)
    d.line_labels_x = _n(right + 6)
    d.height = bottom + 34
    _draw_legend(d, reading, left)
    return _footer(d, footer)


def _desc(reading: Reading) -> str:
    if not reading.points:
        return f"{_capital(reading.chart_name)} without data."
    first, last, limits = reading.points[0].label, reading.points[-1].label, reading.limits
    span = f"from {first} to {last}" if len(reading.points) > 1 else f"for {first}"
    said = [f"{_capital(reading.chart_name)} of {len(reading.points)} periods {span}."]
    if limits.mean is not None:
        said.append(f"{reading.centre_name.capitalize()} {reading.line_text(limits.mean)}.")
    if limits.upper is not None:
        at_end = " at the end" if limits.varies else ""
        between = f"{reading.line_text(limits.lower)} to {reading.line_text(limits.upper)}"
        said.append(f"{reading.limit_name.capitalize()}s{at_end} {between}.")
    said += [f"Mark {mark.number}, {mark.label}: {mark.text}." for mark in reading.marks]
    return " ".join(said)


def _capital(name: str) -> str:
    """Run chart, but p chart: that is a symbol."""
    return name.capitalize() if name == "run chart" else name


def _heading(d: Drawing, reading: Reading, with_heading: bool) -> float:
    """Draws the heading where asked; returns where the rest starts."""
    if not with_heading:
        return 0
    lines = textwrap.wrap(reading.name, int(d.width / 10.5))[:4] or [reading.code]
    d.heading = [(_n(24 + 22 * i), line) for i, line in enumerate(lines)]
    y = 24 + 22 * len(lines)
    d.place, d.place_y = textwrap.shorten(reading.place, int(d.width / CHARACTER), placeholder="…"), _n(y - 3)
    return y + 10


def _footer(d: Drawing, footer: str) -> Drawing:
    if footer:
        d.footer, d.footer_y = footer, _n(d.height + 12)
        d.height += 20
    return d


def _range(reading: Reading, scale: tuple[float, float] | None = None) -> tuple[float, float]:
    """All that must be inside the plot: values, limits and target."""
    inside = list(scale or ())
    inside += [point.value for point in reading.points if point.value is not None]
    for point in reading.points:
        shown = (point.mean, point.lower, point.upper, point.target, point.planned)
        inside += [value for value in shown if value is not None]
    low, high = min(inside), max(inside)
    room = (high - low) * 0.03 or abs(high) * 0.1 or 1
    top = high + room
    if reading.unit == "%" and high <= 100:
        top = min(top, 100)
    bottom = low - room if low else low
    return (bottom if low < 0 else max(bottom, 0)), top


def _line_labels(reading: Reading, *, is_narrow: bool) -> list[tuple[float, str, str]]:
    """Names of the lines at their right end, with their values."""
    labels, last = [], reading.limits
    limit = "" if is_narrow else " limit"
    for value, name in (
        (last.upper, f"Upper{limit}"),
        (last.mean, reading.centre_name.capitalize()),
        (last.lower, f"Lower{limit}"),
    ):
        if value is not None:
            labels.append((value, f"{name} {_short(reading.line_text(value), value)}", "#425563"))
    if reading.target is not None:
        labels.append((reading.target, f"Target {_short(reading.target_number, reading.target)}", TARGET_COLOUR))
    return labels


def _short(text: str, value: float) -> str:
    """A number beside the plot must be short: 133.3m instead of 133,296,041."""
    if abs(value) < 1e6:
        return text
    return number_text(value / 1e9, 2) + "bn" if abs(value) >= 1e9 else number_text(value / 1e6, 1) + "m"


def _spread(labels: list[tuple[float, str, str]], top: float, bottom: float) -> list[tuple[str, str, str]]:
    """Labels moved apart so that none covers another, kept beside the plot."""
    labels = sorted(labels, key=lambda label: label[0])  # equal ones keep their order: upper, mean, lower
    ys = [y for y, _, _ in labels]
    for i in range(1, len(ys)):
        ys[i] = max(ys[i], ys[i - 1] + LABEL_GAP)
    if ys and ys[-1] > bottom + 4:
        ys[-1] = bottom + 4
        for i in range(len(ys) - 2, -1, -1):
            ys[i] = min(ys[i], ys[i + 1] - LABEL_GAP)
    return [(_n(y + 4.5), text, colour) for y, (_, text, colour) in zip(ys, labels, strict=True)]


def _draw_lines(d: Drawing, reading: Reading, at_x, at_y, step) -> None:
    half = min(step, 12) / 2
    for line in reading.lines:
        x1, x2 = at_x(line.start) - half, at_x(line.stop - 1) + half
        if line.mean is not None:
            d.means += f"M{_n(x1)} {_n(at_y(line.mean))}H{_n(x2)}"
        if line.varies:
            _draw_steps(d, reading.points[line.start : line.stop], line.start, at_x, at_y, step)
        elif line.upper is not None:
            upper, lower = at_y(line.upper), at_y(line.lower)
            d.band += f"M{_n(x1)} {_n(upper)}H{_n(x2)}V{_n(lower)}H{_n(x1)}z"
            d.limits += f"M{_n(x1)} {_n(upper)}H{_n(x2)}M{_n(x1)} {_n(lower)}H{_n(x2)}"
    _draw_plan(d, reading, at_x, at_y, half, step)


def _draw_plan(d: Drawing, reading: Reading, at_x, at_y, half, step) -> None:
    """The target as steps, each from the first period that it holds for; what was planned as a thin line."""
    last, before = len(reading.points) - 1, None
    for target, run in groupby(enumerate(reading.points), key=lambda one: one[1].target):
        at = [i for i, _ in run]
        if target is not None:
            x1 = at_x(at[0]) - (step / 2 if at[0] else half)
            x2 = at_x(at[-1]) + (step / 2 if at[-1] < last else half)
            d.target += f"{'V' if before is not None else f'M{_n(x1)} '}{_n(at_y(target))}H{_n(x2)}"
        before = target
    joined = False
    for i, point in enumerate(reading.points):
        if point.planned is not None:
            d.planned += f"{'L' if joined else 'M'}{_n(at_x(i))} {_n(at_y(point.planned))}"
        joined = point.planned is not None


def _draw_steps(d: Drawing, points, first: int, at_x, at_y, step) -> None:
    """Limits that differ from point to point, as steps; a point without limits leaves a gap."""
    for has_limits, run in groupby(enumerate(points, first), key=lambda one: one[1].upper is not None):
        if not has_limits:
            continue
        run = list(run)
        edges = [_n(at_x(i) - step / 2) for i, _ in run] + [_n(at_x(run[-1][0]) + step / 2)]
        upper = "".join(f"V{_n(at_y(point.upper))}H{x}" for (_, point), x in zip(run, edges[1:], strict=True))
        lower = "".join(f"V{_n(at_y(point.lower))}H{x}" for (_, point), x in zip(run, edges[1:], strict=True))
        back = "".join(
            f"V{_n(at_y(point.lower))}H{x}" for (_, point), x in zip(reversed(run), reversed(edges[:-1]), strict=True)
        )
        start_up, start_low = (f"M{edges[0]} {_n(at_y(getattr(run[0][1], name)))}" for name in ("upper", "lower"))
        d.band += f"{start_up}{upper}{back}z"
        d.limits += f"{start_up}{upper}{start_low}{lower}"


def _draw_points(d: Drawing, reading: Reading, at_x, at_y, step, bottom) -> None:
    """The line between values, broken where one is missing or the definition changes; dots by what they say."""
    new_definition = {line.start for line in reading.lines if line.is_new_definition}
    is_small = step < DOT_ROOM
    d.dot_size = "3" if is_small else "6"
    paths = {tone: "" for tone, _, _ in SPECIAL}
    excluded = dict.fromkeys(TONES, "")
    of_type = {kind: tone for tone, _, kinds in SPECIAL for kind in kinds}
    joined = False
    for i, point in enumerate(reading.points):
        x = at_x(i)
        if point.is_hidden:
            d.hidden += f"M{_n(x - 4)} {_n(bottom - 8)}h8M{_n(x - 2)} {_n(bottom - 11.5)}l4 7m0-7l-4 7"
        if point.value is None:
            joined = False
            continue
        y = at_y(point.value)
        if point.excluded_because:  # its neighbours are adjacent, as they are for the rules
            excluded[of_type.get(point.point_type, "common")] += _cross(x, y, 3 if is_small else 4.5)
            continue
        d.line += f"{'L' if joined and i not in new_definition else 'M'}{_n(x)} {_n(y)}"
        joined = True
        if (tone := of_type.get(point.point_type)) is None:
            d.dots += f"M{_n(x)} {_n(y)}h.01"
        else:
            paths[tone] += _shape(tone, x, y, 3 if is_small else 5)
        if point.is_provisional:
            d.provisional += f"M{_n(x)} {_n(y)}h.01"
    d.special = [(path, TONES[tone]) for tone, path in paths.items() if path]
    d.excluded = [(path, TONES[tone]) for tone, path in excluded.items() if path]


def _cross(x: float, y: float, r: float) -> str:
    return f"M{_n(x - r)} {_n(y - r)}l{2 * r:g} {2 * r:g}m0-{2 * r:g}l-{2 * r:g} {2 * r:g}"


def _shape(tone: str, x: float, y: float, r: float) -> str:
    if tone == "improvement":
        return f"M{_n(x - r)} {_n(y)}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0-{2 * r} 0z"
    if tone == "concern":
        r += 1
        return f"M{_n(x)} {_n(y - r)}l{r} {r}-{r} {r}-{r}-{r}z"
    return f"M{_n(x - r + 0.5)} {_n(y - r + 0.5)}h{2 * r - 1}v{2 * r - 1}h-{2 * r - 1}z"


def _draw_breaks(d: Drawing, reading: Reading, at_x, step, top, bottom) -> None:
    """A line where mean and limits start anew, and what it is where there is room to say so."""
    found = [(at_x(line.start) - step / 2, line) for line in reading.lines if line.start]
    free_from = float(d.left)
    for i, (x, line) in enumerate(found):
        d.breaks += f"M{_n(x)} {_n(top)}V{_n(bottom)}"
        text = "New definition" if line.is_new_definition else "Rebased"
        room = CHARACTER * len(text) + 6
        free_to = found[i + 1][0] if i + 1 < len(found) else float(d.right)
        if x + room < free_to:
            d.break_labels.append((_n(x + 4), _n(top + 11), text, "start"))
            free_from = x + room
        elif x - room > free_from:
            d.break_labels.append((_n(x - 4), _n(top + 11), text, "end"))
            free_from = x


def _mark_rows(reading: Reading, at_x) -> list[int]:
    """The row of each numbered mark, so that none covers another while there are rows left."""
    ends = [-1e9] * MOST_MARK_ROWS
    rows = []
    for mark in reading.marks:
        x = at_x(mark.index)
        row = next((i for i in range(MOST_MARK_ROWS) if x - ends[i] >= MARK_GAP), MOST_MARK_ROWS - 1)
        ends[row] = x
        rows.append(row)
    return rows


def _draw_marks(d: Drawing, reading: Reading, at_x, rows: list[int], y, bottom) -> None:
    for mark, row in zip(reading.marks, rows, strict=True):
        x, centre = at_x(mark.index), y + 30 + row * MARK_GAP
        d.mark_lines += f"M{_n(x)} {_n(centre + 9)}V{_n(bottom)}"
        d.marks.append((_n(x), _n(centre), _n(centre + 4.2), mark.number))


def _draw_x_axis(d: Drawing, reading: Reading, at_x, step, bottom, left, right) -> None:
    """Dates at even distances that fall on the start of a year, half-year or quarter where the periods allow it."""
    points, frequency = reading.points, reading.frequency
    texts = [_axis_date(point, frequency) for point in points]
    room = CHARACTER * max(len(text) for text in texts) + 14
    every = _every(frequency, max(1, math.ceil(room / step)) if len(points) > 1 else 1)
    first = _first_tick(reading, every)
    half = (room - 14) / 2
    for i in range(first, len(points), every):
        x = at_x(i)
        d.x_ticks += f"M{_n(x)} {_n(bottom)}v5"
        anchor, at = "middle", x
        if x + half > right + 30:
            anchor, at = "end", right + 6
        elif x - half < 2:
            anchor, at = "start", left
        d.x_labels.append((_n(at), texts[i], anchor))
    d.x_labels_y = _n(bottom + 19)


def _axis_date(point, frequency: str) -> str:
    start = point.period_start
    return f"{start.day} {start:%b %Y}" if frequency == "week" else f"{start:%b %Y}"


def _every(frequency: str, at_least: int) -> int:
    """A step between labels that fits the calendar: 1, 2, 3, 6 or 12 months and so on."""
    natural = {
        "week": (1, 2, 4, 13, 26, 52),
        "month": (1, 2, 3, 6, 12),
        "quarter": (1, 2, 4),
        "half_year": (1, 2),
    }.get(frequency, (1, 2, 5, 10))
    for count in natural:
        if count >= at_least:
            return count
    return natural[-1] * math.ceil(at_least / natural[-1])


def _first_tick(reading: Reading, every: int) -> int:
    per_year = {"month": 12, "quarter": 4, "half_year": 2}.get(reading.frequency)
    if not per_year:
        return 0
    start = reading.points[0].period_start
    periods_since_april = (start.month - 4) % 12 * per_year // 12
    first = -periods_since_april % min(every, per_year)
    return first if first < len(reading.points) else 0


def _draw_legend(d: Drawing, reading: Reading, left: float) -> None:
    """Only what the chart has. Wraps to a second row where a narrow drawing needs it."""
    items = []
    kinds = {point.point_type for point in reading.points}
    for tone, word, of_tone in SPECIAL:
        if kinds & of_tone:
            items.append((_shape(tone, 0, 0, 5), TONES[tone], f"{word} (special cause)"))
    if any(point.is_provisional and point.value is not None for point in reading.points):
        items.append(
            ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0zM-2 0a2 2 0 1 1 4 0a2 2 0 1 1-4 0z", TONES["common"], "Provisional")
        )
    if any(point.is_hidden for point in reading.points):
        star = "M-4-1h8v2h-8zM-2.6-4l1.7-1 3.5 9-1.7 1zM.9-5l1.7 1-3.5 9-1.7-1z"
        items.append((star, TONES["common"], "Hidden: small numbers"))
    if any(point.excluded_because and point.value is not None for point in reading.points):
        cross = "M-4.9-3.5l1.4-1.4L0-1.4l3.5-3.5 1.4 1.4L1.4 0l3.5 3.5-1.4 1.4L0 1.4l-3.5 3.5-1.4-1.4L-1.4 0z"
        items.append((cross, TONES["common"], "Left out of mean and limits"))
    if reading.has_plan:
        items.append(("M-6-.5h12v1h-12z", TARGET_COLOUR, "Planned"))
    x, y = left + 6, d.height + 6
    for path, colour, text in items:
        room = 20 + CHARACTER * len(text)
        if x + room > d.width and x > left + 6:
            x, y = left + 6, y + 20
        d.legend.append((f"translate({_n(x)} {_n(y)})", path, colour, text))
        x += room + 12
    if items:
        d.height = y + 14


# Funnel plots --------------------------------------------------------------------------------------------------------
FUNNEL_HEIGHT = 300
CURVE_POINTS = 48
NAMED = 24  # characters of a place's name beside its mark


@dataclass(slots=True)
class FunnelDrawing:
    """What the template of a funnel plot draws."""

    title: str
    desc: str
    width: int = WIDTH
    height: float = 0
    size: int = TEXT_SIZE
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    unit: str = ""
    grid: str = ""
    y_ticks: list[tuple[str, str]] = field(default_factory=list)
    x_ticks: str = ""
    x_labels: list[tuple[str, str]] = field(default_factory=list)
    x_name: str = ""
    centre: str = ""
    near: str = ""
    far: str = ""
    line_labels: list[tuple[str, str]] = field(default_factory=list)
    dots: str = ""
    special: list[tuple[str, str]] = field(default_factory=list)
    names: list[tuple[str, str, str, str]] = field(default_factory=list)


def funnel_svg(found: PlacesFunnel, *, x_name: str) -> SafeString:
    """The funnel plot of one period: values against the sizes of places, between 2- and 3-sigma limits.

    Drawn twice, like the charts of a page. `x_name`: what the size of a place is.
    """
    drawings = [("app-chart__wide", WIDTH), ("app-chart__narrow", NARROW)]
    return format_html_join(
        "",
        "{}",
        (
            (
                render_to_string(
                    "measurement/funnel.svg", {"d": _funnel_drawing(found, x_name, width), "css_class": css_class}
                ),
            )
            for css_class, width in drawings
        ),
    )


def _funnel_drawing(found: PlacesFunnel, x_name: str, width: int) -> FunnelDrawing:
    shown = [one for one in found.places if one.value is not None]
    sizes = [one.denominator for one in shown]
    x_ticks = nice_ticks(0, max(sizes) * 1.04, most=6 if width == WIDTH else 4)
    at_least = min(sizes) * 0.8
    curve = [
        (n, found.funnel.limits_at(n))
        for n in (at_least + (x_ticks[-1] - at_least) * (i / CURVE_POINTS) ** 2 for i in range(CURVE_POINTS + 1))
    ]
    reach = found.funnel.limits_at(min(sizes))
    inside = [one.value for one in shown] + [reach[0], reach[3]]
    y_ticks = nice_ticks(min(inside), max(inside))
    left = 12 + CHARACTER * max(len(text) for text in tick_texts(y_ticks))
    right, top = width - 62, 26
    bottom = top + FUNNEL_HEIGHT

    def at_x(n: float) -> float:
        return left + n / x_ticks[-1] * (right - left)

    def at_y(value: float) -> float:
        share = (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return bottom - min(1, max(0, share)) * FUNNEL_HEIGHT

    def line(place: int) -> str:
        points = (f"{_n(at_x(n))} {_n(at_y(limits[place]))}" for n, limits in curve)
        return "M" + "L".join(points)

    d = FunnelDrawing(
        title=found.sentence,
        width=width,
        desc="Funnel plot. " + " ".join(f"{one.name}: {one.point.value_text}, {one.meaning}." for one in found.places),
        height=bottom + 44,
        left=_n(left), right=_n(right), top=_n(top), bottom=_n(bottom),
        unit="Per cent" if found.unit == "%" else found.unit[:1].upper() + found.unit[1:],
        grid="".join(f"M{_n(left)} {_n(at_y(tick))}H{_n(right)}" for tick in y_ticks),
        y_ticks=[(_n(at_y(tick) + 4.5), text) for tick, text in zip(y_ticks, tick_texts(y_ticks), strict=True)],
        x_ticks="".join(f"M{_n(at_x(tick))} {_n(bottom)}v5" for tick in x_ticks),
        x_labels=[(_n(at_x(tick)), text) for tick, text in zip(x_ticks, tick_texts(x_ticks), strict=True)],
        x_name=textwrap.shorten(x_name, int((width - left) / CHARACTER), placeholder="\N{HORIZONTAL ELLIPSIS}"),
        centre=f"M{_n(at_x(at_least))} {_n(at_y(found.funnel.centre))}H{_n(right)}",
        near=line(1) + line(2),
        far=line(0) + line(3),
    )  # fmt: skip
    ends = curve[-1][1]
    labels = [(ends[3], "3 sigma"), (ends[2], "2 sigma"), (found.funnel.centre, "Mean"), (ends[1], "2 sigma"),
              (ends[0], "3 sigma")]  # fmt: skip
    d.line_labels = [
        (y, text) for y, text, _ in _spread([(at_y(value), text, "") for value, text in labels], top, bottom)
    ]
    paths = dict.fromkeys(TONES, "")
    for one in shown:
        x, y = at_x(one.denominator), at_y(one.value)
        if one.tone == "common":
            d.dots += f"M{_n(x)} {_n(y)}h.01"
            continue
        paths[one.tone] += _shape(one.tone, x, y, 5)
        anchor = "end" if x > (left + right) / 2 else "start"
        name = textwrap.shorten(one.name, NAMED, placeholder="\N{HORIZONTAL ELLIPSIS}")
        d.names.append((_n(x + (-9 if anchor == "end" else 9)), _n(y + 4.5), anchor, name))
    d.special = [(path, TONES[tone]) for tone, path in paths.items() if path]
    return d
