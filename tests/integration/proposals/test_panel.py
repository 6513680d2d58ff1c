"""The panel: set up, scored and decided on one page, closed with minutes."""

import hashlib
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.urls import reverse

from proposals import actions, tasks
from proposals.models import Decision, Panel, PanelReopening, PanelScore, Proposal, RankingAnalysis
from proposals.readings import minutes
from proposals.readings.panel import agenda_of, money_of
from proposals.readings.ranking import ranking_field
from psc_portal.common import outbox
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_datetime
from tests.factories.accounts import UserFactory
from tests.factories.projects import AffiliationFactory
from tests.factories.proposals import AssignmentFactory, CallFactory, ProposalFactory, review_of
from tests.pdf_checks import assert_accessible, pdf_text

pytestmark = pytest.mark.django_db
REASONS = "Strong evidence, and four wards are ready."


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def at_panel(call=None, scores=(), **kwargs):
    call = call or CallFactory(at_panel=True)
    proposal = ProposalFactory(at_panel=True, call=call, **{"amount_asked": 40_000} | kwargs)
    for given in scores:
        review_of(proposal, scores=given if isinstance(given, list) else [given] * 6, locked=True)
    return proposal


def panel_of(call, *, members=3, quorum=3, by=None):
    people = [UserFactory(reviewer=True) for _ in range(members)]
    return actions.set_up_panel(
        call=call, by=by or UserFactory(staff=True), held_on=date(2026, 12, 1), chair=people[0], members=people,
        quorum=quorum,
    )  # fmt: skip


def address_of(call, name="panel"):
    return reverse(f"admin:proposals_call_{name}", args=[call.pk])


def typed(proposal, **values):
    """The fields of one item as the page sends them."""
    defaults = {"score": "", "score_reason": "", "conditions": "", "reasons": "", "amount": "40000"}
    found = {f"p{proposal.pk}-{name}": value for name, value in (defaults | values).items()}
    return found | {f"p{proposal.pk}-overspend_reason": values.get("overspend_reason", "")}


# Setting up -----------------------------------------------------------------------------------------------------------
def test_staff_set_up_the_panel_of_a_call_and_change_it_until_it_is_closed(client_as):
    call = CallFactory(at_panel=True)
    people = [UserFactory(reviewer=True, is_lay=number == 2) for number in range(3)]
    client = client_as(UserFactory(staff=True))
    address = address_of(call, "set_up_panel")
    form = {"held_on_day": "1", "held_on_month": "12", "held_on_year": "2026", "chair": people[0].pk, "quorum": "2"}

    client.post(address, form | {"members": [people[1].pk, people[2].pk]})
    panel = Panel.objects.get()
    assert {member.user for member in panel.members.all()} == set(people)  # the chair is a member too
    assert [member.user for member in panel.members.filter(is_lay=True)] == [people[2]]

    client.post(address, form | {"members": [people[1].pk]})
    assert {member.user for member in panel.members.all()} == set(people[:2])


def test_a_quorum_larger_than_the_panel_is_refused_and_what_was_typed_stays(client_as):
    call = CallFactory(at_panel=True)
    chair = UserFactory(reviewer=True)
    form = {"held_on_day": "1", "held_on_month": "12", "held_on_year": "2026", "chair": chair.pk, "quorum": "7"}

    page = client_as(UserFactory(staff=True)).post(address_of(call, "set_up_panel"), form | {"members": [chair.pk]})

    assert "there are only 1 members" in page.content.decode()
    assert 'value="7"' in page.content.decode()
    assert not Panel.objects.exists()


def test_only_staff_set_up_a_panel():
    call = CallFactory(at_panel=True)
    reviewer = UserFactory(reviewer=True)

    with pytest.raises(PermissionDenied):
        actions.set_up_panel(
            call=call, by=reviewer, held_on=date(2026, 12, 1), chair=reviewer, members=[reviewer], quorum=1
        )


