"""The driver diagram of a plan, as an outline that people type and as data; and marks that tell whether text changed.

A diagram is a list of primary drivers: {"text": ..., "children": [...]}. Under them stand secondary drivers, under
those change ideas.
"""

import hashlib
import json
import re
from collections.abc import Iterator

from projects import diagram
from projects.diagram import Box

LEVELS = ("primary driver", "secondary driver", "change idea")
MOST_BOXES, LONGEST_BOX = 60, 200
DASHES = re.compile(r"^[\s]*([-–—•*]*)[\s]*(.*?)\s*$")


def read_outline(text: str) -> list[dict]:
    """The diagram of an outline: no dash is a primary driver, one a secondary driver under it, two a change idea.

    Raises:
        ValueError: a line stands too deep, is too long, or there are too many; the message says which and what to do.
    """
    roots, path = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        dashes, words = DASHES.match(line).groups()
        if not words:
            continue
        depth = len(dashes.replace("—", "--"))
        if depth >= len(LEVELS):
            raise ValueError(f"Line {number}: use at most {len(LEVELS) - 1} dashes")
        if depth > len(path):
            raise ValueError(f"Line {number}: write the {LEVELS[depth - 1]} above this {LEVELS[depth]} first")
        if len(words) > LONGEST_BOX:
            raise ValueError(f"Line {number}: keep each line to {LONGEST_BOX} characters or fewer")
        box = {"text": words, "children": []}
        (path[depth - 1]["children"] if depth else roots).append(box)
        path[depth:] = [box]
    if sum(1 for _ in boxes(roots)) > MOST_BOXES:
        raise ValueError(f"Keep the diagram to {MOST_BOXES} lines or fewer")
    return roots


def write_outline(drivers: list[dict]) -> str:
    """The outline of a diagram: what `read_outline` reads."""
    return "\n".join(f"{'-' * depth} {box['text']}".strip() for depth, box in boxes(drivers))


def boxes(drivers: list[dict], depth: int = 0) -> Iterator[tuple[int, dict]]:
    """Each box with its depth, in reading order."""
    for box in drivers:
        yield depth, box
        yield from boxes(box["children"], depth + 1)


def all_texts(drivers: list[dict]) -> list[str]:
    return [box["text"] for _, box in boxes(drivers)]


def as_boxes(drivers: list[dict]) -> list[Box]:
    """The same as boxes, which projects draw and outline."""
    levels, found, path = list(diagram.LEVELS), [], []
    for number, (depth, box) in enumerate(boxes(drivers)):
        parent = path[depth - 1] if depth else ""
        found.append(Box(key=f"b{number}", level=levels[depth], text=box["text"], parent=parent))
        path[depth:] = [found[-1].key]
    return found


def as_outline(drivers: list[dict]) -> list[diagram.Item]:
    return diagram.outline(as_boxes(drivers))


def problem_of(aim: str, drivers: list[dict], *, is_required: bool) -> str:
    """What keeps the diagram from being complete, or nothing."""
    if not aim.strip() and not drivers:
        return "Write the aim of your plan and what drives it." if is_required else ""
    if not aim.strip():
        return "Write the aim of your plan."
    if missing := [name for depth, name in enumerate(LEVELS) if depth not in {level for level, _ in boxes(drivers)}]:
        return f"Name at least 1 {missing[0]}."
    return ""


def digest(values: dict) -> str:
    """A short mark of plain values: equal marks, equal values. Line ends count alike."""
    text = json.dumps(values, default=str, sort_keys=True).replace("\\r\\n", "\\n")
    return hashlib.sha256(text.encode()).hexdigest()[:16]
