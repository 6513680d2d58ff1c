"""Where a proposal stands on each criterion, as its applicants are told."""

import pytest

from proposals import actions, readings
from proposals.models import CriterionFeedback, Proposal
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of

pytestmark = pytest.mark.django_db


def a_field(*scores) -> list[Proposal]:
    """One call with a proposal for each number, which two reviewers gave on every criterion."""
    call, reviewers = CallFactory(at_panel=True), [UserFactory(reviewer=True) for _ in range(2)]
    proposals = [ProposalFactory(call=call, at_panel=True) for _ in scores]
    for proposal, score in zip(proposals, scores, strict=True):
        for reviewer in reviewers:
            review_of(proposal, scores=[score] * 6, reviewer=reviewer, locked=True)
    return proposals


def test_bands_are_thirds_of_the_eligible_field_by_criterion():
    proposals = a_field(0, 1, 2, 3, 4, 5)
    criteria = set(proposals[0].call.criterion_set.criteria.values_list("pk", flat=True))

    bands = [readings.bands_of(proposal) for proposal in proposals]

    assert all(set(one) == criteria for one in bands)
    assert [set(one.values()) for one in bands] == [{"lower"}] * 2 + [{"middle"}] * 2 + [{"upper"}] * 2


def test_there_is_no_band_in_a_field_under_six_or_where_a_third_would_point_at_one():
    assert readings.bands_of(a_field(1, 2, 3, 4, 5)[0]) == {}
    assert readings.bands_of(a_field(1, 5, 5, 5, 5, 5)[1]) == {}


def test_the_band_is_kept_when_the_letter_is_released():
    proposals, staff = a_field(0, 1, 2, 3, 4, 5), UserFactory(staff=True)
    best = proposals[-1]
    comments = {criterion.pk: "Well described." for criterion in best.call.criterion_set.criteria.all()}

    actions.decide(proposal=best, by=staff, outcome="declined", reasons="Too small.")
    actions.write_feedback(proposal=best, by=staff, comments=comments)
    before = set(CriterionFeedback.objects.values_list("band", flat=True))
    actions.release_feedback(proposal=best, by=staff, reason="The others follow.")

    assert (before, set(CriterionFeedback.objects.values_list("band", flat=True))) == ({""}, {"upper"})
