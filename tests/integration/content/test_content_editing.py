import datetime as dt

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from psc_portal.common import clamd, clock
from psc_portal.common.models import OutboxMessage
from psc_portal.content import actions, links
from psc_portal.content.models import BrokenLink, Document, Edition, Page
from tests.factories.accounts import UserFactory
from tests.factories.content import EditionFactory, PageFactory, PageVersionFactory, pdf_file
from tests.factories.projects import LearningResourceFactory, ProjectFactory
from tests.integration.content.test_content_documents import form_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return UserFactory(staff=True)


# Preview, history, schedule ------------------------------------------------------------------------------------------
def test_a_preview_shows_the_page_safely_names_broken_links_and_saves_nothing(client_as, staff):
    page = PageVersionFactory().page
    body = "**New** words, [gone](/no-such-page/at-all/), [here](/documents/). <script>alert(1)</script>"

    html = client_as(staff).post(
        reverse("admin:content_page_edit", args=[page.pk]),
        {"title": "Title of {{ collaborative.name }}", "body": body, "based_on": 1, "preview": "1"},
    ).content.decode()  # fmt: skip

    assert "Preview: nothing is saved yet" in html and "<strong>New</strong> words" in html
    assert "/no-such-page/at-all/: There is no such page" in html and "/documents/: " not in html
    assert "<script>alert(1)" not in html
    assert page.newest_version.number == 1


def test_a_preview_of_a_new_page_makes_no_page_and_one_with_errors_shows_them(client_as, staff):
    client, url = client_as(staff), reverse("admin:content_page_add")

    good = client.post(url, {"slug": "new-page", "title": "T", "body": "**B**", "preview": "1"}).content.decode()
    bad = client.post(url, {"slug": "new-page", "title": "", "body": "**B**", "preview": "1"}).content.decode()

    assert "<strong>B</strong>" in good and "Enter title" in bad
    assert not Page.objects.filter(slug="new-page").exists()


def test_a_version_shows_what_it_changed_word_by_word_and_how_it_looked(client_as, staff):
    page = PageVersionFactory(body="Care is **safe**.").page
    actions.edit_page(page=page, title=page.newest_version.title, summary="", body="Care is **safer**.", by=staff)
    client = client_as(staff)

    history = client.get(reverse("admin:content_page_change", args=[page.pk])).content.decode()
    url = reverse("admin:content_page_version", args=[page.pk, 2])
    html = client.get(url).content.decode()

    assert url in history
    assert "**safe**." in html.split("<del>")[2].split("</del>")[0]
    assert "**safer**." in html.split("<ins>")[2].split("</ins>")[0]
    assert "<strong>safer</strong>" in html


@pytest.mark.parametrize("traits", [{}, {"reviewer": True}])
def test_nobody_but_staff_reads_versions_or_previews(client_as, traits):
    page = PageVersionFactory().page
    client = client_as(UserFactory(**traits))

    for url in (
        reverse("admin:content_page_version", args=[page.pk, 1]),
        reverse("admin:content_page_edit", args=[page.pk]),
        reverse("admin:content_brokenlink_changelist"),
    ):
        assert client.get(url).status_code in {302, 404}
    assert (
        client_as(UserFactory(staff=True)).get(reverse("admin:content_page_version", args=[page.pk, 9])).status_code
        == 404
    )


def test_a_scheduled_version_goes_live_by_the_clock_though_the_page_is_kept(client, staff, settings):
    settings.KEEP_PUBLIC_PAGES = True
    cache.clear()
    page = PageVersionFactory(page=PageFactory(slug="plan"), body="Today.").page
    soon = timezone.now() + dt.timedelta(seconds=20)
    actions.edit_page(page=page, title="T", summary="", body="Tomorrow.", publish_at=soon, by=staff)
    kept = []
    original = cache.set

    def note(key, value, timeout=None, **options):
        if key.startswith("page:"):
            kept.append(timeout)
        return original(key, value, timeout, **options)

    cache.set = note
    try:
        before = client.get("/plan/").content.decode()
    finally:
        cache.set = original
    cache.clear()  # what its time limit does
    with clock.at(soon):
        after = client.get("/plan/").content.decode()

    assert "Today." in before and "Tomorrow." in after
    assert kept and kept[0] <= 20


# Links ---------------------------------------------------------------------------------------------------------------
def test_links_to_our_pages_are_followed_through_resolver_and_database():
    hidden, shown = ProjectFactory(is_public=False), ProjectFactory()
    checker = links.Checker()

    def problem(link):
        return checker.problem(link, at="/about/")

    assert problem(shown.get_absolute_url()) == ""
    assert "There is no such page" in problem(hidden.get_absolute_url())
    assert "There is no such page" in problem("/projects/no-such-project/")
    assert "There is no such page" in problem("/nothing/here/at/all/")
    assert problem("/documents/?kind=plan") == ""
    assert problem("/documents/#maincontent") == ""
    assert "no place called “nowhere”" in problem("/documents/#nowhere")


