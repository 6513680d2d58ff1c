"""A panel scores, decides and closes with minutes, and every applicant is told at once: on the real stack."""

import time

import pytest

from proposals import actions
from proposals.models import Decision, FeedbackLetter, Panel
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory
from tests.factories.proposals import CallFactory, ProposalFactory, review_of
from tests.functional.browsing import PHONE, overflow

pytestmark = pytest.mark.django_db(transaction=True)


def given_a_call_at_panel(title):
    call = CallFactory(at_panel=True, title=title, slug=f"panel-{time.time_ns()}", money_total=60_000)
    stamp = time.time_ns() % 10**9
    proposals = []
    for number, scores in enumerate(([5, 1, 4, 4, 4, 4], [4] * 6), 1):
        proposal = ProposalFactory(
            at_panel=True,
            call=call,
            title=f"Idea {number}",
            reference=f"EM-P{number}-{stamp}",
            amount_asked=40_000,
            applicant=UserFactory(email=f"applicant-{number}-{time.time_ns()}@example.org"),
        )
        for given in (scores, [4, 4, 4, 4, 4, 4]):
            reviewer = UserFactory(reviewer=True, email=f"reviewer-{time.time_ns()}@example.org")
            review_of(proposal, scores=given, locked=True, reviewer=reviewer)
        proposals.append(proposal)
    return call, proposals


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.3)
    return found


def test_a_panel_decides_on_one_page_and_its_minutes_are_made(visit, make_person, log_in, axe):
    call, (first, second) = given_a_call_at_panel("Safer wards at panel")
    staff = make_person(staff=True)
    members = [UserFactory(reviewer=True, email=f"member-{n}-{time.time_ns()}@example.org") for n in range(2)]
    actions.record_conflict(proposal=second, by=staff, user=members[1], kind="close", explanation="Friends.")
    page = visit()
    log_in(page, staff)

    # It is set up
    page.goto(f"/admin/proposals/call/{call.pk}/panel/")
    page.get_by_role("link", name="Set up the panel").click()
    for part, text in (("day", "1"), ("month", "12"), ("year", "2026")):
        page.locator(f"[name=held_on_{part}]").fill(text)
    page.locator("[name=chair]").select_option(str(staff.pk))
    for member in members:
        page.locator(f"[name=members][value='{member.pk}']").check()
    page.locator("[name=quorum]").fill("2")
    axe(page)
    page.get_by_role("button", name="Set up the panel").click()
    page.wait_for_url("**/panel/")
    axe(page)
    assert "leaves the room" in page.locator(f"#item-{second.pk}").inner_text()

    # Widest disagreement first; what is typed in another item survives a decision
    articles = page.locator("article")
    assert first.reference in articles.first.inner_text()
    page.locator(f"[name=p{second.pk}-reasons]").fill("Half a sentence about the second")
    page.locator(f"[name=p{first.pk}-score]").fill("4.5")
    page.locator(f"[name=p{first.pk}-score_reason]").fill("The answers convinced us.")
    page.locator(f"[name=p{first.pk}-outcome][value=approved]").check()
    page.locator(f"[name=p{first.pk}-reasons]").fill("Strong evidence.")
    page.locator(f"button[name=decide][value='{first.pk}']").click()
    page.wait_for_selector("text=is recorded: approved")
    assert page.locator(f"[name=p{second.pk}-reasons]").input_value() == "Half a sentence about the second"
    assert "£40,000 awarded of £60,000, £20,000 left" in page.locator(".app-tally").inner_text()
    assert Decision.objects.get(proposal=first).basis["panel"]["score"] == "4.50"

    # Overspending is said; with another decision it goes on
    page.locator(f"[name=p{second.pk}-outcome][value=approved]").check()
    page.locator(f"button[name=decide][value='{second.pk}']").click()
    page.wait_for_selector("text=more than what is left")
    axe(page)
    page.locator(f"[name=p{second.pk}-outcome][value=reserve]").check()
    page.locator(f"button[name=decide][value='{second.pk}']").click()
    page.wait_for_selector("text=Everything is decided")

    # Closed: the worker makes the minutes
    page.get_by_role("link", name="Close the panel").click()
    page.get_by_role("button", name="Close the panel").click()
    wait_for(lambda: Panel.objects.filter(call=call, minutes_made_at__isnull=False).exists())
    page.goto(f"/admin/proposals/call/{call.pk}/panel/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the minutes (PDF)").click()
    assert download.value.suggested_filename.endswith(".pdf")
    axe(page)

    page.set_viewport_size({"width": PHONE, "height": 900})
    for name in ("panel", "ranking", "weighting", "portfolio", "letters"):
        page.goto(f"/admin/proposals/call/{call.pk}/{name}/")
        assert overflow(page) <= 0, name
        axe(page)


