"""Downloads as CSV and XLSX: written row by row, safe to open in a spreadsheet, marked where data is for demonstration.

A cell of text never becomes a formula, whatever it says; numbers stay numbers and dates stay dates.
"""

import csv
import datetime as dt
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from psc_portal.common import clock, demonstration

NUMBER = re.compile(r"[-+]?\d+(\.\d+)?%?\Z", re.ASCII)
BEGINS_A_FORMULA = "=+-@\t\r\0\n＝＋－＠"  # full width: some spreadsheets take these too
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ESCAPED_IN_XLSX = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # a spreadsheet reads _x003D_ as the sign "="
LONGEST_CELL = 32_767  # characters: what a cell of a spreadsheet takes
CUT = " … (cut here: the text is longer than a cell takes)"
SOME_LINES = 100  # lines that are sent together: one by one, each would be a packet
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = ("csv", "xlsx")


@dataclass(frozen=True)
class Table:
    """What is exported: a title, what to know about it (label and text), column headings and rows as they come."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence]
    about: Sequence[tuple[str, str]] = ()


def response(table: Table, filename: str, kind: str) -> HttpResponse:
    """`table` as a download. `filename` has no ending; `kind` is one of FORMATS."""
    return {"csv": _csv_table, "xlsx": _xlsx_table}[kind](table, f"{filename}.{kind}")


# CSV -----------------------------------------------------------------------------------------------------------------
class _Echo:
    def write(self, line):
        return line


def safe_cell(value):
    """Text that a spreadsheet would take for a formula gets a leading quote; numbers stay numbers.

    Source: OWASP ASVS 5.0, 1.2.10.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        if value[:1] in BEGINS_A_FORMULA and value and not NUMBER.match(value):
            return "'" + value
        return value
    if isinstance(value, dt.datetime) and value.tzinfo:
        return f"{value.astimezone(clock.UK):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def csv_lines(header: Sequence[str], rows: Iterable[Sequence], about: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    first = ["\ufeff"]  # tells Excel that this is UTF-8
    if demonstration.is_demonstration():
        first.append(write([demonstration.SENTENCE]))
    first += [write([safe_cell(f"{label}: {text}")]) for label, text in about]
    yield "".join([*first, write(header)])
    lines = []
    for row in rows:
        lines.append(write([safe_cell(value) for value in row]))
        if len(lines) == SOME_LINES:
            yield "".join(lines)
            lines.clear()
    if lines:
        yield "".join(lines)


def csv_response(
    filename: str, header: Sequence[str], rows: Iterable[Sequence], about: Sequence[tuple[str, str]] = ()
) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        csv_lines(header, rows, about),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _csv_table(table: Table, filename: str) -> StreamingHttpResponse:
    return csv_response(filename, table.header, table.rows, table.about)


# XLSX ----------------------------------------------------------------------------------------------------------------
def safe_text(text: str) -> str:
    """`text` as a cell of XLSX takes it: without characters that XML refuses, not longer than a cell."""
    text = ESCAPED_IN_XLSX.sub("_x005F_", NOT_IN_XML.sub("", text))
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(CUT)] + CUT


def _cell(sheet, value):
    """A value as a cell whose kind is set here, not guessed from what the text looks like."""
    if value is None or isinstance(value, bool | int | float | Decimal):
        return value
    if isinstance(value, dt.date):  # a datetime too
        is_aware = isinstance(value, dt.datetime) and value.tzinfo
        return value.astimezone(clock.UK).replace(tzinfo=None) if is_aware else value
    text = safe_text(str(value))
    return _text_cell(sheet, text) if text[:1] in ("=", "#") else text  # these two begin formulas and errors


def _text_cell(sheet, text, *, is_bold=False):
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, safe_text(str(text)))
    cell.data_type = "s"
    if is_bold:
        cell.font = Font(bold=True)
    return cell


def write_xlsx(table: Table, file) -> None:
    """Write `table` into `file`, with a second sheet that says what it is. One row is in memory at a time."""
    from openpyxl import Workbook  # loaded by whoever asks for one

    book = Workbook(write_only=True)
    sheet, about = book.create_sheet("Data"), book.create_sheet("About")
    mark = [demonstration.SENTENCE] if demonstration.is_demonstration() else []
    sheet.freeze_panes = f"A{len(mark) + 2}"
    for line in mark:
        sheet.append([_text_cell(sheet, line, is_bold=True)])
    sheet.append([_text_cell(sheet, heading, is_bold=True) for heading in table.header])
    for row in table.rows:
        sheet.append([_cell(sheet, value) for value in row])
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 20, 100
    for line in [table.title, *mark]:
        about.append([_text_cell(about, line, is_bold=True)])
    for label, text in table.about:
        about.append([_cell(about, label), _cell(about, text)])
    book.save(file)


def _xlsx_table(table: Table, filename: str) -> FileResponse:
    file = tempfile.TemporaryFile()  # noqa: SIM115 closed by the response
    try:
        write_xlsx(table, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=filename, content_type=XLSX)
