import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.urls import reverse

from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.content import actions
from psc_portal.content.models import Page, PageVersion
from psc_portal.search.finding import search
from tests.factories.accounts import UserFactory
from tests.factories.content import PageVersionFactory

pytestmark = pytest.mark.django_db
ESSENTIAL = ["about", "about/criteria", "how-can-we-help", "accessibility-statement", "privacy", "cookies", "contact"]

# What the old page said, each thing once; the words to look for are ours.
ABOUT_SAYS = [
    "national programme",
    "make patients safer",
    "constant learning at the heart of healthcare in England",
    "NHS England coordinates the programme",
    "NHS Improving Quality supported it",
    "15 local collaboratives",
    "same area as one of the 15 academic health science networks",
    "the AHSNs help to set them up",
    "priorities brochure",
    "Local Delivery Plan",
    "is led by",
    "In August 2013 Professor Don Berwick",
    "A promise to learn – a commitment to act",
    "one result of that report",
    "spread best practice",
    "build skills and capability in patient safety and in improvement science",
    "biggest difference to patients in every part of the country",
    "comprehensive",
    "effective",
    "sustainable",
    "improvement system for England",
    "everyone keeps learning and patient safety keeps improving",
    "priorities of its own area",
    "national requirements",
    "2 topics that every collaborative must cover",
    "safety culture and leadership",
    "measurement",
    "annual report",
    "a lot of work behind it",
    "measurement plan supports it",
    "fits with the aims of Sign up to Safety, and adds to them",
    "sign up here online",
    "as a member of the campaign",
]
CRITERIA_SAY = [
    "stay responsive and dynamic",
    "show that our work makes a difference",
    "add new projects to the ones we already have",
    "fit with the wider work of",
    "taking up innovation that has been proven to work, quickly and widely",
    "calls for proposals in our priority areas",
    "During the year",
    "innovative projects and initiatives",
    "Match our stakeholders' priorities",
    "shown to work clinically",
    "effective, in at least 1 clinical setting",
    "at scale and at pace",
    "outcomes of healthcare",
    "experience of patients",
    "value for money",
    "involves patients, people who use services or carers",
    "communities that are underserved today",
    "ethnic minority communities",
    "Bring growth to the region",
    "how we can help",
]


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.mark.parametrize("slug", ESSENTIAL)
def test_every_installation_has_the_essential_pages_without_any_demonstration_data(client, slug):
    response = client.get(f"/{slug}/")

    assert response.status_code == 200
    assert "{{" not in response.content.decode()


@pytest.mark.parametrize(("slug", "sayings"), [("about", ABOUT_SAYS), ("about/criteria", CRITERIA_SAY)])
def test_the_pages_say_everything_that_the_old_page_said(slug, sayings):
    body = PageVersion.objects.get(page__slug=slug).body

    assert [saying for saying in sayings if saying not in body] == []


def test_the_accessibility_statement_has_every_part_of_the_model_form(client):
    page = client.get("/accessibility-statement/").content.decode()

    for heading in (
        "How accessible this website is",
        "Feedback and contact information",
        "Reporting accessibility problems with this website",
        "Enforcement procedure",
        "Technical information about this website&#x27;s accessibility",
        "Compliance status",
        "Non-accessible content",
        "Disproportionate burden",
        "Preparation of this accessibility statement",
    ):
        assert heading.replace("&#x27;", "'") in page.replace("’", "'").replace("&#x27;", "'").replace("&rsquo;", "'")
    assert "partially compliant" in page
    assert "equalityadvisoryservice.com" in page


def test_editing_a_page_shows_the_new_text_and_keeps_the_old_version(client, staff):
    page = PageVersionFactory().page

    actions.edit_page(page=page, title="New title", summary="", body="New text.", by=staff)

    assert "New text." in client.get(page.get_absolute_url()).content.decode()
    assert [version.body for version in page.versions.all()] == ["New text.", "What the page says."]


def test_a_version_scheduled_for_later_is_shown_from_its_moment_on(client, staff):
    page = PageVersionFactory().page
    tomorrow = clock.now() + dt.timedelta(days=1)

    actions.edit_page(page=page, title="T", summary="", body="Tomorrow's text.", publish_at=tomorrow, by=staff)

    assert "What the page says." in client.get(page.get_absolute_url()).content.decode()
    with clock.at(tomorrow):
        assert "Tomorrow's text." in client.get(page.get_absolute_url()).content.decode()


def test_a_page_whose_first_version_is_scheduled_is_not_found_before(client):
    version = PageVersionFactory(publish_at=clock.now() + dt.timedelta(hours=1))

    assert client.get(version.page.get_absolute_url()).status_code == 404


