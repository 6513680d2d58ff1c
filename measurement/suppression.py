"""Which counts of people can be published so that none from 1 to 7 can be worked out. Plain arithmetic.

A table is one period of one metric: a row for each organisation (the parts) and often one for the region (the whole),
each with a numerator and perhaps a denominator. Parts may add up to the whole, so hiding a row is not enough: whoever
has the whole and the other parts can subtract. `withheld` says which rows to hide; `candidates` is what the best reader
of the published numbers can still say about a count, and the rows are hidden so that this is never fewer than
`FEWEST_CANDIDATES` whole numbers. docs/methods.md and docs/adr/0020 say why so.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

# Counts of people from 1 to 7 are hidden, larger ones rounded to the nearest 5; zero stays zero.
# NHS Digital, HES analysis guide: small numbers, since September 2018.
SMALLEST_SHOWN = 8
ROUND_TO = 5
REACH = ROUND_TO // 2  # a count lies at most this far from its rounded one
FEWEST_CANDIDATES = 3  # so many whole numbers must remain possible for each count of 1 to 7
LARGEST_ASKED = 14  # of a difference that may be 1 to 7; more candidates would not change a judgement


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one row. `denominator` is None where the metric is a plain count."""

    numerator: float
    denominator: float | None = None


@dataclass(frozen=True, slots=True)
class People:
    """What is counted in people. In a proportion the numerator is part of the denominator: then either makes both."""

    numerator: bool
    denominator: bool
    is_proportion: bool = False

    @property
    def counts_both(self) -> bool:
        return self.is_proportion and (self.numerator or self.denominator)

    @property
    def columns(self) -> tuple[str, ...]:
        """The counts that are rounded and hidden."""
        names = ("numerator", "denominator")
        return tuple(name for name in names if self.counts_both or getattr(self, name))


@dataclass(frozen=True, slots=True)
class Withheld[Key: Hashable]:
    """Rows that must not be shown."""

    parts: frozenset[Key]
    whole: bool


def is_small(count: float | None) -> bool:
    return count is not None and 0 < count < SMALLEST_SHOWN


