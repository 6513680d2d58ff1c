"""Which reviewer reads which proposal: pure Python, nothing of Django.

Each proposal wants a number of reviewers, some of them lay, none with an interest in it. Among all assignments that
give every proposal what can be given, `match` finds one whose loads are as even as possible: the sum of their squares
is the least there is, and with it the highest load is as low and the lowest as high as can be.

Why that holds: the sets of reviewers that satisfy one proposal are the bases of a laminar matroid, so the vectors of
loads form an M-convex set, in which a vector is least when no exchange of one unit from a higher to a lower load is
left (A. Frank and K. Murota, "Decreasing minimization on M-convex sets", Math. Program. 195 (2022) 969-1025). Such
exchanges are the shortest paths from one reviewer to another over proposals that could change hands.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Short:
    """A proposal that cannot get all it wants, and how much is missing."""

    reviews: int
    lay_reviews: int


@dataclass
class Matching:
    """Reviewers by proposal (those who were there before included), what is missing, and everyone's load."""

    reviewers: dict[int, tuple[int, ...]]
    short: dict[int, Short]
    loads: dict[int, int]


@dataclass(eq=False)
class _Proposal:
    allowed: int  # bits of the reviewers who may read it and do not yet
    wanted: int
    lay_wanted: int
    fixed: int = 0
    chosen: list[int] = field(default_factory=list)  # bits, one each
    lay_chosen: int = 0


def match(
    *,
    allowed: Mapping[int, Collection[int]],
    lay: Collection[int],
    reviews: int,
    lay_reviews: int,
    fixed: Mapping[int, Collection[int]] | None = None,
    load: Mapping[int, int] | None = None,
) -> Matching:
    """Give each proposal its reviewers, evenly. The same input gives the same answer, whatever order it comes in.

    Args:
        allowed: by proposal, who may review it: reviewers without an interest.
        lay: those reviewers who are lay.
        reviews: how many reviewers each proposal wants.
        lay_reviews: how many of them lay, at least.
        fixed: by proposal, who reviews it already; these stay.
        load: by reviewer, what they have to read beside these proposals.
    Returns:
        What a proposal cannot get is missing and said; a place that only a lay reviewer may take stays free.
    """
    fixed, load = fixed or {}, load or {}
    people = sorted({one for ids in (*allowed.values(), *fixed.values()) for one in ids} | load.keys())
    bit_of = {person: 1 << place for place, person in enumerate(people)}
    lay_bits = sum(bit_of[one] for one in set(lay) if one in bit_of)
    loads = {bit_of[person]: load.get(person, 0) for person in people}
    proposals, short = {}, {}
    for key in sorted(allowed.keys() | fixed.keys()):
        given = sum(bit_of[one] for one in set(fixed.get(key, ())))
        for bit in _bits(given):
            loads[bit] += 1
        may = sum(bit_of[one] for one in set(allowed.get(key, ()))) & ~given
        proposals[key], missing = _wants(given, may, lay_bits, reviews, lay_reviews)
        if missing.reviews:
            short[key] = missing
    for one in sorted(proposals.values(), key=lambda one: one.allowed.bit_count()):
        _choose(one, lay_bits, loads)
    _even_out([one for one in proposals.values() if one.chosen], lay_bits, loads)
    person_of = {bit: person for person, bit in bit_of.items()}
    return Matching(
        {
            key: tuple(sorted(person_of[bit] for bit in [*_bits(one.fixed), *one.chosen]))
            for key, one in proposals.items()
        },
        short,
        {person_of[bit]: count for bit, count in loads.items()},
    )


def _wants(given: int, may: int, lay_bits: int, reviews: int, lay_reviews: int) -> tuple[_Proposal, Short]:
    """How many more a proposal can get, and what is missing beyond that."""
    lay_wanted = max(0, lay_reviews - (given & lay_bits).bit_count())
    wanted = max(reviews - given.bit_count(), lay_wanted)
    lay_missing = max(0, lay_wanted - (may & lay_bits).bit_count())
    missing = max(lay_missing, wanted - may.bit_count())
    return _Proposal(may, wanted - missing, lay_wanted - lay_missing, given), Short(missing, lay_missing)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        yield (bit := mask & -mask)
        mask ^= bit


def _choose(one: _Proposal, lay_bits: int, loads: dict[int, int]) -> None:
    """The least loaded first: lay ones as far as they are wanted, then anyone."""
    for number in range(one.wanted):
        may = one.allowed & lay_bits if number < one.lay_wanted else one.allowed
        bit = min(_bits(may), key=lambda bit: (loads[bit], bit))
        one.chosen.append(bit)
        one.allowed ^= bit
        one.lay_chosen += bool(bit & lay_bits)
        loads[bit] += 1


def _could_take_over(one: _Proposal, bit: int, lay_bits: int) -> int:
    """Who could read this proposal instead of `bit`."""
    keeps_lay = not bit & lay_bits or one.lay_chosen > one.lay_wanted
    return one.allowed if keeps_lay else one.allowed & lay_bits


def _even_out(proposals: list[_Proposal], lay_bits: int, loads: dict[int, int]) -> None:
    """Move work from higher to lower loads along shortest paths until no such move is left."""
    reads: dict[int, list[_Proposal]] = {bit: [] for bit in loads}
    for one in proposals:
        for bit in one.chosen:
            reads[bit].append(one)
    is_settled = False
    while not is_settled:
        is_settled = True
        for start in sorted(loads, key=lambda bit: (-loads[bit], bit)):
            if loads[start] < min(loads.values()) + 2:
                break
            while path := _path(start, reads, lay_bits, loads):
                _move(path, reads, lay_bits, loads)
                is_settled = False


def _path(start: int, reads, lay_bits: int, loads) -> list[tuple[_Proposal, int, int]]:
    """The shortest way from `start` to someone with at least two fewer: (proposal, from, to) for each step."""
    low = sum(bit for bit, count in loads.items() if count <= loads[start] - 2)
    came: dict[int, tuple[_Proposal, int]] = {}
    seen, waiting = start, deque([start])
    while waiting:
        bit = waiting.popleft()
        for one in reads[bit]:
            fresh = _could_take_over(one, bit, lay_bits) & ~seen
            seen |= fresh
            for other in _bits(fresh):
                came[other] = one, bit
                waiting.append(other)
                if other & low:
                    return _steps(other, start, came)
    return []


def _steps(end: int, start: int, came) -> list[tuple[_Proposal, int, int]]:
    steps = []
    while end != start:
        one, before = came[end]
        steps.append((one, before, end))
        end = before
    return steps


def _move(steps, reads, lay_bits: int, loads) -> None:
    for one, before, after in steps:
        one.chosen[one.chosen.index(before)] = after
        one.allowed ^= before | after
        one.lay_chosen += bool(after & lay_bits) - bool(before & lay_bits)
        reads[before].remove(one)
        reads[after].append(one)
        loads[before] -= 1
        loads[after] += 1
