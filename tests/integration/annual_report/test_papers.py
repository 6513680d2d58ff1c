"""Every PDF that is made of a snapshot: accessible by both judges, as long as it should be, the same each time."""

import datetime as dt

import pypdfium2
import pytest
from django.test import Client
from pypdfium2 import raw

from projects.models import Priority
from psc_portal.annual_report import actions, outline, papers
from psc_portal.annual_report.models import Rendering, Section
from psc_portal.common.pdf import look_into, render_pdf
from tests.awkward import awkward_report
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, RenderingFactory, frozen_report, published_report
from tests.factories.projects import PriorityFactory
from tests.pdf_checks import assert_accessible, pdf_fonts, pdf_text

pytestmark = pytest.mark.django_db
KINDS = [kind for kind in Rendering.Kind if kind != Rendering.Kind.REPORT]  # that one: test_report_document.py


def report_of(data):
    report = AnnualReportFactory(year_start=dt.date(2025, 4, 1), data_cut_on=dt.date(2026, 3, 31))
    if data == "awkward":
        return frozen_report(report=awkward_report(report))
    PriorityFactory(slug="empty", title="Nothing here yet")
    Section.objects.bulk_create(outline.sections(report, Priority.objects.current()))
    return frozen_report(report=report)


def made(snapshot, kind):
    wanted = next(one for one in papers.wanted(snapshot.data) if one.kind == kind)
    for paper in papers.drafts(Rendering(snapshot=snapshot, kind=wanted.kind, part=wanted.part)):
        pdf = render_pdf(paper.html, stylesheets=paper.stylesheets)
        if paper.pages in (None, pdf.pages):
            return pdf
    raise AssertionError("no draft fits")


@pytest.mark.parametrize("data", ["awkward", "empty"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_pdf_is_accessible_by_both_judges_with_awkward_data_and_with_none(kind, data):
    pdf = made(report_of(data).snapshot, kind)

    assert_accessible(pdf.content, by_verapdf=True)
    assert all(font.startswith(("Liberation", "DejaVu")) for font in pdf_fonts(pdf.content))
    look = look_into(pdf.content)
    assert (look.language, look.is_tagged, bool(look.title)) == ("en-GB", True, True)


@pytest.mark.parametrize("data", ["awkward", "empty"])
def test_a_board_pack_has_two_pages_whatever_the_data(data):
    pdf = made(report_of(data).snapshot, Rendering.Kind.BOARD_PACK)

    assert pdf.pages == len(pdf_text(pdf.content)) == 2


def test_a_board_pack_of_many_priorities_counts_what_it_leaves_out():
    for number in range(40):
        PriorityFactory(slug=f"priority-{number}", title=f"Priority {number} " + "with a long name " * 4)

    pdf = made(report_of("empty").snapshot, Rendering.Kind.BOARD_PACK)

    assert pdf.pages == 2
    assert "more priorities in the report." in pdf_text(pdf.content)[1]


def test_no_text_of_the_large_print_edition_is_smaller_than_18_points():
    pdf = made(report_of("awkward").snapshot, Rendering.Kind.LARGE_PRINT)

    assert min(sizes_of_text(pdf.content)) >= 17.9


def sizes_of_text(content):
    """Sizes on paper of everything that is written, in points, in charts too."""
    with pypdfium2.PdfDocument(content) as document:
        for sheet in document:
            page = sheet.get_textpage()
            for index in range(page.count_chars()):
                matrix = raw.FS_MATRIX()
                raw.FPDFText_GetMatrix(page, index, matrix)
                if chr(raw.FPDFText_GetUnicode(page, index)).isalnum():
                    yield raw.FPDFText_GetFontSize(page, index) * max(abs(matrix.d), abs(matrix.b))


def test_the_pdf_of_one_priority_tells_of_no_other():
    PriorityFactory(slug="falls", title="Falls in hospital")
    snapshot = report_of("empty").snapshot

    words = " ".join(pdf_text(made(snapshot, Rendering.Kind.PRIORITY).content))

    assert ("Falls in hospital" in words) != ("Nothing here yet" in words)


def test_each_pdf_is_made_by_the_worker_and_stands_at_its_address():
    lead = UserFactory(lead=True)
    report = report_of("empty")
    actions.request_rendering(report=report, by=lead)
    for rendering in Rendering.objects.all():
        actions.render(rendering=rendering)
    actions.publish_report(report=report, by=lead)

    page = Client().get("/reports/").content.decode()

    for name in ("report", "board-pack", "large-print", "priority-empty"):
        address = f"/reports/2025-26/{name}.pdf"
        assert f'href="{address}"' in page
        answer = Client().get(address)
        assert b"".join(answer).startswith(b"%PDF-")
        assert answer["Content-Type"] == "application/pdf"


def test_only_the_report_itself_has_a_cover_and_it_is_a_picture():
    report = report_of("empty")
    actions.request_rendering(report=report, by=UserFactory(lead=True))
    for rendering in Rendering.objects.filter(kind__in=["report", "board_pack"]):
        actions.render(rendering=rendering)

    with_cover = Rendering.objects.exclude(cover="").get()

    assert with_cover.kind == Rendering.Kind.REPORT
    assert with_cover.cover.read().startswith(b"\x89PNG")


def test_a_pdf_that_is_not_there_is_not_found():
    report = published_report()
    RenderingFactory(snapshot=report.snapshot, kind="board_pack", failed=True)

    for name in ("board-pack", "priority-none", "secret"):
        assert Client().get(f"/reports/{report.year}/{name}.pdf").status_code == 404
