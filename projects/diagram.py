"""A driver diagram as data: aim, primary drivers, what is under them, change ideas. Pure Python.

Boxes stand in a list; those under the same box are drawn in its order. Each box below the first level hangs under one
box of the level above (`parent`) and may serve others of that level too (`also`). Every change returns a new list.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

LEVELS = {"primary": "Primary driver", "secondary": "Secondary driver", "change_idea": "Change idea"}
ABOVE = {"primary": None, "secondary": "primary", "change_idea": "secondary"}
MOST_BOXES = 60


class DiagramError(ValueError):
    """A sentence that says what is wrong with a change and what to do."""


@dataclass(frozen=True)
class Box:
    key: str
    level: str
    text: str
    parent: str = ""
    also: tuple[str, ...] = ()

    @property
    def level_name(self) -> str:
        return LEVELS[self.level]


@dataclass(frozen=True)
class Item:
    """A box in the outline, with the boxes under it and the texts of others that it serves."""

    box: Box
    under: list["Item"]
    also: list[str]


@dataclass(frozen=True)
class Difference:
    """One line of what a proposed diagram changes."""

    what: str  # added, removed, changed
    level: str
    before: str
    after: str


def from_data(rows: Iterable[dict]) -> list[Box]:
    return [Box(**{**row, "also": tuple(row.get("also", ()))}) for row in rows]


def to_data(boxes: Iterable[Box]) -> list[dict]:
    return [asdict(box) | {"also": list(box.also)} for box in boxes]


def found(boxes: list[Box], key: str) -> Box:
    for box in boxes:
        if box.key == key:
            return box
    raise DiagramError("This box is no longer in the diagram. Look at the outline and choose again.")


def above(boxes: list[Box], level: str) -> list[Box]:
    """The boxes that one of `level` may hang under."""
    return [box for box in boxes if box.level == ABOVE[level]]


def added(boxes: list[Box], *, level: str, text: str, parent: str = "", also: Iterable[str] = ()) -> list[Box]:
    if len(boxes) >= MOST_BOXES:
        raise DiagramError(f"A diagram holds {MOST_BOXES} boxes at most. Take one out first, or bring two together.")
    number = 1 + max((int(box.key[1:]) for box in boxes if box.key[:1] == "n" and box.key[1:].isdigit()), default=0)
    return [*boxes, _checked(boxes, Box(f"n{number}", level, text, parent, tuple(also)))]


def changed(boxes: list[Box], key: str, *, text: str, parent: str = "", also: Iterable[str] = ()) -> list[Box]:
    """The box with other words, or hung under another box of the level above."""
    new = _checked(boxes, replace(found(boxes, key), text=text, parent=parent, also=tuple(also)))
    return [new if box.key == key else box for box in boxes]


def _checked(boxes: list[Box], box: Box) -> Box:
    text = " ".join(box.text.split())
    if not text:
        raise DiagramError("Enter the words of the box.")
    if len(text) > 200:
        raise DiagramError("Use 200 characters or fewer in a box. A box is a few words.")
    allowed = {one.key for one in above(boxes, box.level)}
    if ABOVE[box.level] is None:
        return replace(box, text=text, parent="", also=())
    if box.parent not in allowed:
        raise DiagramError(f"Choose the {LEVELS[ABOVE[box.level]].lower()} that this hangs under.")
    return replace(box, text=text, also=tuple(key for key in box.also if key in allowed and key != box.parent))


def moved(boxes: list[Box], key: str, *, up: bool) -> list[Box]:
    """The box one place up or down among those under the same box; at the end it stays."""
    box = found(boxes, key)
    beside = [index for index, one in enumerate(boxes) if (one.level, one.parent) == (box.level, box.parent)]
    place = beside.index(boxes.index(box))
    other = place + (-1 if up else 1)
    if not 0 <= other < len(beside):
        return boxes
    new = list(boxes)
    new[beside[place]], new[beside[other]] = boxes[beside[other]], box
    return new


def removed(boxes: list[Box], key: str) -> list[Box]:
    """Without the box; what hangs under it has to be moved or removed first, so that nothing goes unseen."""
    found(boxes, key)
    if hanging := [box.text for box in boxes if box.parent == key]:
        raise DiagramError(
            f"{len(hanging)} box{'es hang' if len(hanging) > 1 else ' hangs'} under this one "
            f"(“{hanging[0]}”). Move or remove what hangs under it first."
        )
    return [replace(box, also=tuple(one for one in box.also if one != key)) for box in boxes if box.key != key]


def outline(boxes: list[Box]) -> list[Item]:
    """The boxes as nested items, in the order in which they are drawn and read."""
    texts = {box.key: box.text for box in boxes}

    def under(parent: str, level: str) -> list[Item]:
        here = [box for box in boxes if box.level == level and box.parent == parent]
        below = next((one for one, up in ABOVE.items() if up == level), None)
        return [
            Item(box, under(box.key, below) if below else [], [texts[key] for key in box.also if key in texts])
            for box in here
        ]

    return under("", "primary")


def in_order(boxes: list[Box]) -> list[Box]:
    """The boxes as they are read in the outline."""

    def walk(items):
        for item in items:
            yield item.box
            yield from walk(item.under)

    return list(walk(outline(boxes)))


def differences(before: list[Box], after: list[Box]) -> list[Difference]:
    """What `after` changes, box by box: first what is new or other, in reading order, then what is gone."""
    old = {box.key: box for box in before}
    lines = []
    for box in in_order(after):
        was = old.get(box.key)
        if was is None:
            lines.append(Difference("added", box.level_name, "", _told(after, box)))
        elif _told(before, was) != _told(after, box):
            lines.append(Difference("changed", box.level_name, _told(before, was), _told(after, box)))
    kept = {box.key for box in after}
    lines += [
        Difference("removed", box.level_name, _told(before, box), "") for box in in_order(before) if box.key not in kept
    ]
    if not lines and [box.key for box in in_order(before)] != [box.key for box in in_order(after)]:
        lines.append(Difference("changed", "Order", "the boxes stood in another order", "the boxes are in a new order"))
    return lines


def _told(boxes: list[Box], box: Box) -> str:
    """The words of a box and where it hangs, as one line."""
    texts = {one.key: one.text for one in boxes}
    parts = [box.text]
    if box.parent in texts:
        parts.append(f"under “{texts[box.parent]}”")
    if also := [texts[key] for key in box.also if key in texts]:
        parts.append("also serves " + ", ".join(f"“{text}”" for text in also))
    return ", ".join(parts)
