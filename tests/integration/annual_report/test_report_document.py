"""What stands in the report, on the page and in the PDF, with data that is easy and data that is not."""

import datetime as dt
import re
from html import unescape

import pytest

from measurement.figures import Reading
from projects.models import Priority, Project
from psc_portal.annual_report import actions, document, outline, snapshots
from psc_portal.annual_report.models import Section
from psc_portal.common import clock, demonstration
from psc_portal.common.pdf import render_pdf
from tests.awkward import awkward_report
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, SectionFactory, frozen_report
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.pledges import ProgressUpdateFactory, SignUpFactory
from tests.factories.projects import PriorityFactory, ProjectFactory
from tests.pdf_checks import assert_accessible, pdf_fonts, pdf_text

pytestmark = pytest.mark.django_db
YEAR = dt.date(2025, 4, 1)
IN_YEAR = dt.datetime(2025, 9, 1, 12, tzinfo=clock.UK)
AFTER_CUT = dt.datetime(2026, 4, 2, 12, tzinfo=clock.UK)


@pytest.fixture
def report():
    """A report of 2025-26 with data up to 31 March 2026, without sections."""
    return AnnualReportFactory(year_start=YEAR, data_cut_on=dt.date(2026, 3, 31))


def with_sections(report):
    Section.objects.bulk_create(outline.sections(report, Priority.objects.current()))
    return report


def collect(report):
    return snapshots.collect(report, report.sections.select_related("priority"))


# What is collected ---------------------------------------------------------------------------------------------------


def test_what_happened_after_the_data_cut_is_left_out(report):
    with clock.at(IN_YEAR):
        project = ProjectFactory(title="In the year", status=Project.Status.TESTING)
    with clock.at(AFTER_CUT):
        ProjectFactory(title="Too late")
        project.change_status(Project.Status.IMPLEMENTING, by=UserFactory())
    series = SeriesFactory(metric=MetricFactory(code="FALL1"))
    fill(series, [(5, 10)] * 26, start=dt.date(2024, 4, 1))

    data = collect(report)

    assert [(row["title"], row["stage"]) for row in data["projects"]] == [("In the year", "testing")]
    points = data["metrics"][0]["reading"]["points"]
    assert (len(points), points[-1]["label"]) == (24, "March 2026")


def test_pledges_are_as_fresh_as_they_were_on_the_day_of_the_data_cut(report):
    with clock.at(dt.datetime(2025, 5, 1, 12, tzinfo=clock.UK)):
        sign_up = SignUpFactory(published=True)
        statement = sign_up.statements.get(pledge__number=1)
    for day, progress in ((dt.date(2025, 6, 1), "under_way"), (dt.date(2026, 5, 1), "done")):
        ProgressUpdateFactory(statement=statement, made_on=day, progress=progress)

    (row,) = collect(report)["pledges"]

    assert (row["updated_on"], row["freshness"]) == ("2025-06-01", "overdue")
    assert row["progress"] == {"not_started": 4, "under_way": 1, "done": 0, "stopped": 0}


def test_hidden_projects_and_metrics_of_members_only_are_not_collected(report):
    with clock.at(IN_YEAR):
        ProjectFactory(title="Hidden", is_public=False)
    MetricFactory(code="SECRET1", members_only=True)

    assert "Hidden" not in snapshots.canonical(data := collect(report))
    assert data["metrics"] == []


def test_counts_of_few_people_are_hidden_in_the_snapshot_too(report):
    series = SeriesFactory(metric=MetricFactory(of_people=True))
    fill(series, [(3, 40)] + [(20, 40)] * 12, start=dt.date(2025, 2, 1))

    points = collect(report)["metrics"][0]["reading"]["points"]

    assert points[0]["is_hidden"]
    assert (points[0]["numerator"], points[0]["value"]) == (None, None)


def test_equal_data_give_equal_text_whatever_the_order_of_keys():
    assert snapshots.canonical({"b": 1, "a": [1.5, "é"]}) == snapshots.canonical({"a": [1.5, "é"], "b": 1})
    assert snapshots.canonical({"a": "é"}) == '{"a":"é"}'


@pytest.mark.parametrize("rows", [1, 3])
def test_a_snapshot_is_collected_in_a_constant_number_of_queries(report, rows, django_assert_max_num_queries):
    priority = PriorityFactory()
    SectionFactory(report=report, kind="priority", priority=priority, heading="Falls")
    with clock.at(IN_YEAR):
        for _ in range(rows):
            ProjectFactory(priorities=[priority])
            fill(SeriesFactory(metric=MetricFactory(priority=priority)), [(5, 10)] * 3)
            ProgressUpdateFactory()

    with django_assert_max_num_queries(26):
        collect(report)


