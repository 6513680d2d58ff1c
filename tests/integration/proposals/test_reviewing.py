import datetime as dt

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from proposals import actions, readings
from proposals.models import Assignment, ConflictOfInterest, Proposal, Review, ReviewUnlock
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory, OrganisationFactory
from tests.factories.proposals import AssignmentFactory, ProposalFactory, ReviewFactory, review_of

pytestmark = pytest.mark.django_db
SECRET_REASON = "A secret reason that only its writer may read"


def in_assessment(**kwargs) -> Proposal:
    return ProposalFactory(in_assessment=True, call__in_assessment=True, **kwargs)


def scores_of(proposal, value=3, reason="Because of the evidence given."):
    return {criterion.pk: (value, False, reason) for criterion in proposal.call.criterion_set.criteria.all()}


def written(review, value=3):
    return actions.write_review(
        review=review, by=review.reviewer, scores=scores_of(review.proposal, value), comment="", version=review.version,
        lock=True,
    )  # fmt: skip


# Screening ------------------------------------------------------------------------------------------------------------
def test_an_ineligible_proposal_needs_a_reason_and_the_applicant_is_told(mailed):
    proposal, staff = ProposalFactory(submitted=True), UserFactory(staff=True)

    with pytest.raises(ActionRefused, match="which rule"):
        actions.screen_proposal(proposal=proposal, by=staff, is_eligible=False, reason=" ")
    actions.screen_proposal(proposal=proposal, by=staff, is_eligible=False, reason="Not tested anywhere yet.")

    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.INELIGIBLE
    assert ["Not tested anywhere yet." in one.body for one in mailed(proposal.applicant)] == [True]


def test_staff_never_screen_what_they_wrote_or_have_an_interest_in():
    staff = UserFactory(staff=True)
    own, conflicted = ProposalFactory(submitted=True, applicant=staff), ProposalFactory(submitted=True)
    actions.record_conflict(
        proposal=conflicted, by=UserFactory(staff=True), user=staff, kind="close", explanation="They are friends."
    )

    for proposal in (own, conflicted):
        with pytest.raises(PermissionDenied):
            actions.screen_proposal(proposal=proposal, by=staff, is_eligible=True)


# Conflicts ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tie", ["organisation", "partner", "applicant", "declared"])
def test_someone_with_an_interest_cannot_be_assigned(tie):
    reviewer, hospital, staff = UserFactory(reviewer=True), OrganisationFactory(), UserFactory(staff=True)
    AffiliationFactory(user=reviewer, organisation=hospital)
    proposal = {
        "organisation": lambda: in_assessment(organisation=hospital),
        "partner": lambda: in_assessment(partners=[hospital]),
        "applicant": lambda: in_assessment(applicant=reviewer),
        "declared": in_assessment,
    }[tie]()
    if tie == "declared":
        actions.record_conflict(
            proposal=proposal, by=staff, user=reviewer, kind="financial", explanation="They are friends."
        )

    with pytest.raises(ActionRefused, match="conflict of interest"):
        actions.assign_reviewers(proposal=proposal, by=staff, reviewers=[reviewer], accept_fewer=True)

    assert not Assignment.objects.exists()
    assert [one.why_not != "" for one in readings.possible_reviewers(proposal)] == [True]


def test_an_affiliation_of_more_than_five_years_ago_and_an_organisation_off_the_register_are_no_conflict():
    reviewer, hospital, staff = UserFactory(reviewer=True), OrganisationFactory(), UserFactory(staff=True)
    AffiliationFactory(
        user=reviewer,
        organisation=hospital,
        from_date=dt.date(2009, 1, 1),
        to_date=clock.today() - dt.timedelta(days=5 * 365 + 3),
    )
    AffiliationFactory(user=reviewer)
    proposals = [
        in_assessment(organisation=hospital),
        in_assessment(organisation=None, organisation_name="A small firm"),
    ]

    for proposal in proposals:
        actions.assign_reviewers(proposal=proposal, by=staff, reviewers=[reviewer], accept_fewer=True)

    assert Assignment.objects.count() == 2


