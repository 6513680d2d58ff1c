"""How work spreads from organisation to organisation: counting, in pure Python.

What an organisation does now is its latest dated stage; earlier ones stay, so that the spread can be drawn over time.
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

STAGES = {"in_use": "In use", "testing": "Testing", "interested": "Interested", "stopped": "Stopped"}
TAKING_PART = {"in_use", "testing"}
POSTCODE = re.compile(r"([A-Z]{1,2})(?:(\d{1,2}[A-Z]?)(?:\d[A-Z]{2})?)?", re.ASCII)  # area, district, the rest


@dataclass(frozen=True)
class Dated:
    """One organisation's stage with one project since a day."""

    organisation: int
    project: int
    stage: str
    since: dt.date
    note: str = ""

    @property
    def stage_name(self) -> str:
        return STAGES[self.stage]


@dataclass(frozen=True)
class Place:
    """An organisation that could take something up."""

    pk: int
    name: str
    system: str
    care_settings: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """A day on which the numbers changed, or the last day drawn."""

    day: dt.date
    in_use: int
    taking_part: int
    stopped: int


@dataclass
class Reach:
    """How far work has come in one system."""

    system: str
    stages: Counter = field(default_factory=Counter)  # each organisation once, under the furthest that it does
    none_yet: list[str] = field(default_factory=list)

    @property
    def organisations(self) -> int:
        return sum(self.stages.values()) + len(self.none_yet)

    @property
    def counts(self) -> list[tuple[str, int]]:
        return [(name, self.stages[stage]) for stage, name in STAGES.items()]


def latest(rows: Iterable[Dated]) -> dict[tuple[int, int], Dated]:
    """What each organisation does now with each project. `rows` come oldest first."""
    return {(row.organisation, row.project): row for row in rows}


def curve(rows: Iterable[Dated], until: dt.date) -> list[Step]:
    """The numbers of one project after each day on which they changed, oldest first, carried on to `until`."""
    now: dict[int, str] = {}
    by_day: dict[dt.date, list[Dated]] = defaultdict(list)
    for row in rows:
        by_day[row.since].append(row)
    steps = []
    for day in sorted(by_day):
        now |= {row.organisation: row.stage for row in by_day[day]}
        count = Counter(now.values())
        step = Step(day, count["in_use"], count["in_use"] + count["testing"], count["stopped"])
        steps.append(step)
    if steps and steps[-1].day < until:
        steps.append(Step(until, steps[-1].in_use, steps[-1].taking_part, steps[-1].stopped))
    return steps


def in_words(steps: list[Step]) -> str:
    """What the curve says, as sentences."""
    if not steps:
        return "No organisation is noted as using it yet."
    now = steps[-1]
    first = next((step.day for step in steps if step.in_use), None)
    used = f"{_organisations(now.in_use)} {'use' if now.in_use > 1 else 'uses'} it now"
    if first:
        used += f"; the first began by {first.day} {first:%B %Y}"
    testing = now.taking_part - now.in_use
    more = f" {_organisations(testing)} {'is' if testing == 1 else 'are'} testing it." if testing else ""
    gone = f" {_organisations(now.stopped)} {'has' if now.stopped == 1 else 'have'} stopped." if now.stopped else ""
    return f"{used}.{more}{gone}"


def _organisations(count: int) -> str:
    return "1 organisation" if count == 1 else f"{count or 'No'} organisation{'s' if count else ''}"


def may_use(place: Place, care_settings: Iterable[str]) -> bool:
    """Whether a project for `care_settings` is meant for this organisation; without any, it is for everybody."""
    wanted = set(care_settings)
    return not wanted or "whole_system" in wanted or bool(wanted & place.care_settings)


def reach(places: Iterable[Place], stages: Mapping[int, Iterable[str]]) -> list[Reach]:
    """By system: how many organisations are how far. `stages`: what each organisation does with any of the projects."""
    order = {stage: number for number, stage in enumerate(STAGES)}
    systems: dict[str, Reach] = {}
    for place in places:
        here = systems.setdefault(place.system, Reach(place.system))
        if found := sorted(stages.get(place.pk, ()), key=order.__getitem__):
            here.stages[found[0]] += 1
        else:
            here.none_yet.append(place.name)
    return sorted(systems.values(), key=lambda one: one.system)


# Near whom -----------------------------------------------------------------------------------------------------------
def outward(postcode: str) -> tuple[str, str]:
    """Area and district of what is typed as a postcode: "ln2 5qy" -> ("LN", "LN2"); two empty texts if it is none."""
    found = POSTCODE.fullmatch("".join(postcode.upper().split()))
    return (found[1], found[1] + found[2] if found[2] else "") if found else ("", "")


def systems_near(typed: str, postcodes: Iterable[tuple[str, int]]) -> set[int]:
    """Systems whose organisations have a postcode like the one typed: of its district, else of its area.

    Args:
        postcodes: of organisations, each with the system that it plans its care in.
    """
    area, district = outward(typed)
    if not area:
        return set()
    known = [(outward(postcode), system) for postcode, system in postcodes]
    near = {system for (_area, one), system in known if district and one == district}
    return near or {system for (one, _district), system in known if one == area}
