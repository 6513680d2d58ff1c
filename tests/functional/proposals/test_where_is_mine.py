"""From a question to a better second proposal: what a team sees of its proposal, in Chromium on the real stack."""

import datetime as dt
import time
from dataclasses import dataclass, field

import pytest
from django.urls import reverse

from proposals import actions, since_last_time
from proposals.models import Call, Proposal
from psc_portal.common import clock
from tests.factories.proposals import CallFactory, ProposalFactory
from tests.functional.browsing import fill, follow, press
from tests.pdf_checks import assert_accessible, pdf_text

QUESTION = "May we add a second partner after the call has closed?"
ANSWER = "Yes, until the panel meets. Send us their letter."
GENERAL = "Can partners be added after a call has closed?"
NEW_TEXT = "About 400 falls a year in our hospital, most of them at night."


@dataclass
class Story:
    people: dict = field(default_factory=dict)
    windows: dict = field(default_factory=dict)
    proposal: Proposal | None = None
    later: Call | None = None
    again: Proposal | None = None


@pytest.fixture
def story(visit, make_person, log_in):
    story = Story()
    story.people = {
        "applicant": make_person(full_name="Ines Ferrer"),
        "staff": make_person(staff=True),
        "reviewer": make_person(reviewer=True),
    }
    for name, person in story.people.items():
        story.windows[name] = visit()
        log_in(story.windows[name], person)
    story.windows["visitor"] = visit()
    return story


def text_of(page) -> str:
    return page.locator("main").inner_text()


def test_a_team_asks_gets_its_answer_its_feedback_and_tries_again(story, look):
    given_a_submitted_proposal(story)
    when_the_applicant_asks_a_question(story, look)
    when_staff_answer_and_publish_it(story, look)
    then_team_and_visitors_read_the_answer(story, look)
    then_there_is_an_accessible_pdf_copy(story)
    when_the_panel_has_declined_nothing_shows_until_the_letter_is_released(story, look)
    when_the_applicant_uses_the_text_again(story, look)
    then_a_reviewer_sees_what_changed(story, look)


def given_a_submitted_proposal(story):
    draft, page = ProposalFactory(applicant=story.people["applicant"]), story.windows["applicant"]
    page.goto(reverse("proposals:draft_check", args=[draft.call.slug, draft.public_id]))
    fill(page, {"declares": True})
    press(page, "Submit your proposal")
    story.proposal = Proposal.objects.get(pk=draft.pk)


def when_the_applicant_asks_a_question(story, look):
    page = story.windows["applicant"]
    page.goto(story.proposal.get_absolute_url())
    look(page)
    fill(page, {"text": "The patient is 943 476 5919."})
    press(page, "Send your message")
    assert page.title().startswith("Error: ")
    assert page.locator("[name=text]").input_value() == "The patient is 943 476 5919."
    look(page)
    fill(page, {"text": QUESTION})
    page.get_by_role("button", name="Send your message").dblclick()
    page.get_by_text("Your message is sent").wait_for()
    assert story.proposal.messages.count() == 1


def when_staff_answer_and_publish_it(story, look):
    page = story.windows["staff"]
    page.goto("/my/")
    follow(page, f"Answer a question about {story.proposal.reference}")
    assert QUESTION in page.locator("body").inner_text()
    look(page)
    fill(page, {"text": ANSWER})
    press(page, "Answer")
    follow(page, "Publish a general answer")
    look(page)
    fill(page, {"question": f"Can Ines Ferrer add partners to {story.proposal.reference}?", "answer": ANSWER})
    press(page, "Publish a general answer")
    assert "reword it so that it names nobody" in page.locator("body").inner_text()
    fill(page, {"question": GENERAL})
    press(page, "Publish a general answer")


