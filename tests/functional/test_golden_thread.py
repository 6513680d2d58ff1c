"""One story on the real stack: from a priority to the page of the annual report that shows what came of it."""

import datetime as dt
import re
from dataclasses import dataclass, field

import pypdfium2
import pytest

from projects.models import Organisation, Priority, Project
from proposals.models import Call, Criterion
from psc_portal.common import clock
from tests.factories.projects import AffiliationFactory, OrganisationFactory, PriorityFactory
from tests.functional.browsing import day, fill, follow, moment, press

CALL = "Fewer falls after a stay in hospital"
TITLE = "A falls check before anyone goes home"
LAY_SUMMARY = "Nurses go through five questions with each patient before they go home, so that fewer people fall there."
METRIC = "Falls in the first 30 days at home"
UNIT = "per 1,000 discharges"
WEIGHTS = [20, 20, 15, 20, 15, 10]
BEFORE, AFTER = [8.1, 7.6, 8.4, 7.9, 8.6, 7.7, 8.2, 8.5, 7.8, 8.3, 8.0, 7.9], [5.2, 4.9, 5.4, 5.1, 4.8, 5.3, 5.0, 5.2]
STATEMENT = (
    "We will ask every patient five questions about falls before they go home, act on the answers with them and with "
    "their families, and publish each month how many people fell in the first thirty days at home. Our board reads "
    "the chart at every meeting, and staff who see a risk can stop a discharge. We will say openly where it fails."
)


@dataclass
class Story:
    """What the people of the story know, and the windows that they have open."""

    people: dict = field(default_factory=dict)
    windows: dict = field(default_factory=dict)
    priority: Priority | None = None
    organisation: Organisation | None = None
    call: Call | None = None
    reference: str = ""
    project: Project | None = None
    metric_code: str = ""
    latest: str = ""
    sentence: str = ""
    year: str = ""


@pytest.fixture
def story(stack, visit, make_person, log_in):
    story = Story(priority=PriorityFactory(title="Falls after going home"), organisation=OrganisationFactory())
    story.people = {
        "staff": make_person(staff=True, full_name="Sunita Rao"),
        "reviewer": make_person(reviewer=True, full_name="Bram de Wit"),
        "innovator": make_person(full_name="Ines Ferrer"),
        "lead": make_person(lead=True, full_name="Leo Brandt"),
        "signatory": make_person(full_name="Sian Powell"),
    }
    for member in ("innovator", "signatory"):
        AffiliationFactory(user=story.people[member], organisation=story.organisation)
    for name, person in story.people.items():
        story.windows[name] = visit()
        log_in(story.windows[name], person)
    story.windows["visitor"] = visit()
    return story


def test_the_golden_thread_from_a_priority_to_the_annual_report(story, axe):
    given_a_priority_that_anyone_can_read(story, axe)
    when_staff_make_and_publish_a_call(story, axe)
    when_the_call_has_opened(story)
    when_the_innovator_begins_a_proposal_and_leaves(story, axe)
    when_the_innovator_comes_back_and_submits(story, axe)
    when_the_call_has_closed(story)
    when_staff_screen_and_assign(story, axe)
    when_the_reviewer_declares_no_interest_and_scores(story, axe)
    when_the_panel_approves_and_staff_write_back(story, axe)
    then_the_innovator_reads_decision_and_feedback(story, axe)
    then_there_is_a_project_with_its_promised_metric(story)
    when_staff_publish_project_and_metric(story)
    when_the_lead_enters_the_data(story, axe)
    then_the_metric_page_says_that_it_got_better(story, axe)
    when_the_organisation_pledges_with_that_metric(story, axe)
    when_staff_publish_the_pledges(story, axe)
    then_the_pledge_shows_the_metric(story, axe)
    when_the_lead_writes_freezes_and_renders_the_report(story, axe)
    when_the_lead_publishes_the_report(story)
    then_a_visitor_downloads_a_pdf_with_the_same_numbers(story, axe)
    then_the_thread_leads_from_the_priority_to_the_report(story, axe)