def test_two_editors_at_once_do_not_overwrite_each_other(client_as, staff):
    page = PageVersionFactory().page
    actions.edit_page(page=page, title="First", summary="", body="First editor.", based_on=1, by=staff)

    response = client_as(staff).post(
        reverse("admin:content_page_edit", args=[page.pk]),
        {"title": "Second", "summary": "", "body": "Second editor.", "based_on": 1},
    )

    assert "was saved while you were writing" in response.content.decode()
    assert "Second editor." in response.content.decode()
    assert page.newest_version.body == "First editor."


def test_restoring_makes_the_old_text_the_next_version(staff):
    page = PageVersionFactory().page
    actions.edit_page(page=page, title="New", summary="", body="New text.", by=staff)

    actions.restore_page(page=page, number=1, by=staff)

    newest = page.newest_version
    assert (newest.number, newest.body, newest.restored_from.number) == (3, "What the page says.", 1)


@pytest.mark.parametrize("number", [0, 2, 99])
def test_restoring_a_version_that_is_not_older_is_refused(staff, number):
    page = PageVersionFactory().page
    actions.edit_page(page=page, title="New", summary="", body="New text.", by=staff)

    with pytest.raises(ActionRefused, match="Choose a version from 1 to 1"):
        actions.restore_page(page=page, number=number, by=staff)


def test_versions_are_append_only_in_the_database():
    version = PageVersionFactory()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        PageVersion.objects.filter(pk=version.pk).update(body="Rewritten")


@pytest.mark.parametrize("user", ["member", "lead", "reviewer"])
def test_nobody_but_staff_edits_pages(client_as, user):
    traits = {"member": {}, "lead": {"lead": True}, "reviewer": {"reviewer": True}}[user]
    user, page = UserFactory(**traits), PageVersionFactory().page

    assert client_as(user).get(reverse("admin:content_page_edit", args=[page.pk])).status_code in {302, 404}
    with pytest.raises(PermissionDenied):
        actions.edit_page(page=page, title="T", summary="", body="Mine.", by=user)


@pytest.mark.parametrize(
    "slug", ["projects", "admin", "documents", "feedback/answers", "about", "Über", "a//b", "a/b/c"]
)
def test_a_page_cannot_take_an_address_that_is_in_use_or_no_address(staff, slug):
    with pytest.raises(ActionRefused, match="address"):
        actions.add_page(slug=slug, title="T", summary="", body="B", by=staff)

    assert not Page.objects.filter(slug=slug).exclude(slug="about").exists()


def test_pages_that_the_law_asks_for_cannot_be_hidden(staff):
    with pytest.raises(ActionRefused, match="stays"):
        actions.set_page_published(page=Page.objects.get(slug="privacy"), is_published=False, by=staff)


def test_a_hidden_page_is_not_found_and_not_searched(client, staff):
    version = PageVersionFactory(body="Something about huddles.")

    actions.set_page_published(page=version.page, is_published=False, by=staff)

    assert client.get(version.page.get_absolute_url()).status_code == 404
    assert search("huddles", user=staff).hits == []


def test_search_shows_the_current_text_only_and_marks_the_word(staff):
    page = PageVersionFactory(body="Something about huddles.").page
    assert "<mark>huddles</mark>" in search("huddles", user=staff).hits[0].snippet

    actions.edit_page(page=page, title="T", summary="", body="Something else.", by=staff)

    assert search("huddles", user=staff).hits == []


def test_refreshing_pages_touches_nothing_that_people_have_edited(staff):
    page = Page.objects.get(slug="about")
    actions.edit_page(page=page, title="Ours", summary="", body="Our own text.", by=staff)
    PageVersion(
        page=Page.objects.get(slug="privacy"), number=2, title="Old", body="An older text of the portal's own."
    ).save()

    call_command("refresh_pages", verbosity=0)

    assert page.newest_version.body == "Our own text."
    assert "is the controller of the personal data" in Page.objects.get(slug="privacy").newest_version.body
    assert PageVersion.objects.filter(page__slug="cookies").count() == 1


XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<svg onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<p style='position:fixed' onclick=alert(1)>x</p>",
    '<a href="x" onmouseover="alert(1)">x</a>',
    "![x](https://evil.example/pixel.png)",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=a></form>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "`<script>alert(1)</script>`",
    "<table><tr><td background='javascript:alert(1)'>x</td></tr></table>",
    '[x](https://a.example "onclick=alert(1)")',
    "<!--><img src=x onerror=alert(1)>-->",
]


@pytest.mark.parametrize("text", XSS)
def test_markdown_on_a_page_never_runs_anything(client, text):
    version = PageVersionFactory(body=text)

    page = client.get(version.page.get_absolute_url()).content.decode()

    body = page.partition('<div class="app-prose">')[2].partition("Page last changed")[0].lower()
    for forbidden in ("<script", "<img", "<svg", "<iframe", "<form", "<base", "<meta", "<style", "javascript:\"",
                      'href="javascript', 'href="data', 'href="vbscript', "style=", "background="):  # fmt: skip
        assert forbidden not in body
    for tag in [part.partition(">")[0] for part in body.split("<")[1:]]:
        assert " on" not in tag
