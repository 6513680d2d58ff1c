"""Two people, or two tabs, at once."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Clash:
    """One answer that was changed in two places since the same version."""

    name: str
    typed: object
    stored: object


def merge(base: Mapping, stored: Mapping, typed: Mapping) -> tuple[dict, list[Clash]]:
    """Three-way merge, answer by answer: what only one side changed is taken, what both changed clashes."""
    merged, clashes = dict(stored), []
    for name, value in typed.items():
        before, now = base.get(name) or "", stored.get(name) or ""
        if (value or "") in (before, now):
            continue
        if now == before:
            merged[name] = value
        else:
            clashes.append(Clash(name, value, now))
    return merged, clashes
