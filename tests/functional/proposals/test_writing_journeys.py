"""What a writer lives through: a wrong clock, a lost connection, a log-out, another writer, a refused file."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from proposals import actions
from proposals.models import Attachment, Collaborator, Proposal
from psc_portal.common import clock
from tests.factories.proposals import CallFactory, ProposalFactory
from tests.functional.browsing import fill, press
from tests.unit.common.test_uploads import pdf, picture

WRONG_CLOCK = """
    const Real = Date;
    const ahead = 9 * 24 * 3600 * 1000;
    window.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(Real.now() + ahead); }
        static now() { return Real.now() + ahead; }
    };
"""


def section_address(proposal, section="about") -> str:
    return reverse("proposals:draft_section", args=[proposal.call.slug, proposal.public_id, section])


def new_draft(person, **kwargs):
    return ProposalFactory(applicant=person, answers={}, version=0, title="", **kwargs)


def status_says(page, words):
    page.get_by_role("status").filter(has_text=words).first.wait_for()


# 2. The deadline ------------------------------------------------------------------------------------------------------
def test_a_browser_with_a_wrong_clock_counts_down_to_the_right_instant(visit, make_person, log_in, look):
    closes_at = timezone.now() + dt.timedelta(days=3, hours=4, minutes=30)
    proposal = new_draft(make_person(), call=CallFactory(closes_at=closes_at))
    page = visit()
    page.add_init_script(WRONG_CLOCK)

    page.goto(proposal.call.get_absolute_url())
    page.get_by_text("3 days 4 hours left").wait_for()
    look(page)
    log_in(page, proposal.applicant)
    page.goto(reverse("proposals:draft", args=[proposal.call.slug, proposal.public_id]))
    page.get_by_text("3 days 4 hours left").wait_for()

    told = page.evaluate(
        """async () => {
            const { timeLeft } = await import("/static/js/countdown.mjs");
            return [0, 59, 119, 3600, 86399, 86400, 273599].map(timeLeft);
        }"""
    )
    now = clock.now()
    seconds = (0, 59, 119, 3600, 86399, 86400, 273599)
    assert told == [clock.time_left(now + dt.timedelta(seconds=one), now) for one in seconds]


def test_a_draft_whose_call_closes_while_it_is_written_is_kept_and_shown_as_not_submitted(visit, make_person, log_in):
    proposal = ProposalFactory(applicant=make_person())
    page = visit()
    log_in(page, proposal.applicant)
    page.goto(reverse("proposals:draft_check", args=[proposal.call.slug, proposal.public_id]))
    fill(page, {"interests": "My sister sells mats", "declares": True})
    proposal.call.closes_at = timezone.now() - dt.timedelta(seconds=1)
    proposal.call.save()

    press(page, "Submit your proposal")

    text = page.locator("main").inner_text()
    assert "proposals were accepted until" in text and "Not submitted" in text
    assert "My sister sells mats" in text
    assert Proposal.objects.get(pk=proposal.pk).status == "draft"


# 3. Nothing typed is lost ---------------------------------------------------------------------------------------------
def test_a_draft_saves_itself_and_goes_on_trying_while_there_is_no_connection(visit, make_person, log_in, look):
    proposal = new_draft(make_person())
    page = visit()
    page.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    log_in(page, proposal.applicant)
    page.goto(section_address(proposal))

    page.locator("[name=title]").press_sequentially("Fewer falls")
    status_says(page, "Saved at")
    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Fewer falls"
    look(page)
    page.context.set_offline(True)
    page.locator("[name=title]").press_sequentially(" at night")
    status_says(page, "Not saved: no connection – we try again")
    page.context.set_offline(False)
    status_says(page, "Saved at")

    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Fewer falls at night"
    assert proposal.versions.count() <= 2
    press(page, "Save and come back later")  # the button finds nothing that clashes with the page's own saves
    assert "Two texts" not in page.locator("main").inner_text()


def test_text_typed_after_a_log_out_is_offered_again_after_the_log_in(visit, make_person, log_in, stack):
    proposal = new_draft(make_person())
    page = visit()
    page.expected_errors += ["401"]
    log_in(page, proposal.applicant)
    page.goto(section_address(proposal))
    page.context.clear_cookies(name="session")

    page.locator("[name=title]").press_sequentially("Typed without a session")
    status_says(page, "you have been logged out")
    log_in(page, proposal.applicant)
    page.goto(section_address(proposal))
    page.get_by_role("button", name="Put my text back").click()
    status_says(page, "Saved at")

    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Typed without a session"


def test_without_javascript_text_sent_after_a_log_out_is_there_after_the_log_in(visit, make_person, log_in):
    proposal = new_draft(make_person())
    page = visit(java_script_enabled=False)
    log_in(page, proposal.applicant)
    page.goto(section_address(proposal))
    fill(page, {"title": "Sent without a session"})
    page.context.clear_cookies(name="session")

    press(page, "Save and come back later")
    assert "what you typed is kept" in page.locator("body").inner_text()
    page.locator("input[name=login]").fill(proposal.applicant.email)
    page.locator("input[name=password]").fill(proposal.applicant.plain_password)
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()
    assert "What you typed before you were logged out" in page.locator("main").inner_text()
    press(page, "Save and come back later")

    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Sent without a session"


def test_two_writers_of_one_answer_see_both_texts_and_overwrite_neither(visit, make_person, log_in, look):
    proposal, other = new_draft(make_person()), make_person()
    asked = actions.invite_collaborator(
        proposal=proposal, by=proposal.applicant, email=other.email, role=Collaborator.Role.EDIT
    )
    actions.accept_collaboration(collaborator=asked, by=other)
    mine, theirs = visit(), visit()
    for page, person in ((mine, proposal.applicant), (theirs, other)):
        log_in(page, person)
        page.goto(section_address(proposal))

    theirs.locator("[name=problem]").fill("Their text")
    status_says(theirs, "Saved at")
    mine.locator("[name=problem]").fill("My text")
    mine.locator("[name=title]").fill("My title")
    status_says(mine, "that someone else changed")
    panel = mine.locator(".app-clash")
    assert "Their text" in panel.inner_text() and "My text" in panel.inner_text()
    proposal.refresh_from_db()
    assert proposal.answers == {"title": "My title", "problem": "Their text"}
    look(mine)
    panel.get_by_role("button", name="Keep what I have in the form").click()
    panel.wait_for(state="detached")
    status_says(mine, "Saved at")
    mine.locator("[data-autosave]").filter(has_not_text="someone else").wait_for()

    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "My text"


def test_an_earlier_version_is_read_and_brought_back(visit, make_person, log_in, look):
    proposal = new_draft(make_person())
    page = visit()
    log_in(page, proposal.applicant)
    for title in ("Fewer falls", "Fewer falls at night"):
        page.goto(section_address(proposal))
        fill(page, {"title": title})
        press(page, "Save and come back later")

    page.goto(reverse("proposals:draft_versions", args=[proposal.call.slug, proposal.public_id]))
    look(page)
    first = proposal.versions.order_by("number").filter(answers__title="Fewer falls").first()
    page.goto(reverse("proposals:draft_version", args=[proposal.call.slug, proposal.public_id, first.number]))
    assert "at night" in page.locator("ins").inner_text()
    look(page)
    with page.expect_navigation():
        page.get_by_role("button", name="Bring back this section").first.click()

    proposal.refresh_from_db()
    assert proposal.answers["title"] == "Fewer falls"


# 5 and 6. The team, and files -----------------------------------------------------------------------------------------
def test_several_files_are_added_and_a_refused_one_is_named_with_its_reason(visit, make_person, log_in, look):
    proposal = new_draft(make_person(), call=CallFactory(is_blind=True))
    page = visit()
    log_in(page, proposal.applicant)
    page.goto(reverse("proposals:draft_files", args=[proposal.call.slug, proposal.public_id]))
    files = [("plan.pdf", pdf()), ("photo.jpg", picture("JPEG")), ("virus.pdf", b"<html>")]
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    )

    press(page, "Add the files")

    text = page.locator("main").inner_text()
    assert "“virus.pdf” could not be read as PDF" in text and "plan.pdf" in text and "photo.jpg" in text
    assert "Do not name yourself" in text
    assert Attachment.objects.current().filter(proposal=proposal).count() == 2
    look(page)


def test_the_team_invites_accepts_and_looks_right_on_a_phone(visit, make_person, log_in, look):
    proposal, guest = new_draft(make_person()), make_person()
    page = visit()
    log_in(page, proposal.applicant)
    page.goto(reverse("proposals:team", args=[proposal.address]))
    fill(page, {"email": guest.email, "role": "edit"})
    press(page, "Send the invitation")
    look(page)

    row = Collaborator.objects.get(proposal=proposal)
    actions.accept_collaboration(collaborator=row, by=guest)
    page.goto(reverse("proposals:hand_over", args=[proposal.address]))
    fill(page, {"to": str(guest.pk)})
    look(page)
    press(page, "Hand over the proposal")

    proposal.refresh_from_db()
    assert proposal.applicant == guest
