"""Screening, assigning, interests and the review page, by people in a browser on the real portal."""

from django.urls import reverse

from proposals import actions
from proposals.models import Assignment, ConflictOfInterest, Review, Screening
from psc_portal.common import clock
from tests.factories.projects import AffiliationFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of
from tests.functional.browsing import PHONE, day, fill, follow, press

REASON = "Two hospitals asked for it."


def test_staff_screen_one_after_the_other_and_assign_reviewers_to_all(visit, make_person, log_in, look):
    call = CallFactory(in_assessment=True, eligibility="The lead works in the region.", reviews_wanted=1)
    first, second = (ProposalFactory(submitted=True, call=call, reference=f"EM-2019-{call.pk}{n}") for n in (1, 2))
    lay = [make_person(reviewer=True, is_lay=True) for _ in range(2)]
    AffiliationFactory(user=lay[0], organisation=first.organisation)
    page = visit()
    log_in(page, make_person(staff=True))

    page.goto(reverse("admin:proposals_call_change", args=[call.pk]))
    follow(page, "Screen 2 proposals")
    look(page)
    fill(page, {"rule_1": "no", "eligible": "yes"})
    press(page, "Screen")
    look(page)
    page.get_by_role("link", name="Rule 1 is not met: then the proposal is not eligible").wait_for()
    fill(page, {"rule_1": "yes"})
    press(page, "Screen")
    assert "1 of 1 to be screened" in page.locator("main").inner_text()
    fill(page, {"rule_1": "yes", "eligible": "yes"})
    press(page, "Screen")
    page.goto(reverse("admin:proposals_call_assign", args=[call.pk]))
    for box in page.get_by_role("checkbox").all():
        box.set_checked(box.get_attribute("value") in {str(one.pk) for one in lay})
    press(page, "Plan with these reviewers")
    look(page)
    press(page, "Assign these reviewers")

    assert "2 reviews are assigned" in page.locator("body").inner_text()
    assert Screening.objects.filter(proposal__call=call, is_eligible=True).count() == 2
    given = {one.proposal: one.reviewer for one in Assignment.objects.filter(proposal__call=call)}
    assert given == {first: lay[1], second: lay[0]}


def test_an_interest_is_declared_before_any_text_and_an_inferred_one_is_overridden_with_a_reason(
    visit, make_person, log_in, look
):
    reviewer, staff = make_person(reviewer=True), make_person(staff=True)
    title = "Zebra crossing of the ward"
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True, title=title)
    (assignment,) = actions.assign_reviewers(proposal=proposal, by=staff, reviewers=[reviewer], accept_fewer=True)
    page = visit()
    log_in(page, reviewer)
    page.goto("/my/")
    assert title not in page.locator("body").inner_text()
    page.goto(reverse("admin:proposals_assignment_declare", args=[assignment.pk]))
    look(page)
    assert title not in page.locator("body").inner_text()
    AffiliationFactory(user=reviewer, organisation=proposal.organisation)
    fill(page, {"interest": "no"})
    press(page, "Declare interests")  # an interest came up since: the assignment is out of sight at once
    assert f"You do not review {proposal.reference}" in page.locator("body").inner_text()
    look(page)
    assert not Review.objects.filter(proposal=proposal).exists()
    page.expected_errors.append("404")
    assert page.goto(reverse("proposals:proposal_copy", args=[proposal.reference])).status == 404

    office = visit()
    log_in(office, staff)
    conflict = ConflictOfInterest.objects.get(proposal=proposal, user=reviewer)
    office.goto(reverse("admin:proposals_conflictofinterest_change", args=[conflict.pk]))
    assert "the lead organisation of this proposal" in office.locator("main").inner_text()
    follow(office, "Override")
    look(office)
    fill(office, {"reason": "An honorary title, no work there."})
    press(office, "Override")

    page.goto(reverse("admin:proposals_assignment_declare", args=[assignment.pk]))
    fill(page, {"interest": "no"})
    press(page, "Declare interests")
    assert title in page.locator("main").inner_text()


def test_a_review_saves_itself_counts_what_is_done_and_shows_both_texts_of_two_tabs(visit, make_person, log_in, look):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    review = review_of(proposal, reviewer=make_person(reviewer=True))
    address = reverse("admin:proposals_review_score", args=[review.pk])
    first, second, *_rest = proposal.call.criterion_set.criteria.all()
    page = visit()
    log_in(page, review.reviewer)
    page.goto(address)
    other = page.context.new_page()
    other.goto(address)
    look(page)

    fill(page, {f"score_{first.pk}": "4", f"reason_{first.pk}": REASON})
    page.get_by_text("1 of 6 criteria done").wait_for()
    page.get_by_text("Saved at").wait_for()
    assert review.scores.get(criterion=first).reason == REASON
    fill(other, {f"reason_{first.pk}": "Nobody asked for it.", f"reason_{second.pk}": "No harms were looked for."})
    other.get_by_role("group", name="Two texts for the same question").first.wait_for()
    assert REASON in other.locator(".app-clash").first.inner_text()
    look(other)
    assert review.scores.get(criterion=first).reason == REASON
    assert review.scores.get(criterion=second).reason == "No harms were looked for."

    page.set_viewport_size({"width": PHONE, "height": 900})
    page.goto(address)
    page.get_by_role("link", name="Go to your scores").click()
    assert page.locator("#your-review").evaluate("one => one.getBoundingClientRect().top") < 200
    page.expected_errors.append("422")
    fill(page, {f"reason_{second.pk}": "Seen in 943 476 5919 too."})
    page.get_by_text("Not saved: There is what looks like an NHS number in: Reason on criterion 2").wait_for()
    fill(page, {f"reason_{second.pk}": "Seen in one patient too."})
    page.get_by_text("Saved at").wait_for()
    assert review.scores.get(criterion=second).reason == "Seen in one patient too."


