"""Setting up a call: the checklist, copying an earlier call, and looking at it as an applicant before anybody can."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects.models import Priority
from proposals import actions
from proposals.models import (
    CalibrationExample,
    Call,
    CallQuestion,
    CriterionSet,
    CriterionWeight,
    Proposal,
)
from proposals.readings import set_up
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.projects import PriorityFactory
from tests.factories.proposals import CallFactory, ProposalFactory, criteria
from tests.integration.proposals.test_calls import posted_call

pytestmark = pytest.mark.django_db
ENDED = {"from_date": dt.date(2019, 1, 1), "to_date": dt.date(2020, 1, 1)}


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def draft(staff):
    """A draft with nothing left to do."""
    for number in range(3):
        UserFactory(reviewer=True, is_lay=number == 0)
    now = clock.now()
    closes_at = now + dt.timedelta(days=30)
    closes_at -= dt.timedelta(days=max(closes_at.astimezone(clock.UK).weekday() - 4, 0))
    return CallFactory(
        draft=True,
        created_by=staff,
        opens_at=now + dt.timedelta(days=2),
        closes_at=closes_at,
        reviews_due_on=(now + dt.timedelta(days=60)).date(),
        decision_on=(now + dt.timedelta(days=90)).date(),
    )


def problems_of(call, *, warnings=False) -> list[str]:
    checks = set_up.set_up_checks(Call.objects.get(pk=call.pk))
    return [one.problem for one in checks if one.problem and one.is_warning == warnings]


# The checklist -------------------------------------------------------------------------------------------------------
def test_a_draft_with_nothing_left_to_do_says_so_line_by_line_and_can_be_published(client_as, draft, staff):
    page = client_as(staff).get(reverse("admin:proposals_call_change", args=[draft.pk])).content.decode()

    assert problems_of(draft) == problems_of(draft, warnings=True) == []
    assert "<strong>To do:</strong>" not in page and "<strong>Look again:</strong>" not in page
    assert page.count("<strong>Done:</strong>") == len(set_up.set_up_checks(draft)) > 10
    assert actions.publish_call(call=draft, by=staff).status == Call.Status.PUBLISHED


@pytest.mark.parametrize(
    ("change", "sentence", "place"),
    [
        ({"about": " "}, "Say what you are looking for", "#id_about"),
        ({"eligibility": "\n \n"}, "rules of eligibility", "#id_eligibility"),
        ({"eligibility": "Call 943 476 5919 first."}, "looks like an NHS number", "#id_eligibility"),
        ({"opens_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "still to come", "#id_opens_at"),
        ({"decision_on": dt.date(2020, 1, 1)}, "later than the closing date", "#id_decision_on"),
        ({"reviews_due_on": dt.date(2020, 1, 1)}, "after closing", "#id_reviews_due_on"),
        ({"reviews_due_on": dt.date(2099, 1, 1)}, "before the decision", "#id_reviews_due_on"),
        ({"money_total": 0}, "how much money", "#id_money_total"),
        ({"money_per_project": 10**7}, "more than there is", "#id_money_per_project"),
        ({"lay_reviews_wanted": 4}, "more lay reviews", "#id_lay_reviews_wanted"),
    ],
)
def test_what_is_missing_is_named_with_a_link_to_where_it_is_mended(
    client_as, draft, staff, change, sentence, place
):  # fmt: skip
    Call.objects.filter(pk=draft.pk).update(**change)

    client = client_as(staff)
    page = client.get(reverse("admin:proposals_call_publish", args=[draft.pk])).content.decode()
    form = client.get(reverse("admin:proposals_call_edit", args=[draft.pk])).content.decode()

    assert any(sentence in problem for problem in problems_of(draft))
    assert f'href="{reverse("admin:proposals_call_edit", args=[draft.pk])}{place}"' in page
    assert f'id="{place[1:]}"' in form  # the link leads to a field that is there
    assert 'type="submit"' not in page.split('id="content"')[1].split("app-session")[0]
    with pytest.raises(ActionRefused, match=sentence):
        actions.publish_call(call=draft, by=staff)


def test_weights_priorities_and_descriptors_are_on_the_checklist(draft):
    CriterionWeight.objects.filter(call=draft).first().delete()
    draft.priorities.set([PriorityFactory(title="A past priority", **ENDED)])
    draft.criterion_set.criteria.first().levels.filter(level=3).update(text=" ")

    problems = " ".join(problems_of(draft))

    for sentence in ("The weights add to 80", "“A past priority” is no longer", "Describe all 6 levels"):
        assert sentence in problems


def test_the_line_on_levels_leads_to_a_form_that_mends_it(client_as, draft, staff):
    criterion = draft.criterion_set.criteria.first()
    criterion.levels.filter(level=3).delete()
    client = client_as(staff)
    address = reverse("admin:proposals_criterion_levels", args=[criterion.pk])
    checklist = reverse("admin:proposals_call_publish", args=[draft.pk])
    assert f'href="{address}"' in client.get(checklist).content.decode()
    typed = {f"level_{level}": f"What {level} means" for level in range(6)}

    short = client.post(address, typed | {"level_3": " "}).content.decode()
    done = client.post(address, typed)

    assert "What 4 means" in short  # what was typed stays
    assert done.status_code == 302
    assert [one.text for one in criterion.levels.all()] == list(typed.values())
    assert f'href="{address}"' not in client.get(checklist).content.decode()
    assert AuditEvent.objects.get(verb="describe_levels").by == staff


def test_levels_that_a_published_call_rests_on_do_not_change(client_as, draft, staff):
    criterion = draft.criterion_set.criteria.first()
    CallFactory(criterion_set=draft.criterion_set)
    levels = dict.fromkeys(range(6), "Another meaning")

    with pytest.raises(ActionRefused, match="A published call uses these criteria"):
        actions.describe_levels(criterion=criterion, by=staff, levels=levels)
    with pytest.raises(PermissionDenied):
        actions.describe_levels(criterion=criterion, by=UserFactory(reviewer=True), levels=levels)

    assert not criterion.levels.filter(text="Another meaning").exists()
    page = client_as(staff).get(reverse("admin:proposals_criterion_change", args=[criterion.pk])).content.decode()
    assert "Describe the levels" not in page


def test_missing_reviewers_and_a_missing_day_for_reviews_are_warnings_that_do_not_stop_publication(draft, staff):
    Call.objects.filter(pk=draft.pk).update(reviews_due_on=None, reviews_wanted=5, lay_reviews_wanted=2)
    draft.refresh_from_db()

    warnings = " ".join(problems_of(draft, warnings=True))

    assert problems_of(draft) == []
    for sentence in ("when reviews are due", "There are 3 reviewers", "There are 1 lay reviewers"):
        assert sentence in warnings
    assert actions.publish_call(call=draft, by=staff).status == Call.Status.PUBLISHED


def test_a_call_without_lay_reviews_is_warned_of_and_can_be_published(draft):
    Call.objects.filter(pk=draft.pk).update(lay_reviews_wanted=0)
    draft.refresh_from_db()

    assert "No review by a lay reviewer is wanted" in " ".join(problems_of(draft, warnings=True))
    assert problems_of(draft) == []


def test_the_questions_of_a_call_must_be_answerable(draft):
    ask = CallQuestion.objects.create
    later = ask(call=draft, position=5, kind="yes_no", text="Is it digital?")
    ask(call=draft, position=1, kind="choice", text="Which tier?", choices=["A", "A "])
    ask(call=draft, position=2, text="Why?", shown_if=later, shown_if_answer="yes")
    ask(call=draft, position=6, text="how?", shown_if=later, shown_if_answer="perhaps")
    ask(call=draft, position=7, text="How?")
    ask(call=draft, position=8, text="Where?", shown_if=later, shown_if_answer="Yes")

    [problems] = problems_of(draft)

    for sentence in ("Question 1", "at least two answers", "Question 2 depends", "the answer “perhaps”", "asked twice"):
        assert sentence in problems
    assert "Question 8" not in problems


def test_the_checklist_takes_equally_many_queries_whatever_the_call_asks(draft, django_assert_num_queries):
    with CaptureQueriesContext(connection) as captured:
        set_up.set_up_checks(Call.objects.get(pk=draft.pk))
    for position in range(3):
        CallQuestion.objects.create(call=draft, position=position, text=f"Question {position}")
        draft.priorities.add(PriorityFactory())
        UserFactory(reviewer=True)

    with django_assert_num_queries(len(captured)):
        set_up.set_up_checks(Call.objects.get(pk=draft.pk))


# The form ------------------------------------------------------------------------------------------------------------
def test_rules_and_the_day_of_reviews_are_typed_in_the_form_and_published_with_the_call(client_as, client, staff):
    criteria()
    data = posted_call(PriorityFactory(), eligibility="In the region.\n\nTested once.") | posted_date(
        "reviews_due_on", 90
    )

    client_as(staff).post(reverse("admin:proposals_call_add"), data)
    call = Call.objects.get()
    actions.publish_call(call=call, by=staff)
    page = client.get(call.get_absolute_url()).content.decode()

    assert call.eligibility_rules == ["In the region.", "Tested once."]
    assert call.reviews_due_on == clock.today() + dt.timedelta(days=90)
    assert "<li>In the region.</li><li>Tested once.</li>" in page
    assert "Reviews finished by" in page


def posted_date(name, days) -> dict:
    date = clock.today() + dt.timedelta(days=days)
    return {f"{name}_day": date.day, f"{name}_month": date.month, f"{name}_year": date.year}


@pytest.mark.parametrize(("days", "sentence"), [(30, "after the closing date"), (150, "before the promised decision")])
def test_a_day_of_reviews_that_cannot_be_kept_is_named_and_what_was_typed_stays(client_as, staff, days, sentence):
    criteria()
    data = posted_call(PriorityFactory(), title="A title I typed", eligibility="A rule I typed")

    answer = client_as(staff).post(reverse("admin:proposals_call_add"), data | posted_date("reviews_due_on", days))

    page = answer.content.decode()
    assert sentence in page and "A title I typed" in page and "A rule I typed" in page
    assert not Call.objects.exists()


def test_two_people_who_edit_one_draft_do_not_overwrite_each_other(client_as, draft, staff):
    other, address = UserFactory(staff=True), reverse("admin:proposals_call_edit", args=[draft.pk])
    seen = re.search(r'name="seen" value="([^"]+)"', client_as(staff).get(address).content.decode())[1]
    priority = Priority.objects.get()
    mine = posted_call(priority, title="My title", seen=seen)
    theirs = posted_call(priority, title="Their title", summary="Their summary", seen=seen)

    client_as(other).post(address, theirs)
    refused = client_as(staff).post(address, mine).content.decode()
    seen_now = re.search(r'name="seen" value="([^"]+)"', refused)[1]
    draft.refresh_from_db()
    before = draft.title
    client_as(staff).post(address, mine | {"seen": seen_now})
    draft.refresh_from_db()

    assert "changed this call while you had it open" in refused
    assert 'value="My title"' in refused and "Their title" in refused and "Their summary" in refused
    assert (before, draft.title) == ("Their title", "My title")


def test_a_draft_keeps_a_priority_that_has_ended_until_it_is_taken_off(client_as, draft, staff):
    ended = PriorityFactory(**ENDED)
    draft.priorities.set([ended])

    page = client_as(staff).get(reverse("admin:proposals_call_edit", args=[draft.pk])).content.decode()

    assert re.search(rf'value="{ended.pk}"[^>]* checked', page)


# Copying -------------------------------------------------------------------------------------------------------------
def earlier_call():
    call = CallFactory(
        decided=True, title="Safer care 2025", eligibility="One rule", is_blind=True, reviews_wanted=4,
        grace=dt.timedelta(minutes=10), money_per_project=Decimal(5000), about="**Bold** plans.",
    )  # fmt: skip
    digital = CallQuestion.objects.create(call=call, position=1, kind="yes_no", text="Is it digital?")
    CallQuestion.objects.create(
        call=call, position=2, kind="choice", text="Which tier?", choices=["A", "B"], shown_if=digital,
        shown_if_answer="yes", names_people=True, is_required=False, hint="NICE", word_limit=None,
    )  # fmt: skip
    CalibrationExample.objects.create(call=call, position=1, title="An example", text="Text", afterword="After")
    ProposalFactory(declined=True, call=call)
    return call


def dates(**changes):
    now = clock.now()
    return {
        "title": "Safer care 2026",
        "opens_at": now + dt.timedelta(days=10),
        "closes_at": now + dt.timedelta(days=40),
        "decision_on": (now + dt.timedelta(days=90)).date(),
    } | changes


def test_a_copy_has_everything_but_the_dates_and_what_came_in(staff):
    call = earlier_call()

    copy, left_out = actions.copy_call(call=call, by=staff, **dates())

    copy.refresh_from_db()
    same = ["summary", "about", "eligibility", "grace", "money_total", "money_per_project", "reviews_wanted",
            "lay_reviews_wanted", "is_blind", "criterion_set_id"]  # fmt: skip
    assert [getattr(copy, name) for name in same] == [getattr(call, name) for name in same]
    assert (copy.title, copy.slug, copy.status, copy.created_by) == (
        "Safer care 2026", "safer-care-2026", Call.Status.DRAFT, staff
    )  # fmt: skip
    assert copy.weight_by_criterion() == call.weight_by_criterion()
    assert list(copy.priorities.all()) == list(call.priorities.all())
    digital, tier = copy.questions.all()
    assert (tier.shown_if, tier.shown_if_answer, tier.choices, tier.names_people, tier.hint) == (
        digital, "yes", ["A", "B"], True, "NICE"
    )  # fmt: skip
    assert [(one.title, one.text, one.afterword) for one in copy.examples.all()] == [("An example", "Text", "After")]
    assert (copy.proposals.count(), call.questions.count(), call.examples.count(), left_out) == (0, 2, 1, [])


def test_what_a_copy_cannot_take_over_is_said(client_as, staff):
    call = earlier_call()
    call.priorities.set([PriorityFactory(title="Ended", **ENDED), PriorityFactory(title="Goes on")])
    CriterionSet.objects.create(name="Newer criteria", version=99)
    data = {"title": "Copied"} | posted_date("opens_at", 5) | posted_date("closes_at", 30)
    data |= posted_date("decision_on", 60) | {"opens_at_time": "9am", "closes_at_time": "5pm"}

    page = client_as(staff).post(
        reverse("admin:proposals_call_copy", args=[call.pk]), data, follow=True
    ).content.decode()  # fmt: skip

    copy = Call.objects.get(title="Copied")
    assert "“Ended” is no longer a priority." in page and "Newer criteria" in page
    assert [one.title for one in copy.priorities.all()] == ["Goes on"]
    assert AuditEvent.objects.filter(verb="copy_call", subject_id=str(copy.pk)).exists()


def test_only_staff_copy_a_call_and_wrong_dates_keep_what_was_typed(client_as, staff):
    call = earlier_call()
    address = reverse("admin:proposals_call_copy", args=[call.pk])
    wrong = posted_date("opens_at", 30) | posted_date("closes_at", 5) | posted_date("decision_on", 60)

    page = client_as(staff).post(address, wrong | {"title": "Typed", "opens_at_time": "9", "closes_at_time": "5pm"})

    assert page.status_code == 200 and 'value="Typed"' in page.content.decode()
    assert Call.objects.count() == 1
    assert client_as(UserFactory(reviewer=True)).get(address).status_code == 404
    with pytest.raises(PermissionDenied):
        actions.copy_call(call=call, by=UserFactory(reviewer=True), **dates())


# Preview -------------------------------------------------------------------------------------------------------------
def addresses(call):
    base = reverse("proposals:preview", args=[call.slug])
    return [base, base + "form/", base + "apply/", base + "draft/", base + "draft/about/", base + "draft/check/",
            base + "draft/files/"]  # fmt: skip


def test_staff_preview_every_page_of_a_draft_as_applicants_will_see_it(client_as, draft, staff):
    client, public = client_as(staff), draft.get_absolute_url()

    for address in addresses(draft):
        answer = client.get(address)
        page = answer.content.decode()
        assert answer.status_code == 200, address
        assert "Preview for staff: this call is a draft" in page, address
        assert "no-store" in answer["Cache-Control"], address
        links = re.findall(rf'(?:href|action)="({re.escape(public)}[^"]*)"', page)
        assert links and all(link.startswith(public + "preview/") for link in links), address
        for link in {link.split("#")[0] for link in links}:
            assert client.get(link).status_code == 200, link
    page = client.get(public + "preview/").content.decode()
    assert (
        draft.title in page and "Write a proposal" in page and "<li>It has worked in at least one place.</li>" in page
    )


def test_a_preview_leaves_nothing_behind(client_as, draft, staff):
    client = client_as(staff)
    before = (AuditEvent.objects.count(), OutboxMessage.objects.count())

    for address in addresses(draft):
        client.get(address)
        client.post(address, {"title": "Typed into a preview"})

    draft.refresh_from_db()
    assert (draft.status, Proposal.objects.count(), draft.status_changes.count()) == (Call.Status.DRAFT, 0, 0)
    assert (AuditEvent.objects.count(), OutboxMessage.objects.count()) == before


def test_what_is_sent_from_a_preview_is_refused_with_a_sentence(client_as, draft, staff):
    client = client_as(staff)
    section = reverse("proposals:preview", args=[draft.slug]) + "draft/about/"

    page = client.post(section, {"title": "x"}, follow=True).content.decode()

    assert "nothing was saved, and nothing can be submitted" in page
    assert client.post(reverse("proposals:preview", args=[draft.slug]) + "apply/").url.endswith("/preview/draft/")


def test_a_preview_is_a_404_for_everybody_else_and_once_the_call_is_published(client_as, client, draft, staff):
    for address in addresses(draft):
        assert client.get(address).status_code == 302
        for user in (UserFactory(), UserFactory(reviewer=True), UserFactory(lead=True)):
            assert client_as(user).get(address).status_code in (302, 404)
    assert client_as(UserFactory(reviewer=True)).get(addresses(draft)[0]).status_code == 404
    assert client_as(staff).get(addresses(draft)[0] + "extend/").status_code == 404
    actions.publish_call(call=draft, by=staff)
    assert client_as(staff).get(addresses(draft)[0]).status_code == 404


def test_a_preview_is_never_kept_for_visitors(client_as, client, draft, staff, settings):
    settings.KEEP_PUBLIC_PAGES = True
    client_as(staff).get(reverse("proposals:preview", args=[draft.slug]))

    assert client.get(draft.get_absolute_url()).status_code == 404
    assert draft.title not in client.get(reverse("proposals:call_list")).content.decode()


def test_a_preview_of_a_call_whose_opening_has_passed_shows_it_open(client_as, draft, staff):
    Call.objects.filter(pk=draft.pk).update(
        opens_at=clock.now() - dt.timedelta(days=90), closes_at=clock.now() - dt.timedelta(days=60)
    )

    page = client_as(staff).get(reverse("proposals:preview", args=[draft.slug])).content.decode()

    assert "Write a proposal" in page
