"""Signing up, coming back, correcting and reporting, in a browser that runs no JavaScript."""

import datetime as dt
import re

import pytest

from pledges.models import SignUp
from psc_portal.common import clock
from tests.factories.projects import AffiliationFactory, OrganisationFactory
from tests.functional.browsing import PHONE, day, fill, follow, press

TOO_SHORT = " ".join(["safely"] * 49)
LONG_ENOUGH = " ".join(["safely"] * 50)
REASONS = "Please say under pledge 3 how families will be told."


@pytest.fixture
def people(make_person):
    member, staff = make_person(), make_person(staff=True)
    organisation = OrganisationFactory(
        name=f"Hospital of {member.full_name}", slug=f"hospital-of-{member.pk}", ods_code=f"X{member.pk}"
    )
    AffiliationFactory(user=member, organisation=organisation, signing="confirmed")
    return {"member": member, "staff": staff, "organisation": organisation}


def test_an_organisation_signs_up_corrects_and_reports_without_javascript(visit, log_in, axe, people):
    member, staff = visit(java_script_enabled=False, width=PHONE), visit()
    log_in(member, people["member"])
    log_in(staff, people["staff"])

    when_a_member_begins_and_writes_too_little(member, people)
    then_the_page_says_so_and_keeps_the_text(member)
    when_the_member_goes_away_comes_back_and_submits(member)
    sign_up = SignUp.objects.get(organisation=people["organisation"])
    when_staff_return_it_with_reasons(staff, sign_up, axe)
    then_the_member_reads_the_reasons_and_submits_again(member, sign_up)
    when_staff_publish_it(staff, sign_up)
    when_the_member_posts_progress(member, sign_up)
    then_everybody_reads_the_progress(visit(), sign_up, axe)


def when_a_member_begins_and_writes_too_little(page, people):
    page.goto("/pledges/sign-up/")
    follow(page, "Start now")
    fill(page, {"organisation": str(people["organisation"].pk)})
    press(page, "Continue")
    follow(page, "1. Put safety first")
    fill(page, {"text": TOO_SHORT})
    press(page, "Save and continue")


def then_the_page_says_so_and_keeps_the_text(page):
    assert page.title().startswith("Error: Put safety first")
    assert "It has 49 words. Write at least 50. What you wrote is saved." in page.locator("main").inner_text()
    assert page.locator("[name=text]").input_value() == TOO_SHORT


def when_the_member_goes_away_comes_back_and_submits(page):
    page.goto("/my/")
    page.goto("/pledges/sign-up/")
    follow(page, re.compile("^Hospital of"))
    follow(page, "1. Put safety first")
    assert page.locator("[name=text]").input_value() == TOO_SHORT
    for _ in range(5):
        fill(page, {"text": LONG_ENOUGH})
        press(page, "Save and continue")
    fill(page, {"national": ["Medicines safety", "System safety"], "own_words": "Falls at night\nLost notes"})
    press(page, "Save and continue")
    fill(page, {"aim": "Half as many falls by 2029.", "outline": "Seen in time\n- Staff ask\n-- A card at each bed"})
    press(page, "Save and continue")
    today = clock.today()
    dates = {
        "board_approved_on": today - dt.timedelta(days=9),
        "plan_from": today,
        "plan_to": today + dt.timedelta(900),
    }
    fill(page, {name: day(date) for name, date in dates.items()})
    press(page, "Save and continue")
    fill(page, {"signatory_name": "Sian Powell", "signatory_role": "Chief executive"})
    press(page, "Save and continue")
    press(page, "Submit the pledges")
    assert "Pledges submitted" in page.locator("h1").inner_text()


def when_staff_return_it_with_reasons(page, sign_up, axe):
    page.goto(f"/admin/pledges/signup/{sign_up.pk}/change/")
    axe(page)
    follow(page, "Return with reasons")
    fill(page, {"reasons": REASONS})
    axe(page)
    press(page, "Return with reasons")


def then_the_member_reads_the_reasons_and_submits_again(page, sign_up):
    page.goto(sign_up.get_edit_url())
    assert REASONS in page.locator("main").inner_text()
    follow(page, "Check and submit")
    press(page, "Submit the pledges")


def when_staff_publish_it(page, sign_up):
    page.goto(f"/admin/pledges/signup/{sign_up.pk}/publish/")
    press(page, "Publish")


def when_the_member_posts_progress(page, sign_up):
    page.goto(sign_up.get_absolute_url())
    follow(page, "Post progress on Put safety first")
    fill(page, {"progress": "stopped", "what_changed": "The letter is no longer sent."})
    press(page, "Post this update")
    assert "Say why it stopped" in page.locator("main").inner_text()
    assert page.locator("[name=what_changed]").input_value() == "The letter is no longer sent."
    fill(page, {"reason_stopped": "Nobody read it."})
    press(page, "Post this update")


def then_everybody_reads_the_progress(page, sign_up, axe):
    page.goto(sign_up.get_absolute_url())
    text = page.locator("main").inner_text()
    assert "Stopped" in text
    assert "Nobody read it." in text
    axe(page)