def then_team_and_visitors_read_the_answer(story, look):
    applicant, visitor = story.windows["applicant"], story.windows["visitor"]
    applicant.goto("/my/")
    follow(applicant, f"We have written to you about {story.proposal.reference}")
    assert ANSWER in text_of(applicant)
    look(applicant)
    visitor.goto(story.proposal.call.get_absolute_url())
    assert GENERAL in text_of(visitor)
    assert "Ines Ferrer" not in text_of(visitor)
    look(visitor)


def then_there_is_an_accessible_pdf_copy(story):
    page = story.windows["applicant"]
    give_up = time.monotonic() + 120
    while not Proposal.objects.get(pk=story.proposal.pk).copy_file and time.monotonic() < give_up:
        time.sleep(0.5)
    page.goto(story.proposal.get_absolute_url())
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF copy").click()
    content = download.value.path().read_bytes()
    assert_accessible(content)
    assert story.proposal.reference in pdf_text(content)[0]


def when_the_panel_has_declined_nothing_shows_until_the_letter_is_released(story, look):
    page, staff = story.windows["applicant"], story.people["staff"]
    proposal = story.proposal
    Proposal.objects.filter(pk=proposal.pk).update(status="at_panel")
    Call.objects.filter(pk=proposal.call_id).update(status="panel", closes_at=clock.now() - dt.timedelta(days=1))
    actions.decide(proposal=proposal, by=staff, outcome="declined", reasons="The night is not in the numbers.")
    page.reload()
    before = text_of(page)
    comments = {one.pk: f"Advice on {one.code}." for one in proposal.call.criterion_set.criteria.all()}
    actions.write_feedback(proposal=proposal, by=staff, comments=comments, next_time="Count the nights.")
    actions.release_feedback(proposal=proposal, by=staff)
    page.reload()

    assert "The night is not in the numbers." not in before
    assert "Not approved" not in before
    assert "The night is not in the numbers." in text_of(page)
    assert page.locator("[aria-current=step]").inner_text().split("\n")[0] == "Decision"
    look(page)


def when_the_applicant_uses_the_text_again(story, look):
    page = story.windows["applicant"]
    story.later = CallFactory(title=f"A later call {time.time_ns()}", priorities=story.proposal.call.priorities.all())
    follow(page, "Use this text in a later call")
    look(page)
    page.get_by_label(story.later.title).check()
    press(page, "Begin a new proposal with this text")
    follow(page, "What changed since last time")
    assert "Advice on proven" in text_of(page)
    look(page)
    story.again = story.proposal.resubmissions.get()
    advice = since_last_time.advice_on(Proposal.objects.get(pk=story.proposal.pk))
    fill(page, {one.met: "met" for one in advice} | {one.name: f"We worked on {one.heading}." for one in advice})
    page.get_by_role("button", name="Save and come back later").click()
    page.get_by_text("Saved. You can come back at any time.").wait_for()
    again = Proposal.objects.get(pk=story.again.pk)
    again.answers["problem"] = NEW_TEXT
    again.save()
    actions.submit_proposal(proposal=again, by=again.applicant)


def then_a_reviewer_sees_what_changed(story, look):
    page, staff, reviewer = story.windows["reviewer"], story.people["staff"], story.people["reviewer"]
    again = Proposal.objects.get(pk=story.again.pk)
    actions.screen_proposal(proposal=again, by=staff, is_eligible=True)
    (assignment,) = actions.assign_reviewers(proposal=again, by=staff, reviewers=[reviewer], accept_fewer=True)
    actions.declare_interest(assignment=assignment, by=reviewer, has_interest=False)
    page.goto(reverse("admin:proposals_review_score", args=[assignment.review.pk]))
    page.get_by_text("This is a resubmission").click()
    changes = page.locator(".app-changes").first

    assert changes.locator("ins").first.inner_text().replace("\n", "").startswith("[added:")
    assert "Advice on proven." in page.locator("body").inner_text()
    assert "The night is not in the numbers." not in page.locator("body").inner_text()
    look(page)
