"""Workbooks as Excel saves them, and what must not be taken for one."""

import datetime as dt
import io
import re
import zipfile

import pytest
from django.core.files.base import ContentFile
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from measurement import imports, workbooks
from psc_portal.common.refusals import ActionRefused
from tests.factories.measurement import MetricFactory, SeriesFactory, ValueMetricFactory
from tests.factories.projects import OrganisationFactory

pytestmark = pytest.mark.django_db


def saved(book, name="data.xlsx"):
    content = io.BytesIO()
    book.save(content)
    return ContentFile(content.getvalue(), name=name)


def book_of(*rows, title="Data"):
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return book


def check(file, series=None, **options):
    series = series or SeriesFactory()
    source = imports.of_file(file, series.metric)
    return imports.check(series.metric, source, **{"allowed": [series], "default": series, **options})


HEADER = ["Period", "Numerator", "Denominator", "Note"]


def test_dates_numbers_and_texts_of_a_workbook_are_read_as_excel_shows_them():
    book = book_of(
        HEADER,
        [dt.date(2025, 4, 1), 12, 340, "first"],
        [dt.datetime(2025, 5, 1), 13.0, "1,340", None],
        ["Jun-25", "14", 341.0, True],
        [45839, 15, 342],  # 1 July 2025, as a serial number without a date format
    )

    preview = check(saved(book))

    assert [(row.number, row.period, row.shown, row.problem) for row in preview.rows] == [
        (2, "April 2025", "12 of 340", ""),
        (3, "May 2025", "13 of 1,340", ""),
        (4, "June 2025", "14 of 341", ""),
        (5, "July 2025", "15 of 342", ""),
    ]


def test_a_percentage_counts_as_it_is_shown():
    series = SeriesFactory(metric=ValueMetricFactory(unit="%"))
    book = book_of(["Month", "Value"], [dt.date(2025, 4, 1), 0.125], [dt.date(2025, 5, 1), "13.5%"])
    book.active["B2"].number_format = "0.0%"

    preview = check(saved(book), series)

    assert [row.shown for row in preview.rows] == ["12.5%", "13.5%"]


def test_a_percentage_is_refused_where_a_count_or_another_unit_is_wanted():
    counts = check(saved(book_of(HEADER, ["2025-04", "12%", 340])))
    days = check(
        saved(book_of(["Month", "Value"], ["2025-04", "12%"])), SeriesFactory(metric=ValueMetricFactory(unit="days"))
    )

    assert counts.rows[0].problem == "“12%” is a percentage: the numerator must be a count."
    assert days.rows[0].problem == "“12%” is a percentage: the value must be in days."


def test_dates_of_the_1904_system_are_the_same_days():
    book = book_of(HEADER, [dt.date(2025, 4, 1), 12, 340])
    book.epoch = CALENDAR_MAC_1904

    assert check(saved(book)).rows[0].period == "April 2025"


def test_a_merged_header_in_two_rows_titles_above_and_totals_below():
    book = book_of(
        ["Falls in hospital, Own Trust"],
        [],
        ["Period", "Falls team", None, "Remarks"],
        [None, "Numerator", "Denominator", None],
        [dt.date(2025, 4, 1), 12, 340, "ok"],
        [],
        [dt.date(2025, 5, 1), 13, 340],
        ["Total", 25, 680],
        ["Source: the falls register"],
    )
    book.active.merge_cells("A3:A4")
    book.active.merge_cells("B3:C3")

    preview = check(saved(book))

    assert [(row.number, row.verdict) for row in preview.rows] == [
        (5, "New"),
        (7, "New"),
        (8, "A total: not stored"),
        (9, "A line of text: not stored"),
    ]
    assert (preview.good_count, preview.left_out_count, preview.refused_count) == (2, 2, 0)
    assert preview.ignored == ["remarks"]


def test_the_sheet_with_the_table_is_found_and_hidden_sheets_are_not_read():
    book = book_of(["Notes"], ["Counted by hand"], title="Read me")
    hidden = book.create_sheet("Hidden")
    hidden.append(HEADER)
    hidden.append(["2025-01", 1, 2])
    hidden.sheet_state = "hidden"
    table = book.create_sheet("Table 1")
    table.append(HEADER)
    table.append(["2025-04", 12, 340])

    preview = check(saved(book))

    assert (preview.sheet, preview.rows[0].period) == ("Table 1", "April 2025")


def test_a_formula_counts_by_its_saved_result_and_is_refused_without_one():
    book = book_of(HEADER, ["2025-04", "=5+7", 340], ["2025-05", 13, 340])
    without, kept = saved(book), io.BytesIO()
    with zipfile.ZipFile(without) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"(<f>5\+7</f>)<v ?/>", rb"\1<v>12</v>", old.read(name)))

    refused, read = check(without), check(ContentFile(kept.getvalue(), name="data.xlsx"))

    assert "formula without a result" in refused.rows[0].problem
    assert refused.rows[1].problem == ""
    assert read.rows[0].shown == "12 of 340"