def test_fewer_reviewers_than_wanted_are_refused_unless_accepted():
    proposal, staff = in_assessment(), UserFactory(staff=True)
    reviewers = [UserFactory(reviewer=True) for _ in range(3)]
    lay = UserFactory(reviewer=True, is_lay=True)

    with pytest.raises(ActionRefused, match="wants 3 reviews"):
        actions.assign_reviewers(proposal=proposal, by=staff, reviewers=reviewers)
    assert not Assignment.objects.exists()
    actions.assign_reviewers(proposal=proposal, by=staff, reviewers=[*reviewers, lay])

    assert Assignment.objects.filter(is_lay=True).count() == 1


def test_declaring_an_interest_hides_everything_from_the_reviewer(client_as):
    assignment = AssignmentFactory(cleared=True)
    review = ReviewFactory(assignment=assignment, locked=True, scores=[1, 2, 3, 4, 5, 0])
    client = client_as(assignment.reviewer)
    addresses = [
        reverse("proposals:proposal_detail", args=[assignment.proposal.reference]),
        reverse("proposals:proposal_copy", args=[assignment.proposal.reference]),
        reverse("admin:proposals_review_change", args=[review.pk]),
        reverse("admin:proposals_review_score", args=[review.pk]),
        reverse("admin:proposals_review_show_others", args=[review.pk]),
        reverse("admin:proposals_assignment_change", args=[assignment.pk]),
        reverse("admin:proposals_assignment_declare", args=[assignment.pk]),
    ]
    assert {client.get(address).status_code for address in addresses} == {200}

    actions.declare_interest(assignment=assignment, by=assignment.reviewer, has_interest=True, kind="worked_together")

    assert {client.get(address).status_code for address in addresses} == {404}
    assert readings.ranking(assignment.proposal.call)[0].reviews == 0


def test_an_affiliation_that_begins_later_closes_the_proposal_too(client_as):
    review = ReviewFactory(locked=True, scores=[5] * 6)
    AffiliationFactory(user=review.reviewer, organisation=review.proposal.organisation)

    answer = client_as(review.reviewer).get(reverse("admin:proposals_review_change", args=[review.pk]))

    assert answer.status_code == 404


def test_no_interest_declared_but_one_inferred_is_a_conflict():
    assignment = AssignmentFactory()
    AffiliationFactory(user=assignment.reviewer, organisation=assignment.proposal.organisation)

    actions.declare_interest(assignment=assignment, by=assignment.reviewer, has_interest=False)

    conflict = ConflictOfInterest.objects.get()
    assert (conflict.source, conflict.kind, conflict.recorded_by) == ("inferred", "same_organisation", None)
    assert Assignment.objects.get().status == Assignment.Status.CONFLICTED
    assert not Review.objects.exists()


@pytest.mark.parametrize("sent", [{"interest": "no"}, {"interest": "yes", "kind": "close"}])
def test_an_interest_that_arises_while_the_declaration_is_open_is_said_without_whose_it_is(client_as, sent):
    assignment = AssignmentFactory(proposal__call__is_blind=True, proposal__applicant__full_name="Ada Lovelace")
    proposal = assignment.proposal
    client, url = client_as(assignment.reviewer), reverse("admin:proposals_assignment_declare", args=[assignment.pk])
    assert client.get(url).status_code == 200
    AffiliationFactory(user=assignment.reviewer, organisation=proposal.organisation)

    answer = client.post(url, sent)

    (said,) = [str(message) for message in get_messages(answer.wsgi_request)]
    assert f"You do not review {proposal.reference}" in said and "What you sent was not recorded" in said
    for secret in ("Lovelace", proposal.organisation.name, proposal.title, "organisation"):
        assert secret not in said
    assert "You do not review" in client.get(answer.url).content.decode()
    assert [(one.source, one.kind) for one in ConflictOfInterest.objects.all()] == [("inferred", "same_organisation")]
    assert Assignment.objects.get().status == Assignment.Status.CONFLICTED
    assert not Review.objects.exists()
    assert client.get(url).status_code == 404


