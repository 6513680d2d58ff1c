"""What a stranger comes to find, by the paths of docs/tasks.md: at most four clicks from the home page."""

import re
from pathlib import Path

import pytest

from tests.functional.browsing import DESKTOP, PHONE

MOST = 4
TASKS = Path(__file__).parents[2] / "docs" / "tasks.md"


class Stranger:
    """Somebody who begins on the home page and counts each click. Typing and choosing in a list are none."""

    def __init__(self, page):
        self.page, self.clicks = page, 0
        page.goto("/")

    def follow(self, name, within: str = "main"):
        with self.page.expect_navigation():
            self.page.locator(within).get_by_role("link", name=name).first.click()
        self.clicks += 1

    def press(self, name: str):
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("button", name=name, exact=True).first.click()
        self.clicks += 1

    @property
    def text(self) -> str:
        return self.page.locator("main").inner_text()


@pytest.fixture(
    params=[(DESKTOP, True), (PHONE, True), (DESKTOP, False)], ids=["desktop", "phone", "without JavaScript"]
)
def stranger(request, visit):
    width, javascript = request.param
    stranger = Stranger(visit(width, java_script_enabled=javascript))
    yield stranger
    assert 0 < stranger.clicks <= MOST


def test_find_what_is_done_about_falls_near_lincoln_and_whether_it_works(stranger):
    stranger.follow("The whole thread: priorities, projects, results")
    stranger.page.locator("[name=q]").last.fill("falls")
    stranger.page.locator("[name=system]").select_option(label="Lincolnshire")
    stranger.press("Show results")
    assert "Falls risk check in the first 24 hours" in stranger.text
    assert "Will miss its target" in stranger.text
    stranger.follow("Falls risk check done within 24 hours of admission")
    assert stranger.page.locator("main svg").count()


def test_sign_up_an_organisation(stranger):
    stranger.follow("Sign up to the five pledges")
    assert "What you need" in stranger.text
    stranger.follow("Create an account")
    assert stranger.page.locator("input[name=email]").is_visible()


def test_find_what_was_said_about_feedback_given(stranger):
    stranger.follow("see what was done")
    assert "You said" in stranger.text
    assert "We did" in stranger.text


def test_find_a_stopped_project_and_why(stranger):
    stranger.follow("Projects, also those that stopped")
    stranger.page.locator("[name=stage]").select_option(value="stopped")
    stranger.press("Show results")
    stranger.follow("Safety plans made with families")
    assert "the meeting was planned for the day of leaving" in stranger.text


def test_subscribe_to_one_priority(stranger):
    stranger.follow("Older people")
    stranger.follow("Get e-mails about this priority")
    assert stranger.page.get_by_label("Older people", exact=True).is_checked()
    stranger.page.locator("[name=email]").fill("stranger@example.org")
    stranger.press("Subscribe")
    assert "Look into your e-mail" in stranger.text


def test_every_task_is_written_down_with_its_path():
    written = TASKS.read_text()
    walked = re.findall(r"^def test_(\w+)\(stranger\)", Path(__file__).read_text(), re.MULTILINE)

    headings = {re.sub(r"\W+", "_", heading.lower()) for heading in re.findall(r"^## (.+)$", written, re.MULTILINE)}
    assert set(walked) <= headings
