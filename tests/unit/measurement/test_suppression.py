"""Small numbers, and a reader who tries to work them out: every subtraction that the published tables allow."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from measurement import suppression
from measurement.suppression import FEWEST_CANDIDATES, Counts, People, Withheld, candidates, withheld

COUNT, PROPORTION, RATE = People(True, False), People(True, True, is_proportion=True), People(True, True)
PLENTY = 60  # what the reader tries for a hidden count of 8 or more


# The rule ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, 0), (1, "*"), (7, "*"), (8, 10), (12, 10), (13, 15), (17, 15), (18, 20), (1002, 1000), (1003, 1005)],
)
def test_counts_of_1_to_7_people_are_hidden_and_others_rounded_to_the_nearest_5(count, shown):
    hidden = withheld({"A": Counts(count)}, None, COUNT).parts

    assert ("*" if "A" in hidden else suppression.rounded(count)) == shown


@pytest.mark.parametrize(
    ("row", "people", "is_hidden"),
    [
        (Counts(3, 100), PROPORTION, True),
        (Counts(0, 5), PROPORTION, True),
        (Counts(50, 100), PROPORTION, False),
        (Counts(98, 100), PROPORTION, False),  # 2 people without: rounding leaves 0 to 4
        (Counts(3, 15000), People(True, False), True),
        (Counts(30, 5), People(True, False), False),  # the denominator counts no people
        (Counts(3, 9), People(False, False), False),
        (Counts(3, 100), People(False, True, is_proportion=True), True),  # part of a count of people
    ],
)
def test_a_row_is_hidden_when_one_of_its_counts_of_people_is_small(row, people, is_hidden):
    assert suppression.rests_on_few(row, people) is is_hidden


def test_a_second_organisation_is_hidden_where_the_region_would_reveal_the_only_one():
    parts = {"A": Counts(7), "B": Counts(11), "C": Counts(60)}

    hidden = withheld(parts, Counts(78), COUNT)

    assert hidden == Withheld(frozenset("AB"), whole=False)


def test_whether_a_second_one_is_hidden_does_not_depend_on_what_the_first_one_is():
    """Else hiding it would say that it was needed, and so which number it hides."""
    for count in range(1, 8):
        assert withheld({"A": Counts(count), "B": Counts(30), "C": Counts(60)}, Counts(90 + count), COUNT).parts == {
            *"AB"
        }


def test_the_region_is_hidden_where_no_number_of_organisations_is_enough():
    """6 and 7 make 13, shown as 15: at least 13, so both are 6 or 7."""
    assert withheld({"A": Counts(6), "B": Counts(7)}, Counts(13), COUNT) == Withheld(frozenset("AB"), whole=True)


def test_seven_organisations_with_one_each_do_not_follow_from_a_hidden_region():
    ones = {key: Counts(1) for key in "ABCDEFG"}
    eights = {**ones, "A": Counts(5)}

    assert withheld(ones, Counts(7), COUNT).whole
    assert withheld(eights, Counts(11), COUNT).whole  # so that a hidden region may be 7 to 12
    assert not withheld({**ones, "A": Counts(7)}, Counts(13), COUNT).whole


def test_nothing_more_is_hidden_without_a_region_or_where_it_holds_other_organisations_too():
    parts = {"A": Counts(3), "B": Counts(30)}

    assert withheld(parts, None, COUNT).parts == {"A"}
    assert withheld(parts, Counts(400), COUNT) == Withheld(frozenset("A"), whole=False)


def test_denominators_that_do_not_add_up_do_not_open_numerators_that_do():
    parts = {"A": Counts(7, 100), "B": Counts(11, 100), "C": Counts(60, 100)}

    assert withheld(parts, Counts(78, 900), PROPORTION).parts == {"A", "B"}


def test_rounding_that_can_be_undone_does_not_reveal_the_few_who_were_left_out():
    """4 x 98 = 392 is shown as 390 beside 4 x 100, so each is 98; 4 x 92 in the same way; 6 are left out."""
    parts, region = {key: Counts(92, 98) for key in "ABCD"}, Counts(368, 392)
    shown = Withheld(frozenset(), whole=False)

    found = candidates(parts, region, PROPORTION, withheld(parts, region, PROPORTION))

    assert candidates(parts, region, PROPORTION, shown)["A", "difference"] == {6}
    assert all(len(numbers) >= FEWEST_CANDIDATES for numbers in found.values())


# The reader who subtracts --------------------------------------------------------------------------------------------
def could_be(count: float, *, is_hidden: bool, below: int = 8) -> range:
    """Written anew from the rule as it is published, not from the code under test."""
    if count == 0:
        return range(1)
    if not is_hidden:
        shown = 5 * int((count + 2.5) // 5)
        return range(max(8, shown - 2), shown + 3)
    return range(1, below) if count < below else range(8, PLENTY)


def rows_that_fit(row: Counts, people: People, *, is_hidden: bool, below=(8, 8)) -> set[tuple[int, int]]:
    numerators = could_be(row.numerator, is_hidden=is_hidden, below=below[0])
    if row.denominator is None:
        return {(n, 0) for n in numerators}
    denominators = could_be(row.denominator, is_hidden=is_hidden, below=below[1])
    return {(n, d) for n in numerators for d in denominators if n <= d or not people.is_proportion}


def attack(parts: dict, whole: Counts, people: People, hidden: Withheld) -> dict:
    """Every table that would have been published just so, by trying all: place and column -> what it may be."""
    few = [sum(0 < (getattr(row, name) or 0) < 8 for row in parts.values()) for name in ("numerator", "denominator")]
    below = tuple(8 + 5 * (max(0, count - 1) // 5) for count in few)
    rows = {key: rows_that_fit(row, people, is_hidden=key in hidden.parts) for key, row in parts.items()}
    total = rows_that_fit(whole, people, is_hidden=hidden.whole, below=below)
    keys = list(rows)
    from_left, from_right = [{(0, 0)}], [total]
    for key in keys:
        from_left.append({(a + n, b + d) for a, b in from_left[-1] for n, d in rows[key]})
    for key in reversed(keys):
        from_right.append({(a - n, b - d) for a, b in from_right[-1] for n, d in rows[key] if a >= n and b >= d})
    found = {}
    for i, key in enumerate(keys):
        after = from_right[len(keys) - 1 - i]
        fit = {(n, d) for n, d in rows[key] if any((a + n, b + d) in after for a, b in from_left[i])}
        note(found, key, parts[key], fit, people)
    note(found, None, whole, total & from_left[-1], people)
    return found


def note(found, key, row, fit, people):
    if 0 < row.numerator < 8:
        found[key, "numerator"] = {n for n, _ in fit}
    if row.denominator is not None and 0 < row.denominator < 8:
        found[key, "denominator"] = {d for _, d in fit}
    if row.denominator is not None and people.is_proportion and 0 < row.denominator - row.numerator < 8:
        found[key, "difference"] = {d - n for n, d in fit}


few = st.integers(0, 9) | st.integers(0, 30)


@st.composite
def tables(draw, *, with_denominator: bool):
    """A region and its organisations; small and awkward counts are likely."""
    rows = draw(st.integers(1, 3 if with_denominator else 8))
    if not with_denominator:
        return {key: Counts(draw(few)) for key in "ABCDEFGH"[:rows]}
    parts = {}
    for key in "ABC"[:rows]:
        denominator = draw(few)
        parts[key] = Counts(draw(st.integers(0, denominator)), denominator)
    return parts


def region_of(parts: dict) -> Counts:
    denominators = [row.denominator for row in parts.values()]
    return Counts(sum(r.numerator for r in parts.values()), None if None in denominators else sum(denominators))


@given(tables(with_denominator=False))
@example({"A": Counts(8), "B": Counts(8), "C": Counts(1)})
@example({key: Counts(1) for key in "ABCDEFGH"})
def test_no_count_of_people_follows_from_the_published_counts(parts):
    whole = region_of(parts)

    found = attack(parts, whole, COUNT, withheld(parts, whole, COUNT))

    assert all(len(numbers) >= FEWEST_CANDIDATES for numbers in found.values()), found


@given(tables(with_denominator=True))
@example({"A": Counts(3, 98), "B": Counts(40, 42)} | {"C": Counts(8, 8)})
def test_neither_part_nor_rest_of_a_proportion_follows_from_the_published_ones(parts):
    whole = region_of(parts)

    found = attack(parts, whole, PROPORTION, withheld(parts, whole, PROPORTION))

    assert all(len(numbers) >= FEWEST_CANDIDATES for numbers in found.values()), found


@given(tables(with_denominator=True))
def test_the_reader_of_the_code_finds_what_trying_all_tables_finds(parts):
    whole = region_of(parts)
    hidden = withheld(parts, whole, PROPORTION, secondary=False)

    tried = attack(parts, whole, PROPORTION, hidden)

    assert candidates(parts, whole, PROPORTION, hidden) == {
        place: {n for n in numbers if n <= suppression.LARGEST_ASKED} for place, numbers in tried.items()
    }


@pytest.mark.parametrize(
    ("parts", "people", "place", "true"),
    [
        ({"A": Counts(1), "B": Counts(8), "C": Counts(8)}, COUNT, ("A", "numerator"), 1),
        ({"A": Counts(7), "B": Counts(12), "C": Counts(22), "D": Counts(12)}, COUNT, ("A", "numerator"), 7),
        ({"A": Counts(1, 20), "B": Counts(8, 15), "C": Counts(8, 20)}, PROPORTION, ("A", "numerator"), 1),
        ({key: Counts(12, 18) for key in "ABCD"}, PROPORTION, ("B", "difference"), 6),
    ],
)
def test_without_secondary_suppression_the_reader_finds_a_count_of_people(parts, people, place, true):
    whole = region_of(parts)
    few_found = {  # with it, several numbers remain
        secondary: attack(parts, whole, people, withheld(parts, whole, people, secondary=secondary))[place]
        for secondary in (False, True)
    }

    assert few_found[False] == {true}
    assert len(few_found[True]) >= FEWEST_CANDIDATES


@given(tables(with_denominator=True), few, few)
def test_a_region_that_is_no_sum_is_judged_without_an_error(parts, numerator, more):
    whole = Counts(numerator, numerator + more)

    hidden = withheld(parts, whole, PROPORTION)

    assert {key for key, row in parts.items() if suppression.rests_on_few(row, PROPORTION)} <= hidden.parts
    assert hidden.whole or not suppression.rests_on_few(whole, PROPORTION)


@given(tables(with_denominator=True))
def test_a_rate_whose_counts_are_not_part_of_each_other_is_protected_in_each_column(parts):
    whole = region_of(parts)
    hidden = withheld(parts, whole, RATE)

    found = attack(parts, whole, RATE, hidden)

    assert all(len(numbers) >= FEWEST_CANDIDATES for numbers in found.values()), found
