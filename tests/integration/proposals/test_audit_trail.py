"""The audit trail in the admin: everyone on the programme's staff sees who did what, not what it came to."""

import pytest
from django.urls import reverse

from proposals import actions
from psc_portal.common import audit
from psc_portal.common.models import AuditEvent
from tests.factories.accounts import UserFactory
from tests.factories.proposals import AssignmentFactory, CallFactory, ProposalFactory, review_of

pytestmark = pytest.mark.django_db


def page_of(client, verb) -> str:
    event = AuditEvent.objects.get(verb=verb)
    return client.get(reverse("admin:common_auditevent_change", args=[event.pk])).content.decode()


def test_the_trail_says_that_a_review_was_locked_and_leads_to_it_without_its_total(client_as):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    both = UserFactory(staff=True, roles=["reviewer"])
    AssignmentFactory(proposal=proposal, reviewer=both, cleared=True)
    review = review_of(proposal, locked=True, scores=[3] * 6)
    audit.record("lock_review", review, by=review.reviewer, after={"total": "3.1947"})

    page = page_of(client_as(both), "lock_review")

    assert "3.1947" not in page and "not shown here" in page
    assert reverse("admin:proposals_review_change", args=[review.pk]) in page
    assert review.reviewer.display_name in page


def test_the_trail_does_not_say_who_has_an_interest_or_what_was_decided(client_as):
    staff, reviewer = UserFactory(staff=True), UserFactory(reviewer=True)
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    actions.record_conflict(proposal=proposal, by=staff, user=reviewer, kind="financial", explanation="Owns shares.")

    page = page_of(client_as(UserFactory(staff=True)), "record_conflict")

    assert "financial" not in page and "not shown here" in page


def test_the_trail_shows_the_values_of_a_call(client_as):
    staff = UserFactory(staff=True)
    audit.record("copy_call", CallFactory(), by=staff, after={"from": "falls"})

    page = page_of(client_as(staff), "copy_call")

    assert "falls" in page and "not shown here" not in page
