import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import merging

NAMES = "abc"
answers = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "one", "two", "three"]))
bases = [
    lambda base: merging.base_of(carried=json.loads(merging.digests(NAMES, base))),
    lambda base: merging.base_of(version=base),
]


@pytest.mark.parametrize("base_of", bases, ids=["digests", "version"])
@given(base=answers, stored=answers, typed=answers)
def test_a_merge_loses_nothing_that_either_side_changed(base_of, base, stored, typed):
    merged, clashes = merging.merge(stored, typed, base_of(base))

    for name in set(stored) | set(typed):
        before, now, new = base.get(name, ""), stored.get(name, ""), typed.get(name, base.get(name, ""))
        if name in {clash.name for clash in clashes}:
            assert before not in (now, new)
            assert now != new
            assert merged.get(name, "") == now
        elif new == before:
            assert merged.get(name, "") == now
        else:
            assert merged.get(name, "") == new


@given(stored=answers, typed=answers)
def test_without_knowing_what_the_page_showed_no_text_is_ever_overwritten(stored, typed):
    merged, clashes = merging.merge(stored, typed, merging.base_of())

    for name, text in stored.items():
        assert not text or merged[name] == text
    assert {clash.name for clash in clashes} == {
        name for name, text in typed.items() if stored.get(name) and text and text != stored[name]
    }


def test_line_ends_and_the_order_of_what_was_ticked_are_no_change():
    base = merging.base_of(carried={})

    assert merging.merge({"a": "one\ntwo", "b": ["x", "y"]}, {"a": "one\r\ntwo", "b": ["y", "x"]}, base)[1] == []


def test_text_that_arrived_although_no_answer_came_back_is_nobody_else_s():
    """The page sent "one", heard nothing, and now sends "one two": with the base of before, since it knows no other."""
    alone = merging.base_of(carried={})
    knowing = merging.base_of(carried={}, sent=[{"a": "one"}])

    assert [clash.name for clash in merging.merge({"a": "one"}, {"a": "one two"}, alone)[1]] == ["a"]
    assert merging.merge({"a": "one"}, {"a": "one two"}, knowing) == ({"a": "one two"}, [])


@pytest.mark.parametrize("carried", ["", "no json", "[]", '{"a": 1}', json.dumps({str(n): "x" for n in range(501)})])
def test_what_is_no_base_is_taken_for_none(carried):
    assert merging.page_base(carried) is None
