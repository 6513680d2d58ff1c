"""The review page: blind reading, the plain view for lay reviewers, examples to score, marks and progress."""

import re
from urllib.parse import urlencode

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from proposals import actions, questions, readings
from proposals.models import CalibrationExample, CalibrationScore, Criterion, Proposal, Review
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import OrganisationFactory
from tests.factories.proposals import AssignmentFactory, CallFactory, ProposalFactory, complete_answers, review_of

pytestmark = pytest.mark.django_db


def in_assessment(**kwargs) -> Proposal:
    return ProposalFactory(in_assessment=True, call__in_assessment=True, **kwargs)


def score_address(review) -> str:
    return reverse("admin:proposals_review_score", args=[review.pk])


# Blind ----------------------------------------------------------------------------------------------------------------
NAMES = ["Lovelace", "Babbage", "Harbour Health", "HHL", "Tide Foundation", "harbourhealth.co.uk", "Old Harbour"]


def names_in(text: str) -> list[str]:
    """As whole words: random tokens of a page hold any three letters."""
    return [name for name in NAMES if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]


def blind_proposal() -> Proposal:
    """A blind call's proposal that names its writers wherever somebody could."""
    lead = OrganisationFactory(
        name="Harbour Health Ltd", short_name="HHL", former_names=["Old Harbour"], email_domain="harbourhealth.co.uk"
    )
    applicant = UserFactory(full_name="Ada Lovelace", email="ada@harbourhealth.co.uk")
    call = CallFactory(in_assessment=True, is_blind=True)
    proposal = ProposalFactory(
        in_assessment=True,
        call=call,
        applicant=applicant,
        organisation=lead,
        title="The Lovelace check",
        lay_summary="Harbour Health Ltd checks.",
        partners=[OrganisationFactory(name="Tide Foundation")],
        answers=complete_answers(
            call,
            lead,
            title="The Lovelace check",
            lay_summary="HHL and Tide   Foundation check on day one.",
            innovation="Ada Lovelace of Harbour-Health LTD, once Old Harbour, made it with Charles Babbage.",
            milestones="Write to ada@harbourhealth.co.uk or see www.harbourhealth.co.uk.",
            risks="Babbage may leave.",
        ),
    )
    colleague = UserFactory(full_name="Charles Babbage")
    proposal.collaborators.create(
        email=colleague.email, user=colleague, invited_by=applicant, accepted_at=clock.now(), role="edit"
    )
    return proposal


def pages_of_a_reviewer(review) -> list[str]:
    number = review.proposal.reference
    return [
        score_address(review),
        reverse("admin:proposals_review_change", args=[review.pk]),
        reverse("admin:proposals_review_changelist"),
        reverse("admin:proposals_review_export_csv"),
        reverse("admin:proposals_assignment_changelist"),
        reverse("admin:proposals_assignment_change", args=[review.assignment_id]),
        reverse("admin:proposals_assignment_declare", args=[review.assignment_id]),
        reverse("proposals:proposal_detail", args=[number]),
        reverse("proposals:proposal_copy", args=[number]),
        reverse("my"),
    ]


@pytest.mark.parametrize("is_lay", [True, False])
def test_a_blind_reviewer_reads_no_name_of_the_writers_on_any_page_or_export(client_as, is_lay):
    review = review_of(blind_proposal())
    review.assignment.is_lay = is_lay
    review.assignment.save()
    client = client_as(review.reviewer)

    found = {}
    for page in pages_of_a_reviewer(review):
        answer = client.get(page)
        assert answer.status_code == 200, page
        body = b"".join(answer).decode("utf-8", "replace")
        found[page] = names_in(body)

    assert found == {page: [] for page in found}
    assert "[hidden]" in client.get(score_address(review)).content.decode()


def test_a_search_for_a_name_finds_nothing_for_a_blind_reviewer_and_by_number_it_does(client_as):
    review = review_of(blind_proposal())
    client = client_as(review.reviewer)
    listed = reverse("admin:proposals_review_changelist")

    by_name = client.get(listed, {"q": "Lovelace"}).content.decode()
    by_number = client.get(listed, {"q": review.proposal.reference}).content.decode()

    link = reverse("admin:proposals_review_change", args=[review.pk])
    assert (link in by_name, link in by_number) == (False, True)


