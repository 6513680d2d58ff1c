"""Search in a real browser, from the home page's box: by keyboard, with a typing mistake, to a result and a feed."""

import re
from xml.etree import ElementTree

import pytest

from tests.functional.browsing import DESKTOP, PHONE, overflow, tab_to

ATOM = {"atom": "http://www.w3.org/2005/Atom"}


@pytest.fixture(params=[(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desktop", "phone", "without JavaScript"])
def page(request, visit):
    width, javascript = request.param
    page = visit(width, java_script_enabled=javascript)
    page.runs_scripts = javascript
    page.goto("/")
    return page


@pytest.fixture
def look(page, axe):
    """Nothing wider than the window, no violation. A window without JavaScript has nothing to measure with."""

    def check():
        if page.runs_scripts:
            assert overflow(page) <= 0, page.url
            axe(page)

    return check


def follow_by_keyboard(page, link):
    tab_to(page, link)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def search_from_the_box(page, words):
    """With the tabulator to the box in the page's head, the words, and the enter key."""
    tab_to(page, page.locator("#search-field"))
    page.keyboard.press("Control+a")
    page.keyboard.type(words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def said(page) -> str:
    return " ".join(page.locator("main [role=status]").inner_text().split())


def test_a_typing_mistake_leads_to_what_was_meant(page, look):
    search_from_the_box(page, "delerium")

    assert re.match(
        r"Nothing was found for delerium\. Did you mean delirium\? Here (is|are) \d+ results? for it", said(page)
    )
    assert page.locator(".app-hits li").count()
    look()
    follow_by_keyboard(page, page.locator("main").get_by_role("link", name="delirium", exact=True))
    assert re.match(r"\d+ results? for delirium", said(page))
    assert page.locator("main [name=q]").input_value() == "delirium"
    assert page.locator(".app-hits mark").first.inner_text().lower() == "delirium"
    look()


def test_results_are_narrowed_to_a_kind_and_opened(page, look):
    search_from_the_box(page, "falls")
    everything = int(re.match(r"\d+", said(page))[0])
    look()

    filters = page.get_by_role("navigation", name="Kinds of results")
    projects = filters.get_by_role("link", name=re.compile("^Projects"))
    promised = int(re.search(r"\((\d+)\)", projects.inner_text())[1])
    follow_by_keyboard(page, projects)

    assert 0 < promised < everything
    assert said(page).startswith(f"{promised} result")
    assert filters.locator("[aria-current=true]").inner_text() == f"Projects ({promised})"
    assert set(page.locator(".app-hits .nhsuk-tag").all_inner_texts()) == {"Project"}
    look()
    first = page.locator(".app-hits a").first
    title = first.inner_text()
    follow_by_keyboard(page, first)
    assert title in page.locator("h1").inner_text()


def test_words_of_the_field_find_the_same(page):
    search_from_the_box(page, "bed sore")

    assert "pressure ulcer" in page.locator(".app-hits").inner_text().lower()
    assert page.locator("main").get_by_role("link", name="pressure ulcer", exact=True).count()


def test_where_nothing_is_found_there_is_a_way_on(page, look):
    search_from_the_box(page, "<b>xylophonquartz</b> zzyzx")

    assert said(page) == "Nothing was found for <b>xylophonquartz</b> zzyzx."
    look()
    follow_by_keyboard(page, page.locator("main").get_by_role("link", name="projects", exact=True))
    assert page.locator("h1").inner_text() == "Projects"


def test_what_is_new_can_be_followed_in_a_feed_reader(page, look):
    declared = page.locator("link[rel=alternate][type='application/atom+xml']").get_attribute("href")
    search_from_the_box(page, "falls")
    follow_by_keyboard(
        page, page.get_by_role("navigation", name="Kinds of results").get_by_role("link", name=re.compile("^Projects"))
    )
    of_kind = page.get_by_role("link", name="Follow projects in a feed reader").get_attribute("href")
    follow_by_keyboard(page, page.locator("footer").get_by_role("link", name="Get e-mails about what is new"))
    follow_by_keyboard(page, page.locator("main").get_by_role("link", name="See all feeds"))
    look()
    offered = page.locator("main a[href$='/feed/']").evaluate_all("links => links.map(link => link.href)")

    assert any(link.endswith(declared) for link in offered)
    assert any(link.endswith(of_kind) for link in offered)
    kinds_of_feed = ("/kinds/", "/priorities/", "/organisations/")
    chosen = [next(link for link in offered if part in link) for part in kinds_of_feed]
    for address in [declared, of_kind, *chosen]:
        answer = page.request.get(address)
        assert answer.status == 200 and answer.headers["content-type"].startswith("application/atom+xml"), address
        assert ElementTree.fromstring(answer.text()).find("atom:title", ATOM) is not None, address