# Priority and call ---------------------------------------------------------------------------------------------------
def given_a_priority_that_anyone_can_read(story, axe):
    page = story.windows["visitor"]
    page.goto(f"/priorities/{story.priority.slug}/")
    assert story.priority.title in page.locator("h1").inner_text()
    axe(page)


def when_staff_make_and_publish_a_call(story, axe):
    page = story.windows["staff"]
    page.goto("/admin/proposals/call/add/")
    opens_at = clock.now() + dt.timedelta(hours=1)
    closes_at = opens_at + dt.timedelta(days=30)
    fill(
        page,
        {
            "title": CALL,
            "summary": "For anyone with an idea that keeps people from falling after they went home.",
            "about": "We look for ideas that have been tried at least once.",
            "eligibility": "The idea has been tried at least once.",
            "priorities": [str(story.priority.pk)],
            "opens_at": moment(opens_at),
            "closes_at": moment(closes_at),
            "reviews_due_on": day(closes_at + dt.timedelta(days=30)),
            "decision_on": day(closes_at + dt.timedelta(days=60)),
            "money_total": "60000",
            "money_per_project": "20000",
            "reviews_wanted": "1",
            "lay_reviews_wanted": "0",
        },
    )
    fill(page, {f"weight_{number}": str(weight) for number, weight in enumerate(WEIGHTS, 1)})
    axe(page)
    press(page, "Add a call")
    follow(page, "Publish")
    press(page, "Publish")
    assert "The call is published" in page.locator("body").inner_text()
    story.call = Call.objects.latest("pk")


def when_the_call_has_opened(story):
    """An hour passes."""
    Call.objects.filter(pk=story.call.pk).update(opens_at=clock.now() - dt.timedelta(minutes=1))


# Proposal ------------------------------------------------------------------------------------------------------------
def when_the_innovator_begins_a_proposal_and_leaves(story, axe):
    page = story.windows["innovator"]
    page.goto(f"/calls/{story.call.slug}/")
    axe(page)
    follow(page, "Write a proposal")
    press(page, "Start now")
    axe(page)
    follow(page, "About the proposal")
    fill(page, {"title": TITLE, "lay_summary": LAY_SUMMARY})
    axe(page)
    press(page, "Save and come back later")
    page.goto("/")


def when_the_innovator_comes_back_and_submits(story, axe):
    page = story.windows["innovator"]
    page.goto("/my/")
    follow(page, re.compile(TITLE))
    in_a_year = clock.today() + dt.timedelta(days=365)
    answers = {
        "About the proposal": {
            "organisation": story.organisation.name,
            "care_settings": [story_setting()],
            "problem": "One person in nine falls in the first month at home.",
            "innovation": "Five questions, asked with the family, and a visit for those who need one.",
        },
        "Who needs it": {"priorities": [str(story.priority.pk)], "who_asked": "Three wards and the carers' forum."},
        "Evidence that it works": {
            "evidence_level": "2",
            "is_digital": "no",
            "evaluation-1-setting": "Acute hospital",
            "evaluation-1-where": "Two wards of our hospital",
            "evaluation-1-from": {"day": "1", "month": "4", "year": "2025"},
            "evaluation-1-to": {"day": "31", "month": "3", "year": "2026"},
            "evaluation-1-people": "840",
            "evaluation-1-result": "Falls went from 8.0 to 5.1 per 1,000 discharges.",
            "evaluation-1-harms": "We looked for later discharges and found none.",
            "evaluation-1-limits": "Nobody under 65 took part.",
        },
        "How it will spread": {
            "sites_now": "2",
            "sites_in_12_months": "8",
            "sites_in_24_months": "20",
            "adopters": "Four hospitals of the region.",
            "fixed_parts": "The five questions stay, who asks them may differ.",
            "pathway_change": "The nurse who plans the discharge asks five questions.",
            "after_funding": "It costs nothing after the first year.",
        },
        "Benefits you promise": {
            "aim": "A third fewer falls in the first 30 days at home within a year.",
            "people_reached": "5000",
            "value": "Each fall avoided saves a visit to the emergency department.",
            "benefit-1-metric_name": METRIC,
            "benefit-1-kind": "outcome",
            "benefit-1-unit": UNIT,
            "benefit-1-direction": "decrease",
            "benefit-1-baseline": "8",
            "benefit-1-aim": "5.5",
            "benefit-1-aim_on": day(in_a_year),
        },
        "Budget": {"budget-1-description": "A nurse for one day a week", "budget-1-asked": "12000"},
        "Involving people": {"involvement": "Two patients who had fallen wrote the questions and are paid for it."},
        "Growth": {"growth": "We expect none."},
        "Delivery and safety": {
            "milestones": "Four hospitals by autumn, all by spring.",
            "risks": "Staff leave: two people are trained on each ward.",
            "data_and_safety": "Only counts leave the ward.",
        },
    }
    for section, values in answers.items():
        follow(page, section)
        fill(page, values)
        axe(page)
        press(page, "Save and come back later")
    follow(page, "Check your answers and submit")
    axe(page)
    fill(page, {"declares": True})
    press(page, "Submit your proposal")
    story.reference = re.search(r"[A-Z]+-\d{4}-\d{4}", page.locator("main").inner_text())[0]
    axe(page)