def test_mails_to_blind_reviewers_name_nobody(mailed):
    proposal, reviewer = blind_proposal(), UserFactory(reviewer=True)

    actions.assign_reviewers(
        proposal=proposal, by=UserFactory(staff=True), reviewers=[reviewer], due_on=clock.today(), accept_fewer=True
    )
    actions.remind_reviewers()

    texts = " ".join(mail.subject + mail.body for mail in mailed(reviewer))
    assert len(mailed(reviewer)) == 2
    assert names_in(texts) == []


def test_staff_are_told_where_a_blind_text_names_its_writers_before_reviewers_read_it(client_as):
    proposal = blind_proposal()
    client = client_as(UserFactory(staff=True))

    told = questions.names_told(proposal)
    page = client.get(reverse("admin:proposals_proposal_assign", args=[proposal.pk])).content.decode()

    assert told["Title"] == ["Lovelace"]
    assert set(told["Delivery and safety, “Milestones”"]) == {"ada@harbourhealth.co.uk", "www.harbourhealth.co.uk"}
    assert "the text names its writers in" in page
    assert questions.names_told(in_assessment()) == {}


def test_the_diff_of_a_blind_resubmission_names_nobody(client_as):
    earlier = blind_proposal()
    later = ProposalFactory(
        in_assessment=True,
        call=earlier.call,
        applicant=earlier.applicant,
        organisation=earlier.organisation,
        earlier=earlier,
        title="A check",
        answers=earlier.answers | {"risks": "None.", "since-changed": "Ada Lovelace asked more wards."},
    )
    review = review_of(later)

    body = client_as(review.reviewer).get(score_address(review)).content.decode()

    assert "This is a resubmission" in body
    assert names_in(body) == []


# Lay ------------------------------------------------------------------------------------------------------------------
def test_every_criterion_has_a_question_for_lay_reviewers():
    assert [one.code for one in Criterion.objects.filter(lay_question="")] == []
    assert all(one.lay_question.endswith("?") for one in Criterion.objects.all())


def test_a_lay_reviewer_gets_the_lay_questions_and_the_lay_summary_first_with_the_technical_parts_folded(client_as):
    proposal = in_assessment()
    lay, expert = review_of(proposal), review_of(proposal)
    lay.assignment.is_lay = True
    lay.assignment.save()
    criterion = proposal.call.criterion_set.criteria.first()

    plain = client_as(lay.reviewer).get(score_address(lay)).content.decode()
    full = client_as(expert.reviewer).get(score_address(expert)).content.decode()

    assert f"1. {criterion.lay_question}" in plain
    assert criterion.lay_question not in full
    summary, problem = proposal.answers["lay_summary"], proposal.answers["problem"]
    assert plain.index(summary) < plain.index(problem)
    assert plain.count(summary) == 1
    assert '<span class="nhsuk-details__summary-text">Delivery and safety</span>' in plain
    assert '<span class="nhsuk-details__summary-text">Delivery and safety</span>' not in full
    assert proposal.answers["risks"] in plain


# Progress, marks, next ------------------------------------------------------------------------------------------------
def test_the_page_says_how_many_criteria_are_done_and_which_review_is_next(client_as):
    reviewer = UserFactory(reviewer=True)
    review = review_of(in_assessment(), reviewer=reviewer)
    following = AssignmentFactory(reviewer=reviewer)
    first, second, *_rest = review.proposal.call.criterion_set.criteria.all()
    actions.save_review(
        review=review, by=reviewer, comment="", version=0,
        scores={first.pk: (4, False, "Clear."), second.pk: (None, True, "")},
    )  # fmt: skip

    body = client_as(reviewer).get(score_address(review)).content.decode()

    assert "1 of 6 criteria done" in body
    assert f"Next review: {following.proposal.reference}" in body
    assert reverse("admin:proposals_assignment_declare", args=[following.pk]) in body


