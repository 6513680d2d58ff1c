import datetime as dt
import json

import pytest
from django.test import Client
from django.urls import reverse

from psc_portal.annual_report import actions
from psc_portal.annual_report.models import AnnualReport, Rendering
from psc_portal.common import clock
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import (
    AnnualReportFactory,
    RenderingFactory,
    SectionFactory,
    frozen_report,
    published_report,
)
from tests.factories.projects import PriorityFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return UserFactory(lead=True)


@pytest.fixture(autouse=True)
def no_kept_pages():
    from django.core.cache import cache

    cache.clear()


def text(response):
    return response.content.decode()


# Who sees what -------------------------------------------------------------------------------------------------------


def status(response):
    b"".join(response)  # an unread download keeps its file open
    return response.status_code


def addresses(report):
    section = report.sections.first()
    own = [reverse(f"annual_report:{name}", args=[report.year]) for name in ("report_detail", "report_pdf")]
    writing = [
        reverse("annual_report:report_create"),
        reverse("annual_report:report_write", args=[report.year]),
        reverse("annual_report:report_edit", args=[report.year]),
        reverse("annual_report:rendering_progress", args=[report.year]),
        reverse("annual_report:section_edit", args=[report.year, section.pk]),
        *[
            reverse("annual_report:report_step", args=[report.year, step])
            for step in ("freeze", "reopen", "render", "cancel", "publish", "correct")
        ],
    ]
    return own, writing


def test_a_draft_and_a_frozen_report_do_not_exist_for_anyone_but_their_writers(client_as):
    draft = AnnualReportFactory(summary="Secret draft")
    SectionFactory(report=draft, text="Secret draft")
    frozen = frozen_report(summary="Secret frozen")
    RenderingFactory(snapshot=frozen.snapshot, done=True)

    for client in (Client(), client_as(UserFactory()), client_as(UserFactory(reviewer=True))):
        assert "Secret" not in text(client.get("/reports/"))
        for report in (draft, frozen):
            own, writing = addresses(report)
            for address in (*own, *writing):
                assert status(client.get(address)) == 404, address
                assert status(client.post(address, {"text": "x"})) in (404, 405), address
    assert frozen_status(draft, frozen) == ["editing", "frozen"]


def frozen_status(*reports):
    return [AnnualReport.objects.get(pk=report.pk).status for report in reports]


def test_the_writing_pages_of_a_published_report_stay_closed_to_readers(client_as):
    report = published_report()
    own, writing = addresses(report)

    for client in (Client(), client_as(UserFactory())):
        assert [status(client.get(address)) for address in own] == [200, 200]
        assert {status(client.get(address)) for address in writing} == {404}


def test_a_published_report_shows_nothing_that_is_not_public(client):
    priority = PriorityFactory(slug="falls")
    ProjectFactory(title="Open work", priorities=[priority])
    ProjectFactory(title="Hidden work", priorities=[priority], is_public=False)
    report = AnnualReportFactory(data_cut_on=clock.today())
    SectionFactory(report=report, kind="priority", priority=priority, heading="Falls")
    published_report(report=report)

    page = text(client.get(report.get_absolute_url()))

    assert "Open work" in page
    assert "Hidden work" not in page


@pytest.mark.parametrize("year", ["2025-27", "2025-24", "1025-26", "25-26", "2025-2026"])
def test_a_year_that_is_none_is_not_found(client, year):
    assert client.get(f"/reports/{year}/").status_code == 404


# Reading -------------------------------------------------------------------------------------------------------------


