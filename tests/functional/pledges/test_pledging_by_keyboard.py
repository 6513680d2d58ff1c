"""Signing up by keyboard alone, each step looked at on a phone and at a desk, published and read by everybody."""

import datetime as dt
import re

import pytest

from pledges.models import SignUp
from psc_portal.common import clock
from tests.factories.projects import AffiliationFactory, OrganisationFactory
from tests.functional.browsing import DESKTOP, PHONE, day, follow, overflow, press, tab_to

STATEMENT = " ".join(["safely"] * 50)


@pytest.fixture
def member(make_person):
    return make_person()


@pytest.fixture
def organisation(member):
    organisation = OrganisationFactory(
        name=f"Keyboard Hospital {member.pk}", slug=f"keyboard-hospital-{member.pk}", ods_code=f"K{member.pk}"
    )
    AffiliationFactory(user=member, organisation=organisation)
    return organisation


class Keyboard:
    """A page that is used with the keyboard alone, and looked at in both widths."""

    def __init__(self, page, axe):
        self.page, self.axe = page, axe

    def look(self):
        for width in (PHONE, DESKTOP):
            self.page.set_viewport_size({"width": width, "height": 900})
            assert overflow(self.page) <= 0, self.page.url
            self.axe(self.page)

    def enter(self, control):
        tab_to(self.page, control)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def press(self, name):
        self.enter(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name):
        link = self.page.locator("main").get_by_role("link", name=name, exact=True)
        self.enter(link.or_(self.page.locator("main").get_by_role("button", name=name, exact=True)).first)

    def write(self, name, text):
        tab_to(self.page, self.page.locator(f"main [name={name}]"))
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def write_day(self, name, date):
        for part, text in day(date).items():
            self.write(f"{name}_{part}", text)

    def tick(self, label):
        tab_to(self.page, self.page.get_by_label(label, exact=True))
        self.page.keyboard.press("Space")

    @property
    def text(self):
        return self.page.locator("main").inner_text()


def test_an_organisation_signs_up_by_keyboard_and_is_published(
    visit, axe, log_in, make_person, member, organisation, stack
):
    page, staff = visit(), visit()
    log_in(page, member)
    log_in(staff, make_person(staff=True))
    keyboard = Keyboard(page, axe)

    when_the_member_writes_the_five_statements(keyboard, organisation)
    when_the_member_plans_and_submits(keyboard)
    sign_up = SignUp.objects.get(organisation=organisation)
    when_staff_confirm_who_signs_and_publish(staff, sign_up)
    then_everybody_reads_it_and_carries_the_certificate_away(Keyboard(visit(), axe), sign_up, stack)


def when_the_member_writes_the_five_statements(keyboard, organisation):
    keyboard.page.goto("/pledges/sign-up/")
    keyboard.look()
    keyboard.follow("Start now")
    keyboard.tick(organisation.name)
    keyboard.press("Continue")
    keyboard.look()
    keyboard.follow("1. Put safety first")
    keyboard.press("Save and continue")
    assert keyboard.page.locator(".nhsuk-error-summary").count() == 1
    assert keyboard.page.evaluate("document.activeElement.className").startswith("nhsuk-error-summary")
    keyboard.look()
    for _ in range(5):
        keyboard.write("text", STATEMENT)
        keyboard.press("Save and continue")


def when_the_member_plans_and_submits(keyboard):
    keyboard.look()
    for area in ("Medicines safety", "System safety"):
        keyboard.tick(area)
    keyboard.write("own_words", "Falls at night\nLost notes")
    keyboard.press("Save and continue")
    keyboard.look()
    keyboard.write("aim", "Half as many falls by 2029.")
    keyboard.write("outline", "Seen in time\n- Staff ask\n-- A card at each bed")
    keyboard.press("Save and continue")
    keyboard.look()
    today = clock.today()
    keyboard.write_day("board_approved_on", today - dt.timedelta(days=9))
    keyboard.write_day("plan_from", today)
    keyboard.write_day("plan_to", today + dt.timedelta(days=900))
    keyboard.press("Save and continue")
    keyboard.look()
    keyboard.write("signatory_name", "Sian Powell")
    keyboard.write("signatory_role", "Chief executive")
    keyboard.press("Save and continue")
    keyboard.look()
    keyboard.press("Submit the pledges")
    assert "Pledges submitted" in keyboard.text
    keyboard.look()


def when_staff_confirm_who_signs_and_publish(page, sign_up):
    page.goto(f"/admin/pledges/signup/{sign_up.pk}/publish/")
    press(page, "Publish")
    assert "It is not confirmed that" in page.locator("main").inner_text()
    page.goto(f"/admin/pledges/signup/{sign_up.pk}/change/")
    follow(page, "See the affiliation")
    follow(page, "Confirm that they sign")
    press(page, "Confirm that they sign")
    page.goto(f"/admin/pledges/signup/{sign_up.pk}/publish/")
    press(page, "Publish")


def then_everybody_reads_it_and_carries_the_certificate_away(keyboard, sign_up, stack):
    stack.forget_kept_pages()
    page = keyboard.page
    page.goto("/pledges/")
    keyboard.look()
    keyboard.write("q", "safely")
    keyboard.press("Show results")
    keyboard.follow(sign_up.organisation.name)
    keyboard.look()
    assert "Half as many falls by 2029." in keyboard.text
    certificate = page.locator("main").get_by_role("link", name=re.compile("^Certificate")).first.get_attribute("href")
    for _ in range(60):  # the worker makes it; until then the link leads back to the page
        answer = page.request.get(certificate)
        if answer.headers["content-type"] == "application/pdf":
            break
        page.wait_for_timeout(500)
    assert answer.body().startswith(b"%PDF-")
