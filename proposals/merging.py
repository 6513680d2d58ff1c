"""Two people, or two tabs, at once: what was typed here and what is stored meanwhile come together, answer by answer.

What only one side changed is taken. What both changed clashes, and neither is overwritten. To know who changed what, a
page carries a digest of each answer as it showed it (`digests`), so that it needs no stored version to compare with.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

MOST_NAMES = 500


@dataclass(frozen=True)
class Clash:
    """One answer that was changed in two places since the same page was shown."""

    name: str
    typed: object
    stored: object


def plain(value) -> object:
    """An answer in the one form that two of them are compared in: line ends alike, what was ticked in order."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()
    return sorted(map(str, value)) if value else ""


def digest(value) -> str:
    """Empty for what is not answered."""
    value = plain(value)
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12] if value else ""


def digests(names: Iterable[str], answers: Mapping, *, but: Mapping[str, str] | None = None) -> str:
    """What a page carries of the answers it shows, as JSON; `but` are digests that stay as the page had them."""
    found = {name: mark for name in names if (mark := digest(answers.get(name)))}
    for name, mark in (but or {}).items():
        if mark:
            found[name] = mark
        else:
            found.pop(name, None)
    return json.dumps(found, separators=(",", ":"))


Base = Callable[[str, object], bool]  # whether the page showed this answer under this name


def page_base(carried: str) -> dict[str, str] | None:
    """The digests that a page sent back; None when it sent none that can be read."""
    try:
        found = json.loads(carried)
    except ValueError:
        return None
    is_fine = isinstance(found, dict) and len(found) <= MOST_NAMES and all(isinstance(x, str) for x in found.values())
    return found if is_fine else None


def base_of(
    *, carried: Mapping[str, str] | None = None, version: Mapping | None = None, sent: Iterable[Mapping] = ()
) -> Base:
    """From a page's digests, or from the version it was opened with; unknown when there is neither.

    Args:
        sent: what the page sent before without getting an answer: if it arrived, it is nobody else's text.
    """
    if carried is not None:
        return lambda name, value: (
            carried.get(name, "") == digest(value)
            or any(name in one and plain(one[name]) == plain(value) for one in sent)
        )
    if version is not None:
        return lambda name, value: plain(version.get(name)) == plain(value)
    return lambda name, value: not plain(value)  # unknown: only what is empty can be taken for unchanged


def merge(stored: Mapping, typed: Mapping, base: Base) -> tuple[dict, list[Clash]]:
    merged, clashes = dict(stored), []
    for name, value in typed.items():
        now = stored.get(name)
        if plain(value) == plain(now):
            continue
        if base(name, now):
            merged[name] = value
        elif base(name, value):
            continue  # as the page showed it: only the others changed it
        else:
            clashes.append(Clash(name, value, now or ""))
    return merged, clashes
