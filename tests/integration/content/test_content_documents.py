import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.content import actions
from psc_portal.content.models import Document, Edition
from psc_portal.search.finding import search
from tests.factories.accounts import UserFactory
from tests.factories.content import DocumentFactory, EditionFactory, pdf_file

pytestmark = pytest.mark.django_db


def fetch(client, url):
    """Status, headers and content of a file; reading it to its end closes it."""
    response = client.get(url)
    return response.status_code, response.headers, response.getvalue()


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def form_data(**changes):
    today = clock.today()
    return {
        "document_title": "Local Delivery Plan",
        "kind": "plan",
        "summary": "What we will do.",
        "is_public": "on",
        "title": "2026/27",
        "published_on_day": today.day,
        "published_on_month": today.month,
        "published_on_year": today.year,
        "body": "# What we will do\n\nMeasure.",
        "file": pdf_file(pages=3, title="Plan"),
    } | changes


def test_staff_add_a_document_that_everybody_reads_and_downloads(client, client_as, staff):
    response = client_as(staff).post(reverse("admin:content_document_add"), form_data())

    document = Document.objects.get()
    page = client.get("/documents/local-delivery-plan/").content.decode()
    status, headers, content = fetch(client, "/documents/local-delivery-plan/latest/")
    assert (response.status_code, status) == (302, 200)
    assert "PDF" in page and "3 pages" in page and "<h2>What we will do</h2>" in page
    assert headers["Content-Disposition"] == 'attachment; filename="local-delivery-plan-2026-27.pdf"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert content.startswith(b"%PDF-")
    assert "local-delivery-plan" not in document.editions.get().file.name


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (SimpleUploadedFile("plan.pdf", b"MZ not a pdf at all"), "could not be read as PDF"),
        (SimpleUploadedFile("plan.exe", b"MZ"), "not of a type that can be uploaded here"),
        (SimpleUploadedFile("plan.docx", b"PK\x03\x04 not a zip"), "could not be read as Word"),
        (SimpleUploadedFile("plan.svg", b"<svg onload=alert(1)>"), "not of a type that can be uploaded here"),
        (SimpleUploadedFile("plan.pdf", b"%PDF-1.7 " + b"x" * (10 * 1024 * 1024)), "more than the"),
        (None, "Choose a file"),
    ],
)
def test_a_renamed_oversized_or_missing_file_is_refused_and_what_was_typed_stays(client_as, staff, file, sentence):
    data = form_data(file=file) if file else {key: value for key, value in form_data().items() if key != "file"}

    page = client_as(staff).post(reverse("admin:content_document_add"), data).content.decode()

    assert sentence in page
    assert "What we will do." in page
    assert not Document.objects.exists()


def test_a_new_edition_replaces_the_one_before_at_the_same_address(client, staff):
    first = EditionFactory(published_on=dt.date(2025, 4, 1), title="2025/26")

    actions.add_edition(
        document=first.document,
        title="2026/27",
        published_on=dt.date(2026, 4, 1),
        file=pdf_file(pages=2),
        body="New.",
        by=staff,
    )

    second = Edition.objects.get(number=2)
    page = client.get(first.document.get_absolute_url()).content.decode()
    assert (second.replaces, second.pages, second.has_tags, second.has_title) == (first, 2, False, False)
    assert "replaces the edition before" in page
    assert "Earlier editions" in page
    assert fetch(client, first.download_url)[0] == 200


def test_the_upload_warns_of_a_pdf_without_tags_and_title(client_as, staff):
    client = client_as(staff)
    client.post(reverse("admin:content_document_add"), form_data(file=pdf_file()))

    page = client.get(reverse("admin:content_document_change", args=[Document.objects.get().pk])).content.decode()

    assert "This PDF has no tags and no title" in page


def test_an_edition_dated_before_the_one_it_replaces_is_refused(staff):
    first = EditionFactory(published_on=dt.date(2026, 4, 1))

    with pytest.raises(ActionRefused, match="1 April 2026"):
        actions.add_edition(
            document=first.document, title="Old", published_on=dt.date(2026, 3, 31), file=pdf_file(), body="B", by=staff
        )


def test_an_edition_is_not_to_be_had_before_its_day(client):
    edition = EditionFactory(published_on=clock.today() + dt.timedelta(days=1))

    assert client.get(edition.document.get_absolute_url()).status_code == 404
    assert client.get(edition.download_url).status_code == 404
    assert client.get(f"{edition.document.get_absolute_url()}latest/").status_code == 404


def test_a_document_that_is_not_public_is_for_staff_only(client, client_as, staff):
    edition = EditionFactory(document__is_public=False)

    for url in (edition.document.get_absolute_url(), edition.download_url):
        assert client.get(url).status_code == 404
        assert client_as(UserFactory()).get(url).status_code == 404
        assert fetch(client_as(staff), url)[0] == 200
    assert edition.document.title not in client.get("/documents/").content.decode()


@pytest.mark.parametrize("path", ["no-such-document/", "no-such-document/latest/", "{slug}/editions/99/"])
def test_forged_addresses_are_not_found(client, path):
    edition = EditionFactory()

    assert client.get(f"/documents/{path.format(slug=edition.document.slug)}").status_code == 404


def test_who_is_not_staff_cannot_add_a_document():
    with pytest.raises(PermissionDenied):
        actions.add_edition(
            document=DocumentFactory(),
            title="T",
            published_on=clock.today(),
            file=pdf_file(),
            body="B",
            by=UserFactory(),
        )


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_documents_runs_a_constant_number_of_queries(client, django_assert_num_queries, rows):
    for _ in range(rows):
        EditionFactory()
    client.get("/documents/")

    with django_assert_num_queries(3):
        client.get("/documents/")


def test_search_finds_a_document_by_its_title_and_shows_words_without_markup(staff):
    EditionFactory(
        document__title="Winter plan", body="# What **falls** mean\n\n| Falls | [Read](/about/) |\n|---|---|"
    )

    by_title, by_text = (search(query, user=staff).hits for query in ("winter", "falls"))

    assert [hit.title for hit in by_title] == ["<mark>Winter</mark> plan"]
    assert "<mark>falls</mark>" in by_text[0].snippet
    assert not set("#*|[(") & set(by_text[0].snippet)