# The agenda -----------------------------------------------------------------------------------------------------------
def test_the_agenda_begins_with_the_widest_disagreement_then_what_is_closest_to_the_money_line():
    call = CallFactory(at_panel=True, money_total=80_000)
    calm_top = at_panel(call, [5, 5], title="Top")
    near = at_panel(call, [4, 4], title="Second, the money ends here")
    far = at_panel(call, [1, 1], title="Last")
    below = at_panel(call, [3, 3], title="Third, just below")
    split = at_panel(call, [[5, 0, 1, 1, 1, 1], [1, 4, 1, 1, 1, 1]], title="Split")

    lines, _ = agenda_of(ranking_field(call, UserFactory(staff=True)), UserFactory(staff=True))

    order = [line.pk for line in lines]
    assert order[0] == split.pk
    assert set(order[1:3]) == {near.pk, below.pk}
    assert set(order[3:]) == {calm_top.pk, far.pk}


def test_the_agenda_shows_earlier_scores_and_reasons_without_reviewers_names(client_as):
    proposal = at_panel(scores=[4, 2])
    panel_of(proposal.call)
    reviewer = proposal.reviews.first().reviewer
    actions.analyse_ranking(call=proposal.call)
    assert RankingAnalysis.objects.exists()

    page = client_as(UserFactory(staff=True)).get(address_of(proposal.call)).content.decode()

    assert "3.00 (rank 1)" in page
    assert f"Reason of {reviewer.pk} on proven" in page
    assert "1 to 1" in page
    assert reviewer.full_name not in page.replace(f"Reason of {reviewer.pk}", "")


def test_a_score_changed_after_seeing_the_others_is_marked_on_the_agenda(client_as):
    proposal = at_panel(scores=[4, 2])
    changed, plain = proposal.reviews.all()
    type(changed).objects.filter(pk=changed.pk).update(is_changed_after_seeing_others=True)

    page = client_as(UserFactory(staff=True)).get(address_of(proposal.call)).content.decode()

    assert page.count(f"(changed after seeing others): Reason of {changed.reviewer_id} on ") == 6
    assert page.count("changed after seeing others") == 6
    assert f"Reason of {plain.reviewer_id} on " in page


def test_an_adjusted_rank_on_the_agenda_says_its_group_and_its_range(client_as):
    call = CallFactory(at_panel=True)
    for scores in ([5, 4], [2, 1]):
        at_panel(call, scores)  # each reviewer has one proposal: the two cannot be compared
    client = client_as(UserFactory(staff=True))

    before = client.get(address_of(call)).content.decode()
    actions.analyse_ranking(call=call)
    after = client.get(address_of(call)).content.decode()

    for number in (1, 2):
        assert f"(rank 1 in group {number})" in before
        assert f"(rank 1 in group {number}; 1 to 1 without one reviewer)" in after


def test_the_panel_page_takes_equally_many_queries_for_1_and_3_proposals(client_as, queries_of):
    client = client_as(UserFactory(staff=True))
    first = at_panel(scores=[4, 2]).call
    third = CallFactory(at_panel=True)
    for number in range(3):
        at_panel(third, [number, 4])
    for call in (first, third):
        panel_of(call)

    counts = [queries_of(client, [address_of(call)])[address_of(call)] for call in (first, third)]

    assert counts[0] == counts[1]


# The panel's own score ------------------------------------------------------------------------------------------------
def test_the_panels_score_needs_a_reason_and_stands_beside_the_earlier_ones(client_as):
    proposal = at_panel(scores=[4, 2])
    panel_of(proposal.call)
    client = client_as(UserFactory(staff=True))
    address = address_of(proposal.call)

    refused = client.post(address, typed(proposal, score="3.5") | {"score": proposal.pk}).content.decode()
    done = client.post(
        address, typed(proposal, score="3.5", score_reason="The answers convinced us.") | {"score": proposal.pk}
    )
    page = client.get(address).content.decode()

    assert "Give a reason for the panel’s score" in refused
    assert 'value="3.5"' in refused
    assert done.status_code == 302
    assert "The panel’s score: 3.50" in page
    assert "The answers convinced us." in page


def test_the_same_score_twice_is_recorded_once_and_another_is_added():
    proposal, staff = at_panel(), UserFactory(staff=True)
    panel_of(proposal.call)

    for score in ("3.50", "3.50", "4.00"):
        actions.score_at_panel(proposal=proposal, by=staff, score=Decimal(score), reason="It convinced us.")

    assert [str(one.score) for one in PanelScore.objects.all()] == ["3.50", "4.00"]


