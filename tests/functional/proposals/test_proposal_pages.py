"""Writing and reviewing in a browser: what the integration tests cannot see (layout, errors, no JavaScript)."""

from django.urls import reverse

from proposals.models import Proposal
from tests.factories.proposals import CallFactory, ProposalFactory, complete_answers, review_of
from tests.functional.browsing import PHONE, fill, follow, press

TYPED = "Text that must not be lost"


def section_address(proposal, section) -> str:
    return reverse("proposals:draft_section", args=[proposal.call.slug, proposal.public_id, section])


def test_a_proposal_is_written_and_submitted_without_javascript(visit, make_person, log_in):
    person, call = make_person(), CallFactory()
    page = visit(java_script_enabled=False)
    log_in(page, person)

    page.goto(call.get_absolute_url())
    follow(page, "Write a proposal")
    press(page, "Start now")
    follow(page, "About the proposal")
    fill(page, {"title": TYPED})
    press(page, "Save and come back later")
    proposal = Proposal.objects.get(call=call)
    assert proposal.answers["title"] == TYPED
    proposal.answers = complete_answers(call, title=TYPED)
    proposal.save()
    page.reload()
    follow(page, "Check your answers and submit")
    fill(page, {"declares": True})
    press(page, "Submit your proposal")

    proposal.refresh_from_db()
    assert proposal.reference in page.locator("main").inner_text()


def test_wrong_answers_are_marked_with_links_and_stay_as_typed(visit, make_person, log_in, look):
    proposal = ProposalFactory(applicant=make_person(), answers={}, version=0, title="")
    page = visit()
    log_in(page, proposal.applicant)
    page.goto(section_address(proposal, "benefits"))
    fill(page, {"aim": "word " * 120, "benefit-1-baseline": "about six"})
    fill(page, {"benefit-1-aim_on": {"day": "31", "month": "2", "year": "2028"}})

    press(page, "Save and continue")
    look(page)
    page.get_by_role("link", name="Promised benefit 1: Where it is now must be a number, like 6.6").click()

    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.name") == "benefit-1-baseline"
    assert page.locator("[name='benefit-1-baseline']").input_value() == "about six"
    assert page.locator("[name='benefit-1-aim_on_year']").input_value() == "2028"
    page.reload()
    page.goto(section_address(proposal, "benefits"))
    assert page.locator("[name=aim]").input_value().split() == ["word"] * 120


def test_two_tabs_with_different_texts_show_both(visit, make_person, log_in, look):
    proposal = ProposalFactory(applicant=make_person(), answers={}, version=0, title="")
    first = visit()
    log_in(first, proposal.applicant)
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(section_address(proposal, "about"))
    fill(first, {"problem": "Text of the first tab"})
    press(first, "Save and come back later")
    fill(second, {"problem": "Text of the second tab"})

    press(second, "Save and come back later")
    look(second)

    assert "Text of the first tab" in second.locator("main").inner_text()
    assert second.locator("[name=problem]").input_value() == "Text of the second tab"
    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "Text of the first tab"


def test_the_review_page_is_side_by_side_when_wide_stacked_on_a_phone_and_keeps_what_was_typed(
    visit, make_person, log_in, look
):
    proposal = ProposalFactory(in_assessment=True, call__in_assessment=True)
    review = review_of(proposal, reviewer=make_person(reviewer=True))
    page = visit()
    log_in(page, review.reviewer)
    page.goto(reverse("admin:proposals_review_score", args=[review.pk]))
    beside, form = page.locator(".app-side-by-side__subject"), page.locator(".app-side-by-side form")
    first = proposal.call.criterion_set.criteria.first()
    fill(page, {f"reason_{first.pk}": TYPED})

    press(page, "Save and lock")
    look(page)
    wide = beside.bounding_box(), form.bounding_box()
    page.set_viewport_size({"width": PHONE, "height": 900})
    narrow = beside.bounding_box(), form.bounding_box()

    assert wide[0]["x"] + wide[0]["width"] <= wide[1]["x"]
    assert narrow[0]["y"] + narrow[0]["height"] <= narrow[1]["y"]
    assert page.get_by_role("link", name="Criterion 1: choose a score").count() == 1
    assert page.locator(f"[name=reason_{first.pk}]").input_value() == TYPED
    assert review.scores.get(criterion=first).reason == TYPED


def test_ranking_decision_and_feedback_pages(visit, log_in, make_person, look):
    proposal = ProposalFactory(at_panel=True, call__at_panel=True)
    for scores in ([5, 4, 4, 4, 4, 4], [1, 4, 4, 4, 4, 4]):
        review_of(proposal, scores=scores, locked=True)
    page = visit()
    log_in(page, make_person(staff=True))

    page.goto(reverse("admin:proposals_call_ranking", args=[proposal.call_id]))
    assert "Discuss" in page.locator("#content").inner_text()
    look(page)
    page.goto(reverse("admin:proposals_proposal_decide", args=[proposal.pk]))
    fill(page, {"outcome": "declined", "reasons": "The costs are not shown."})
    look(page)
    press(page, "Decide")
    follow(page, "Write feedback")
    look(page)