def test_the_list_runs_as_many_queries_for_three_reports_as_for_one(client_as, lead, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_as(lead)
    published_report()
    client.get("/reports/")
    with CaptureQueriesContext(connection) as one:
        client.get("/reports/")
    published_report()
    published_report()

    with django_assert_num_queries(len(one)):
        assert text(client.get("/reports/")).count("Download the report") == 3


def test_the_list_shows_the_latest_year_first_with_the_size_of_its_pdf(client):
    published_report(year_start=dt.date(2023, 4, 1), summary="The older one")
    published_report(year_start=dt.date(2024, 4, 1), summary="The newer one")

    page = text(client.get("/reports/"))

    assert page.index("The newer one") < page.index("The older one")
    assert "PDF, 1 page, 21" in page.replace("\xa0", " ")


def test_the_empty_list_says_so_and_leads_on(client):
    assert "No annual report has been published yet" in text(client.get("/reports/"))


def test_the_latest_address_leads_to_the_newest_published_report(client):
    assert client.get("/reports/latest/").url == "/reports/"
    published_report(year_start=dt.date(2023, 4, 1))
    AnnualReportFactory(year_start=dt.date(2024, 4, 1))

    assert client.get("/reports/latest/").url == "/reports/2023-24/"


def test_the_pdf_comes_as_a_download_and_a_second_look_costs_nothing(client):
    report = published_report(year_start=dt.date(2024, 4, 1))

    response = client.get("/reports/2024-25/report.pdf")

    assert b"".join(response.streaming_content).startswith(b"%PDF")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'attachment; filename="annual-report-2024-25.pdf"'
    assert response["ETag"] == f'"{report.document.sha256}"'
    again = client.get("/reports/2024-25/report.pdf", headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_published_page_stays_as_it_was_when_the_data_change(client):
    project = ProjectFactory(title="Fewer falls", priorities=[priority := PriorityFactory(slug="falls")])
    report = AnnualReportFactory(data_cut_on=clock.today())
    SectionFactory(report=report, kind="priority", priority=priority, heading="Falls")
    published_report(report=report)
    project.title = "Renamed"
    project.save()

    page, _, thread = text(client.get(report.get_absolute_url())).partition('id="thread-heading"')

    assert "Fewer falls" in page
    assert "Renamed" not in page
    assert "Renamed" in thread  # leads to the pages of today, under their names of today


def test_writers_preview_a_report_from_the_live_data(client_as, lead):
    report = AnnualReportFactory()
    SectionFactory(report=report, text="## Thanks to all\n\nA <script>alert(1)</script> year.")

    page = text(client_as(lead).get(report.get_absolute_url()))

    assert "preview from the live data" in page
    assert "<h3>Thanks to all</h3>" in page
    assert "<script>alert" not in page


# Writing -------------------------------------------------------------------------------------------------------------


def test_a_report_is_started_written_frozen_rendered_and_published_through_its_pages(client_as, lead):
    client = client_as(lead)
    year = clock.today().year - 2
    client.post("/reports/new/", {"year_start": f"{year}-04-01"})
    report = AnnualReport.objects.get()
    section = report.sections.get(kind="foreword")
    address = reverse("annual_report:section_edit", args=[report.year, section.pk])
    client.post(address, {"heading": "Foreword", "text": "We thank all.", "version": 1, "sign_off": "x"})
    section.refresh_from_db()
    assert (section.text, section.signed_off_by) == ("We thank all.", lead)

    for step in ("freeze", "render"):
        assert client.post(reverse("annual_report:report_step", args=[report.year, step])).status_code == 302
    waiting = text(client.get(reverse("annual_report:report_write", args=[report.year])))
    actions.render(rendering=Rendering.objects.get(kind="report"))
    client.post(reverse("annual_report:report_step", args=[report.year, "publish"]))

    assert "Waiting for the worker" in waiting
    assert "We thank all." in text(Client().get(report.get_absolute_url()))
    assert status(Client().get(reverse("annual_report:report_pdf", args=[report.year]))) == 200


def test_a_section_that_somebody_changed_meanwhile_is_shown_beside_ones_own_text(client_as, lead):
    section = SectionFactory(text="Before.")
    address = reverse("annual_report:section_edit", args=[section.report.year, section.pk])
    mine = {"heading": section.heading, "text": "My words.", "version": 1}
    other = UserFactory(staff=True, full_name="Ann Other")
    actions.edit_section(section=section, heading="Foreword", text="Their words.", owner=None, version=1, by=other)
    client = client_as(lead)

    page = text(client.post(address, mine))

    assert "Their words." in page
    assert "My words." in page
    assert "Ann Other changed this section" in page
    assert "<title>Error: " in page.replace("\n", "")
    assert 'name="version" value="2"' in page
    assert client.post(address, {**mine, "text": "Their words. My words.", "version": 2}).status_code == 302


def test_a_refused_sign_off_keeps_what_was_typed(client_as, lead):
    section = SectionFactory()
    address = reverse("annual_report:section_edit", args=[section.report.year, section.pk])

    page = text(
        client_as(lead).post(
            address, {"heading": "Foreword", "text": "Patient 943 476 5919", "version": 1, "sign_off": "x"}
        )
    )

    section.refresh_from_db()
    assert "looks like an NHS number" in page
    assert "Patient 943 476 5919" in page
    assert not section.is_signed_off


def test_a_section_of_another_report_is_not_found(client_as, lead):
    section, other = SectionFactory(), AnnualReportFactory()

    assert client_as(lead).get(f"/reports/{other.year}/write/sections/{section.pk}/").status_code == 404


def test_nothing_changes_by_looking(client_as, lead):
    report = frozen_report()
    client = client_as(lead)
    _, writing = addresses(report)

    for address in writing:
        client.get(address)

    report.refresh_from_db()
    assert (report.status, Rendering.objects.count()) == ("frozen", 0)


def test_a_wrong_step_is_not_found(client_as, lead):
    report = frozen_report()

    assert client_as(lead).post(f"/reports/{report.year}/write/delete/").status_code == 404


def test_publishing_without_a_pdf_says_what_to_do(client_as, lead):
    report = frozen_report()

    page = text(client_as(lead).post(reverse("annual_report:report_step", args=[report.year, "publish"])))

    assert "Make the PDF first" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Waiting for the worker"),
        ({"running": True, "percent": 40, "step": "Laying out page 4"}, "40%: Report: Laying out page 4"),
        ({"failed": True}, "The disk is full."),
        ({"done": True}, "Report (PDF, 1 page, 21\xa0bytes)"),
    ],
)
def test_the_page_says_how_far_the_pdf_is_after_a_reload_too(client_as, lead, state, words):
    report = frozen_report()
    RenderingFactory(snapshot=report.snapshot, **state)

    page = text(client_as(lead).get(reverse("annual_report:report_write", args=[report.year])))

    assert words in page
    assert ("data-progress-url" in page) == (state == {} or "running" in state)


def test_the_progress_address_says_the_same_to_a_script(client_as, lead):
    report = frozen_report()
    RenderingFactory(snapshot=report.snapshot, running=True, percent=40, step="Laying out page 4")

    response = client_as(lead).get(reverse("annual_report:rendering_progress", args=[report.year]))

    assert json.loads(response.content) == {
        "status": "running",
        "label": "In the making",
        "percent": 40,
        "step": "Report: Laying out page 4",
        "is_under_way": True,
        "each": {"report": "In the making"},
    }


def test_a_correction_stands_above_the_published_report(client_as, lead):
    report = published_report()

    client_as(lead).post(reverse("annual_report:report_step", args=[report.year, "correct"]), {"text": "7, not 9."})

    assert "7, not 9." in text(Client().get(report.get_absolute_url()))
