"""The spread board in a real browser: who does what, who does it near me, and asking them."""

import re

import pytest

from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from tests.functional.browsing import DESKTOP, PHONE, follow, overflow, press, tab_to

SAFE_PAUSE_MS = 2500  # a form that is filled in faster was filled in by a program


@pytest.fixture(
    params=[(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desktop", "phone", "phone without JavaScript"]
)
def page(request, visit):
    width, javascript = request.param
    page = visit(width, java_script_enabled=javascript)
    page.runs_scripts = javascript
    return page


@pytest.fixture
def look(page, axe):
    def check():
        if page.runs_scripts:
            assert overflow(page) <= 0, page.url
            axe(page)

    return check


def test_somebody_narrows_the_board_finds_who_is_near_and_asks_them(page, look):
    page.goto("/spread/")
    look()
    page.locator("main [name=system]").select_option(label="Lincolnshire")
    press(page, "Show results")
    assert "Lincolnshire" in page.locator("main").inner_text()
    look()

    follow(page, "Who near me does this?")
    page.locator("main [name=place]").fill("LN2")
    page.locator("main [name=q]").fill("falls")
    press(page, "Show results")
    near = page.locator("main").inner_text()
    assert "Lincolnshire" in near and "since" in near
    look()

    follow(page, re.compile("^Ask them"))
    question = f"How did you begin? {clock.now():%H%M%S%f}"  # the same words twice would be one message
    page.locator("[name=name]").fill("Ann Porter")
    page.locator("[name=email]").fill("not an address")
    page.locator("[name=message]").fill(question)
    page.wait_for_timeout(SAFE_PAUSE_MS)
    press(page, "Send your message")
    assert page.locator(".nhsuk-error-summary").count() == 1
    assert page.locator("[name=message]").input_value() == question
    look()
    page.locator("[name=email]").fill("ann@example.org")
    page.wait_for_timeout(SAFE_PAUSE_MS)
    press(page, "Send your message")
    assert page.url.endswith("/contact/sent/")
    assert "@" not in page.locator("main").inner_text()
    assert OutboxMessage.objects.filter(body__contains=question).exists()
    look()


def test_the_board_is_narrowed_and_read_by_keyboard_alone(visit):
    page = visit()
    page.goto("/spread/")

    tab_to(page, page.locator("main [name=system]"))
    page.keyboard.type("Lincolnshire")
    tab_to(page, page.get_by_role("button", name="Show results", exact=True))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("main [name=system] option:checked").inner_text() == "Lincolnshire"
    board = page.get_by_role("region", name="Organisations and projects")
    tab_to(page, board)  # a table that scrolls sideways can be reached, or nobody without a mouse sees its end
    assert "Not yet" in board.inner_text()
