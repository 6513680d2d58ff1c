"""Rows that somebody pastes or uploads, checked one by one before anything is stored.

Excel's habits are understood: byte order marks, semicolons, tabs, Windows-1252, thousands commas, dates as people
write them, lines above the header, empty rows.
"""

import csv
import datetime as dt
import io
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from measurement import actions, figures, periods
from measurement.actions import NewPoint, Values
from measurement.models import DataPoint, Metric, MetricVersion, Series
from psc_portal.common import clock
from psc_portal.common.nhs_numbers import find_nhs_numbers
from psc_portal.common.refusals import ActionRefused

MAX_BYTES = 1_000_000
MAX_ROWS = 5_000
HEADER_WITHIN = 40  # rows: our own download has its definition above the header

COLUMNS = {
    "period": {"period", "period start", "date", "month", "week", "quarter", "year", "start", "from", "week starting"},
    "organisation": {"organisation", "organization", "trust", "ods", "ods code", "org", "org code", "place", "series"},
    "numerator": {"numerator", "num", "count", "n"},
    "denominator": {"denominator", "denom", "den", "d"},
    "value": {"value", "result", "measure"},
    "status": {"status", "provisional", "provisional or final", "finality"},
    "note": {"note", "notes", "comment", "comments"},
}
MONTHS = {f"{dt.date(2000, month, 1):%b}".lower(): month for month in range(1, 13)}


@dataclass(slots=True)
class CheckedRow:
    """One row of the file: what it says, and either what it would store or why it is refused."""

    number: int  # as a spreadsheet counts
    cells: list[str]
    period: str = ""
    place: str = ""
    shown: str = ""
    before: str = ""  # what is stored for the period now
    problem: str = ""
    point: NewPoint | None = None
    is_same: bool = False

    @property
    def verdict(self) -> str:
        if self.problem:
            return f"Refused: {self.problem}"
        if self.is_same:
            return "No change"
        return f"Corrects {self.before}" if self.before else "New"


@dataclass(slots=True)
class Preview:
    rows: list[CheckedRow] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # columns that mean nothing to us
    missing: list[str] = field(default_factory=list)  # periods left out between the first and the last

    @property
    def good(self) -> list[CheckedRow]:
        return [row for row in self.rows if row.point is not None and not row.is_same]

    @property
    def refused(self) -> list[CheckedRow]:
        return [row for row in self.rows if row.problem]

    @property
    def unchanged(self) -> list[CheckedRow]:
        return [row for row in self.rows if row.is_same]

    @property
    def has_corrections(self) -> bool:
        return any(row.before for row in self.good)