def story_setting() -> str:
    from projects.models import CareSetting

    return CareSetting.values[0]


def when_the_call_has_closed(story):
    """A month passes."""
    earlier = clock.now() - dt.timedelta(days=31)
    Call.objects.filter(pk=story.call.pk).update(opens_at=earlier, closes_at=clock.now() - dt.timedelta(minutes=1))


# Review and decision, in the admin -----------------------------------------------------------------------------------
def when_staff_screen_and_assign(story, axe):
    page = story.windows["staff"]
    page.goto(f"/admin/proposals/proposal/?q={story.reference}")
    follow(page, story.reference)
    follow(page, "Screen")
    fill(page, {"rule_1": "yes", "eligible": "yes"})
    axe(page)
    press(page, "Screen")
    page.goto(f"/admin/proposals/call/{story.call.pk}/change/")
    follow(page, "Start the assessment")
    press(page, "Start the assessment")
    page.goto(f"/admin/proposals/proposal/?q={story.reference}")
    follow(page, story.reference)
    follow(page, "Assign reviewers")
    fill(page, {"reviewers": [str(story.people["reviewer"].pk)]})
    axe(page)
    press(page, "Assign reviewers")
    assert story.people["reviewer"].full_name in page.locator("#content").inner_text()


def when_the_reviewer_declares_no_interest_and_scores(story, axe):
    page = story.windows["reviewer"]
    page.goto("/my/")
    follow(page, re.compile(story.reference))
    assert TITLE not in page.locator("body").inner_text()  # not before interests are declared
    follow(page, "Declare interests")
    fill(page, {"interest": "no"})
    axe(page)
    press(page, "Declare interests")
    assert LAY_SUMMARY in page.locator("#the-proposal ~ *").all_inner_texts()
    for criterion in Criterion.objects.filter(criterion_set=story.call.criterion_set):
        fill(page, {f"score_{criterion.pk}": "4", f"reason_{criterion.pk}": f"Well argued on {criterion.title}."})
    axe(page)
    press(page, "Save and lock")
    assert "Locked" in page.locator("#content").inner_text()