# Decisions ------------------------------------------------------------------------------------------------------------
def test_decisions_are_made_on_one_page_and_what_is_typed_elsewhere_stays(client_as):
    first = at_panel(scores=[4, 4])
    second = at_panel(first.call, [3, 3])
    panel_of(first.call)
    client = client_as(UserFactory(staff=True))

    page = client.post(
        address_of(first.call),
        typed(first, outcome="approved", reasons=REASONS)
        | typed(second, outcome="declined", reasons="Half a sentence that is not")
        | {"decide": first.pk},
    )

    assert page.status_code == 200
    body = page.content.decode()
    assert "Half a sentence that is not" in body
    assert f"The decision on {first.reference} is recorded: approved" in body
    assert "There is a problem" not in body
    assert list(Decision.objects.values_list("proposal", "outcome")) == [(first.pk, "approved")]


def test_a_refused_decision_keeps_every_word(client_as):
    proposal = at_panel()
    panel_of(proposal.call)

    page = (
        client_as(UserFactory(staff=True))
        .post(
            address_of(proposal.call),
            typed(proposal, outcome="approved_with_conditions", reasons=REASONS) | {"decide": proposal.pk},
        )
        .content.decode()
    )

    assert "Write down the conditions" in page
    assert REASONS in page
    assert not Decision.objects.exists()


def test_the_same_button_pressed_twice_decides_once_and_is_no_error(client_as):
    proposal = at_panel()
    panel_of(proposal.call)
    client = client_as(UserFactory(staff=True))
    sent = typed(proposal, outcome="declined", reasons="The costs are not shown.") | {"decide": proposal.pk}

    first, second = (client.post(address_of(proposal.call), sent, follow=True) for _ in range(2))

    assert Decision.objects.count() == 1
    assert "There is a problem" not in first.content.decode() + second.content.decode()


def test_a_score_without_its_reason_is_not_lost_when_the_decision_is_recorded(client_as):
    proposal = at_panel()
    panel_of(proposal.call)
    sent = typed(proposal, outcome="declined", reasons="The costs are not shown.", score="3.5")

    page = client_as(UserFactory(staff=True)).post(address_of(proposal.call), sent | {"decide": proposal.pk})

    assert "Give a reason for the panel’s score" in page.content.decode()
    assert 'value="3.5"' in page.content.decode()
    assert not Decision.objects.exists()


def test_what_is_typed_elsewhere_stays_when_a_proposal_has_left_the_agenda(client_as):
    gone = at_panel()
    other = at_panel(gone.call)
    panel_of(gone.call)
    sent = (
        typed(gone, outcome="approved", reasons=REASONS) | typed(other, reasons="Half a thought") | {"decide": gone.pk}
    )
    Proposal.objects.filter(pk=gone.pk).update(status="withdrawn")

    page = client_as(UserFactory(staff=True)).post(address_of(gone.call), sent)

    assert page.status_code == 200
    assert "no longer on this page of the agenda" in page.content.decode()
    assert "Half a thought" in page.content.decode()
    assert not Decision.objects.exists()


@pytest.mark.parametrize("pk", ["²", "x", "", "-1"])
def test_a_button_with_a_value_that_is_no_number_is_a_404(client_as, pk):
    call = at_panel().call
    panel_of(call)

    assert client_as(UserFactory(staff=True)).post(address_of(call), {"decide": pk}).status_code == 404


def test_another_amount_after_the_decision_is_said_not_to_be_recorded(client_as):
    proposal = at_panel()
    panel_of(proposal.call)
    client, sent = client_as(UserFactory(staff=True)), typed(proposal, outcome="approved", reasons=REASONS)
    client.post(address_of(proposal.call), sent | {"decide": proposal.pk})

    page = client.post(address_of(proposal.call), sent | {f"p{proposal.pk}-amount": "100", "decide": proposal.pk})

    assert "Yours was not recorded" in page.content.decode()
    assert Decision.objects.get().amount == 40_000


def test_the_second_of_two_secretaries_is_told_and_keeps_their_text(client_as):
    proposal = at_panel()
    panel_of(proposal.call)
    first, second = UserFactory(staff=True, full_name="Ada First"), UserFactory(staff=True)
    actions.decide(proposal=proposal, by=first, outcome="declined", reasons="The costs are not shown.")

    page = (
        client_as(second)
        .post(address_of(proposal.call), typed(proposal, outcome="approved", reasons=REASONS) | {"decide": proposal.pk})
        .content.decode()
    )

    assert "Ada First recorded a decision" in page
    assert "Yours was not recorded" in page
    assert REASONS in page
    assert Decision.objects.get().outcome == "declined"


