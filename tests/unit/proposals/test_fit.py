from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import fit

GOOD = fit.Idea(
    priorities=1,
    asked_by="several",
    evidence_level=3,
    adopters="agreed",
    aim="measured",
    involves_people=True,
    serves_underserved=True,
)
ideas = st.builds(
    fit.Idea,
    priorities=st.integers(0, 5),
    asked_by=st.sampled_from(["several", "one", "nobody"]),
    evidence_level=st.integers(0, 5),
    adopters=st.sampled_from(["agreed", "interested", "nobody"]),
    aim=st.sampled_from(["measured", "aim", "none"]),
    involves_people=st.booleans(),
    serves_underserved=st.booleans(),
)


def weak(**changes):
    return [one.criterion for one in fit.not_yet(replace(GOOD, **changes))]


def test_an_idea_that_meets_every_criterion_is_likely_to_fit():
    assert (fit.not_yet(GOOD), fit.could_be_stronger(GOOD)) == ([], [])


@pytest.mark.parametrize(
    ("changes", "criteria"),
    [
        ({"priorities": 0}, ["priorities"]),
        ({"evidence_level": 0}, ["proven"]),
        ({"evidence_level": 1}, ["proven"]),
        ({"evidence_level": 2}, []),
        ({"adopters": "nobody"}, ["spread"]),
        ({"adopters": "interested"}, []),
        ({"aim": "none"}, ["benefits"]),
        ({"aim": "aim"}, []),
        ({"involves_people": False}, []),
        ({"serves_underserved": False}, []),
        ({"involves_people": False, "serves_underserved": False}, ["involvement"]),
        ({"asked_by": "nobody"}, []),
    ],
)
def test_each_weak_criterion_is_named_and_only_that(changes, criteria):
    assert weak(**changes) == criteria


def test_everything_that_is_weak_is_named_in_the_order_of_the_criteria():
    worst = fit.Idea(0, "nobody", 0, "nobody", "none", False, False)

    assert [one.criterion for one in fit.not_yet(worst)] == [
        "priorities",
        "proven",
        "spread",
        "benefits",
        "involvement",
    ]


@given(ideas)
def test_growth_never_counts_against_an_idea(idea):
    found = fit.not_yet(idea) + fit.could_be_stronger(idea)

    assert "growth" not in {one.criterion for one in found}


@given(ideas)
def test_a_criterion_is_either_weak_or_could_be_stronger_never_both(idea):
    weak, stronger = fit.not_yet(idea), fit.could_be_stronger(idea)

    assert not {one.criterion for one in weak} & {one.criterion for one in stronger}
    assert all(one.because and one.to_do for one in weak + stronger)


@given(ideas, st.integers(0, 5))
def test_more_evidence_never_makes_an_idea_weaker(idea, level):
    better = replace(idea, evidence_level=max(level, idea.evidence_level))

    assert len(fit.not_yet(better)) <= len(fit.not_yet(idea))