def when_the_panel_approves_and_staff_write_back(story, axe):
    page = story.windows["staff"]
    page.goto(f"/admin/proposals/call/{story.call.pk}/change/")
    follow(page, "Ranking")
    assert story.reference in page.locator("#content").inner_text()
    axe(page)
    page.goto(f"/admin/proposals/call/{story.call.pk}/change/")
    follow(page, "Move to panel")
    press(page, "Move to panel")
    page.goto(f"/admin/proposals/proposal/?q={story.reference}")
    follow(page, story.reference)
    follow(page, "Decide")
    fill(page, {"outcome": "approved", "reasons": "Simple, wanted and tried."})
    axe(page)
    press(page, "Decide")
    follow(page, "Write feedback")
    for criterion in Criterion.objects.filter(criterion_set=story.call.criterion_set):
        fill(page, {f"criterion_{criterion.pk}": f"The panel liked what you wrote on {criterion.title}."})
    axe(page)
    press(page, "Write feedback")
    follow(page, "Release feedback")
    axe(page)
    press(page, "Release feedback")
    assert "The feedback is released" in page.locator("body").inner_text()


def then_the_innovator_reads_decision_and_feedback(story, axe):
    page = story.windows["innovator"]
    page.goto(f"/proposals/{story.reference.lower()}/")
    text = page.locator("main").inner_text()
    assert "Approved" in text
    assert "The panel liked what you wrote" in text
    axe(page)


# Project and metric --------------------------------------------------------------------------------------------------
def then_there_is_a_project_with_its_promised_metric(story):
    story.project = Project.objects.get(proposal__reference=story.reference)
    metric = story.project.metrics.get()
    assert (story.project.title, metric.name, metric.unit) == (TITLE, METRIC, UNIT)
    story.metric_code = metric.code


def when_staff_publish_project_and_metric(story):
    page = story.windows["staff"]
    page.goto(f"/admin/projects/project/{story.project.pk}/change/")
    follow(page, "Publish")
    press(page, "Publish")
    page.goto(f"/admin/measurement/metric/{story.project.metrics.get().pk}/edit/")
    fill(page, {"is_public": True})
    press(page, "Edit")


def when_the_lead_enters_the_data(story, axe):
    page = story.windows["lead"]
    page.goto(f"/metrics/{story.metric_code.lower()}/")
    follow(page, "Enter data")
    axe(page)
    page.goto(f"/metrics/{story.metric_code.lower()}/enter/rows/")
    rows = [f"{month:%Y-%m-%d},{value}" for month, value in zip(months_before_now(), BEFORE + AFTER, strict=True)]
    fill(page, {"rows": "\n".join(["period,value", *rows])})
    axe(page)
    press(page, "Check the rows")
    axe(page)
    press(page, f"Store {len(rows)} rows")
    assert f"{len(rows)} values are stored" in page.locator("body").inner_text()


def months_before_now() -> list[dt.date]:
    """The first days of the last full months, as many as there are values, oldest first."""
    month, months = clock.today().replace(day=1), []
    for _ in BEFORE + AFTER:
        month = (month - dt.timedelta(days=1)).replace(day=1)
        months.insert(0, month)
    return months


def then_the_metric_page_says_that_it_got_better(story, axe):
    page = story.windows["visitor"]
    page.goto(f"/metrics/{story.metric_code.lower()}/")
    text = page.locator("main").inner_text()
    assert page.locator("main svg").count() >= 1
    assert f"{AFTER[-1]:g}" in text
    assert "Better: " in text
    story.latest = f"{AFTER[-1]:g}"
    axe(page)