def test_sliders_show_who_another_weighting_would_fund(visit, make_person, log_in, axe):
    call, (first, second) = given_a_call_at_panel("Safer wards weighed")
    staff = make_person(staff=True)
    page = visit()
    log_in(page, staff)

    page.goto(f"/admin/proposals/call/{call.pk}/weighting/")
    sliders = page.locator("input[type=range]")
    assert sliders.count() == 6
    for number in range(6):
        sliders.nth(number).fill("100" if number == 0 else "0")
    assert page.locator("[name=w_priorities]").input_value() == "100"
    page.get_by_role("button", name="Show who would be funded").click()
    page.wait_for_selector("text=1 would enter and 1 would leave")

    assert first.reference in page.locator("tr", has_text="Enters").inner_text()
    assert second.reference in page.locator("tr", has_text="Leaves").inner_text()
    axe(page)


def test_every_applicant_is_told_at_once_and_each_letter_is_sent_once(visit, make_person, log_in, axe):
    call, proposals = given_a_call_at_panel("Safer wards answered")
    staff = make_person(staff=True)
    for proposal in proposals:
        actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="The costs are not shown.")
    criteria = list(call.criterion_set.criteria.all())
    actions.write_feedback(proposal=proposals[1], by=staff, comments={one.pk: "Well described." for one in criteria})
    page = visit()
    log_in(page, staff)

    # What is missing is said, and nothing can be released
    page.goto(f"/admin/proposals/call/{call.pk}/letters/")
    assert page.get_by_role("button", name="Release all letters").count() == 0
    axe(page)

    # Reviewers' reasons are taken over into the feedback
    page.get_by_role("link", name=f"Write feedback on {proposals[0].reference}").click()
    for criterion in criteria:
        page.locator(f"[data-copy-to=id_criterion_{criterion.pk}] button").first.click()
    assert "Reason of" in page.locator(f"[name=criterion_{criteria[0].pk}]").input_value()
    axe(page)
    page.get_by_role("button", name="Write feedback").click()

    # One letter is rewritten
    page.goto(f"/admin/proposals/call/{call.pk}/letters/")
    page.get_by_role("link", name=f"Edit the letter on {proposals[1].reference}").click()
    body = page.locator("[name=body]")
    body.fill(body.input_value().replace("Well described.", "Well described, and we say so.", 1))
    page.get_by_role("button", name="Edit the letter").click()

    # Previewed, then released by a double click
    page.goto(f"/admin/proposals/call/{call.pk}/letters/")
    for letter in page.locator("details").all():
        letter.locator("summary").click()
    assert "Well described, and we say so." in page.locator("main").inner_text()
    axe(page)
    page.get_by_role("button", name="Release all letters").dblclick()
    page.wait_for_selector("text=All letters are released")

    letters = FeedbackLetter.objects.filter(decision__proposal__call=call)
    keys = [f"proposals.letter.{letter.pk}" for letter in letters]
    wait_for(lambda: OutboxMessage.objects.filter(key__in=keys, status="sent").count() == 2)
    for letter in letters:
        mail = OutboxMessage.objects.get(key=f"proposals.letter.{letter.pk}")
        assert (mail.attempts, mail.to) == (1, [letter.decision.proposal.applicant.email])
        assert letter.sent_text.split("\n", 1)[1].strip() == mail.body.strip()
    axe(page)