def test_a_change_after_seeing_others_is_marked_wherever_the_review_is_shown(client_as):
    proposal, staff = in_assessment(), UserFactory(staff=True)
    review = review_of(proposal, locked=True, scores=[3] * 6)
    other = review_of(proposal, locked=True, scores=[4] * 6)
    for one in (review, other):
        actions.show_other_reviews(review=one, by=one.reviewer)
    actions.unlock_review(review=review, by=staff, reason="Misread the budget.")
    actions.lock_review(review=review, by=review.reviewer)

    mark = "changed after seeing others"
    for user, page in (
        (staff, reverse("admin:proposals_review_changelist")),
        (staff, reverse("admin:proposals_review_change", args=[review.pk])),
        (other.reviewer, reverse("admin:proposals_review_change", args=[other.pk])),
        (other.reviewer, reverse("admin:proposals_review_change", args=[review.pk])),
    ):
        assert mark in client_as(user).get(page).content.decode(), page


def test_not_applicable_is_left_out_of_the_total_and_needs_a_reason_to_be_locked():
    review = review_of(in_assessment())
    criteria = list(review.proposal.call.criterion_set.criteria.all())
    scores = {one.pk: (4, False, "Good.") for one in criteria} | {criteria[0].pk: (None, True, "")}
    saved = actions.save_review(review=review, by=review.reviewer, scores=scores, comment="", version=0)

    assert f"{saved.total:.2f}" == "4.00"
    with pytest.raises(ActionRefused, match=r"a reason for: 1\."):
        actions.lock_review(review=saved, by=review.reviewer)


def test_saving_a_review_takes_few_queries_and_the_page_the_same_for_1_and_3_reviews(
    client_as, queries_of, django_assert_max_num_queries
):
    reviewer = UserFactory(reviewer=True)
    review = review_of(in_assessment(), reviewer=reviewer, scores=[3] * 6)
    scores = {one.pk: (4, False, "Good.") for one in review.proposal.call.criterion_set.criteria.all()}
    client = client_as(reviewer)
    with_one = queries_of(client, [score_address(review)])

    for _ in range(2):
        review_of(review.proposal, scores=[1] * 6, locked=True)
        review_of(in_assessment(), reviewer=reviewer)

    assert queries_of(client, [score_address(review)]) == with_one
    with django_assert_max_num_queries(10):
        actions.save_review(review=review, by=reviewer, scores=scores, comment="", version=0)


# Calibration ----------------------------------------------------------------------------------------------------------
def example_of(call, by=None, **values) -> CalibrationExample:
    values = {
        "title": "A walking aid",
        "text": "It **helped** one ward.",
        "afterword": "We gave 2 for evidence.",
    } | values
    return actions.add_example(call=call, by=by or UserFactory(staff=True), **values)


def all_scores(call, value):
    return {one.pk: (value, False, "") for one in call.criterion_set.criteria.all()}


def test_a_reviewer_scores_an_example_and_then_sees_the_spread_without_names_and_the_afterword(client_as):
    mine = review_of(in_assessment())
    call = mine.proposal.call
    other = review_of(
        ProposalFactory(in_assessment=True, call=call), reviewer=UserFactory(reviewer=True, full_name="Zoe")
    )
    example = example_of(call)
    actions.score_example(calibration_example=example, by=other.reviewer, scores=all_scores(call, 1))
    client = client_as(mine.reviewer)
    page = reverse("admin:proposals_calibrationexample_change", args=[example.pk])
    score = reverse("admin:proposals_calibrationexample_score", args=[example.pk])

    before = client.get(page).content.decode() + client.get(score).content.decode()
    done = client.post(score, {f"score_{one.pk}": "4" for one in call.criterion_set.criteria.all()})
    after = client.get(page).content.decode()

    assert done.url == page
    for hidden in ("1 gave 1", "We gave 2"):
        assert hidden not in before
    for shown in ("1 gave 1, 1 gave 4", "We gave 2 for evidence.", "2 reviewers so far"):
        assert shown in after
    assert "Zoe" not in after
    staff = client_as(UserFactory(staff=True)).get(page).content.decode()
    assert "Zoe" in staff