def test_scores_that_are_sent_after_an_interest_arose_are_answered_and_not_kept(client_as):
    review = ReviewFactory()
    client, url = client_as(review.reviewer), reverse("admin:proposals_review_score", args=[review.pk])
    assert client.get(url).status_code == 200
    AffiliationFactory(user=review.reviewer, organisation=review.proposal.organisation)

    answer = client.post(url, {"comment": "Typed meanwhile", "version": "0"}, follow=True)

    review.refresh_from_db()
    assert f"You do not review {review.proposal.reference}" in answer.content.decode()
    assert (review.comment, client_as(UserFactory(reviewer=True)).post(url, {}).status_code) == ("", 404)


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        ("declare", {"interest": "yes", "kind": "close"}, "is recorded: you do not see, score or discuss it."),
        ("decline", {"reason": "No time."}, "You have declined to review"),
    ],
)
def test_the_second_of_two_clicks_of_a_reviewer_is_answered_by_a_sentence(client_as, name, sent, said):
    assignment = AssignmentFactory()
    client, url = client_as(assignment.reviewer), reverse(f"admin:proposals_assignment_{name}", args=[assignment.pk])
    client.post(url, sent)
    before = assignment.status_changes.count()

    answer = client.post(url, sent, follow=True)

    assert said in answer.content.decode()
    assert (assignment.status_changes.count(), ConflictOfInterest.objects.count()) == (before, int(name == "declare"))


def test_what_is_sent_for_an_assignment_that_was_taken_back_is_answered_and_others_get_nothing(client_as):
    assignment = AssignmentFactory()
    url = reverse("admin:proposals_assignment_declare", args=[assignment.pk])
    actions.take_back_assignment(assignment=assignment, by=UserFactory(staff=True))

    answer = client_as(assignment.reviewer).post(url, {"interest": "no"}, follow=True)

    assert "is no longer with you: it was taken back or withdrawn." in answer.content.decode()
    assert client_as(UserFactory(reviewer=True)).post(url, {"interest": "no"}).status_code == 404


def test_staff_can_override_an_inferred_conflict_with_a_reason_but_not_their_own():
    assignment, staff = AssignmentFactory(), UserFactory(staff=True)
    AffiliationFactory(user=assignment.reviewer, organisation=assignment.proposal.organisation)
    actions.declare_interest(assignment=assignment, by=assignment.reviewer, has_interest=False)
    conflict = ConflictOfInterest.objects.get()

    with pytest.raises(ActionRefused, match="why"):
        actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="")
    actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="Honorary title, no work there.")
    assignment.refresh_from_db()
    actions.declare_interest(assignment=assignment, by=assignment.reviewer, has_interest=False)

    assert Review.objects.filter(reviewer=assignment.reviewer).exists()
    own = actions.record_conflict(
        proposal=in_assessment(), by=UserFactory(staff=True), user=staff, kind="close", explanation="They are friends."
    )
    with pytest.raises(PermissionDenied):
        actions.override_conflict(conflict_of_interest=own, by=staff, reason="It is nothing.")


def test_before_interests_are_declared_no_text_is_shown_anywhere(client_as):
    proposal = in_assessment(title="Zebra crossing of the ward")
    assignment = AssignmentFactory(proposal=proposal)
    client = client_as(assignment.reviewer)
    pages = [
        reverse("admin:proposals_assignment_changelist"),
        reverse("admin:proposals_assignment_changelist") + "?q=Zebra",
        reverse("admin:proposals_assignment_change", args=[assignment.pk]),
        reverse("admin:proposals_assignment_declare", args=[assignment.pk]),
        reverse("admin:proposals_review_changelist"),
        reverse("my"),
        reverse("search") + "?q=Zebra",
    ]

    bodies = [client.get(page).content.decode().replace("Zebra</title>", "") for page in pages]

    assert not [page for page, body in zip(pages, bodies, strict=True) if "Zebra crossing" in body]
    assert proposal.reference not in bodies[1]
    for address in ("proposals:proposal_detail", "proposals:proposal_copy"):
        assert client.get(reverse(address, args=[proposal.reference])).status_code == 404


# Reviews --------------------------------------------------------------------------------------------------------------
def test_a_review_is_kept_half_written_and_locked_only_when_each_criterion_has_score_and_reason():
    review = ReviewFactory()
    criteria = list(review.proposal.call.criterion_set.criteria.all())
    half = {
        criteria[0].pk: (4, False, "Clear need."),
        criteria[1].pk: (None, True, "Not a device."),
        criteria[2].pk: (2, False, ""),
    }

    with pytest.raises(ActionRefused, match=r"3\. .*; 4\. ") as refusal:
        actions.write_review(review=review, by=review.reviewer, scores=half, comment="So far.", version=0, lock=True)

    review.refresh_from_db()
    assert "1. " not in str(refusal.value)
    assert (review.status, review.comment, review.scores.count()) == (Review.Status.DRAFT, "So far.", 3)
    # 20 x 4 and 15 x 2 of 35; the criterion that is not applicable is left out
    assert f"{review.total:.4f}" == "3.1429"