# Quorum and interests -------------------------------------------------------------------------------------------------
def test_who_has_an_interest_leaves_the_room_and_does_not_count_to_the_quorum(client_as):
    proposal = at_panel()
    other = at_panel(proposal.call)
    panel = panel_of(proposal.call, members=3, quorum=3)
    leaving = panel.chair
    staff = UserFactory(staff=True)
    actions.record_conflict(proposal=proposal, by=staff, user=leaving, kind="close", explanation="Friends.")

    page = client_as(staff).get(address_of(proposal.call)).content.decode()
    with pytest.raises(ActionRefused, match="2 of the 3"):
        actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")
    actions.decide(proposal=other, by=staff, outcome="declined", reasons="No.")
    decision = actions.decide(
        proposal=proposal, by=staff, outcome="declined", reasons="No.", quorum_reason="The chair lost two members."
    )

    assert f"{leaving.full_name} leaves the room" in page
    assert "somebody else chairs" in page
    assert decision.basis["panel"]["quorum_reason"] == "The chair lost two members."
    assert leaving.pk not in decision.basis["panel"]["present"]
    assert decision.basis["panel"]["left"] == [leaving.pk]


def test_an_inferred_interest_of_a_member_is_recorded_with_the_decision_and_stands_in_the_minutes():
    proposal, staff = at_panel(), UserFactory(staff=True)
    panel = panel_of(proposal.call, members=3, quorum=2)
    AffiliationFactory(user=panel.chair, organisation=proposal.organisation)

    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")
    actions.close_panel(call=proposal.call, by=staff)

    [interest] = proposal.conflicts.all()
    assert (interest.user, interest.source) == (panel.chair, "inferred")
    text = minutes.html(Panel.objects.get(pk=panel.pk))
    interests = text.split("<dt>Interests</dt>")[1].split("</dd>")[0]
    assert f"{panel.chair.full_name}: {interest}" in interests
    assert f"Left the room: {panel.chair.full_name}" in text


def interests_in_minutes(panel) -> str:
    return minutes.html(Panel.objects.get(pk=panel.pk)).split("<dt>Interests</dt>")[1].split("</dd>")[0]


def test_the_minutes_say_why_an_interest_was_overridden_now_and_before():
    proposal, staff = at_panel(), UserFactory(staff=True)
    panel = panel_of(proposal.call, members=3, quorum=2)
    what = {"proposal": proposal, "by": staff, "user": panel.chair, "kind": "close"}
    for explanation, reason in (("Cousins.", "A namesake only."), ("Cousins after all.", "Never met.")):
        conflict = actions.record_conflict(**what, explanation=explanation)
        actions.override_conflict(conflict_of_interest=conflict, by=staff, reason=reason)

    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")
    actions.close_panel(call=proposal.call, by=staff)

    interests = interests_in_minutes(panel)
    assert "overridden: Never met." in interests and "overridden before: A namesake only." in interests


def test_the_minutes_tell_the_interests_of_reviewers_who_are_not_on_the_panel_without_their_names():
    proposal, staff = at_panel(scores=[3, 3]), UserFactory(staff=True)
    panel = panel_of(proposal.call, members=3, quorum=2)
    lifted, standing = [one.reviewer for one in proposal.reviews.order_by("pk")]
    stranger = UserFactory(reviewer=True)
    for user, kind in ((lifted, "close"), (standing, "financial"), (stranger, "involved")):
        conflict = actions.record_conflict(proposal=proposal, by=staff, user=user, kind=kind, explanation="So.")
        if user == lifted:
            actions.override_conflict(conflict_of_interest=conflict, by=staff, reason="Never met.")

    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")
    actions.close_panel(call=proposal.call, by=staff)

    interests = interests_in_minutes(panel)
    assert "A reviewer: Could gain or lose money by it<br>" in interests
    assert interests.count("A reviewer") == 1
    assert not [one.full_name for one in (lifted, standing, stranger) if one.full_name in interests]


