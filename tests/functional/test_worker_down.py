"""A worker that is down loses nothing: the page says that its job waits, and it is done when the worker is back."""

import re

import pytest

from tests.functional.browsing import follow, press


@pytest.fixture
def no_worker(stack):
    stack.stop("renderer")
    yield
    if "renderer" not in stack.processes:
        stack.start("renderer")


def test_a_report_waits_while_the_worker_is_down_and_is_made_when_it_is_back(
    stack, visit, axe, make_person, log_in, no_worker
):
    page = visit()
    given_a_frozen_report(page, make_person(lead=True), log_in)
    when_its_pdf_is_asked_for(page)
    then_the_page_says_that_it_waits(page, axe)
    stack.start("renderer")
    then_it_is_made_without_anyone_asking_again(page, axe)


def given_a_frozen_report(page, lead, log_in):
    log_in(page, lead)
    page.goto("/reports/new/")
    page.locator("[name=year_start]").select_option(index=5)  # a year that no other story writes about
    press(page, "Start the report")
    follow(page, "Freeze the report")
    press(page, "Freeze the report")


def when_its_pdf_is_asked_for(page):
    follow(page, "Make the PDFs")
    press(page, "Make the PDFs")


def then_the_page_says_that_it_waits(page, axe):
    page.reload()
    assert "Waiting for the worker" in page.locator("main").inner_text()
    axe(page)


def then_it_is_made_without_anyone_asking_again(page, axe):
    page.get_by_role("link", name=re.compile("^Large print .PDF")).wait_for(timeout=240_000)
    axe(page)
