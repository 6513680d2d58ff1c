import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse

from proposals import actions
from proposals.models import Assignment, Call, Criterion, CriterionWeight, Proposal, Review
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import PriorityFactory
from tests.factories.proposals import CallFactory, ProposalFactory, criteria, review_of

pytestmark = pytest.mark.django_db
LONDON = ZoneInfo("Europe/London")
OPENS = dt.datetime(2026, 9, 1, 9, tzinfo=LONDON)
CLOSES = dt.datetime(2026, 10, 30, 17, tzinfo=LONDON)
GRACE = dt.timedelta(minutes=10)
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize("model", [Call, Proposal, Assignment, Review])
def test_every_status_has_its_transitions(model):
    assert set(model.TRANSITIONS) == set(model.Status)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        (OPENS - SECOND, "upcoming"),
        (OPENS, "open"),
        (CLOSES - SECOND, "open"),
        (CLOSES, "open"),
        (CLOSES + GRACE - SECOND, "open"),
        (CLOSES + GRACE, "past"),
        (CLOSES + GRACE + SECOND, "past"),
    ],
)
@pytest.mark.parametrize("status", list(Call.Status))
def test_sql_and_python_agree_on_whether_a_call_is_open(status, moment, state):
    call = CallFactory(status=status, opens_at=OPENS, closes_at=CLOSES, grace=GRACE)
    if status == Call.Status.DRAFT:
        state = None
    elif status != Call.Status.PUBLISHED:
        state = "past"

    calls = Call.objects.filter(pk=call.pk)
    in_sql = [calls.upcoming_at(moment).exists(), calls.open_at(moment).exists(), calls.past_at(moment).exists()]
    in_python = [call.is_upcoming_at(moment), call.is_open_at(moment), call.is_past_at(moment)]

    assert in_sql == in_python == [state == "upcoming", state == "open", state == "past"]


def values_of_a_call(**changes):
    now = clock.now()
    return {
        "title": "Safer discharge",
        "summary": "For teams that made discharge safer.",
        "about": "What has worked.",
        "eligibility": "It has worked in at least one place.",
        "opens_at": now + dt.timedelta(days=2),
        "closes_at": now + dt.timedelta(days=60),
        "decision_on": (now + dt.timedelta(days=120)).date(),
        "money_total": 90000,
        "priorities": [PriorityFactory()],
        "weights": {1: 20, 2: 25, 3: 15, 4: 20, 5: 15, 6: 5},
    } | changes


def test_a_call_is_published_with_its_weights_which_are_then_frozen():
    criteria()
    staff = UserFactory(staff=True)
    call = actions.create_call(by=staff, **values_of_a_call())

    actions.publish_call(call=call, by=staff)
    with pytest.raises(ActionRefused, match="no longer be edited"):
        actions.edit_call(call=call, by=staff, **values_of_a_call(weights={1: 100}))

    call.refresh_from_db()
    assert (call.status, call.stage) == (Call.Status.PUBLISHED, "Upcoming")
    assert list(call.weights.values_list("weight", flat=True)) == [20, 25, 15, 20, 15, 5]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weights": {1: 20, 2: 25, 3: 15, 4: 20, 5: 15, 6: 4}}, "add to 99"),
        ({"weights": {1: 100, 2: 1}}, "add to 101"),
        ({"priorities": []}, "at least one priority"),
        ({"opens_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "still to come"),
        ({"decision_on": dt.date(2020, 1, 1)}, "later than the closing date"),
        ({"money_total": 0}, "how much money"),
        ({"money_per_project": 100000}, "more than there is"),
    ],
)
def test_a_call_that_is_not_ready_is_not_published_and_the_refusal_says_what_to_do(change, sentence):
    criteria()
    staff = UserFactory(staff=True)
    call = actions.create_call(by=staff, **values_of_a_call(**change))

    with pytest.raises(ActionRefused, match=sentence):
        actions.publish_call(call=call, by=staff)

    call.refresh_from_db()
    assert (call.status, call.status_changes.count()) == (Call.Status.DRAFT, 0)


