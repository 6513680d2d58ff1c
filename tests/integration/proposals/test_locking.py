"""Actions lock in one order: call, proposals, what hangs on them. Real connections, so that they really wait."""

import threading
import time

import pytest
from django.db import connection, transaction

from proposals import actions
from proposals.actions import locking
from proposals.models import Assignment, ConflictOfInterest, Proposal
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.proposals import AssignmentFactory, ProposalFactory, ReviewFactory
from tests.integration.proposals.test_interests import join

pytestmark = pytest.mark.django_db(transaction=True)


class Meanwhile:
    """Lets something run on a connection of its own, until it is done or waits for a lock; `join` lets it finish."""

    def __init__(self, act):
        self.act, self.pid, self.failed = act, None, None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_backend_pid()")
                (self.pid,) = cursor.fetchone()
            self.act()
        except ActionRefused:
            pass  # it had its turn; what it was told is tested elsewhere
        except Exception as error:
            self.failed = error
        finally:
            connection.close()

    def start(self):
        self.thread.start()
        deadline = time.monotonic() + 30
        while self.thread.is_alive() and not waits_for_a_lock(self.pid) and time.monotonic() < deadline:
            time.sleep(0.02)

    def join(self):
        self.thread.join(60)
        assert (self.thread.is_alive(), self.failed) == (False, None)


def waits_for_a_lock(pid) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select wait_event_type = 'Lock' from pg_stat_activity where pid = %s", [pid])
        return cursor.fetchone() == (True,)


def draft():
    return ProposalFactory()


def in_assessment():
    return ProposalFactory(in_assessment=True, call__in_assessment=True)


def at_panel():
    return ProposalFactory(at_panel=True, call__at_panel=True)


def withdrawn():
    return ProposalFactory(submitted=True, status="withdrawn")


ACTIONS = {
    "submit": (draft, lambda one, _: actions.submit_proposal(proposal=one, by=one.applicant)),
    "withdraw": (
        in_assessment,
        lambda one, _: actions.withdraw_proposal(proposal=one, by=one.applicant, reason="x"),
    ),
    "resubmit": (
        withdrawn,
        lambda one, _: actions.resubmit_proposal(proposal=one, call=one.call, by=one.applicant),
    ),
    "screen": (
        lambda: ProposalFactory(submitted=True),
        lambda one, staff: actions.screen_proposal(proposal=one, by=staff, is_eligible=True),
    ),
    "send to panel": (
        in_assessment,
        lambda one, staff: actions.send_to_panel(proposal=one, by=staff, accept_fewer_reviews=True),
    ),
    "assign": (
        in_assessment,
        lambda one, staff: actions.assign_reviewers(
            proposal=one, by=staff, reviewers=[one.reviewer], accept_fewer=True
        ),
    ),
    "decline": (
        in_assessment,
        lambda one, _: actions.decline_assignment(assignment=one.assignment, by=one.assignment.reviewer, reason="x"),
    ),
    "take back": (
        in_assessment,
        lambda one, staff: actions.take_back_assignment(assignment=one.assignment, by=staff),
    ),
    "declare": (
        in_assessment,
        lambda one, staff: actions.declare_interest(
            assignment=one.assignment, by=one.assignment.reviewer, has_interest=True, kind="close"
        ),
    ),
    "record an interest": (
        in_assessment,
        lambda one, staff: actions.record_conflict(
            proposal=one, by=staff, user=one.assignment.reviewer, kind="close", explanation="They are friends."
        ),
    ),
    "unlock": (in_assessment, lambda one, staff: actions.unlock_review(review=one.review, by=staff, reason="x")),
    "decide": (
        at_panel,
        lambda one, staff: actions.decide(proposal=one, by=staff, outcome="declined", reasons="x"),
    ),
    "hand over": (
        in_assessment,
        lambda one, staff: actions.hand_over(proposal=one, by=one.applicant, to=one.heir),
    ),
    "ask": (draft, lambda one, _: actions.ask_programme(proposal=one, by=one.applicant, text="When?")),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_whoever_holds_a_call_can_go_on_to_its_proposals_and_what_hangs_on_them(name):
    make, act = ACTIONS[name]
    proposal, staff = make(), UserFactory(staff=True)
    proposal.reviewer, proposal.heir = UserFactory(reviewer=True), UserFactory()
    proposal.assignment = AssignmentFactory(proposal=proposal)
    proposal.review = ReviewFactory(assignment=AssignmentFactory(proposal=proposal, cleared=True), locked=True)
    join(proposal, proposal.heir)
    proposal.call.extensions.create(
        applicant=proposal.applicant, reason="x", granted_by=staff, granted_at=proposal.created_at,
        closed_at_before=proposal.call.closes_at, closes_at=proposal.call.accepts_until.replace(year=2100),
    )  # fmt: skip

    other = Meanwhile(lambda: act(proposal, staff))
    with transaction.atomic():
        locking.locked_call(proposal.call_id)  # as the move to the panel does
        other.start()
        Proposal.objects.select_for_update(no_key=True, nowait=True).get(pk=proposal.pk)
        list(Assignment.objects.select_for_update(no_key=True, nowait=True).filter(proposal=proposal))
    other.join()


def test_interests_found_for_all_at_once_and_one_that_is_declared_meanwhile_do_not_wait_for_each_other():
    proposals = [ProposalFactory(in_assessment=True, call__in_assessment=True) for _ in range(2)]
    reviewer = UserFactory(reviewer=True)
    for proposal in proposals:
        AssignmentFactory(proposal=proposal, reviewer=reviewer)
        join(proposal, reviewer)
    found = Meanwhile(actions.infer_all_conflicts)

    with transaction.atomic():
        locking.locked_proposal(proposals[1].pk)
        found.start()
        actions.record_conflict(
            proposal=proposals[1],
            by=UserFactory(staff=True),
            user=reviewer,
            kind=ConflictOfInterest.Kind.INVOLVED,
            explanation="Friends.",
        )
    found.join()

    sources = ConflictOfInterest.objects.order_by("proposal").values_list("proposal", "source")
    assert list(sources) == [(proposals[0].pk, "inferred"), (proposals[1].pk, "recorded")]
    assert set(Assignment.objects.values_list("status", flat=True)) == {Assignment.Status.CONFLICTED}


def test_reviewers_are_reminded_while_their_assignments_end():
    """Both lock several assignments: in the same order, whatever their dates."""
    early, late = (AssignmentFactory(due_on="2020-01-02"), AssignmentFactory(due_on="2020-01-01"))
    reminded = Meanwhile(actions.remind_reviewers)

    with transaction.atomic():
        Assignment.objects.select_for_update(no_key=True).get(pk=early.pk)
        reminded.start()
        Assignment.objects.select_for_update(no_key=True, nowait=True).get(pk=late.pk)
    reminded.join()


def test_a_review_that_is_locked_while_the_panel_begins_comes_too_late():
    review, staff = ReviewFactory(scores=[3] * 6), UserFactory(staff=True)
    locked = Meanwhile(lambda: actions.lock_review(review=review, by=review.reviewer))

    with transaction.atomic():
        actions.move_to_panel(call=review.proposal.call, by=staff, accept_fewer_reviews=True)
        locked.start()
    locked.join()

    review.refresh_from_db()
    assert not review.is_locked