def test_a_refused_lock_leads_to_what_is_missing_and_keeps_what_was_written(client_as):
    review = ReviewFactory()
    first, second, *_rest = review.proposal.call.criterion_set.criteria.all()
    data = {"version": "0", f"score_{first.pk}": "4", f"reason_{second.pk}": "A reason without a score.", "lock": "1"}

    page = client_as(review.reviewer).post(reverse("admin:proposals_review_score", args=[review.pk]), data)

    body = page.content.decode()
    assert f'<a href="#id_reason_{first.pk}">Criterion 1: give a reason</a>' in body
    assert f'<a href="#id_score_{second.pk}_0">Criterion 2: choose a score</a>' in body
    assert "Criterion 1: choose a score" not in body
    assert set(review.scores.values_list("reason", flat=True)) == {"", "A reason without a score."}


def test_a_locked_review_cannot_be_written_and_needs_its_reviewer_to_lock():
    review = ReviewFactory()
    written(review)
    review.refresh_from_db()

    with pytest.raises(ActionRefused, match="locked"):
        actions.save_review(
            review=review, by=review.reviewer, scores=scores_of(review.proposal, 5), comment="", version=review.version
        )
    with pytest.raises(PermissionDenied):
        actions.save_review(review=review, by=UserFactory(reviewer=True), scores={}, comment="", version=review.version)

    assert f"{review.total:.2f}" == "3.00"


def test_a_review_saved_in_another_window_is_not_overwritten(client_as):
    review = ReviewFactory()
    criterion = review.proposal.call.criterion_set.criteria.first()
    actions.save_review(
        review=review, by=review.reviewer, scores={criterion.pk: (1, False, "First window.")}, comment="", version=0
    )
    data = {"version": "0", f"score_{criterion.pk}": "5", f"reason_{criterion.pk}": "Second window.", "save": "1"}

    answer = client_as(review.reviewer).post(reverse("admin:proposals_review_score", args=[review.pk]), data)

    page = answer.content.decode()
    assert review.scores.get().reason == "First window."
    assert "another window" in page
    assert "Second window." in page
    assert "First window." in page
    assert '<input type="hidden" name="version" value="1">' in page


def leaking_pages(proposal, theirs) -> list[str]:
    return [
        reverse("admin:proposals_review_changelist"),
        reverse("admin:proposals_review_changelist") + f"?q={proposal.reference}",
        reverse("admin:proposals_review_changelist") + "?status__exact=locked",
        reverse("admin:proposals_assignment_changelist"),
        reverse("proposals:proposal_detail", args=[proposal.reference]),
        reverse("proposals:proposal_copy", args=[proposal.reference]),
        reverse("my"),
        reverse("admin:proposals_review_change", args=[theirs.pk]),
        reverse("admin:proposals_review_score", args=[theirs.pk]),
        reverse("admin:proposals_review_unlock", args=[theirs.pk]),
        reverse("admin:proposals_assignment_change", args=[theirs.assignment_id]),
        reverse("admin:proposals_call_ranking", args=[proposal.call_id]),
        reverse("admin:proposals_call_changelist"),
        reverse("admin:proposals_proposal_change", args=[proposal.pk]),
        reverse("admin:proposals_proposal_feedback", args=[proposal.pk]),
    ]


def test_others_scores_are_hidden_until_ones_own_review_is_locked_and_the_others_are_asked_for(client_as):
    proposal = in_assessment()
    theirs = review_of(proposal, locked=True, total="4.3210")
    for criterion in proposal.call.criterion_set.criteria.all():
        theirs.scores.create(criterion=criterion, value=4, reason=SECRET_REASON)
    unlocked = review_of(proposal, scores=[5] * 6, total="4.9876")
    mine = review_of(proposal)
    client = client_as(mine.reviewer)

    def seen():
        bodies = [client.get(page).content.decode() for page in leaking_pages(proposal, theirs)]
        return [secret for secret in (SECRET_REASON, "4.32", "4.99", "4.98") if any(secret in body for body in bodies)]

    assert seen() == []
    written(mine)
    assert seen() == []
    actions.show_other_reviews(review=mine, by=mine.reviewer)

    assert seen() == [SECRET_REASON, "4.32"]
    assert client.get(reverse("admin:proposals_review_change", args=[unlocked.pk])).status_code == 404
    assert client.post(reverse("admin:proposals_review_unlock", args=[theirs.pk]), {"reason": "x"}).status_code == 404