def test_who_is_absent_does_not_count_to_the_quorum(client_as):
    proposal, staff = at_panel(), UserFactory(staff=True)
    panel = panel_of(proposal.call, members=2, quorum=2)
    stays = panel.members.first()

    client_as(staff).post(address_of(proposal.call, "attendance"), {"present": [stays.pk]})

    with pytest.raises(ActionRefused, match="no quorum"):
        actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")


def test_staff_with_an_interest_see_and_do_nothing_of_that_item(client_as):
    proposal = at_panel(title="Secret of the conflicted")
    other = at_panel(proposal.call)
    panel_of(proposal.call)
    staff = UserFactory(staff=True)
    actions.record_conflict(
        proposal=proposal, by=UserFactory(staff=True), user=staff, kind="close", explanation="They are friends."
    )
    client = client_as(staff)

    page = client.get(address_of(proposal.call)).content.decode()
    posted = client.post(
        address_of(proposal.call), typed(proposal, outcome="approved", reasons=REASONS) | {"decide": proposal.pk}
    )

    assert proposal.reference not in page
    assert "Secret of the conflicted" not in page
    assert other.reference in page
    assert "1 more is not shown to you" in page
    assert posted.status_code == 404
    for action, values in (
        (actions.score_at_panel, {"score": Decimal(3), "reason": "Well."}),
        (actions.decide, {"outcome": "approved", "reasons": REASONS}),
    ):
        with pytest.raises(PermissionDenied):
            action(proposal=proposal, by=staff, **values)


# Money ----------------------------------------------------------------------------------------------------------------
def test_an_item_that_waits_for_the_users_own_review_is_counted_and_not_called_decided(client_as):
    both = UserFactory(staff=True, reviewer=True)
    proposal = at_panel()
    AssignmentFactory(proposal=proposal, reviewer=both, cleared=True)

    page = client_as(both).get(address_of(proposal.call)).content.decode()

    assert proposal.reference not in page
    assert "1 more is not shown to you" in page
    assert "a review of yours is not locked" in page
    assert "is decided" not in page
    assert "to decide." not in page


def test_a_reserve_can_be_approved_beyond_the_money_from_its_own_page_with_a_reason(client_as):
    call = CallFactory(at_panel=True, money_total=50_000)
    proposal, staff = at_panel(call), UserFactory(staff=True)
    actions.decide(proposal=proposal, by=staff, outcome="reserve", reasons="Next in line.")
    comments = {one.pk: "Good." for one in call.criterion_set.criteria.all()}
    actions.write_feedback(proposal=proposal, by=staff, comments=comments)
    actions.release_feedback(proposal=proposal, by=staff)
    client, address = client_as(staff), reverse("admin:proposals_proposal_decide", args=[proposal.pk])
    sent = {"outcome": "approved", "reasons": REASONS, "amount": "60000", "lead_organisation": proposal.organisation_id}

    refused = client.post(address, sent).content.decode()
    client.post(address, sent | {"overspend_reason": "The board added money."})

    assert "say why the panel awards more" in refused
    assert 'name="overspend_reason"' in refused
    assert Proposal.objects.get(pk=proposal.pk).status == "approved"
    page = client.get(reverse("admin:proposals_proposal_change", args=[proposal.pk])).content.decode()
    assert "Approved, £60,000 (" in page


def test_the_running_tally_says_what_is_left_and_overspending_needs_a_reason(client_as):
    call = CallFactory(at_panel=True, money_total=50_000)
    first, second = at_panel(call), at_panel(call)
    panel_of(call)
    staff = UserFactory(staff=True)
    actions.decide(proposal=first, by=staff, outcome="approved", reasons=REASONS, amount=Decimal(40_000))
    client = client_as(staff)

    page = client.get(address_of(call)).content.decode()
    refused = client.post(
        address_of(call), typed(second, outcome="approved", reasons=REASONS) | {"decide": second.pk}
    ).content.decode()
    actions.decide(
        proposal=second, by=staff, outcome="approved", reasons=REASONS, amount=Decimal(40_000),
        overspend_reason="The board added money.",
    )  # fmt: skip
    after = client.get(address_of(call)).content.decode()

    assert "£40,000</strong> awarded of £50,000, £10,000 left" in page
    assert "£30,000 more than what is left: £10,000 of £50,000" in refused
    assert "£30,000 more than there is" in after
    assert (money_of(call).awarded, money_of(call).over) == (80_000, 30_000)
    assert second.decisions.get().basis["panel"]["overspend_reason"] == "The board added money."