# Pledge --------------------------------------------------------------------------------------------------------------
def when_the_organisation_pledges_with_that_metric(story, axe):
    page = story.windows["signatory"]
    page.goto("/pledges/sign-up/")
    follow(page, "Start now")
    fill(page, {"organisation": str(story.organisation.pk)})
    press(page, "Continue")
    follow(page, re.compile("^1. "))
    for _ in range(5):
        fill(page, {"text": STATEMENT, "metric": f"{story.metric_code} {METRIC}"})
        axe(page)
        press(page, "Save and continue")
    national = page.locator("[name=national]").evaluate_all("boxes => boxes.slice(0, 2).map(box => box.value)")
    fill(page, {"national": national, "own_words": "Falls at home\nGoing home safely"})
    axe(page)
    press(page, "Save and continue")
    fill(
        page, {"aim": "Half as many falls at home by 2029.", "outline": "Seen in time\n- Staff ask\n-- Five questions"}
    )
    axe(page)
    press(page, "Save and continue")
    today = clock.today()
    fill(
        page,
        {
            "board_approved_on": day(today - dt.timedelta(days=10)),
            "plan_from": day(today),
            "plan_to": day(today + dt.timedelta(days=3 * 365)),
        },
    )
    axe(page)
    press(page, "Save and continue")
    fill(page, {"signatory_name": "Sian Powell", "signatory_role": "Chief executive"})
    press(page, "Save and continue")
    axe(page)
    press(page, "Submit the pledges")


def when_staff_publish_the_pledges(story, axe):
    page = story.windows["staff"]
    page.goto("/admin/pledges/signup/?q=Sian+Powell")
    follow(page, story.organisation.name)
    axe(page)
    follow(page, "See the affiliation")
    follow(page, "Confirm that they sign")
    press(page, "Confirm that they sign")
    page.goto("/admin/pledges/signup/?q=Sian+Powell")
    follow(page, story.organisation.name)
    follow(page, "Publish")
    press(page, "Publish")
    assert "The pledges are published" in page.locator("body").inner_text()


def then_the_pledge_shows_the_metric(story, axe):
    page = story.windows["visitor"]
    page.goto(f"/pledges/{story.organisation.slug}/")
    assert METRIC in page.locator("main").inner_text()
    axe(page)


# Annual report -------------------------------------------------------------------------------------------------------
def when_the_lead_writes_freezes_and_renders_the_report(story, axe):
    page = story.windows["lead"]
    page.goto("/reports/new/")
    options = page.locator("[name=year_start]")
    axe(page)
    if options.first.evaluate("control => control.type") == "radio":
        options.first.check()
    press(page, "Start the report")
    story.year = re.search(r"/reports/(\d{4}-\d{2})/", page.url)[1]
    axe(page)
    page.goto(page.locator("main a[href*='/write/sections/']").first.get_attribute("href"))
    fill(page, {"text": "Fewer people fell after they went home.\n\n- Five questions\n- Asked with the family"})
    axe(page)
    press(page, "Save and sign off")
    page.goto(f"/reports/{story.year}/write/details/")
    fill(page, {"summary": "What changed, in numbers.", "data_cut_on": day(clock.today())})
    press(page, "Save")
    page.goto(f"/reports/{story.year}/")
    axe(page)
    page.goto(f"/reports/{story.year}/write/freeze/")
    axe(page)
    press(page, "Freeze the report")
    page.goto(f"/reports/{story.year}/write/render/")
    press(page, "Make the PDFs")
    page.locator("[data-progress-of=report]").get_by_text("Done", exact=True).wait_for(timeout=180_000)
    axe(page)


def when_the_lead_publishes_the_report(story):
    page = story.windows["lead"]
    page.goto(f"/reports/{story.year}/write/publish/")
    press(page, "Publish the report")


def then_a_visitor_downloads_a_pdf_with_the_same_numbers(story, axe):
    page = story.windows["visitor"]
    page.goto(f"/reports/{story.year}/")
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Download the report")).click()
    pdf = pypdfium2.PdfDocument(download.value.path())
    text = " ".join(" ".join(page.get_textpage().get_text_range() for page in pdf).split())
    pdf.close()
    assert METRIC in text
    assert story.latest in text
    assert "Fewer people fell after they went home." in text


def then_the_thread_leads_from_the_priority_to_the_report(story, axe):
    page = story.windows["visitor"]
    page.goto(f"/projects/{story.project.slug}/")
    links = page.locator("main a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert story.priority.get_absolute_url() in links
    assert story.call.get_absolute_url() in links
    assert story.project.metrics.get().get_absolute_url() in links
    axe(page)
