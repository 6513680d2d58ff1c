"""The whole thread in a real browser: phone and desktop, by keyboard alone, without JavaScript."""

import io

import pypdfium2
import pytest

from tests.functional.browsing import DESKTOP, PHONE, follow, overflow, press, tab_to


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_the_whole_thread_is_read_filtered_and_followed(visit, axe, width, javascript):
    page = visit(width, java_script_enabled=javascript)
    page.goto("/thread/")
    text = page.locator("main").inner_text()
    assert "No project works on this priority yet." in text  # healthcare-associated infection, in the demonstration
    assert "No metric shows yet whether it works." in text
    assert overflow(page) <= 0
    if javascript:
        axe(page)

    page.locator("[name=priority]").select_option(label="Older people")
    press(page, "Show results")
    assert page.locator("main h2").all_inner_texts()[1:] == ["Older people"]
    follow(page, "Falls risk check in the first 24 hours")
    assert "you are here" in page.locator("main nav.app-thread").inner_text()
    assert page.locator("[aria-current=location]").count() == 1
    follow(page, "The whole thread on one page")
    assert page.url.endswith("/thread/")


def test_the_whole_thread_works_by_keyboard_alone(visit):
    page = visit()
    page.goto("/thread/")
    words = page.locator("main [name=q]")
    tab_to(page, words)
    page.keyboard.type("delirium")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Delirium screen" in page.locator("main").inner_text()
    tab_to(page, page.locator("main").get_by_role("link", name="Delirium screen for every admission over 65").first)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/projects/" in page.url


def test_the_whole_thread_prints_everything_but_the_filters(visit):
    page = visit()
    page.goto("/thread/")
    pdf = pypdfium2.PdfDocument(io.BytesIO(page.pdf(format="A4")))
    text = " ".join(" ".join(one.get_textpage().get_text_range() for one in pdf).split())
    pdf.close()

    assert "Healthcare-associated infection" in text
    assert "Falls risk check in the first 24 hours" in text
    assert "Show results" not in text