def test_a_decision_freezes_the_weighting_that_the_panel_used():
    proposal, staff = at_panel(scores=[[5, 1, 1, 1, 1, 1]]), UserFactory(staff=True)
    panel = panel_of(proposal.call)
    codes = {one["code"]: 0 for one in ranking_field(proposal.call).field_weights} | {"priorities": 100}
    actions.use_weights(panel=panel, by=staff, weights=codes, reason="Need comes first.")

    basis = actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.").basis

    assert basis["panel"]["weights"] == codes
    assert (basis["mean"], basis["panel"]["mean"]) == ("1.8000", "5.0000")
    assert sum(basis["weights"].values()) == 100


# The end --------------------------------------------------------------------------------------------------------------
def decided_panel():
    call = CallFactory(at_panel=True, title="Safer wards")
    approved, declined = at_panel(call, [4, 2], title="A check on day one"), at_panel(call, [1, 1], title="Too vague")
    panel, staff = panel_of(call, quorum=2), UserFactory(staff=True, full_name="Sam Secretary")
    actions.record_conflict(
        proposal=declined, by=staff, user=panel.chair, kind="financial", explanation="They are friends."
    )
    actions.score_at_panel(proposal=approved, by=staff, score=Decimal("4.25"), reason="The answers convinced us.")
    actions.decide(
        proposal=approved, by=staff, outcome="approved_with_conditions", reasons=REASONS, amount=Decimal(12_000),
        conditions="Start with two wards.",
    )  # fmt: skip
    actions.decide(proposal=declined, by=staff, outcome="declined", reasons="The costs are not shown.")
    return panel, staff, approved, declined


def test_a_panel_is_closed_only_when_everything_is_decided():
    proposal, staff = at_panel(), UserFactory(staff=True)
    panel_of(proposal.call)

    with pytest.raises(ActionRefused, match="1 proposal has no decision"):
        actions.close_panel(call=proposal.call, by=staff)

    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")
    actions.close_panel(call=proposal.call, by=staff)
    with pytest.raises(ActionRefused, match="closed"):
        actions.close_panel(call=proposal.call, by=staff)
    with pytest.raises(ActionRefused, match="closed"):
        actions.record_attendance(call=proposal.call, by=staff, present=set())


def test_the_minutes_are_an_accessible_pdf_of_everything_that_was_decided(client_as):
    panel, staff, approved, declined = decided_panel()

    actions.close_panel(call=panel.call, by=staff)
    job = OutboxMessage.objects.get(task="proposals.make_minutes")
    tasks.make_minutes(*job.arguments)
    tasks.make_minutes(*job.arguments)

    panel.refresh_from_db()
    answer = client_as(staff).get(address_of(panel.call, "minutes"))
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == panel.minutes_sha256
    assert_accessible(content, by_verapdf=True)
    text = " ".join(pdf_text(content))
    for words in (
        "Safer wards", panel.chair.full_name, approved.reference, declined.reference, REASONS,
        "Approved with conditions, £12,000", "Start with two wards.", "4.25: The answers convinced us.",
        "Could gain or lose money by it", f"Left the room: {panel.chair.full_name}", "The costs are not shown.",
        "£12,000 awarded of £100,000", "Sam Secretary", "1 December 2026",
    ):  # fmt: skip
        assert words in text, words
    reviewer = approved.reviews.first().reviewer
    assert f"{reviewer.full_name} " not in text


def test_ranges_are_kept_with_a_decision_only_while_they_rest_on_its_scores_and_the_minutes_date_them():
    call, staff = CallFactory(at_panel=True), UserFactory(staff=True)
    first, second = at_panel(call, [4, 2]), at_panel(call, [3, 3])
    panel_of(call)
    analysis = actions.analyse_ranking(call=call)

    fresh = actions.decide(proposal=first, by=staff, outcome="declined", reasons="No.").basis
    review_of(second, scores=[5] * 6, locked=True)
    stale = actions.decide(proposal=second, by=staff, outcome="declined", reasons="No.").basis

    names = ("leaving_out", "resampled", "ranges_calculated_at")
    assert (fresh["leaving_out"], fresh["ranges_calculated_at"]) == ((1, 2), analysis.calculated_at.isoformat())
    assert [stale[name] for name in names] == [None] * 3
    assert stale["rank"] == 1
    actions.close_panel(call=call, by=staff)
    text = minutes.html(Panel.objects.get(call=call))
    assert f"(1 to 2 without one reviewer, calculated at {uk_datetime(analysis.calculated_at)})" in text
    assert text.count("without one reviewer") == 1