def text_of(content: bytes) -> str:
    """The text of an uploaded file, whichever way a spreadsheet saved it.

    Raises:
        ActionRefused: empty, too large, or no text at all.
    """
    if not content.strip():
        raise ActionRefused("The file is empty. Choose a file with rows.")
    if len(content) > MAX_BYTES:
        raise ActionRefused("The file is larger than 1 MB. Split it, or take out what is not needed.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ActionRefused("This is a workbook, not a CSV file. Save it as CSV, or copy the rows and paste them.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(content, "utf-16")
    if b"\0" in content:
        raise ActionRefused("This is not a text file. Save the rows as CSV, or copy and paste them.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded(content, "cp1252")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise ActionRefused("The file's characters cannot be read. Save it as CSV UTF-8.")


def check(metric: Metric, text: str, *, allowed: list[Series], default: Series | None) -> Preview:
    """Check every row of `text` against the metric and what is stored. Nothing is stored here.

    Args:
        allowed: the series that the person may write to.
        default: the series of rows that name no organisation.

    Raises:
        ActionRefused: the whole text is unusable: no rows, too many, or no column for period or numbers.
    """
    rows = _split(text)
    version = metric.version
    columns, first, ignored = _columns(rows, version)
    body = [row for row in rows[first:] if any(cell.strip() for cell in row[1])]
    if not body:
        raise ActionRefused("There is a header but no row under it.")
    if len(body) > MAX_ROWS:
        raise ActionRefused(f"There are {len(body):,} rows: at most {MAX_ROWS:,} can be checked at once. Split them.")
    places = _places(allowed)
    stored = {
        (point.series_id, point.period_start): point
        for point in DataPoint.objects.current().filter(series__in=[series.pk for series in allowed])
    }
    preview, seen, today = Preview(ignored=ignored), {}, clock.today()
    for number, cells in body:
        row = CheckedRow(number, cells)
        preview.rows.append(row)
        try:
            _check_row(row, cells, columns, metric, version, places, default, stored, seen, today)
        except ActionRefused as refusal:
            row.problem = str(refusal)
    preview.missing = _missing(preview, metric, stored)
    return preview


def _split(text: str) -> list[tuple[int, list[str]]]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff").replace("\0", "")
    if not text.strip():
        raise ActionRefused("Paste rows or choose a file.")
    delimiter = max("\t;,", key=lambda mark: sum(line.count(mark) for line in text.split("\n")[:HEADER_WITHIN]))
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise ActionRefused("The rows cannot be read: a cell is too long or a quote is not closed.")
    return list(enumerate(rows, start=1))


def _columns(rows, version: MetricVersion) -> tuple[dict[str, int], int, list[str]]:
    """Which column is which, where the rows start, and which columns are ignored."""
    own = {
        "numerator": COLUMNS["numerator"] | {version.numerator.lower()} - {""},
        "denominator": COLUMNS["denominator"] | {version.denominator.lower()} - {""},
    }
    wanted = {"ratio": ["numerator", "denominator"], "count": ["numerator"], "value": ["value"]}[version.entry]
    for index, (_, cells) in enumerate(rows[:HEADER_WITHIN]):
        names = [" ".join(cell.lower().split()) for cell in cells]
        found = {}
        for kind, known in (COLUMNS | own).items():
            at = next((i for i, name in enumerate(names) if name in known), None)
            if at is not None and at not in found.values():
                found[kind] = at
        if "period" not in found:
            continue
        if version.entry == MetricVersion.Entry.COUNT and "numerator" not in found and "value" in found:
            found["numerator"] = found.pop("value")
        lacking = [kind for kind in wanted if kind not in found]
        if lacking:
            raise ActionRefused(
                f"There is no column called {' or '.join(lacking)}. Name the columns as in the example."
            )
        used = set(found.values())
        ignored = [cell.strip() for i, cell in enumerate(cells) if i not in used and cell.strip()]
        return found, index + 1, ignored
    if rows and len(rows[0][1]) >= 1 + len(wanted):  # no header: period, then the numbers in their order
        try:
            period_of(rows[0][1][0], "month")
        except ActionRefused:
            pass
        else:
            return {"period": 0} | {kind: i for i, kind in enumerate(wanted, start=1)}, 0, []
    raise ActionRefused("There is no column called period. Start with a row of column names, as in the example.")


def _places(allowed: list[Series]) -> dict[str, Series]:
    """What a file may call each series: code, name, short name."""
    named = {}
    for series in allowed:
        names = ["region", series.place]
        if series.organisation_id:
            organisation = series.organisation
            names = [organisation.ods_code, organisation.slug, organisation.name, organisation.short_name]
        named |= {name.lower(): series for name in names if name}
    return named


def _check_row(row, cells, columns, metric, version, places, default, stored, seen, today) -> None:
    def cell(kind: str) -> str:
        at = columns.get(kind)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    row.place = cell("organisation") or (default.place if default else "")
    series = places.get(cell("organisation").lower()) if cell("organisation") else default
    if series is None and cell("organisation"):
        raise ActionRefused(f"“{row.place}” is not a place whose data you may enter here.")
    if series is None:
        raise ActionRefused("The row names no organisation.")
    row.place = series.place
    start = periods.start_of(period_of(cell("period"), metric.frequency), metric.frequency)
    row.period = periods.label(start, metric.frequency)
    if any(find_nhs_numbers(text) for text in cells):
        raise ActionRefused("It holds what looks like an NHS number: take it out.")
    has_decimal_comma = not any("." in text for text in cells)
    values = Values(
        **{
            kind: number_of(cell(kind), has_decimal_comma=has_decimal_comma)
            for kind in ("numerator", "denominator", "value")
            if kind in columns and _is_wanted(kind, version)
        },
        is_provisional=cell("status").lower() in {"p", "provisional", "yes", "y", "true", "1"},
        note=cell("note"),
    )
    row.shown = shown(values, metric)
    actions.check_values(metric, start, values, version=version, today=today)
    if (other := seen.get((series.pk, start))) is not None:
        raise ActionRefused(f"The same period is in row {other} already.")
    seen[series.pk, start] = row.number
    row.point = NewPoint(series, start, values)
    point = stored.get((series.pk, start))
    if point is not None:
        row.is_same = actions.is_same(point, values)
        row.before = shown(point, metric)


def _is_wanted(kind: str, version: MetricVersion) -> bool:
    entry = version.entry
    return {
        "numerator": entry != MetricVersion.Entry.VALUE,
        "denominator": entry == MetricVersion.Entry.RATIO,
        "value": entry == MetricVersion.Entry.VALUE,
    }[kind]


def plain(number: Decimal | float | None) -> str:
    return "" if number is None else figures.plain_text(float(number))


def shown(values, metric) -> str:
    """What a period says, as short as people say it: 12 of 340."""
    if values.value is not None:
        return figures.with_unit(plain(values.value), metric.unit)
    if values.denominator is not None:
        return f"{plain(values.numerator)} of {plain(values.denominator)}"
    return plain(values.numerator)


def number_of(text: str, *, has_decimal_comma: bool = False) -> Decimal | None:
    """A number as a spreadsheet writes it; None for an empty cell.

    Raises:
        ActionRefused: it is no number; a star stands for a hidden value.
    """
    clean = re.sub(r"[\s\u00a0\u202f']", "", text).replace("\N{MINUS SIGN}", "-").removesuffix("%")
    if not clean or clean.lower() in {"-", "n/a", "na", "null"}:
        return None
    if clean == "*":
        raise ActionRefused("A star is a hidden value: enter the true one, or leave the row out.")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", clean):
        clean = clean.replace(",", "")
    elif has_decimal_comma and re.fullmatch(r"[-+]?\d+,\d+", clean):
        clean = clean.replace(",", ".")
    if not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?", clean, re.ASCII):
        raise ActionRefused(f"“{text[:40]}” is not a number.")
    try:
        return Decimal(clean)
    except InvalidOperation:
        raise ActionRefused(f"“{text[:40]}” is not a number.")


def period_of(text: str, frequency: str) -> dt.date:
    """A date inside the period, however it is written: 2026-10-01, 01/10/2026, 1 Oct 2026, Oct-26, 2026-10, 2026.

    Raises:
        ActionRefused: empty, or no date.
    """
    clean = re.sub(r"\s+", " ", text.strip().lower().removeprefix("week from ").split("t00:00")[0])
    if not clean:
        raise ActionRefused("The period is empty.")
    patterns = (
        r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?: 00:00(?::00)?)?",
        r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4}|\d{2})(?: 00:00(?::00)?)?",
        r"(?P<d>\d{1,2})[ -](?P<name>[a-z]{3,9})[ -](?P<y>\d{4}|\d{2})",
        r"(?P<name>[a-z]{3,9})[ '-](?P<y>\d{4}|\d{2})",
        r"(?P<name>[a-z]{3,9}) to [a-z]{3,9} (?P<y>\d{4})",
        r"(?P<name>[a-z]{3,9}) (?P<y>\d{4}) to [a-z]{3,9} \d{4}",
        r"(?P<y>\d{4})[-/](?P<m>\d{1,2})",
        r"(?P<m>\d{1,2})/(?P<y>\d{4})",
    )
    if frequency == Metric.Frequency.YEAR and (
        match := re.fullmatch(r"([12]\d{3})([-/]\d{2}(\d{2})?)?", clean, re.ASCII)
    ):
        return dt.date(int(match[1]), 4, 1)  # the year 2025-26 starts in April
    for pattern in patterns:
        if match := re.fullmatch(pattern, clean, re.ASCII):
            return _date(match.groupdict(), text)
    if re.fullmatch(r"\d{5}", clean, re.ASCII) and 32874 <= int(clean) <= 73050:  # Excel's serial day, 1990 to 2099
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(clean))
    raise ActionRefused(f"“{text[:40]}” is not a period: write it like 2026-10-01 or October 2026.")


def _date(parts: dict[str, str | None], text: str) -> dt.date:
    year = int(parts["y"])
    month = MONTHS.get((parts.get("name") or "")[:3]) if parts.get("name") else int(parts["m"])
    try:
        return dt.date(year + 2000 if year < 100 else year, month or 0, int(parts.get("d") or 1))
    except ValueError:
        raise ActionRefused(f"“{text[:40]}” is not a date that exists.")


def _missing(preview: Preview, metric: Metric, stored) -> list[str]:
    """Periods that neither the file nor the portal has, between the first and the last row of each series."""
    missing = []
    by_series: dict[int, set[dt.date]] = {}
    for row in preview.rows:
        if row.point is not None:
            by_series.setdefault(row.point.series.pk, set()).add(row.point.period_start)
    for key, starts in by_series.items():
        for start in periods.between(min(starts), max(starts), metric.frequency):
            if start not in starts and (key, start) not in stored:
                missing.append(periods.label(start, metric.frequency))
    return missing