# Chapters ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markdown", "levels"),
    [
        ("# One\n\n## Two\n\n# Three", [3, 4, 3]),
        ("#### Deep at once", [3]),
        ("# One\n\n#### Deep\n\n## Two", [3, 4, 4]),
        ("### Three\n\n# One", [3, 3]),
    ],
)
def test_headings_in_a_text_come_under_the_chapter_and_skip_no_level(markdown, levels):
    html = document.text_under_heading(markdown)

    assert [int(level) for level in re.findall(r"<h([1-6])>", html)] == levels
    assert html.count("</h") == len(levels)


def test_text_is_sanitised():
    html = document.text_under_heading("<script>x</script><img src='file:///etc/passwd'> [l](javascript:x)")

    assert "script" not in html
    assert "img" not in html


def test_a_project_of_two_priorities_is_told_once(report):
    priorities = [PriorityFactory(title="A first"), PriorityFactory(title="B second")]
    with clock.at(IN_YEAR):
        ProjectFactory(title="Serves two", priorities=priorities)
    with_sections(report)

    by_title = {chapter.heading: chapter.filled for chapter in document.chapters(collect(report))}

    assert [project["title"] for project in by_title["A first"]["projects"]] == ["Serves two"]
    assert by_title["B second"]["projects"] == []
    assert by_title["B second"]["elsewhere"][0][1]["heading"] == "A first"


def test_a_section_without_words_or_numbers_is_left_out(report):
    SectionFactory(report=report, kind="thanks", heading="Thanks", text="  ")
    SectionFactory(report=report, kind="pledges", heading="Pledges", text="")

    assert [chapter.heading for chapter in document.chapters(collect(report))] == ["Pledges"]


# The PDF -------------------------------------------------------------------------------------------------------------


def test_the_pdf_of_an_awkward_report_is_accessible_by_both_judges(report):
    frozen = frozen_report(report=awkward_report(report))

    pdf = render_pdf(document.pdf_html(frozen.snapshot))

    assert_accessible(pdf.content, by_verapdf=True)
    words = " ".join(pdf_text(pdf.content))
    assert "العربية" in words
    assert "<script>alert(1)</script>" in words
    assert "Never measured" in words
    assert all(font.startswith(("Liberation", "DejaVu")) for font in pdf_fonts(pdf.content))


def test_the_pdf_of_an_empty_report_is_accessible(report):
    with_sections(report).sections.filter(kind="priority").delete()

    pdf = render_pdf(document.pdf_html(frozen_report(report=report).snapshot))

    assert_accessible(pdf.content, by_verapdf=True)
    assert "No organisation has public pledges yet." in " ".join(pdf_text(pdf.content))


def words_of(html):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def test_page_and_pdf_say_the_same_in_the_same_order_with_the_numbers_of_the_snapshot(report, client_as):
    priority = PriorityFactory(slug="falls", title="Falls")
    metric = MetricFactory(code="FALL1", name="Falls check done", priority=priority, target=90)
    fill(SeriesFactory(metric=metric), [(50 + i, 100) for i in range(24)], start=dt.date(2024, 4, 1))
    with clock.at(IN_YEAR):
        ProjectFactory(title="Fewer falls", priorities=[priority])
        ProgressUpdateFactory(made_on=dt.date(2025, 9, 1))
    report = frozen_report(report=with_sections(report))
    data = report.snapshot.data
    reading = Reading.from_json(data["metrics"][0]["reading"])

    page = client_as(UserFactory(lead=True)).get(report.get_absolute_url()).content.decode()
    pdf = " ".join(pdf_text(render_pdf(document.pdf_html(report.snapshot)).content))

    headings = [section["heading"] for section in data["sections"]]
    for text in (words_of(page), pdf):
        places = [[found.start() for found in re.finditer(re.escape(heading), text)] for heading in headings]
        assert all(places)
        assert f"Latest: {reading.latest_text}, March 2026." in text
        assert reading.sentence in text
        assert "1 organisation made 5 pledges in public" in text
        for point in reading.points:
            assert f"{point.label} {point.value_text} " in text
    assert page.index('id="year-in-numbers"') < page.index('id="priority-falls"') < page.index('id="contacts"')


def test_the_demonstration_mark_stands_on_every_page(report):
    demonstration.mark()
    pages = pdf_text(render_pdf(document.pdf_html(frozen_report(report=with_sections(report)).snapshot)).content)

    assert all(demonstration.SENTENCE in text for text in pages)


def test_a_report_without_its_hash_is_refused(report):
    snapshot = frozen_report(report=report).snapshot
    snapshot.content = snapshot.content.replace("change", "chance")

    with pytest.raises(ValueError, match="hash"):
        document.pdf_html(snapshot)


def test_freezing_keeps_the_mark_of_a_demonstration(report):
    demonstration.mark()
    SectionFactory(report=report)
    actions.freeze_report(report=report, by=UserFactory(lead=True))
    report.refresh_from_db()

    assert report.snapshot.data["demonstration"] == demonstration.SENTENCE