def test_the_minutes_tell_of_decisions_made_before_the_panel_was_set_up():
    call, staff = CallFactory(at_panel=True), UserFactory(staff=True)
    early, later = at_panel(call), at_panel(call)
    actions.decide(proposal=early, by=staff, outcome="approved", reasons="Urgent.", amount=Decimal(9_000))
    panel_of(call)
    actions.decide(proposal=later, by=staff, outcome="declined", reasons="No.")

    actions.close_panel(call=call, by=staff)

    text = minutes.html(Panel.objects.get(call=call))
    assert "£9,000 awarded" in text
    told = text.partition(f"{early.reference}:")[2].partition("</section>")[0]
    assert "Approved, £9,000. Recorded by" in told
    assert ", before the panel was set up." in told
    assert text.count("before the panel was set up") == 1
    assert f"<h3>{later.reference}:" in text


def test_minutes_that_a_crash_left_unmade_are_made_again():
    panel, staff, *_ = decided_panel()
    actions.close_panel(call=panel.call, by=staff)
    OutboxMessage.objects.all().delete()  # the job went out, and the worker died with it

    assert actions.sweep_minutes() == 1

    job = OutboxMessage.objects.get(task="proposals.make_minutes")
    tasks.make_minutes(*job.arguments)
    panel.refresh_from_db()
    assert panel.minutes_made_at is not None
    assert actions.sweep_minutes() == 0


def test_staff_with_an_interest_do_not_get_the_minutes(client_as):
    panel, staff, _approved, declined = decided_panel()
    conflicted = UserFactory(staff=True)
    actions.record_conflict(proposal=declined, by=staff, user=conflicted, kind="close", explanation="Friends.")
    actions.close_panel(call=panel.call, by=staff)
    actions.make_minutes(panel=Panel.objects.get(pk=panel.pk))
    client = client_as(conflicted)

    assert client.get(address_of(panel.call, "minutes")).status_code == 404
    assert "ask a colleague" in client.get(address_of(panel.call)).content.decode()
    assert client_as(UserFactory(reviewer=True)).get(address_of(panel.call, "minutes")).status_code in (302, 404)


def test_a_call_is_not_finished_while_its_panel_is_open_or_there_would_be_no_minutes():
    proposal, staff = at_panel(), UserFactory(staff=True)
    panel_of(proposal.call)
    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="No.")
    comments = {one.pk: "Good." for one in proposal.call.criterion_set.criteria.all()}
    actions.write_feedback(proposal=proposal, by=staff, comments=comments)
    actions.release_feedback(proposal=proposal, by=staff)

    with pytest.raises(ActionRefused, match="The panel is still open"):
        actions.finish_call(call=proposal.call, by=staff)
    actions.close_panel(call=proposal.call, by=staff)

    assert actions.finish_call(call=proposal.call, by=staff).status == "decided"


# Once more ------------------------------------------------------------------------------------------------------------
def closed_panel():
    panel, staff, approved, declined = decided_panel()
    actions.close_panel(call=panel.call, by=staff)
    made = actions.make_minutes(panel=Panel.objects.get(pk=panel.pk))
    return made, staff, approved, declined