def test_staff_who_have_not_scored_an_example_are_shown_no_score_of_their_own(client_as):
    call = CallFactory(in_assessment=True)
    review = review_of(ProposalFactory(in_assessment=True, call=call))
    example = example_of(call)
    actions.score_example(calibration_example=example, by=review.reviewer, scores=all_scores(call, 1))
    page = reverse("admin:proposals_calibrationexample_change", args=[example.pk])

    for_staff, for_reviewer = (
        client_as(one).get(page).content.decode() for one in (UserFactory(staff=True), review.reviewer)
    )

    assert "Everyone: 1 gave 1" in for_staff and "You:" not in for_staff
    assert "You: <strong>1</strong>" in for_reviewer


def test_an_example_is_scored_once_completely_and_counts_nowhere(client_as):
    review = review_of(in_assessment(), locked=True, scores=[3] * 6)
    call, reviewer = review.proposal.call, review.reviewer
    example = example_of(call)
    before = readings.ranking(call)

    half = dict(list(all_scores(call, 5).items())[:2])
    with pytest.raises(ActionRefused, match=r"for: 3\."):
        actions.score_example(calibration_example=example, by=reviewer, scores=half)
    actions.score_example(calibration_example=example, by=reviewer, scores=all_scores(call, 5))
    with pytest.raises(ActionRefused, match="already"):
        actions.score_example(calibration_example=example, by=reviewer, scores=all_scores(call, 0))

    assert CalibrationScore.objects.count() == 6
    assert readings.ranking(call) == before
    assert Review.objects.count() == 1


def test_examples_are_for_reviewers_of_the_call_and_change_only_until_scored(client_as):
    review = review_of(in_assessment())
    call = review.proposal.call
    staff = UserFactory(staff=True)
    example = example_of(call, by=staff)
    elsewhere = review_of(in_assessment()).reviewer
    applicant = review.proposal.applicant

    for user in (elsewhere, applicant, staff):
        with pytest.raises(PermissionDenied):
            actions.score_example(calibration_example=example, by=user, scores=all_scores(call, 3))
    for verb in ("change", "score"):
        page = reverse(f"admin:proposals_calibrationexample_{verb}", args=[example.pk])
        assert client_as(elsewhere).get(page).status_code == 404
        assert client_as(applicant).get(page).status_code in (302, 404)
    with pytest.raises(PermissionDenied):
        example_of(call, by=review.reviewer)
    actions.edit_example(calibration_example=example, by=staff, title="A frame", text="Text.", afterword="")
    actions.score_example(calibration_example=example, by=review.reviewer, scores=all_scores(call, 3))
    with pytest.raises(ActionRefused, match="afterword"):
        actions.edit_example(calibration_example=example, by=staff, title="A frame", text="Other.", afterword="")
    with pytest.raises(ActionRefused, match="stays"):
        actions.remove_example(calibration_example=example, by=staff)
    example_of(call, by=staff)
    with pytest.raises(ActionRefused, match="at most 2"):
        example_of(call, by=staff)


# Autosave -------------------------------------------------------------------------------------------------------------
def autosave_address(review) -> str:
    return reverse("admin:proposals_review_autosave", args=[review.pk])


def as_opened(client, review) -> dict:
    """What the page carries when it is opened."""
    form = client.get(score_address(review)).content.decode()
    return {name: form.split(f'name="{name}" value="')[1].split('"')[0].replace("&quot;", '"')
            for name in ("base", "version")}  # fmt: skip


def test_the_page_saves_by_itself_and_says_when(client_as):
    review = review_of(in_assessment())
    client = client_as(review.reviewer)
    first = review.proposal.call.criterion_set.criteria.first()
    opened = as_opened(client, review)

    answer = client.post(autosave_address(review), opened | {f"reason_{first.pk}": "Half a sent", "comment": "So far"})
    news = answer.json()
    later = client.post(
        autosave_address(review), {**opened, "base": news["base"], f"reason_{first.pk}": "Half a sentence"}
    )

    review.refresh_from_db()
    assert (answer.status_code, later.status_code, news["clashes"]) == (200, 200, [])
    assert review.scores.get(criterion=first).reason == "Half a sentence"
    assert (review.comment, review.version) == ("", 2)
    assert news["saved_at"]


