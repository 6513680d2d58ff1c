"""Who reviews what: reminders and replacements."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from proposals import actions, readings
from proposals.actions.assigning import is_to_remind
from proposals.models import Assignment, Call, FeedbackLetter
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory
from tests.factories.proposals import AssignmentFactory, CallFactory, ProposalFactory, ReviewFactory

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


def test_a_review_without_a_date_of_its_own_has_the_calls_and_is_reminded_of():
    due = clock.today() + dt.timedelta(days=20)
    _call, (proposal, *_rest), people = call_with(proposals=1, reviews_due_on=due)

    (first, _second) = actions.assign_reviewers(proposal=proposal, by=UserFactory(staff=True), reviewers=people[1:3])

    assert Assignment.objects.get(pk=first.pk).due_on == due
    with at_seven(due + dt.timedelta(days=1)):
        assert actions.remind_reviewers() == 2


@pytest.mark.parametrize("reviews_due_on", [None, dt.date(2020, 1, 1)])
def test_without_a_day_of_the_call_that_is_to_come_a_date_is_asked_for(client_as, reviews_due_on):
    call, (proposal, *_rest), people = call_with(proposals=1, reviews_due_on=reviews_due_on)
    staff = UserFactory(staff=True)
    plan = readings.plan_of(call, staff, people)

    with pytest.raises(ActionRefused, match="date"):
        actions.assign_reviewers(proposal=proposal, by=staff, reviewers=people[1:3])
    with pytest.raises(ActionRefused, match="date"):
        actions.assign_to_all(call=call, by=staff, reviewers=people, fingerprint=plan.fingerprint)
    for address in (reverse("admin:proposals_proposal_assign", args=[proposal.pk]), assign_address(call)):
        page = client_as(staff).post(address, {"reviewers": [people[1].pk, people[2].pk], "fingerprint": "x"})
        assert "due_on" in page.context["form"].errors
    assert not Assignment.objects.exists()


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


# Reviewers for a whole call -------------------------------------------------------------------------------------------
def call_with(proposals=3, reviewers=4, lay=2, **kwargs):
    call = CallFactory(in_assessment=True, reviews_wanted=2, lay_reviews_wanted=1, **kwargs)
    made = [ProposalFactory(in_assessment=True, call=call) for _ in range(proposals)]
    people = [UserFactory(reviewer=True, is_lay=number < lay) for number in range(reviewers)]
    return call, made, people


def assign_address(call) -> str:
    return reverse("admin:proposals_call_assign", args=[call.pk])


def test_every_proposal_of_a_call_gets_its_reviewers_evenly_and_nobody_with_an_interest(mailed):
    call, proposals, people = call_with()
    staff, due = UserFactory(staff=True), clock.today() + dt.timedelta(days=14)
    AffiliationFactory(user=people[0], organisation=proposals[0].organisation)
    actions.record_conflict(
        proposal=proposals[1], by=staff, user=people[2], kind="close", explanation="They are friends."
    )
    plan = readings.plan_of(call, staff)

    actions.assign_to_all(call=call, by=staff, reviewers=people, fingerprint=plan.fingerprint, due_on=due)

    given = Assignment.objects.filter(proposal__call=call)
    pairs = set(given.values_list("proposal", "reviewer"))
    assert not {(proposals[0].pk, people[0].pk), (proposals[1].pk, people[2].pk)} & pairs
    for proposal in proposals:
        assert given.filter(proposal=proposal).count() == 2
        assert given.filter(proposal=proposal, is_lay=True).exists()
    loads = [given.filter(reviewer=one).count() for one in people]
    assert max(loads) - min(loads) <= 1
    assert set(given.values_list("due_on", flat=True)) == {due}
    assert [len(mailed(one)) for one in people] == [1 if load else 0 for load in loads]
    assert not any(proposals[0].title in mailed(one)[0].body for one in people)


def test_what_was_assigned_stays_and_who_declined_is_not_asked_again():
    call, (proposal, *_rest), people = call_with(proposals=1, reviewers=3, lay=1)
    staff = UserFactory(staff=True)
    AssignmentFactory(proposal=proposal, reviewer=people[1], cleared=True)
    AssignmentFactory(proposal=proposal, reviewer=people[0], is_lay=True, status="declined")

    (planned,) = readings.plan_of(call, staff).proposals

    assert (planned.already, planned.new) == ([people[1]], [])
    assert planned.why_short == (
        "1 more lay reviewer wanted. Of 1 lay chosen, 0 have an interest and 1 declined or was taken back."
    )


def test_the_plan_is_shown_before_anything_is_done_and_due_on_is_the_calls_date(client_as):
    due = clock.today() + dt.timedelta(days=20)
    call, proposals, _people = call_with(reviews_due_on=due)
    client = client_as(UserFactory(staff=True))

    page = client.get(assign_address(call)).content.decode()
    assert not Assignment.objects.exists()
    for proposal in proposals:
        assert proposal.reference in page
    plan = readings.plan_of(call, call.created_by)
    data = {
        "fingerprint": plan.fingerprint,
        "due_on_day": due.day,
        "due_on_month": due.month,
        "due_on_year": due.year,
        "leave_out": [proposals[0].pk],
    }
    assert f'value="{due.day}"' in page
    answer = client.post(assign_address(call), data)

    assert answer.status_code == 302
    assert set(Assignment.objects.values_list("proposal", flat=True)) == {one.pk for one in proposals[1:]}


def test_only_the_chosen_reviewers_take_part(client_as):
    call, _proposals, people = call_with()
    client = client_as(UserFactory(staff=True))
    chosen = [people[0], people[3]]

    page = client.get(assign_address(call), {"reviewers": [one.pk for one in chosen]}).content.decode()
    fingerprint = page.split('name="fingerprint" value="')[1].split('"')[0]
    client.post(assign_address(call), {"reviewers": [one.pk for one in chosen], "fingerprint": fingerprint})

    assert set(Assignment.objects.values_list("reviewer", flat=True)) == {one.pk for one in chosen}


def test_a_plan_that_is_no_longer_true_assigns_nobody(client_as):
    call, _proposals, _people = call_with()
    client = client_as(UserFactory(staff=True))
    plan = readings.plan_of(call, call.created_by)
    AffiliationFactory(user=plan.proposals[0].new[0], organisation=plan.proposals[0].proposal.organisation)

    answer = client.post(assign_address(call), {"fingerprint": plan.fingerprint})

    assert "Something has changed since you looked" in answer.content.decode()
    assert not Assignment.objects.exists()


def test_the_plan_shown_after_a_refusal_can_be_assigned_as_it_is(client_as):
    call, _proposals, people = call_with()
    client = client_as(UserFactory(staff=True))
    plan = readings.plan_of(call, call.created_by)
    AffiliationFactory(user=plan.proposals[0].new[0], organisation=plan.proposals[0].proposal.organisation)
    chosen = [one.pk for one in people]
    page = client.post(assign_address(call), {"fingerprint": plan.fingerprint, "reviewers": chosen}).content.decode()

    fingerprint = page.split('name="fingerprint" value="')[1].split('"')[0]
    client.post(assign_address(call), {"fingerprint": fingerprint, "reviewers": chosen})

    assert fingerprint != plan.fingerprint
    assert Assignment.objects.exists()


def test_a_plan_with_nobody_ticked_assigns_nobody(client_as):
    call, *_ = call_with()

    page = client_as(UserFactory(staff=True)).get(assign_address(call), {"plan": "1"}).content.decode()

    assert "Nobody new would be assigned" in page
    assert "checked" not in page


def test_a_double_click_assigns_once(client_as):
    call, _proposals, people = call_with()
    staff = UserFactory(staff=True)
    fingerprint = readings.plan_of(call, staff).fingerprint
    actions.assign_to_all(call=call, by=staff, reviewers=people, fingerprint=fingerprint)

    with pytest.raises(ActionRefused, match="Something has changed"):
        actions.assign_to_all(call=call, by=staff, reviewers=people, fingerprint=fingerprint)

    assert Assignment.objects.count() == 6


@pytest.mark.parametrize("who", ["reviewer", "applicant"])
def test_only_staff_assign_and_see_the_plan(who, client_as):
    call, proposals, people = call_with()
    user = people[0] if who == "reviewer" else proposals[0].applicant
    client = client_as(user)

    with pytest.raises(PermissionDenied):
        actions.assign_to_all(call=call, by=user, reviewers=people, fingerprint="x")
    for answer in (client.get(assign_address(call)), client.post(assign_address(call), {"fingerprint": "x"})):
        assert answer.status_code in (302, 404)
        assert proposals[0].reference not in answer.content.decode()


def test_the_plan_leaves_out_what_its_maker_has_an_interest_in(client_as):
    call, proposals, _people = call_with()
    staff = UserFactory(staff=True)
    AffiliationFactory(user=staff, organisation=proposals[0].organisation)

    page = client_as(staff).get(assign_address(call)).content.decode()

    assert proposals[0].reference not in page
    assert proposals[1].reference in page


def test_the_plan_takes_equally_many_queries_for_1_and_3_proposals(client_as, queries_of):
    call, _proposals, _people = call_with(proposals=1)
    client = client_as(UserFactory(staff=True))
    with_one = queries_of(client, [assign_address(call)])

    for _ in range(2):
        ProposalFactory(in_assessment=True, call=call)
        UserFactory(reviewer=True)

    assert queries_of(client, [assign_address(call)]) == with_one


def told_again(call, **values):
    """A resubmission of what was not eligible, and one of what was declined with feedback; both name their writer."""
    refused = ProposalFactory(submitted=True, status="ineligible")
    refused.screenings.create(
        is_eligible=False, reason="No partner.", screened_by=UserFactory(), screened_at=clock.now()
    )
    declined = ProposalFactory(declined=True)
    decision = declined.decisions.create(
        outcome="declined", reasons="No.", decided_by=UserFactory(), decided_at=clock.now()
    )
    letter = FeedbackLetter.objects.create(
        decision=decision, written_by=UserFactory(), sent_text="No.", released_at=clock.now(), released_by=UserFactory()
    )
    for criterion in call.criterion_set.criteria.all():
        letter.comments.create(criterion=criterion, text="Say more.")
    for earlier in (refused, declined):
        writer = UserFactory(full_name="Ada Lovelace")
        ProposalFactory(
            in_assessment=True, call=call, applicant=writer, earlier=earlier, title="The Lovelace check", **values
        )


def test_the_plan_of_a_blind_call_says_which_texts_name_their_writers(client_as, queries_of):
    call, (plain,), _people = call_with(proposals=1)
    Call.objects.filter(pk=call.pk).update(is_blind=True)
    staff = client_as(UserFactory(staff=True))
    told_again(call)
    page = staff.get(assign_address(call)).content.decode()
    with_three = queries_of(staff, [assign_address(call)])

    warning = page.partition("This call is blind")[2].partition("</details>")[0]
    assert "the text of 2 proposals names their writers" in warning
    assert warning.count("Title: Lovelace") == 2
    assert plain.reference not in warning
    told_again(call)
    assert queries_of(staff, [assign_address(call)]) == with_three
    Call.objects.filter(pk=call.pk).update(is_blind=False)
    assert "This call is blind" not in staff.get(assign_address(call)).content.decode()


def test_a_proposal_without_its_lay_reviewer_still_waits_to_be_assigned(client_as):
    _call, (proposal, *_rest), people = call_with(proposals=1)
    staff = UserFactory(staff=True)
    actions.assign_reviewers(proposal=proposal, by=staff, reviewers=people[2:], accept_fewer=True)
    address = reverse("admin:proposals_proposal_assign", args=[proposal.pk])

    before = client_as(staff).get(reverse("my")).content.decode()
    actions.assign_reviewers(proposal=proposal, by=staff, reviewers=people[:1])

    assert address in before
    assert address not in client_as(staff).get(reverse("my")).content.decode()


# Declined -------------------------------------------------------------------------------------------------------------
def test_staff_see_what_was_declined_among_what_waits_and_replace_it(client_as):
    _call, (proposal, *_rest), people = call_with(proposals=1, reviewers=3, lay=1)
    staff = UserFactory(staff=True)
    actions.assign_reviewers(proposal=proposal, by=staff, reviewers=people[:2])
    actions.decline_assignment(assignment=people[1].assignments.get(), by=people[1], reason="On leave until May.")

    page = client_as(staff).get(reverse("my")).content.decode()
    assert "On leave until May." in page
    assert reverse("admin:proposals_proposal_assign", args=[proposal.pk]) in page
    actions.assign_reviewers(proposal=proposal, by=staff, reviewers=people[2:])

    assert "On leave until May." not in client_as(staff).get(reverse("my")).content.decode()


def test_a_reviewer_who_is_asked_again_no_longer_stands_there_with_why_they_declined(client_as):
    assignment, staff = AssignmentFactory(), UserFactory(staff=True)
    client = client_as(staff)
    addresses = [
        reverse("admin:proposals_assignment_change", args=[assignment.pk]),
        reverse("admin:proposals_proposal_change", args=[assignment.proposal_id]),
        reverse("admin:proposals_assignment_export_csv"),
    ]

    def pages():
        answers = [client.get(address) for address in addresses]
        return [b"".join(one) if one.streaming else one.content for one in answers]

    actions.decline_assignment(assignment=assignment, by=assignment.reviewer, reason="No time before May.")
    declined = pages()
    actions.assign_reviewers(proposal=assignment.proposal, by=staff, reviewers=[assignment.reviewer], accept_fewer=True)

    assert [b"No time before May." in one for one in declined] == [True] * 3
    assert [b"No time before May." in one for one in pages()] == [False] * 3