def test_nothing_that_only_looks_like_a_formula_is_worked_out():
    preview = check(ContentFile(b"period,numerator,denominator\n2025-04,=1+1,340\n", name="a.csv"))

    assert preview.rows[0].problem == "“=1+1” is not a number."


# What is not taken ---------------------------------------------------------------------------------------------------


def rewritten(change, name="data.xlsx"):
    """A good workbook, taken apart and packed again with `change(parts)`."""
    parts = {}
    with zipfile.ZipFile(saved(book_of(HEADER, ["2025-04", 12, 340]))) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    change(parts)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, part in parts.items():
            archive.writestr(one, part)
    return ContentFile(packed.getvalue(), name=name)


def add(name, part):
    return lambda parts: parts.update({name: part})


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        (add("xl/vbaProject.bin", b"macro"), "data.xlsx", "contains macros"),
        (lambda parts: None, "data.xlsm", "with macros is not taken"),
        (add("xl/worksheets/more.xml", b" " * 90_000_000), "data.xlsx", "unpacks to"),
        (add("xl/worksheets/more.xml", b" " * 9_000_000), "data.xlsx", "far more than it should"),
        (add("xl/worksheets/sheet1.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "data.xlsx", "unusual way"),
        (add("xl/worksheets/sheet1.xml", b"<worksheet><row"), "data.xlsx", "cannot be read"),
        (lambda parts: parts.pop("xl/workbook.xml"), "data.xlsx", "could not be read"),
        (lambda parts: None, "data.ods", "cannot be read here|can be read here"),
    ],
    ids=[
        "macros inside", "macros by name", "bomb by size", "bomb by ratio", "entities", "broken", "no workbook",
        "other",
    ],
)  # fmt: skip
def test_what_is_no_plain_workbook_is_refused_before_it_is_read(change, name, sentence):
    with pytest.raises(ActionRefused, match=sentence):
        check(rewritten(change, name))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_beyond_what_it_says():
    packed = io.BytesIO(rewritten(add("xl/worksheets/more.xml", b" " * 9_000_000)).read())
    content = bytearray(packed.getvalue())
    size = (9_000_000).to_bytes(4, "little")
    while (at := content.find(size)) >= 0:
        content[at : at + 4] = (900).to_bytes(4, "little")

    with pytest.raises(ActionRefused):
        check(ContentFile(bytes(content), name="data.xlsx"))


def test_a_row_far_to_the_right_does_not_fill_the_memory():
    sheet = b"".join(
        [
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>',
            b'<row r="1"><c r="A1" t="inlineStr"><is><t>Period</t></is></c><c r="XFD1"><v>1</v></c></row>',
            b"</sheetData></worksheet>",
        ]
    )
    book = workbooks.Workbook(rewritten(add("xl/worksheets/sheet1.xml", sheet)))

    assert list(book.rows(book.sheets[0])) == [(1, ["Period"])]


# Names of places -----------------------------------------------------------------------------------------------------


def test_an_unknown_place_is_refused_with_the_nearest_one():
    metric = MetricFactory()
    series = SeriesFactory(metric=metric, organisation=OrganisationFactory(ods_code="RX1", name="Nottingham Hospitals"))

    preview = check(
        saved(book_of(["Trust", *HEADER], ["Notingham Hospital", "2025-04", 1, 9], ["Leeds", "2025-04", 1, 9])), series
    )

    assert [row.problem for row in preview.rows] == [
        "“Notingham Hospital” is not a place whose data you may enter here. Did you mean Nottingham Hospitals?",
        "“Leeds” is not a place whose data you may enter here.",
    ]


def test_a_code_beside_a_name_is_enough():
    series = SeriesFactory(organisation=OrganisationFactory(ods_code="RX1", name="Own Trust"))
    table = book_of(["Trust name", "Trust code", *HEADER], ["OWN NHS TRUST", "RX1", "2025-04", 1, 9])

    assert check(saved(table), series).rows[0].problem == ""


def test_ten_thousand_unknown_places_are_not_compared_for_ever(monkeypatch):
    series = SeriesFactory(organisation=OrganisationFactory(ods_code="RX1", name="Own Trust"))
    compared = []
    monkeypatch.setattr(imports.difflib, "get_close_matches", lambda name, *_, **__: compared.append(name) or [])
    rows = "".join(f"Hospital {number},2025-04,1,9\n" for number in range(10_000))

    preview = check(
        ContentFile(f"organisation,period,numerator,denominator\n{rows}".encode(), name="a.csv"), series, most_shown=50
    )

    assert (preview.refused_count, len(preview.rows)) == (10_000, 50)
    assert len(compared) == imports.MOST_COMPARED
