"""Drawings of a project, made on the server: its driver diagram and how it spread. Presentation attributes only."""

import textwrap
from dataclasses import dataclass
from itertools import pairwise

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects import diagram
from projects.spread import Step

BOX_WIDTH, BOX_GAP, COLUMN_GAP = 212, 14, 30
CHARACTERS, LINE, PADDING = 26, 19, 12  # of 16 px text in a box
LEVEL_COLOURS = {"aim": "#003087", "primary": "#005eb8", "secondary": "#00703c", "change_idea": "#5c3d8c"}
COLUMNS = {"aim": "Aim", "primary": "Primary drivers", "secondary": "Secondary drivers", "change_idea": "Change ideas"}


# The driver diagram --------------------------------------------------------------------------------------------------
@dataclass
class Placed:
    """A box with its place on the drawing; `y` is its top."""

    key: str
    level: str
    lines: list[tuple[int, str]]
    x: int
    y: float
    height: int

    @property
    def colour(self) -> str:
        return LEVEL_COLOURS[self.level]

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def _lines(text: str) -> list[str]:
    return textwrap.wrap(text, CHARACTERS, break_long_words=True) or [""]


def _placed(key, level, text, column, top) -> Placed:
    lines = _lines(text)
    height = len(lines) * LINE + 2 * PADDING
    return Placed(key, level, lines, column * (BOX_WIDTH + COLUMN_GAP) + 2, top, height)


def drivers_svg(aim: str, boxes: list[diagram.Box]) -> SafeString:
    """The diagram from left to right: the aim, primary drivers, what is under them, change ideas."""
    head = 34
    placed, bottom = _columns(diagram.outline(boxes), 1, head)
    lane = max(bottom - BOX_GAP, head)
    start = _placed("", "aim", textwrap.shorten(aim, 260, placeholder=" …"), 0, head)
    start.y = max(head, head + (lane - head - start.height) / 2)
    everything = [start, *placed]
    by_key = {one.key: one for one in everything}
    for one in everything:
        one.lines = [(round(one.y + PADDING + 14 + LINE * number), text) for number, text in enumerate(one.lines)]
    links = [(by_key[box.parent], by_key[box.key]) for box in boxes]
    also = [(by_key[key], by_key[box.key]) for box in boxes for key in box.also if key in by_key]
    columns = 1 + max((list(diagram.LEVELS).index(box.level) + 1 for box in boxes), default=0)
    context = {
        "width": columns * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP + 4,
        "height": round(max(lane, start.y + start.height) + 6),
        "headings": [
            (column * (BOX_WIDTH + COLUMN_GAP) + 2, name)
            for column, name in list(enumerate(COLUMNS.values()))[:columns]
        ],
        "boxes": everything,
        "box_width": BOX_WIDTH,
        "text_x": PADDING,
        "links": " ".join(_link(*pair) for pair in links),
        "also": " ".join(_link(*pair) for pair in also),
        "desc": f"{len(boxes)} boxes from the aim to the change ideas. The outline says the same in words.",
    }
    return render_to_string("projects/drivers.svg", context)


def _columns(items, column: int, top: float) -> tuple[list[Placed], float]:
    """The boxes of `items` and of all under them, from `top` down; and where the next one may begin."""
    found = []
    for item in items:
        box = _placed(item.box.key, item.box.level, item.box.text, column, top)
        under, bottom = _columns(item.under, column + 1, top)
        needed = max(bottom, top + box.height + BOX_GAP)
        box.y = top + (needed - BOX_GAP - top - box.height) / 2
        found += [box, *under]
        top = needed
    return found, top


def _link(one: Placed, other: Placed) -> str:
    """A line from the right side of a box to the left side of one in the next column."""
    x, end = one.x + BOX_WIDTH, other.x
    bend = (x + end) / 2
    return f"M{x} {one.middle:.0f}C{bend:.0f} {one.middle:.0f} {bend:.0f} {other.middle:.0f} {end} {other.middle:.0f}"


# How a project spread ------------------------------------------------------------------------------------------------
PLOT_HEIGHT, NARROW, WIDE = 200, 340, 720


def curve_svg(steps: list[Step], title: str) -> SafeString:
    """How many organisations use a project, over time: drawn twice, for a wide and for a narrow window."""
    wide = render_to_string("projects/curve.svg", _curve(steps, title, WIDE) | {"css_class": "app-chart__wide"})
    narrow = render_to_string("projects/curve.svg", _curve(steps, title, NARROW) | {"css_class": "app-chart__narrow"})
    return format_html("{}{}", wide, narrow)


def _curve(steps: list[Step], title: str, width: int) -> dict:
    left, right, top = 34, width - 16, 16
    bottom = top + PLOT_HEIGHT
    most = max(1, *(step.taking_part for step in steps))
    first, last = steps[0].day.toordinal(), max(steps[-1].day.toordinal(), steps[0].day.toordinal() + 1)

    def at_x(day) -> float:
        return left + (day.toordinal() - first) / (last - first) * (right - left)

    def at_y(count: int) -> float:
        return bottom - count / most * PLOT_HEIGHT

    def stairs(name: str) -> str:
        path = f"M{at_x(steps[0].day):.1f} {at_y(getattr(steps[0], name)):.1f}"
        for _before, step in pairwise(steps):
            path += f"H{at_x(step.day):.1f}V{at_y(getattr(step, name)):.1f}"
        return path

    every = max(1, -(-most // 5))
    ticks = range(0, most + 1, every)
    return {
        "width": width,
        "height": bottom + 58,
        "title": title,
        "left": left,
        "right": right,
        "bottom": bottom,
        "ticks": [(f"{at_y(count):.1f}", f"{at_y(count) + 5:.1f}", count) for count in ticks],
        "in_use": stairs("in_use"),
        "taking_part": stairs("taking_part"),
        "from": f"{steps[0].day:%b %Y}",
        "to": f"{steps[-1].day:%b %Y}",
    }
