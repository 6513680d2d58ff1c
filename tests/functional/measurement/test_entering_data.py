"""Data come in: all that is due on one page, a workbook with Excel's habits, and 100,000 rows by the worker."""

import datetime as dt
import io

import pytest
from openpyxl import Workbook

from measurement import periods
from measurement.models import DataPoint, ImportFile
from psc_portal.common import clock
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.projects import AffiliationFactory, OrganisationFactory
from tests.functional.browsing import PHONE, overflow, press

ROWS = 100_000
MINUTES = 4 * 60_000


@pytest.fixture
def trust():
    number = OrganisationFactory._meta.model.objects.count()
    return OrganisationFactory(name=f"Trust {number}", ods_code=f"ZQ{number}", slug=f"trust-{number}")


@pytest.fixture
def member(make_person, trust):
    user = make_person()
    AffiliationFactory(user=user, organisation=trust)
    return user


def months_back(count):
    return periods.later(clock.today().replace(day=1), -count)


def monthly(trust, **traits):
    """A series of a metric of its own with a year of data, but for the newest month."""
    metric = MetricFactory(code=f"ZQ{MetricFactory._meta.model.objects.count()}", **traits)
    series = SeriesFactory(metric=metric, organisation=trust)
    fill(series, [(60 + month, 90) for month in range(11)], start=months_back(12))
    return series


@pytest.mark.parametrize("with_javascript", [True, False], ids=["with JavaScript", "without"])
def test_all_that_is_due_is_entered_on_one_page_on_a_phone(visit, log_in, axe, member, trust, with_javascript):
    falls, ulcers = monthly(trust, name="Falls risk checks"), monthly(trust, name="Skin checks")
    page = visit(width=PHONE, java_script_enabled=with_javascript)
    log_in(page, member)

    page.goto("/my/")
    page.get_by_role("link", name="Enter all on one page").first.click()
    rows = page.locator(".app-formset__item")
    assert rows.count() == 2
    assert rows.first.locator("[name$=-denominator]").input_value() == "90"
    page.get_by_role("group", name="Falls risk checks").locator("[name$=-numerator]").fill("75")
    page.get_by_role("group", name="Skin checks").locator("[name$=-numerator]").fill("95")
    press(page, "Store what is filled in")

    assert "1 value is stored." in page.locator("main").inner_text()
    refused = page.get_by_role("group", name="Skin checks")
    assert "larger than the denominator" in refused.inner_text()
    assert refused.locator("[name$=-numerator]").input_value() == "95"
    if with_javascript:
        axe(page)
        assert overflow(page) <= 0
    refused.locator("[name$=-numerator]").fill("85")
    press(page, "Store what is filled in")

    assert "Nothing is due here at the moment." in page.locator("main").inner_text()
    assert "the value was 94.4%" in page.locator("main").inner_text()
    assert page.locator("main svg.app-chart__narrow").first.is_visible()
    for series, numerator in ((falls, 75), (ulcers, 85)):
        assert series.points.current().get(period_start=months_back(1)).numerator == numerator


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(["Falls risk checks, return of the ward"])
    sheet.append(["Month", "Count", None, "Note"])
    sheet.append([None, "Numerator", "Denominator", None])
    sheet.append([months_back(2), 66, 90, ""])
    sheet.append([f"{months_back(1):%b-%y}", "71", "1,090", ""])
    sheet.append([f"{months_back(1):%B %Y}", 72, 90, "twice"])
    sheet.append(["Total", 213, 270])
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def test_a_workbook_is_checked_row_by_row_stored_named_and_undone(visit, log_in, axe, member, trust):
    series = monthly(trust, name="Falls risk checks")
    page = visit()
    log_in(page, member)

    page.goto(f"/metrics/{series.metric.code}/enter/rows/")
    page.set_input_files("[name=file]", {"name": "ward.xlsx", "mimeType": "x/y", "buffer": workbook()})
    press(page, "Check the rows")
    said = page.locator("main").inner_text()
    assert "2 good, 1 refused, 0 unchanged, 1 left out" in said
    assert "The same period is in row 5 already." in said
    assert "A total: not stored" in said
    axe(page)
    page.get_by_label("Name of this import").fill("Ward return")
    page.get_by_label("Reason for the corrections").fill("Final numbers")
    press(page, "Store 2 good rows")

    assert "2 values are stored" in page.locator("main").inner_text()
    assert series.points.current().get(period_start=months_back(2)).numerator == 66
    axe(page)
    with page.expect_navigation():
        page.get_by_role("link", name="Undo Ward return").click()
    press(page, "Undo the import")

    assert "The import “Ward return” is undone." in page.locator("main").inner_text()
    assert not series.points.current().filter(period_start=months_back(1)).exists()
    assert series.points.current().get(period_start=months_back(2)).numerator == 70


def test_a_hundred_thousand_rows_are_checked_and_stored_by_the_worker(visit, log_in, axe, make_person):
    staff = make_person(staff=True)
    metric = MetricFactory(code=f"ZQ{MetricFactory._meta.model.objects.count()}", frequency="week")
    count = OrganisationFactory._meta.model.objects.count()
    places = [OrganisationFactory(ods_code=f"ZR{count + number}", slug=f"zr-{count + number}") for number in range(56)]
    for place in places:
        SeriesFactory(metric=metric, organisation=place)
    first = dt.date(1992, 1, 6)
    lines = [
        f"{first + dt.timedelta(days=7 * week)},{place.ods_code},{week % 50},{500 + week % 70}"
        for place in places
        for week in range(1786)
    ][:ROWS]
    content = "\n".join(["Week,Organisation,Numerator,Denominator", *lines, "Total,,1,2"]).encode()
    page = visit()
    log_in(page, staff)

    page.goto(f"/metrics/{metric.code}/enter/rows/")
    page.set_input_files("[name=file]", {"name": "weeks.csv", "mimeType": "text/csv", "buffer": content})
    press(page, "Check the rows")
    page.get_by_role("button", name="Store 100,000 rows").wait_for(timeout=MINUTES)  # the page follows by itself
    assert "100,000 good, 0 refused" in page.locator("main").inner_text()
    axe(page)
    press(page, "Store 100,000 rows")
    page.get_by_text("100,000 values are stored").wait_for(timeout=MINUTES)

    assert DataPoint.objects.current().filter(series__metric=metric).count() == ROWS
    kept = ImportFile.objects.get(metric=metric)
    assert (kept.batch.rows_stored, kept.file.name) == (ROWS, "")
    begun, ended = (kept.status_changes.get(to_status=status).at for status in ("checking", "checked"))
    assert (ended - begun).total_seconds() < 30  # some 4 on a machine that does nothing else