def score_all(page, criteria, score="4"):
    fill(page, {f"score_{one.pk}": score for one in criteria} | {f"reason_{one.pk}": REASON for one in criteria})


def test_a_lay_reviewer_of_a_blind_call_tries_an_example_locks_sees_the_others_and_is_unlocked_by_staff(
    visit, make_person, log_in, look
):
    staff, reviewer = make_person(staff=True), make_person(reviewer=True, is_lay=True)
    call = CallFactory(in_assessment=True, is_blind=True)
    proposal = ProposalFactory(in_assessment=True, call=call)
    hidden = [proposal.applicant.full_name, proposal.organisation.name]
    text = "A ward gives every patient a bell."
    example = actions.add_example(call=call, by=staff, title="Bells", text=text)
    (assignment,) = actions.assign_reviewers(
        proposal=proposal, by=staff, reviewers=[reviewer], accept_fewer=True, due_on=clock.today()
    )
    actions.declare_interest(assignment=assignment, by=reviewer, has_interest=False)
    theirs = review_of(proposal, scores=[1] * 6, locked=True)
    criteria = list(call.criterion_set.criteria.all())
    page, office = visit(), visit()
    log_in(page, reviewer)
    log_in(office, staff)

    page.goto(reverse("admin:proposals_review_score", args=[assignment.review.pk]))
    read = page.locator("main").inner_text()
    assert "In the writers’ plain words" in read and not any(name in read for name in hidden)
    assert page.locator("main details", has_text="Growth").first.get_attribute("open") is None
    look(page)
    follow(page, example.title)
    assert text in page.locator("main").inner_text()
    fill(page, {f"score_{one.pk}": "3" for one in criteria})
    press(page, "Save my scores")
    assert "1 gave 3" in page.locator("main").inner_text()
    look(page)

    page.goto(reverse("admin:proposals_review_score", args=[assignment.review.pk]))
    score_all(page, criteria)
    press(page, "Save and lock")
    assert str(theirs.reviewer) not in page.locator("main").inner_text()
    follow(page, "Show the other reviews")
    press(page, "Show the other reviews")
    assert str(theirs.reviewer) in page.locator("main").inner_text()
    look(page)

    office.goto(reverse("admin:proposals_review_change", args=[assignment.review.pk]))
    follow(office, "Unlock")
    press(office, "Unlock")
    assert "Say why this review is opened again." in office.locator("main").inner_text()
    fill(office, {"reason": "A score was mistyped."})
    press(office, "Unlock")
    page.goto(reverse("admin:proposals_review_score", args=[assignment.review.pk]))
    score_all(page, criteria, "2")
    press(page, "Save and lock")
    assert "changed after seeing others" in page.locator("main").inner_text()
    office.reload()
    assert "A score was mistyped. (total until then 4.00)" in office.locator("main").inner_text()


def test_one_declares_an_interest_one_declines_and_staff_give_the_review_to_a_third(visit, make_person, log_in, look):
    staff = make_person(staff=True)
    conflicted, busy, third = (make_person(reviewer=True) for _ in range(3))
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    given = actions.assign_reviewers(
        proposal=proposal, by=staff, reviewers=[conflicted, busy], accept_fewer=True, due_on=clock.today()
    )
    first, second = (one.pk for one in sorted(given, key=lambda one: one.reviewer != conflicted))
    page = visit()
    log_in(page, conflicted)
    page.goto(reverse("admin:proposals_assignment_declare", args=[first]))
    fill(page, {"interest": "yes", "kind": "close"})
    press(page, "Declare interests")
    assert f"There is an interest in {proposal.reference}" in page.locator("body").inner_text()
    look(page)

    other = visit()
    log_in(other, busy)
    other.goto(reverse("admin:proposals_assignment_decline", args=[second]))
    fill(other, {"reason": "On leave until June."})
    press(other, "Decline")
    assert f"You do not review {proposal.reference}." in other.locator("body").inner_text()

    office = visit()
    log_in(office, staff)
    office.goto(reverse("admin:proposals_assignment_change", args=[second]))
    assert "On leave until June." in office.locator("main").inner_text()
    office.goto(reverse("admin:proposals_proposal_assign", args=[proposal.pk]))
    look(office)
    fill(office, {"reviewers": [str(third.pk)], "due_on": day(clock.today()), "accept_fewer": True})
    press(office, "Assign reviewers")

    statuses = dict(Assignment.objects.filter(proposal=proposal).values_list("reviewer", "status"))
    assert statuses == {conflicted.pk: "conflicted", busy.pk: "declined", third.pk: "assigned"}