def test_a_criterion_without_all_its_descriptors_stops_publication():
    staff = UserFactory(staff=True)
    criteria().criteria.first().levels.last().delete()
    call = actions.create_call(by=staff, **values_of_a_call())

    with pytest.raises(ActionRefused, match="Describe all 6 levels"):
        actions.publish_call(call=call, by=staff)


def test_a_call_that_closes_before_it_opens_is_refused_by_action_and_database():
    criteria()
    staff = UserFactory(staff=True)
    wrong = values_of_a_call(closes_at=clock.now() + dt.timedelta(days=1))

    with pytest.raises(ActionRefused, match="later than the opening"):
        actions.create_call(by=staff, **wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        CallFactory(opens_at=CLOSES, closes_at=OPENS)


@pytest.mark.parametrize("trait", ["reviewer", "lead"])
def test_only_staff_make_and_publish_calls(trait):
    user, call = UserFactory(**{trait: True}), CallFactory(draft=True)

    with pytest.raises(PermissionDenied):
        actions.create_call(by=user, **values_of_a_call())
    with pytest.raises(PermissionDenied):
        actions.publish_call(call=call, by=user)


def test_the_assessment_begins_only_after_everyone_s_closing_time():
    call = CallFactory(closed=True)
    staff = call.created_by
    applicant = ProposalFactory(call=call).applicant
    actions.extend_call(
        call=call, by=staff, applicant=applicant, reason="Ill.", closes_at=clock.now() + dt.timedelta(hours=1)
    )

    with pytest.raises(ActionRefused, match="not closed for everyone"):
        actions.start_assessment(call=call, by=staff)
    with clock.at(clock.now() + dt.timedelta(hours=2)):
        actions.start_assessment(call=call, by=staff)

    assert Call.objects.get(pk=call.pk).status == Call.Status.ASSESSMENT


def test_the_panel_begins_when_all_are_screened_and_reviewed_or_staff_accept_fewer():
    proposal = ProposalFactory(submitted=True, call__in_assessment=True)
    call, staff = proposal.call, proposal.call.created_by

    with pytest.raises(ActionRefused, match="not screened"):
        actions.move_to_panel(call=call, by=staff)
    actions.screen_proposal(proposal=proposal, by=staff, is_eligible=True)
    with pytest.raises(ActionRefused, match=proposal.reference):
        actions.move_to_panel(call=call, by=staff)
    actions.move_to_panel(call=call, by=staff, accept_fewer_reviews=True)

    proposal.refresh_from_db()
    assert proposal.status == Proposal.Status.AT_PANEL


@pytest.mark.parametrize("is_lay", [False, True])
def test_enough_reviews_with_no_lay_one_among_them_are_too_few_unless_staff_accept_that(is_lay):
    call = CallFactory(in_assessment=True, reviews_wanted=2, lay_reviews_wanted=1)
    proposals = [ProposalFactory(in_assessment=True, call=call) for _ in range(2)]
    staff = call.created_by
    for proposal in proposals:
        for lay in (False, is_lay):
            review = review_of(proposal, [3] * 6, locked=True)
            Assignment.objects.filter(pk=review.assignment_id).update(is_lay=lay)

    def move(**kwargs):
        actions.send_to_panel(proposal=proposals[0], by=staff, **kwargs)
        actions.move_to_panel(call=call, by=staff, **kwargs)

    if is_lay:
        move()
    else:
        with pytest.raises(ActionRefused, match="Locked so far: 2, 0 of them lay"):
            actions.send_to_panel(proposal=proposals[0], by=staff)
        with pytest.raises(ActionRefused, match=rf"{proposals[1].reference} \(2, 0 of them lay\)"):
            actions.move_to_panel(call=call, by=staff)
        move(accept_fewer_reviews=True)

    assert set(call.proposals.values_list("status", flat=True)) == {Proposal.Status.AT_PANEL}


def test_history_of_calls_is_append_only():
    call = CallFactory(draft=True)
    actions.publish_call(call=call, by=call.created_by)

    with pytest.raises(DatabaseError), transaction.atomic():
        call.status_changes.update(to_status="archived")


def posted_call(priority, **changes):
    fields = {
        "title": "Safer discharge",
        "summary": "For teams that made discharge safer.",
        "about": "What has worked.",
        "eligibility": "It has worked in at least one place.",
        "priorities": [priority.pk],
        "grace_minutes": "0",
        "money_total": "90000",
        "reviews_wanted": "3",
        "lay_reviews_wanted": "1",
    }
    opens, closes, decided = (clock.today() + dt.timedelta(days=days) for days in (2, 60, 120))
    for name, date in (("opens_at", opens), ("closes_at", closes), ("decision_on", decided)):
        fields |= {f"{name}_day": date.day, f"{name}_month": date.month, f"{name}_year": date.year}
    fields |= {"opens_at_time": "9am", "closes_at_time": "5pm"}
    fields |= {f"weight_{number}": weight for number, weight in enumerate((20, 25, 15, 20, 15, 5), 1)}
    return fields | changes


def test_staff_make_edit_and_publish_a_call_in_the_admin(client_as):
    criteria()
    priority, client = PriorityFactory(), client_as(UserFactory(staff=True))

    added = client.post(reverse("admin:proposals_call_add"), posted_call(priority, weight_6="6"))
    call = Call.objects.get()
    publish = reverse("admin:proposals_call_publish", args=[call.pk])
    refused = client.post(publish, follow=True)
    page = client.get(reverse("admin:proposals_call_edit", args=[call.pk])).content.decode()
    client.post(reverse("admin:proposals_call_edit", args=[call.pk]), posted_call(priority, title="Safer going home"))
    client.post(publish)

    call.refresh_from_db()
    assert added.status_code == 302
    assert "add to 101" in refused.content.decode()
    assert 'value="Safer discharge"' in page
    assert (call.title, call.slug, call.status) == ("Safer going home", "safer-discharge", Call.Status.PUBLISHED)
    assert call.closes_at.astimezone(LONDON).hour == 17


def test_wrong_dates_of_a_call_are_named_and_what_was_typed_stays(client_as):
    criteria()
    data = posted_call(PriorityFactory(), closes_at_day="31", closes_at_month="2", title="A title I typed")

    answer = client_as(UserFactory(staff=True)).post(reverse("admin:proposals_call_add"), data)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "must be a real date" in page
    assert "A title I typed" in page
    assert not Call.objects.exists()


def test_the_admin_of_calls_is_a_404_for_reviewers(client_as):
    call, user = CallFactory(), UserFactory(reviewer=True)

    for name, args in (("changelist", []), ("change", [call.pk]), ("publish", [call.pk]), ("ranking", [call.pk])):
        answer = client_as(user).get(reverse(f"admin:proposals_call_{name}", args=args))
        assert answer.status_code == 404, name


def test_a_draft_of_a_call_is_not_public(client):
    call = CallFactory(draft=True)

    assert client.get(call.get_absolute_url()).status_code == 404
    assert call.title not in client.get(reverse("proposals:call_list")).content.decode()


def test_the_page_of_a_call_shows_criteria_weights_levels_and_uk_times(client):
    call = CallFactory(upcoming=True, closes_at=dt.datetime(2027, 7, 1, 16, tzinfo=dt.UTC))

    page = client.get(call.get_absolute_url()).content.decode()

    assert "1 July 2027 at 5pm BST" in page
    for weight in CriterionWeight.objects.filter(call=call).select_related("criterion"):
        assert f"{weight.criterion.title}: {weight.weight}%" in page.replace("&#x27;", "'")
    assert page.count('class="nhsuk-summary-list__key">5<') == Criterion.objects.count()


def test_the_list_of_calls_takes_equally_many_queries_for_1_and_3_of_each(client_as, queries_of):
    def one_more_of_each():
        for trait in ("upcoming", "closed", "decided"):
            ProposalFactory(declined=True, call=CallFactory(**{trait: True}))
        CallFactory()

    client, address = client_as(UserFactory()), reverse("proposals:call_list")  # visitors get a kept page
    one_more_of_each()
    with_one = queries_of(client, [address])
    one_more_of_each()
    one_more_of_each()

    page = client.get(address).content.decode()
    assert queries_of(client, [address]) == with_one
    assert (page.count("1 received, 1 eligible, 0 funded."), page.count("1 received. Decisions by")) == (3, 3)
