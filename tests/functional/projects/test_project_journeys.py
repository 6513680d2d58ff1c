"""A project in a real browser: its lead changes words, diagram, cycles and adoption, staff approve, everybody reads."""

import pytest

from projects import actions
from psc_portal.common import clock
from tests.factories.projects import OrganisationFactory, ProjectFactory
from tests.functional.browsing import DESKTOP, PHONE, day, fill, follow, overflow, press, tab_to


@pytest.fixture
def lead(make_person):
    return make_person(totp=True)  # whoever leads a project needs a second factor


@pytest.fixture
def staff(make_person):
    return make_person(staff=True)


@pytest.fixture
def project(lead, staff):
    mark = f"{clock.now():%H%M%S%f}"
    organisation = OrganisationFactory(name=f"Ward {mark}", slug=f"ward-{mark}", ods_code=f"W{lead.pk}")
    project = ProjectFactory(
        title=f"Quiet nights {mark}", slug=f"quiet-{mark}", lead_organisation=organisation, evidence_level=2
    )
    actions.add_project_lead(project=project, user=lead, by=staff)
    return project


@pytest.fixture
def look(axe):
    """At both widths nothing is wider than the window and no rule is broken, where scripts run to measure it."""

    def check(page):
        before = page.viewport_size
        for width in (PHONE, DESKTOP):
            page.set_viewport_size({"width": width, "height": 900})
            assert overflow(page) <= 0, page.url
            axe(page)
        page.set_viewport_size(before)

    return check


def approve(page, project, kind: str):
    change = project.proposed_changes.get(kind=kind, status="waiting")
    page.goto(f"/admin/projects/proposedchange/{change.pk}/change/")
    follow(page, "Approve and make public")
    press(page, "Approve and make public")


@pytest.mark.parametrize(
    ("width", "javascript"),
    [(DESKTOP, True), (PHONE, False)],
    ids=["desktop", "phone without JavaScript"],
)
def test_a_lead_changes_a_project_and_staff_make_it_public(
    visit, log_in, look, lead, staff, project, stack, width, javascript
):
    page, desk = visit(width, java_script_enabled=javascript), visit()
    log_in(page, lead)
    log_in(desk, staff)
    look = look if javascript else (lambda page: None)
    when_the_lead_claims_more_than_the_evidence_and_says_it_again(page, project, look)
    when_the_lead_draws_a_diagram(page, project, look)
    when_the_lead_logs_a_cycle_and_an_organisation(page, project, look)
    for kind in ("texts", "drivers"):
        approve(desk, project, kind)
    then_everybody_reads_it(visit(width), project, stack, look)


def when_the_lead_claims_more_than_the_evidence_and_says_it_again(page, project, look):
    page.goto(f"/projects/{project.slug}/")
    follow(page, "Edit this page")
    fill(page, {"aim": "Half as many wakings by May.", "result": "The rounds led to fewer wakings."})
    press(page, "Send for approval")
    assert "claims more than evidence level 2" in page.locator("main").inner_text()
    assert page.locator("[name=result]").input_value() == "The rounds led to fewer wakings."
    look(page)
    fill(page, {"result": "After the rounds began there were fewer wakings."})
    press(page, "Send for approval")
    assert "Waiting for approval" in page.locator("main").inner_text()


def when_the_lead_draws_a_diagram(page, project, look):
    follow(page, "Change the driver diagram")
    follow(page, "Add a primary driver")
    press(page, "Save this box")
    assert "Enter words in the box" in page.locator("main").inner_text()
    look(page)
    fill(page, {"text": "Less noise at night"})
    press(page, "Save this box")
    follow(page, "Add a secondary driver")
    fill(page, {"text": "Soft shoes"})
    page.get_by_label("Less noise at night").first.check()
    press(page, "Save this box")
    look(page)
    press(page, "Send for approval")
    assert "Waiting for approval" in page.locator("main").inner_text()


def when_the_lead_logs_a_cycle_and_an_organisation(page, project, look):
    page.goto(f"/projects/{project.slug}/edit/")
    follow(page, "Add a cycle")
    fill(page, {"title": "One ward", "plan": "Shoes for one week.", "starts_on": day(clock.today())})
    press(page, "Save this cycle")
    follow(page, "Record how far an organisation is")
    look(page)
    fill(page, {"organisation": project.lead_organisation.name, "stage": "testing", "since": day(clock.today())})
    press(page, "Record")


def then_everybody_reads_it(page, project, stack, look):
    stack.forget_kept_pages()
    page.goto(f"/projects/{project.slug}/")
    text = page.locator("main").inner_text()
    for words in (
        "Half as many wakings by May.",
        "After the rounds began there were fewer wakings.",
        "Less noise at night",
        "Soft shoes",
        "One ward",
        project.lead_organisation.name,
    ):
        assert words in text, words
    assert page.locator("svg.app-drivers").count()
    look(page)


def test_a_lead_writes_and_sends_by_keyboard_alone(visit, log_in, lead, project):
    page = visit()
    log_in(page, lead)
    page.goto(f"/projects/{project.slug}/edit/")

    tab_to(page, page.locator("[name=aim]"))
    page.keyboard.press("Control+a")
    page.keyboard.type("Typed without a mouse.")
    enter(page, page.get_by_role("button", name="Send for approval", exact=True))
    enter(page, page.get_by_role("link", name="Change the driver diagram"))
    enter(page, page.get_by_role("link", name="Add a primary driver"))
    tab_to(page, page.locator("[name=text]"))
    page.keyboard.type("Light switched off")
    enter(page, page.get_by_role("button", name="Save this box"))
    enter(page, page.get_by_role("button", name="Send for approval"))

    changes = {change.kind: change for change in project.proposed_changes.filter(status="waiting")}
    assert changes["texts"].after["aim"] == "Typed without a mouse."
    assert "Light switched off" in str(changes["drivers"].after)


def enter(page, control):
    tab_to(page, control)
    with page.expect_navigation():
        page.keyboard.press("Enter")