def test_a_reopened_panel_is_put_right_and_closed_with_new_minutes_beside_the_old(client_as):
    panel, staff, *_ = closed_panel()
    client, first = (
        client_as(staff),
        b"".join(client_as(staff).get(address_of(panel.call, "minutes")).streaming_content),
    )
    address = address_of(panel.call, "reopen_panel")
    assert f'href="{address}"' in client.get(address_of(panel.call)).content.decode()

    client.post(address, {"reason": "The list of those present was wrong."})
    panel.refresh_from_db()
    assert (panel.closed_at, panel.minutes_made_at, panel.minutes_sha256) == (None, None, "")
    assert client.get(address_of(panel.call, "minutes")).status_code == 404
    actions.record_attendance(call=panel.call, by=staff, present=set())
    actions.close_panel(call=panel.call, by=staff)
    actions.make_minutes(panel=Panel.objects.get(pk=panel.pk))

    old, new = (
        b"".join(client.get(address_of(panel.call, "minutes") + query).streaming_content)
        for query in ("?version=1", "")
    )
    assert old == first
    text = " ".join(pdf_text(new))
    sha256 = hashlib.sha256(first).hexdigest()
    for words in ("Version 2 of these minutes", "by Sam Secretary: The list of those present was wrong."):
        assert words in text
    assert sha256 in text.replace(" ", "").replace("\n", "")
    page = client.get(address_of(panel.call)).content.decode()
    assert "Download version 1 of the minutes" in page
    assert sha256 in page
    event = AuditEvent.objects.get(verb="reopen_panel")
    assert (event.by, event.before) == (staff, {"minutes_sha256": sha256})
    for version in ("0", "3", "x", "²"):
        assert client.get(address_of(panel.call, "minutes") + f"?version={version}").status_code == 404


def test_a_panel_is_reopened_only_once_closed_with_a_reason_by_staff_and_before_anyone_is_told(client_as):
    panel, staff, approved, _declined = closed_panel()
    call = panel.call
    with pytest.raises(PermissionDenied):
        actions.reopen_panel(call=call, by=UserFactory(reviewer=True), reason="Why not")
    with pytest.raises(ActionRefused, match="Say why"):
        actions.reopen_panel(call=call, by=staff, reason=" ")

    comments = {one.pk: "Good." for one in call.criterion_set.criteria.all()}
    actions.write_feedback(proposal=approved, by=staff, comments=comments)
    actions.release_feedback(proposal=approved, by=staff, reason="They must start tomorrow.")

    with pytest.raises(ActionRefused, match="is told, and stands"):
        actions.reopen_panel(call=call, by=staff, reason="The list was wrong.")
    assert not PanelReopening.objects.exists()
    assert address_of(call, "reopen_panel") not in client_as(staff).get(address_of(call)).content.decode()


def test_an_open_panel_is_not_reopened_twice():
    panel, staff, *_ = closed_panel()
    actions.reopen_panel(call=panel.call, by=staff, reason="The list was wrong.")

    with pytest.raises(ActionRefused, match="open"):
        actions.reopen_panel(call=panel.call, by=staff, reason="The list was wrong.")

    assert PanelReopening.objects.count() == 1


def test_minutes_that_were_being_made_when_the_panel_was_reopened_are_thrown_away(monkeypatch):
    panel, staff, *_ = decided_panel()
    actions.close_panel(call=panel.call, by=staff)

    def slow(*args, **kwargs):
        actions.reopen_panel(call=panel.call, by=staff, reason="The list was wrong.")
        return SimpleNamespace(content=b"%PDF-1.7 of before")

    monkeypatch.setattr("proposals.actions.panels.render_pdf", slow)
    actions.make_minutes(panel=Panel.objects.get(pk=panel.pk))

    panel.refresh_from_db()
    assert (panel.minutes_made_at, panel.minutes_file.name) == (None, "")


def test_reopenings_are_append_only():
    panel, staff, *_ = closed_panel()
    actions.reopen_panel(call=panel.call, by=staff, reason="The list was wrong.")

    with pytest.raises(IntegrityError, match="append-only"):
        PanelReopening.objects.update(reason="Another")


def test_a_call_without_a_panel_is_decided_as_before(client_as):
    proposal = at_panel()

    page = client_as(UserFactory(staff=True)).get(address_of(proposal.call)).content.decode()
    actions.decide(proposal=proposal, by=UserFactory(staff=True), outcome="declined", reasons="No.")

    assert "There is no panel for this call yet" in page
    assert Proposal.objects.get(pk=proposal.pk).status == "declined"


def test_the_outbox_knows_the_jobs():
    from celery import current_app

    current_app.loader.import_default_modules()
    assert {"proposals.make_minutes", "proposals.analyse_ranking", "proposals.sweep_minutes"} <= set(current_app.tasks)
    assert outbox.MAX_ATTEMPTS > 1
