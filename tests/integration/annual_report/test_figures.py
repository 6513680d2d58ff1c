"""Every number of a report by name, and placeholders for them in what people write."""

import datetime as dt

import pytest

from psc_portal.annual_report import actions, figures, placeholders, snapshots
from psc_portal.annual_report.models import AnnualReport
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.annual_report import AnnualReportFactory, SectionFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import ProjectFactory

pytestmark = pytest.mark.django_db
IN_YEAR = dt.datetime(2025, 9, 1, 12, tzinfo=clock.UK)


@pytest.fixture
def lead():
    return UserFactory(lead=True)


@pytest.fixture
def report():
    """A report of 2025-26 with two projects, a metric of 12 months and one without data."""
    with clock.at(IN_YEAR):
        ProjectFactory(title="Falls at night")
        ProjectFactory(title="Pressure care")
    fill(
        SeriesFactory(metric=MetricFactory(code="PU1", name="Ulcers")),
        [(5, 10)] * 11 + [(6, 10)],
        start=dt.date(2025, 4, 1),
    )
    MetricFactory(code="NEW1", name="Not begun")
    return AnnualReportFactory(year_start=dt.date(2025, 4, 1), data_cut_on=dt.date(2026, 3, 31))


def edit(section, by, text):
    return actions.edit_section(
        section=section, heading=section.heading, text=text, owner=None, version=section.version, by=by
    )


def test_a_figure_says_its_value_its_definition_its_calculation_and_its_rows(report):
    found = figures.all_of(snapshots.collect(report, []))

    latest, projects = found["metric:PU1.latest"], found["projects.all"]
    assert (latest.shown, latest.value, latest.unit) == ("60%", 60.0, "%")
    assert latest.calculation == "Numerator (Checked in time) ÷ denominator (All admissions), in %."
    assert [(row["period"], row["numerator"], row["value"]) for row in latest.rows] == [("March 2026", "6", "60")]
    assert found["metric:PU1.2026-03-01"].shown == "60%"
    assert (projects.shown, [row["project"] for row in projects.rows]) == ("2", ["Falls at night", "Pressure care"])
    assert (found["metric:PU1.points"].value, found["metric:NEW1.points"].value) == (12, 0)
    assert "metric:NEW1.latest" not in found


def test_a_hidden_value_is_hidden_in_every_figure_made_of_it(report):
    fill(
        SeriesFactory(metric=MetricFactory(code="FEW1", of_people=True)), [(20, 40), (3, 40)], start=dt.date(2026, 2, 1)
    )

    found = figures.all_of(snapshots.collect(report, []))

    latest = found["metric:FEW1.latest"]
    assert (latest.shown, latest.value) == ("Hidden (small numbers)", None)
    assert (latest.rows[0]["numerator"], latest.rows[0]["denominator"], latest.rows[0]["value"]) == ("*", "*", "*")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ metric:PU1.lates }}", "Did you mean {{ metric:PU1.latest }}"),
        ("{{ CALLS.FUNDED }}", "Did you mean {{ calls.funded }}"),
        ("{{ metric:NEW1.latest }}", "NEW1 has no value up to the data cut"),
        ("{{ }}", "names no figure"),
        ("{{ calls.funded }", "one of the two is missing"),
        ("{{ " + "x" * 5000 + " }}", "is not a figure of this report"),
    ],
)
def test_a_section_with_a_broken_placeholder_is_refused_with_a_sentence_and_stays_as_it_was(report, lead, text, why):
    section = SectionFactory(report=report, text="As it was.")

    with pytest.raises(ActionRefused) as refusal:
        edit(section, lead, text)

    section.refresh_from_db()
    assert (why in str(refusal.value), len(str(refusal.value)) < 400) == (True, True)
    assert (section.text, section.version) == ("As it was.", 1)


def test_the_page_that_refuses_a_broken_placeholder_keeps_what_was_typed(report, lead, client_as):
    section = SectionFactory(report=report, text="As it was.")

    page = client_as(lead).post(
        section.get_absolute_url(),
        {"heading": "Foreword", "text": "Typed for an hour {{ calls.fundd }}", "owner": "", "version": 1},
    )

    assert page.status_code == 200
    assert "Typed for an hour {{ calls.fundd }}" in page.content.decode()
    assert "Did you mean {{ calls.funded }}?" in page.content.decode()


def test_placeholders_are_replaced_at_freeze_and_the_snapshot_keeps_what_was_written_too(report, lead):
    section = SectionFactory(report=report)
    edit(section, lead, "We ran {{projects.all}} projects; PU1 stood at {{ metric:PU1.latest }}.")

    snapshot = actions.freeze_report(report=report, by=lead)

    (kept,) = snapshot.data["sections"]
    assert kept["text"] == "We ran 2 projects; PU1 stood at 60%."
    assert kept["written"] == "We ran {{projects.all}} projects; PU1 stood at {{ metric:PU1.latest }}."
    assert kept["figures"] == {"projects.all": "2", "metric:PU1.latest": "60%"}
    assert snapshot.data["named_figures"]["projects.all"] == "2"


def test_a_placeholder_that_broke_after_it_was_saved_stops_the_freeze_with_a_sentence(report, lead):
    SectionFactory(report=report, heading="Thanks", text="{{ metric:GONE1.latest }}")

    with pytest.raises(ActionRefused, match="GONE1"):
        actions.freeze_report(report=report, by=lead)

    report.refresh_from_db()
    assert report.status == AnnualReport.Status.EDITING


def test_figures_worked_out_again_from_the_frozen_data_are_those_that_were_kept(report, lead):
    SectionFactory(report=report)
    data = actions.freeze_report(report=report, by=lead).data
    ProjectFactory(title="Later")

    again = figures.all_of(data)

    assert {reference: figure.shown for reference, figure in again.items()} == data["named_figures"]
    assert placeholders.broken("{{ projects.all }}", again) == []