def test_staff_who_also_review_see_no_other_score_before_they_have_locked_theirs(client_as):
    both = UserFactory(is_staff=True, roles=["programme staff", "reviewer"])
    proposal = in_assessment()
    theirs = review_of(proposal, locked=True, total="4.3210", scores=[4] * 6)
    review_of(proposal, reviewer=both)
    client = client_as(both)

    listed = client.get(reverse("admin:proposals_review_changelist")).content.decode()
    ranking = client.get(reverse("admin:proposals_call_ranking", args=[proposal.call_id])).content.decode()

    assert "4.32" not in listed
    assert proposal.reference not in ranking
    assert client.get(reverse("admin:proposals_review_change", args=[theirs.pk])).status_code == 404


def test_the_others_can_be_asked_for_only_after_locking():
    review = ReviewFactory()

    with pytest.raises(ActionRefused, match="Lock your own"):
        actions.show_other_reviews(review=review, by=review.reviewer)


def test_a_reviewer_can_unlock_until_the_others_were_shown_and_the_old_scores_are_kept():
    review = ReviewFactory()
    written(review, 2)

    actions.unlock_review(review=review, by=review.reviewer)
    review.refresh_from_db()
    written(review, 5)

    review.refresh_from_db()
    kept = ReviewUnlock.objects.get()
    assert (f"{kept.total:.0f}", {score["value"] for score in kept.scores}, kept.after_seeing_others) == (
        "2",
        {2},
        False,
    )
    assert (f"{review.total:.0f}", review.is_changed_after_seeing_others) == ("5", False)
    assert [change.to_status for change in review.status_changes.all()] == ["locked", "draft", "locked"]


def test_after_the_others_were_shown_only_staff_unlock_with_a_reason_and_the_change_is_marked():
    review, staff = ReviewFactory(), UserFactory(staff=True)
    written(review, 2)
    actions.show_other_reviews(review=review, by=review.reviewer)

    with pytest.raises(PermissionDenied):
        actions.unlock_review(review=review, by=review.reviewer)
    with pytest.raises(ActionRefused, match="why"):
        actions.unlock_review(review=review, by=staff, reason="")
    actions.unlock_review(review=review, by=staff, reason="Criterion 2 was misread.")
    review.refresh_from_db()
    written(review, 4)

    review.refresh_from_db()
    assert review.is_changed_after_seeing_others
    assert ReviewUnlock.objects.get().after_seeing_others


def test_staff_who_review_give_a_reason_too_once_others_scores_stand_open_to_them():
    review = review_of(in_assessment(), reviewer=UserFactory(staff=True, reviewer=True))
    written(review, 2)  # staff see the others from here on, without asking

    with pytest.raises(ActionRefused, match="why"):
        actions.unlock_review(review=review, by=review.reviewer)
    review.refresh_from_db()
    assert (review.is_locked, review.is_changed_after_seeing_others) == (True, False)
    actions.unlock_review(review=review, by=review.reviewer, reason="Criterion 2 was misread.")
    review.refresh_from_db()
    written(review, 4)

    review.refresh_from_db()
    assert review.is_changed_after_seeing_others
    assert [(one.after_seeing_others, one.reason) for one in ReviewUnlock.objects.all()] == [
        (True, "Criterion 2 was misread.")
    ]


def test_once_the_panel_has_begun_no_review_is_written_or_unlocked():
    review, staff = ReviewFactory(), UserFactory(staff=True)
    written(review)
    late = review_of(review.proposal)
    actions.move_to_panel(call=review.proposal.call, by=staff, accept_fewer_reviews=True)

    with pytest.raises(ActionRefused, match="panel has begun"):
        actions.unlock_review(review=review, by=staff, reason="A mistake.")
    with pytest.raises(ActionRefused, match="over"):
        written(late)


def test_postgresql_itself_refuses_to_rewrite_the_history_of_a_review():
    review = ReviewFactory()
    written(review)
    actions.unlock_review(review=review, by=review.reviewer)

    for rows, change in ((review.status_changes, {"to_status": "draft"}), (ReviewUnlock.objects, {"reason": "None"})):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.all().delete()
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)