def rounded(count: float) -> float:
    """A count of people that may be shown, to the nearest 5."""
    return float((count + ROUND_TO / 2) // ROUND_TO * ROUND_TO)


def rests_on_few(row: Counts, people: People) -> bool:
    """Whether one of the counts that the row is made of is of 1 to 7 people."""
    return any(is_small(getattr(row, name)) for name in people.columns)


def withheld[Key: Hashable](
    parts: Mapping[Key, Counts], whole: Counts | None, people: People, *, secondary: bool = True
) -> Withheld[Key]:
    """The rows to hide.

    1. Rows that rest on 1 to 7 people.
    2. Where the parts can add up to the whole:
       a. a whole that is hardly more than the number of its small parts (`least_shown`);
       b. where one part alone is hidden, the smallest other one;
       c. as long as a count of 1 to 7 keeps fewer than `FEWEST_CANDIDATES`: the next smallest part, too;
       d. where no number of parts is enough, the whole in their place.

    Step b does not ask whether it is needed, so that a second hidden row says nothing of the first.

    Args:
        parts: each organisation's counts; all of one definition, without missing ones.
        whole: the region's counts, or None where none are shown.
        people: which of the counts are of people.
        secondary: False leaves out step 2: for tests that show why it is there.
    """
    hidden = {key for key, row in parts.items() if rests_on_few(row, people)}
    hides_whole = whole is not None and rests_on_few(whole, people)
    if whole is None or not secondary:
        return Withheld(frozenset(hidden), hides_whole)
    tables = [table for table in _tables(parts, whole, people) if table.can_add_up(hidden, hides_whole)]
    if not tables:
        return Withheld(frozenset(hidden), hides_whole)
    hides_whole = hides_whole or any(table.whole_is_close_to_its_parts for table in tables)
    others = _smallest_first(parts, hidden, people)
    fewest = 1 if len(hidden) == 1 and not hides_whole else 0
    ways = [(hidden.union(others[:more]), hides_whole) for more in range(fewest, len(others) + 1)]
    for rows, with_whole in [*ways, (hidden, True)]:
        if all(table.is_protected(rows, with_whole) for table in tables):
            return Withheld(frozenset(rows), with_whole)
    return Withheld(frozenset(parts), True)


def _smallest_first[Key: Hashable](parts: Mapping[Key, Counts], hidden: set[Key], people: People) -> list[Key]:
    """The rows that could be hidden too. A 0 gives no cover to a small count in its column."""
    small = [name for name in people.columns if any(is_small(getattr(parts[key], name)) for key in hidden)]
    shown = [key for key in parts if key not in hidden and all(getattr(parts[key], name) for name in small)]
    return sorted(shown, key=lambda key: (parts[key].numerator, parts[key].denominator or 0, str(key)))


def candidates[Key: Hashable](
    parts: Mapping[Key, Counts], whole: Counts | None, people: People, hidden: Withheld[Key]
) -> dict[tuple[Key | None, str], set[int]]:
    """What the published numbers still allow, for each count of 1 to 7: (key or None for the whole, column) -> numbers.

    The reader knows the rules, the rounded counts, which rows are hidden and, harder than real, which count of a hidden
    row is small; that parts add up to the whole; and that a numerator is part of its denominator. The column
    "difference" is denominator less numerator: the people of whom the numerator does not speak. The result is exact.
    """
    found: dict[tuple[Key | None, str], set[int]] = {}
    for table in _tables(parts, whole, people):
        if whole is not None and not table.can_add_up(hidden.parts, hidden.whole):
            continue
        for place, numbers in table.candidates(hidden.parts, hidden.whole):
            found[place] = found.get(place, numbers) & numbers
    return found


def least_shown(small_parts: int) -> int:
    """The smallest count shown of a whole with so many parts of 1 to 7 people: 8, 13 from 6 parts on, 18 from 11.

    Seven organisations with a hidden count and a region with a hidden one: each can only have 1. A hidden region that
    may stand for up to 12 leaves 1 to 6.
    """
    return SMALLEST_SHOWN + ROUND_TO * (max(0, small_parts - 1) // ROUND_TO)


# What can be known of a row ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Bounds:
    """All that is known of a row: bounds of its numerator n, denominator d and difference c = d - n.

    Rows with such bounds are polygons with edges in three directions only. Their sum has the summed bounds, and every
    whole point of the sum is a sum of whole points (the matrix of the bounds is totally unimodular), so the judgement
    below is exact, not a relaxation.
    """

    n_low: float
    n_high: float
    d_low: float = 0
    d_high: float = 0
    c_low: float = -math.inf  # not a proportion: the difference means nothing
    c_high: float = math.inf

    def tight(self) -> "_Bounds":
        """Each bound as narrow as the others make it."""
        return _Bounds(
            max(self.n_low, self.d_low - self.c_high),
            min(self.n_high, self.d_high - self.c_low),
            max(self.d_low, self.n_low + self.c_low),
            min(self.d_high, self.n_high + self.c_high),
            max(self.c_low, self.d_low - self.n_high),
            min(self.c_high, self.d_high - self.n_low),
        )

    def plus(self, other: "_Bounds") -> "_Bounds":
        return _Bounds(
            self.n_low + other.n_low,
            self.n_high + other.n_high,
            self.d_low + other.d_low,
            self.d_high + other.d_high,
            self.c_low + other.c_low,
            self.c_high + other.c_high,
        )

    def meets(self, other: "_Bounds") -> bool:
        """Whether some whole numbers fit both."""
        n_low, n_high = max(self.n_low, other.n_low), min(self.n_high, other.n_high)
        d_low, d_high = max(self.d_low, other.d_low), min(self.d_high, other.d_high)
        c_low, c_high = max(self.c_low, other.c_low), min(self.c_high, other.c_high)
        in_order = n_low <= n_high and d_low <= d_high and c_low <= c_high
        return in_order and d_low <= n_high + c_high and n_low + c_low <= d_high


NOTHING = _Bounds(0, 0, 0, 0, 0, 0)
ANYTHING = _Bounds(-math.inf, math.inf, -math.inf, math.inf)


def _of_count(count: float, *, is_hidden: bool, below: int = SMALLEST_SHOWN) -> tuple[float, float]:
    """What is known of a count of people: its rounded value, or, of a hidden one, whether it is 0, small or not.

    A hidden count of a whole is only known to be `below` something.
    """
    if count == 0:
        return 0, 0
    if is_hidden:
        return (1, below - 1) if count < below else (SMALLEST_SHOWN, math.inf)
    return rounded(count) - REACH, rounded(count) + REACH


@dataclass(frozen=True, slots=True)
class _Table[Key: Hashable]:
    """One column, or the two of a proportion together, with the sums that run down it."""

    parts: Mapping[Key, Counts]
    whole: Counts | None
    columns: tuple[str, ...]

    def _bounds(self, row: Counts, *, is_hidden: bool, below: Mapping[str, int] | None = None) -> _Bounds:
        below = below or {}
        low_high = [
            _of_count(getattr(row, name), is_hidden=is_hidden, below=below.get(name, SMALLEST_SHOWN))
            for name in self.columns
        ]
        if len(self.columns) == 1:
            return _Bounds(*low_high[0])
        return _Bounds(*low_high[0], *low_high[1], 0, math.inf).tight()

    def _least_shown(self) -> dict[str, int]:
        return {
            name: least_shown(sum(is_small(getattr(row, name)) for row in self.parts.values())) for name in self.columns
        }

    def _known(self, hidden, hides_whole: bool) -> tuple[dict[Key, _Bounds], _Bounds]:
        parts = {key: self._bounds(row, is_hidden=key in hidden) for key, row in self.parts.items()}
        if self.whole is None:
            return parts, ANYTHING
        return parts, self._bounds(self.whole, is_hidden=hides_whole, below=self._least_shown())

    @property
    def whole_is_close_to_its_parts(self) -> bool:
        return any(0 < getattr(self.whole, name) < least for name, least in self._least_shown().items())

    def can_add_up(self, hidden, hides_whole: bool) -> bool:
        """Whether the published numbers allow that the whole is the sum of its parts. Else it tells nothing of them."""
        parts, whole = self._known(hidden, hides_whole)
        return _sum(parts.values()).meets(whole)

    def is_protected(self, hidden, hides_whole: bool) -> bool:
        return all(len(numbers) >= FEWEST_CANDIDATES for _, numbers in self.candidates(hidden, hides_whole))

    def candidates(self, hidden, hides_whole: bool) -> Iterable[tuple[tuple[Key | None, str], set[int]]]:
        parts, whole = self._known(hidden, hides_whole)
        for key, row in self.parts.items():
            if small := self._small(row):
                rest = _sum(bounds for other, bounds in parts.items() if other != key)
                for name in small:
                    each = _each(parts[key], self._letter(name))
                    yield (key, name), {number for number, bounds in each if rest.plus(bounds).meets(whole)}
        if self.whole is not None:
            total = _sum(parts.values())
            for name in self._small(self.whole):
                each = _each(whole, self._letter(name))
                yield (None, name), {number for number, bounds in each if total.meets(bounds)}

    def _small(self, row: Counts) -> list[str]:
        """The counts of a row that nobody may learn."""
        small = [name for name in self.columns if is_small(getattr(row, name))]
        if len(self.columns) == 2 and is_small(row.denominator - row.numerator):
            small.append("difference")
        return small

    def _letter(self, name: str) -> str:
        """Where `_Bounds` keep a column: one alone is kept as n."""
        return {"numerator": "n", "denominator": "d", "difference": "c"}[name] if len(self.columns) == 2 else "n"


def _tables[Key: Hashable](parts: Mapping[Key, Counts], whole: Counts | None, people: People) -> list[_Table[Key]]:
    """The two columns of a proportion together, and each column of people alone: one may add up where not both do."""
    singles = [_Table(parts, whole, (name,)) for name in people.columns]
    return [_Table(parts, whole, people.columns), *singles] if people.counts_both else singles


def _sum(rows: Iterable[_Bounds]) -> _Bounds:
    total = NOTHING
    for bounds in rows:
        total = total.plus(bounds)
    return total


def _each(bounds: _Bounds, letter: str) -> Iterable[tuple[int, _Bounds]]:
    """The row, once for each small number that this count may be."""
    low, high = (getattr(bounds, f"{letter}_{end}") for end in ("low", "high"))
    for number in range(max(0, math.ceil(low)), int(min(high, LARGEST_ASKED)) + 1):
        row = replace(bounds, **{f"{letter}_low": number, f"{letter}_high": number}).tight()
        if row.meets(row):
            yield number, row
