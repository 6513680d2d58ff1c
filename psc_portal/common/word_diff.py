"""What changed between two texts, word by word: pure Python."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

WORD = re.compile(r"\s*\S+")
LONGEST = 6000  # words of both texts together; beyond that the whole text counts as rewritten


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Piece:
    change: Change
    text: str


def word_changes(before: str, after: str) -> list[Piece]:
    """Pieces of text in reading order; without the removed ones they are `after`, without the added ones `before`.

    White space belongs to the word after it, and differences in white space alone are none.
    """
    old, new = WORD.findall(before), WORD.findall(after)
    if len(old) + len(new) > LONGEST:
        pieces = [Piece(Change.REMOVED, before), Piece(Change.ADDED, after)]
    else:
        pieces = list(_pieces(old, new))
    return [piece for piece in pieces if piece.text]


def _pieces(old: list[str], new: list[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new], autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            gap = " " if old_from and not new_from else ""  # the first word now, but not before: it has no space
            yield Piece(Change.SAME, gap + "".join(new[new_from:new_to]))
        else:
            yield Piece(Change.REMOVED, "".join(old[old_from:old_to]))
            yield Piece(Change.ADDED, "".join(new[new_from:new_to]))