def test_a_blind_call_hides_names_from_reviewers_and_shows_them_to_staff(client_as):
    proposal = in_assessment(call__is_blind=True, applicant__full_name="Ada Lovelace")
    hospital = proposal.organisation
    proposal.answers |= {"organisation": str(hospital.pk), "partner_roles": "Lovelace Ltd builds it."}
    proposal.save()
    review = review_of(proposal)
    waiting = AssignmentFactory(proposal=proposal)
    names = (hospital.name, "Lovelace")

    pages = [
        (review.reviewer, reverse("admin:proposals_review_score", args=[review.pk])),
        (review.reviewer, reverse("admin:proposals_review_change", args=[review.pk])),
        (review.reviewer, reverse("proposals:proposal_copy", args=[proposal.reference])),
        (waiting.reviewer, reverse("admin:proposals_assignment_declare", args=[waiting.pk])),
    ]

    for user, page in pages:
        body = client_as(user).get(page).content.decode()
        assert not [name for name in names if name in body], page
    staff_page = reverse("proposals:proposal_copy", args=[proposal.reference])
    assert hospital.name in client_as(UserFactory(staff=True)).get(staff_page).content.decode()


def test_a_reviewer_can_decline_with_a_reason_and_then_sees_nothing(client_as):
    assignment = AssignmentFactory(cleared=True)
    client = client_as(assignment.reviewer)
    url = reverse("admin:proposals_assignment_decline", args=[assignment.pk])

    refused = client.post(url, {"reason": ""})
    done = client.post(url, {"reason": "Not my field."})

    assignment.refresh_from_db()
    assert (refused.status_code, done.status_code) == (200, 302)
    assert (assignment.status, assignment.decline_reason) == ("declined", "Not my field.")
    assert client.get(reverse("proposals:proposal_detail", args=[assignment.proposal.reference])).status_code == 404


# Ranking --------------------------------------------------------------------------------------------------------------
def test_the_ranking_shows_raw_means_wide_spreads_and_counts_only_locked_reviews(client_as):
    first = in_assessment()
    second = ProposalFactory(in_assessment=True, call=first.call, title="Second")
    for scores in ([5, 4, 4, 4, 4, 4], [1, 4, 4, 4, 4, 4]):
        review_of(first, scores=scores, locked=True)
    review_of(first, scores=[0] * 6)
    review_of(second, scores=[4] * 6, locked=True)

    lines = readings.ranking(first.call)
    page = client_as(UserFactory(staff=True)).get(reverse("admin:proposals_call_ranking", args=[first.call_id]))

    assert [(line.proposal.pk, line.rank, f"{line.mean:.2f}", line.reviews, line.is_wide) for line in lines] == [
        (second.pk, 1, "4.00", 1, False),
        (first.pk, 2, "3.80", 2, True),
    ]
    assert "Discuss" in page.content.decode()


def test_lists_and_ranking_take_equally_many_queries_for_1_and_3_rows(client_as, queries_of):
    first = in_assessment()
    client = client_as(UserFactory(staff=True))
    addresses = [
        reverse("admin:proposals_review_changelist"),
        reverse("admin:proposals_call_ranking", args=[first.call_id]),
        reverse("admin:proposals_proposal_changelist"),
        reverse("admin:proposals_assignment_changelist"),
        reverse("admin:proposals_conflictofinterest_changelist"),
    ]

    def review(proposal):
        review_of(proposal, scores=[3] * 6, locked=True)
        actions.record_conflict(
            proposal=proposal,
            by=UserFactory(staff=True),
            user=UserFactory(reviewer=True),
            kind="close",
            explanation="Friends.",
        )

    review(first)
    with_one = queries_of(client, addresses)
    for _ in range(2):
        review(first)
        review(ProposalFactory(in_assessment=True, call=first.call))

    assert queries_of(client, addresses) == with_one


def test_a_reviewer_s_list_takes_equally_many_queries_for_1_and_3_rows(client_as, queries_of):
    reviewer = UserFactory(reviewer=True)
    addresses = [reverse("admin:proposals_review_changelist"), reverse("admin:proposals_assignment_changelist")]
    client = client_as(reviewer)
    review_of(in_assessment(), reviewer=reviewer)
    with_one = queries_of(client, addresses)

    for _ in range(2):
        review_of(in_assessment(), reviewer=reviewer)

    assert queries_of(client, addresses) == with_one