def test_the_check_reports_what_is_broken_and_takes_away_what_was_mended(client_as, staff):
    others = actions.check_links()  # pages that come with the portal may lead to what no test has made
    page = PageVersionFactory(page=PageFactory(slug="plan"), title="Our plan", body="[Gone](/documents/gone/)").page
    EditionFactory(body="[Fine](/documents/)")
    LearningResourceFactory(title="Old guide", body="[Gone too](/projects/gone/)")

    found, again = (actions.check_links() - others for others in (others, others))
    report = client_as(staff).get(reverse("admin:content_brokenlink_changelist")).content.decode()
    first = BrokenLink.objects.get(source_url="/plan/")
    actions.edit_page(page=page, title="Our plan", summary="", body="[Here](/documents/)", by=staff)
    actions.check_links()

    assert (found, again) == (2, 2)
    assert "Our plan" in report and "/documents/gone/" in report and "Old guide" in report
    assert first.found_at < first.checked_at
    left = {one.source for one in BrokenLink.objects.all()}
    assert "Our plan" not in left and "Old guide" in left


def test_staff_ask_for_a_check_and_the_worker_does_it(client_as, staff):
    response = client_as(staff).post(reverse("admin:content_brokenlink_add"))

    assert response.url == reverse("admin:content_brokenlink_changelist")
    assert OutboxMessage.objects.filter(task="content.check_links").count() == 1
    with pytest.raises(PermissionDenied):
        actions.ask_for_link_check(by=UserFactory())


# Documents -----------------------------------------------------------------------------------------------------------
def test_an_upload_without_tags_or_title_is_taken_with_a_warning_and_visitors_are_told(client, client_as, staff):
    page = client_as(staff).post(reverse("admin:content_document_add"), form_data(file=pdf_file()), follow=True)

    edition = Edition.objects.get()
    assert (edition.has_tags, edition.has_title) == (False, False)
    assert "This PDF has no tags and no title: some people cannot read it. Save it again" in page.content.decode()
    public = client.get(edition.document.get_absolute_url()).content.decode()
    assert "some people cannot read it. The text on this page can be read by everybody" in public


def test_an_earlier_edition_can_be_read_as_a_page_that_leads_to_the_latest(client, staff):
    first = EditionFactory(title="2025/26", body="The **old** plan.", published_on=dt.date(2025, 4, 1))
    EditionFactory(document=first.document, number=2, replaces=first, title="2026/27", body="The new plan.")

    latest = client.get(first.document.get_absolute_url()).content.decode()
    page = client.get(first.get_absolute_url()).content.decode()

    assert first.get_absolute_url() in latest
    assert "<strong>old</strong>" in page and "has been replaced" in page and "Read the latest edition, 2026/27" in page


def test_a_hidden_or_future_edition_cannot_be_read_as_a_page(client):
    hidden = EditionFactory(document__is_public=False)
    future = EditionFactory(published_on=clock.today() + dt.timedelta(days=1))

    for edition in (hidden, future):
        assert client.get(edition.get_absolute_url()).status_code == 404


def test_the_library_of_documents_is_filtered_by_kind(client):
    EditionFactory(document__title="The brochure", document__kind="brochure")
    EditionFactory(document__title="The minutes", document__kind="minutes")

    page = client.get("/documents/?kind=minutes").content.decode()

    assert "The minutes" in page and "The brochure" not in page
    assert "The brochure" in client.get("/documents/?kind=nonsense").content.decode()


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("Eicar-Test", "found something in this file"),
        (clamd.ScannerUnavailable(), "gives no answer now"),
        (clamd.NoVerdict(), "gives no answer now"),
        (clamd.TooLarge(), "too large for the virus scanner"),
    ],
)
def test_where_a_scanner_is_set_up_nothing_is_stored_that_it_has_not_cleared(
    client_as, staff, settings, monkeypatch, verdict, sentence
):
    settings.CLAMD_URL = "tcp://clamav.example:3310"

    def scan(file):
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    monkeypatch.setattr(clamd, "scan", scan)

    page = client_as(staff).post(reverse("admin:content_document_add"), form_data()).content.decode()

    assert sentence in page and "What we will do." in page
    assert not Document.objects.exists() and not Edition.objects.exists()


def test_a_file_that_the_scanner_cleared_is_stored_whole(client_as, staff, settings, monkeypatch):
    settings.CLAMD_URL = "tcp://clamav.example:3310"
    monkeypatch.setattr(clamd, "scan", lambda file: file.read() and "")
    file = pdf_file(title="Plan")
    content = file.read()
    file.seek(0)

    client_as(staff).post(
        reverse("admin:content_document_add"), form_data(file=SimpleUploadedFile("plan.pdf", content))
    )

    with Edition.objects.get().file.open("rb") as stored:
        assert stored.read() == content
