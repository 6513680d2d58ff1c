"""Who reviews what: reminders and replacements."""

import datetime as dt

import pytest

from proposals import actions
from proposals.actions.assigning import is_to_remind
from proposals.models import Assignment, Call
from psc_portal.common import clock
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory
from tests.factories.proposals import AssignmentFactory, ReviewFactory

pytestmark = pytest.mark.django_db


def day(number) -> dt.date:
    return dt.date(2026, 6, number)


@pytest.mark.parametrize(
    ("reminded", "today", "expected"),
    [
        (None, 6, False),
        (None, 7, True),
        (7, 8, False),
        (7, 10, False),
        (7, 11, True),
        (None, 11, True),
        (11, 17, False),
        (11, 18, True),
    ],
)
def test_an_open_review_is_reminded_of_three_days_before_its_date_and_then_weekly(reminded, today, expected):
    assert is_to_remind(day(10), reminded and day(reminded), day(today)) is expected


def at_seven(date):
    return clock.at(dt.datetime.combine(date, dt.time(7, 40), clock.UK))


def test_overdue_reviews_remind_with_one_mail_a_reviewer_and_never_of_locked_or_conflicted_ones(mailed):
    reviewer, due = UserFactory(reviewer=True), clock.today() + dt.timedelta(days=10)
    overdue = AssignmentFactory(reviewer=reviewer, due_on=due)
    later = AssignmentFactory(reviewer=reviewer, due_on=due + dt.timedelta(days=60), cleared=True)
    locked = AssignmentFactory(reviewer=reviewer, due_on=due, cleared=True)
    ReviewFactory(assignment=locked, locked=True)
    conflicted = AssignmentFactory(reviewer=reviewer, due_on=due)
    AffiliationFactory(user=reviewer, organisation=conflicted.proposal.organisation)
    declined = AssignmentFactory(reviewer=reviewer, due_on=due, status=Assignment.Status.DECLINED)

    counts = []
    for days in (-4, -3, -2, 1, 2, 7, 8):
        with at_seven(due + dt.timedelta(days=days)):
            counts.append(actions.remind_reviewers())
            actions.remind_reviewers()

    assert counts == [0, 1, 0, 1, 0, 0, 1]
    mails = mailed(reviewer)
    assert [mail.subject for mail in mails] == ["Reviews due soon", "1 overdue review", "1 overdue review"]
    for mail in mails:
        assert overdue.proposal.reference in mail.body
        assert later.proposal.reference in mail.body
        for other in (locked, conflicted, declined):
            assert other.proposal.reference not in mail.body
        assert overdue.proposal.title not in mail.body


def test_a_review_given_again_with_a_new_date_is_reminded_of_anew():
    assignment = AssignmentFactory(due_on=clock.today(), reminded_at=clock.now())
    staff = UserFactory(staff=True)
    actions.decline_assignment(assignment=assignment, by=assignment.reviewer, reason="No time.")

    actions.assign_reviewers(
        proposal=assignment.proposal, by=staff, reviewers=[assignment.reviewer], due_on=clock.today(), accept_fewer=True
    )

    assignment.refresh_from_db()
    assert (assignment.reminded_at, assignment.status) == (None, Assignment.Status.ASSIGNED)
    assert actions.remind_reviewers() == 1


@pytest.mark.parametrize(
    ("reviews", "lay", "words"),
    [
        (1, 0, "1 review of each proposal"),
        (1, 1, "1 review of each proposal, by a lay reviewer"),
        (3, 1, "3 reviews of each proposal, 1 of them lay"),
        (2, 2, "2 reviews of each proposal, all of them lay"),
    ],
)
def test_how_many_reviews_a_call_wants_reads_well_for_one_too(reviews, lay, words):
    call = Call(reviews_wanted=reviews, lay_reviews_wanted=lay)

    assert call.reviews_in_words == words
