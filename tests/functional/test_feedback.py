"""Somebody without an account says what they think of a page, staff answer, and the person finds out what was done."""

import re

import pytest

from psc_portal.common.models import OutboxMessage
from psc_portal.content.models import Feedback
from tests.functional.browsing import DESKTOP, PHONE, fill, follow, press

NHS_NUMBER = "943 476 5919"
SLOWLY = 2500  # milliseconds: as long as a person takes to write


def test_feedback_is_given_and_its_answer_found_at_a_desk(visit, log_in, make_person, axe):
    visitor, staff = visit(), visit()
    log_in(staff, make_person(staff=True))

    given_a_visitor_on_the_list_of_pledges(visitor, axe)
    when_they_write_a_number_that_looks_like_a_patient_s(visitor, "The pump at our desk")
    then_they_are_asked_what_it_is_and_nothing_is_lost(visitor, axe)
    reference = when_they_explain_it_and_send(visitor, axe)
    then_they_see_that_nobody_has_looked_yet(visitor, reference, axe)
    when_staff_publish_an_answer(staff, reference, axe)
    then_the_answer_is_found_by_reference_and_by_what_it_is_about(visit(), reference, axe)
    assert OutboxMessage.objects.filter(to=["desk@example.org"]).count() == 1


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_feedback_is_given_without_javascript(visit, axe, width):
    page = visit(java_script_enabled=False, width=width)
    page.goto("/documents/")

    follow(page, "Give feedback on this page")
    page.wait_for_timeout(SLOWLY)
    fill(page, {"message": f"Without a script, {width} wide"})
    press(page, "Send feedback")

    feedback = Feedback.objects.get(message=f"Without a script, {width} wide")
    assert feedback.reference in page.locator("h1 + div").inner_text()
    assert feedback.page == "/documents/"


def test_feedback_is_given_with_the_keyboard_alone(visit):
    page = visit(width=PHONE)
    page.goto("/feedback/?page=/pledges/")

    tab_to(page, "message")
    page.keyboard.type("By keyboard alone", delay=120)
    tab_to(page, "email")
    page.keyboard.type("keys@example.org")
    for _ in range(5):
        page.keyboard.press("Tab")
        if (
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.value")
            == "Send feedback"
        ):
            break
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert "Thank you for your feedback" in page.locator("h1").inner_text()
    assert Feedback.objects.get(message="By keyboard alone").page == "/pledges/"


def tab_to(page, name):
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def in_both_widths(page, axe):
    for width in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": 900})
        axe(page)


def given_a_visitor_on_the_list_of_pledges(page, axe):
    page.goto("/pledges/")
    follow(page, "Your feedback")
    assert "You are writing about the page /pledges/" in page.locator("main").inner_text()
    in_both_widths(page, axe)


def when_they_write_a_number_that_looks_like_a_patient_s(page, text):
    page.wait_for_timeout(SLOWLY)
    fill(page, {"message": f"{text}, serial number {NHS_NUMBER}, is broken.", "email": "desk@example.org"})
    press(page, "Send feedback")


def then_they_are_asked_what_it_is_and_nothing_is_lost(page, axe):
    assert "looks like an NHS number" in page.locator(".nhsuk-error-summary").inner_text()
    assert NHS_NUMBER in page.locator("[name=message]").input_value()
    assert page.locator("[name=email]").input_value() == "desk@example.org"
    in_both_widths(page, axe)


def when_they_explain_it_and_send(page, axe) -> str:
    page.wait_for_timeout(SLOWLY)
    fill(page, {"numbers_explained": "The serial number of a pump"})
    press(page, "Send feedback")
    in_both_widths(page, axe)
    return re.search(r"F-[0-9A-Z]{8}", page.locator("main").inner_text())[0]


def then_they_see_that_nobody_has_looked_yet(page, reference, axe):
    follow(page, "see at any time what became of your feedback")
    text = page.locator("main").inner_text()
    assert reference in text and "Nobody has looked at it yet" in text and NHS_NUMBER not in text
    in_both_widths(page, axe)


def when_staff_publish_an_answer(page, reference, axe):
    feedback = Feedback.objects.get(reference=reference)
    page.goto(f"/admin/content/feedback/{feedback.pk}/answer/")
    axe(page)
    fill(page, {"you_said": f"A device is broken ({reference}).", "we_did": "We had it mended."})
    press(page, "Publish an answer")


def then_the_answer_is_found_by_reference_and_by_what_it_is_about(page, reference, axe):
    page.goto("/")
    follow(page, "You said, we did")
    in_both_widths(page, axe)
    page.locator("main form").first.locator("[name=part]").select_option("pledges")
    press(page, "Show results")
    assert f"A device is broken ({reference})." in page.locator("main").inner_text()
    follow(page, "what became of your feedback")
    fill(page, {"reference": reference.lower()})
    press(page, "See what became of it")
    assert "We had it mended." in page.locator("main").inner_text()
    in_both_widths(page, axe)
