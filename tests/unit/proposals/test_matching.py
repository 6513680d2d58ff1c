"""Even assignment of reviewers: worked cases, and properties against every possible assignment of small calls."""

import itertools
import random
import time
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.matching import Short, match


@st.composite
def calls(draw):
    """Small calls: up to 4 proposals and 5 reviewers, any of them lay, in conflict, or assigned already."""
    people = range(draw(st.integers(1, 5)))
    allowed = {key: draw(st.sets(st.sampled_from(people))) for key in range(draw(st.integers(1, 4)))}
    reviews = draw(st.integers(1, 3))
    return {
        "allowed": allowed,
        "lay": draw(st.sets(st.sampled_from(people))),
        "reviews": reviews,
        "lay_reviews": draw(st.integers(0, reviews)),
        "fixed": {key: draw(st.sets(st.sampled_from(sorted(may)), max_size=2)) for key, may in allowed.items() if may},
        "load": {one: draw(st.integers(0, 3)) for one in people},
    }


def every_choice(call, key):
    """All sets of reviewers that give a proposal what it wants, as far as it can be had."""
    fixed = set(call["fixed"].get(key, ()))
    may = set(call["allowed"][key]) | fixed
    lay_short = max(0, call["lay_reviews"] - len(may & call["lay"]))
    most = max(call["reviews"], len(fixed) + max(0, call["lay_reviews"] - len(fixed & call["lay"]))) - lay_short
    size = max(len(fixed), min(most, len(may)))
    sets = (set(one) for one in itertools.combinations(sorted(may), size))
    return [one for one in sets if fixed <= one and len(one & call["lay"]) >= call["lay_reviews"] - lay_short]


def squares(call, choices):
    loads = Counter(call["load"])
    for one in choices:
        loads.update(one)
    return sum(count**2 for count in loads.values())


@settings(max_examples=300, deadline=None)
@given(calls())
def test_nobody_with_a_conflict_is_assigned_and_who_was_there_stays(call):
    found = match(**call)

    for key, reviewers in found.reviewers.items():
        fixed = set(call["fixed"].get(key, ()))
        assert fixed <= set(reviewers) <= set(call["allowed"][key]) | fixed
        assert len(set(reviewers)) == len(reviewers)


@settings(max_examples=300, deadline=None)
@given(calls())
def test_every_proposal_gets_what_can_be_had_and_what_is_missing_is_said(call):
    found = match(**call)

    for key, reviewers in found.reviewers.items():
        assert set(reviewers) in every_choice(call, key)
        short = found.short.get(key, Short(0, 0))
        lay = len(set(reviewers) & call["lay"])
        assert short.lay_reviews == max(0, call["lay_reviews"] - lay)
        assert short.reviews == max(0, call["reviews"] - len(reviewers), short.lay_reviews)


@settings(max_examples=200, deadline=None)
@given(calls())
def test_no_other_assignment_is_more_even(call):
    found = match(**call)

    least = min(
        squares(call, choices)
        for choices in itertools.product(*(every_choice(call, key) for key in sorted(call["allowed"])))
    )
    assert sum(count**2 for count in found.loads.values()) == squares(call, found.reviewers.values()) == least


@settings(max_examples=100, deadline=None)
@given(calls(), st.randoms())
def test_the_order_of_the_input_changes_nothing(call, chance):
    turned = dict(call)
    for name in ("allowed", "fixed", "load"):
        items = list(call[name].items())
        chance.shuffle(items)
        turned[name] = dict(items)

    assert match(**turned) == match(**call)


def test_a_reviewer_whom_only_one_proposal_can_have_is_kept_for_it():
    found = match(allowed={1: [1, 2], 2: [1]}, lay=[], reviews=1, lay_reviews=0)

    assert found.reviewers == {1: (2,), 2: (1,)}


def test_without_a_lay_reviewer_the_lay_place_stays_free():
    found = match(allowed={1: [1, 2, 3], 2: [2, 3, 9]}, lay=[9], reviews=3, lay_reviews=1)

    assert len(found.reviewers[1]) == 2
    assert found.short == {1: Short(1, 1)}
    assert found.reviewers[2] == (2, 3, 9)


def test_two_thousand_proposals_and_sixty_reviewers_take_seconds_and_differ_by_one_at_most():
    chance = random.Random(3)
    people = range(60)
    allowed = {key: [one for one in people if chance.random() > 0.1] for key in range(2000)}
    started = time.monotonic()

    found = match(allowed=allowed, lay=range(20), reviews=3, lay_reviews=1)

    assert time.monotonic() - started < 20
    assert not found.short
    assert max(found.loads.values()) - min(found.loads.values()) <= 1