def test_two_windows_keep_what_only_one_changed_and_show_both_texts_of_the_rest(client_as):
    review = review_of(in_assessment())
    client = client_as(review.reviewer)
    first, second, *_rest = review.proposal.call.criterion_set.criteria.all()
    one, other = as_opened(client, review), as_opened(client, review)
    client.post(autosave_address(review), one | {f"score_{first.pk}": "1", f"reason_{first.pk}": "First window."})

    typed = {f"score_{first.pk}": "5", f"reason_{first.pk}": "Second window.", f"reason_{second.pk}": "Only here."}
    news = client.post(autosave_address(review), other | typed).json()

    assert [(clash["name"], clash["stored"]) for clash in news["clashes"]] == [
        (f"score_{first.pk}", f"1: {first.levels.get(level=1).text}"),
        (f"reason_{first.pk}", "First window."),
    ]
    assert review.scores.get(criterion=first).reason == "First window."
    assert review.scores.get(criterion=second).reason == "Only here."
    button = client.post(score_address(review), other | typed | {"save": "1"})
    assert "saved in another window" in button.content.decode()
    assert "Second window." in button.content.decode()
    assert review.scores.get(criterion=first).value == 1


def test_the_button_after_an_autosave_without_answer_is_no_clash(client_as):
    review = review_of(in_assessment())
    client = client_as(review.reviewer)
    first = review.proposal.call.criterion_set.criteria.first()
    opened = as_opened(client, review)
    sent = {f"reason_{first.pk}": "Half"}
    client.post(autosave_address(review), opened | sent)

    whole = {f"reason_{first.pk}": "The whole reason.", "sent": urlencode(sent), "save": "1"}
    answer = client.post(score_address(review), opened | whole)

    assert answer.status_code == 302
    assert review.scores.get(criterion=first).reason == "The whole reason."


def test_an_nhs_number_in_a_reason_is_not_saved_and_the_page_is_told_where(client_as):
    review = review_of(in_assessment())
    client = client_as(review.reviewer)
    first = review.proposal.call.criterion_set.criteria.first()

    answer = client.post(
        autosave_address(review), as_opened(client, review) | {f"reason_{first.pk}": "Seen 943 476 5919 there."}
    )

    assert answer.status_code == 422
    assert "Reason on criterion 1" in answer.json()["problem"]
    assert not review.scores.exists()


def test_a_locked_or_conflicted_review_and_other_people_cannot_save(client_as, client):
    locked = review_of(in_assessment(), locked=True, scores=[3] * 6)
    conflicted, theirs = review_of(in_assessment()), review_of(in_assessment())
    opened = as_opened(client_as(theirs.reviewer), theirs) | {"comment": "Mine now"}
    actions.record_conflict(
        proposal=conflicted.proposal,
        by=UserFactory(staff=True),
        user=conflicted.reviewer,
        kind="close",
        explanation="Friends.",
    )

    answers = [
        client_as(user).post(autosave_address(review), opened).status_code
        for user, review in (
            (locked.reviewer, locked),
            (conflicted.reviewer, conflicted),
            (UserFactory(reviewer=True), theirs),
            (UserFactory(staff=True), theirs),
            (theirs.proposal.applicant, theirs),
        )
    ]

    assert answers[:4] == [409, 404, 404, 404]
    assert answers[4] in (302, 404)
    assert client.post(autosave_address(theirs), opened).status_code == 302
    assert not Review.objects.filter(comment="Mine now").exists()


def test_an_autosave_takes_few_queries(client_as, django_assert_max_num_queries):
    review = review_of(in_assessment(), scores=[3] * 6)
    client = client_as(review.reviewer)
    opened = as_opened(client, review)

    with django_assert_max_num_queries(25):
        client.post(autosave_address(review), opened | {"comment": "More"})
