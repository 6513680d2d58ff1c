"""Rows that somebody pastes or uploads, checked one by one before anything is stored.

Excel's habits are understood: byte order marks, semicolons, tabs, Windows-1252, UTF-16, thousands commas, dates as
people write them and as serial numbers, "12.5%", lines above the header, headers in two rows, totals below, empty rows.
Rows come and go one at a time: what is kept of 100,000 is what a person can look at.
"""

import csv
import datetime as dt
import difflib
import hashlib
import io
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from itertools import chain, islice

from measurement import actions, figures, jumps, layouts, periods, workbooks
from measurement.actions import NewPoint, Values
from measurement.models import DataPoint, Metric, MetricVersion, Series
from psc_portal.common import clock
from psc_portal.common.nhs_numbers import find_nhs_numbers
from psc_portal.common.refusals import ActionRefused

MAX_BYTES = 1_000_000  # of pasted text
ROWS_AT_ONCE = 1_000  # rows that are checked while the person waits; more go to a worker
MAX_ROWS = 200_000
HEADER_WITHIN = 40  # rows: our own download has its definition above the header
MOST_COMPARED = 100  # unknown places of one file that are compared with the known ones
MOST_WARNED = 100  # values in doubt that a preview names
MOST_NAMED = 20  # periods, places and columns that a preview names; it counts the rest

COLUMNS = {
    "period": {
        "period", "period start", "date", "month", "week", "quarter", "year", "start", "from", "week starting",
        "week commencing", "reporting period", "month starting", "month ending", "financial year",
    },
    "organisation": {
        "organisation", "organization", "trust", "ods", "ods code", "org", "org code", "place", "series", "provider",
        "provider code", "organisation code", "organisation name", "org name", "trust code", "trust name", "site",
    },
    "numerator": {"numerator", "num", "count", "n"},
    "denominator": {"denominator", "denom", "den", "d"},
    "value": {"value", "result", "measure", "rate", "percentage", "%"},
    "status": {"status", "provisional", "provisional or final", "finality"},
    "note": {"note", "notes", "comment", "comments"},
}  # fmt: skip
WANTED = {"ratio": ["numerator", "denominator"], "count": ["numerator"], "value": ["value"]}
PROVISIONAL = {"p", "provisional", "yes", "y", "true", "1"}
MONTHS = [f"{dt.date(2000, month, 1):%B}".lower() for month in range(1, 13)]
QUARTERS, HALVES = {"1": 4, "2": 7, "3": 10, "4": 1}, {"1": 4, "2": 10}  # of the financial year: their first months
TOTAL = re.compile(
    r"((grand|sub|running|overall|year)[ -]?)?total\b|sum\b|average\b|mean\b|median\b|overall\b|ytd\b|year to date\b",
    re.IGNORECASE,
)
PLAIN_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?", re.ASCII)
WITH_COMMAS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
SPACES = re.compile(r"[\s\u00a0\u202f']")

Rows = Iterator[tuple[int, list[str]]]


# What was found ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class CheckedRow:
    """One row of the file: what it says, and either what it would store or why not."""

    number: int  # as a spreadsheet counts
    cells: list[str]
    unit: str
    period: str = ""
    place: str = ""
    before: str = ""  # what is stored for the period now
    problem: str = ""
    warning: str = ""
    left_out: str = ""  # why it is no row of data at all
    point: NewPoint | None = None
    is_same: bool = False

    @property
    def shown(self) -> str:
        return shown(self.point.values, self.unit) if self.point else ""

    @property
    def verdict(self) -> str:
        if self.problem:
            return f"Refused: {self.problem}"
        if self.left_out:
            return self.left_out
        if self.is_same:
            return "No change"
        return f"Corrects {self.before}" if self.before else "New"

    def as_dict(self) -> dict:
        period = self.period or next(filter(None, self.cells), "")[:60]
        return {
            "number": self.number, "period": period, "place": self.place, "shown": self.shown, "verdict": self.verdict,
            "problem": self.problem, "warning": self.warning,
        }  # fmt: skip


@dataclass(slots=True)
class Preview:
    """What a check found: numbers of rows, and of them those that a person should see."""

    rows: list[CheckedRow] = field(default_factory=list)
    count: int = 0
    good_count: int = 0
    correction_count: int = 0
    refused_count: int = 0
    same_count: int = 0
    left_out_count: int = 0
    other_places_count: int = 0
    warned: dict[int, str] = field(default_factory=dict)  # row number -> what looks wrong
    reasons: Counter[str] = field(default_factory=Counter)  # why rows were refused
    ignored: list[str] = field(default_factory=list)  # columns that mean nothing to us
    missing: list[str] = field(default_factory=list)  # periods left out between the first and the last
    missing_count: int = 0
    sheet: str = ""
    measure: str = ""  # key of the published layout's numbers
    seen: str = ""  # a fingerprint of the stored values that the check has seen

    @property
    def good(self) -> list[CheckedRow]:
        return [row for row in self.rows if row.point is not None and not row.is_same]

    @property
    def refused(self) -> list[CheckedRow]:
        return [row for row in self.rows if row.problem]

    @property
    def unchanged(self) -> list[CheckedRow]:
        return [row for row in self.rows if row.is_same]

    def as_dict(self) -> dict:
        """What the page of a check shows, as JSON keeps it."""
        source = layouts.MEASURES.get(self.measure)
        all_shown = self.count == len(self.rows)
        rows = self.rows if all_shown else sorted(self.rows, key=lambda row: not (row.problem or row.left_out))
        return {
            "rows": [row.as_dict() for row in rows],
            "all_shown": all_shown,
            "reasons": [] if all_shown else self.reasons.most_common(MOST_NAMED),
            "warned_rows": [] if all_shown else list(islice(self.warned.items(), MOST_WARNED)),
            "count": self.count,
            "good": self.good_count,
            "corrections": self.correction_count,
            "refused": self.refused_count,
            "unchanged": self.same_count,
            "left_out": self.left_out_count,
            "other_places": self.other_places_count,
            "warned": len(self.warned),
            "ignored": self.ignored[:MOST_NAMED],
            "missing": self.missing,
            "missing_count": self.missing_count,
            "sheet": self.sheet,
            "source": source.layout.source if source else "",
            "licence": source.layout.licence if source else "",
            "caution": source.layout.caution if source else "",
            "seen": self.seen,
        }


# Reading -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Source:
    """Rows as they come, and how much of them has come."""

    rows: Rows
    sheet: str = ""
    fraction: Callable[[], float] = lambda: 0.0


def of_text(text: str) -> Source:
    """
    Raises:
        ActionRefused: there is no text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff").replace("\0", "")
    if not text.strip():
        raise ActionRefused("Paste rows or choose a file.")
    total, at = text.count("\n") + 1, [0]

    def rows():
        first, _, rest = text.partition("\n")
        named = re.fullmatch(r"sep=(.)", first.strip(), re.IGNORECASE)  # Excel writes this line for itself
        head = "\n".join(text.split("\n", HEADER_WITHIN)[:HEADER_WITHIN])
        delimiter = named[1] if named else max("\t;,", key=head.count)
        try:
            start = 2 if named else 1
            for number, cells in enumerate(
                csv.reader(io.StringIO(rest if named else text), delimiter=delimiter), start
            ):
                at[0] = number
                yield number, cells
        except csv.Error:
            raise ActionRefused("The rows cannot be read: a cell is too long or a quote is not closed.")

    return Source(rows(), fraction=lambda: min(1.0, at[0] / total))


def of_file(file, metric: Metric) -> Source:
    """The rows of an uploaded file: of text, or of the first sheet of a workbook that holds a table for this metric.

    Raises:
        ActionRefused: it is neither, or unusable as a whole.
    """
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise ActionRefused("This is an old Excel file, or one with a password. Save it as .xlsx without a password.")
    if not start.startswith(b"PK\x03\x04"):
        return of_text(text_of(file.read()))
    workbooks.refuse_unfit(file)
    book = workbooks.Workbook(file)
    for sheet in book.sheets:
        head = list(islice(book.rows(sheet), HEADER_WITHIN))
        if _is_table(head, metric.version):
            return Source(book.rows(sheet), sheet.name, lambda: book.fraction)
    if not book.sheets:
        raise ActionRefused("The workbook has no sheet that can be seen.")
    return Source(book.rows(book.sheets[0]), book.sheets[0].name, lambda: book.fraction)


def _is_table(head, version) -> bool:
    if layouts.recognised(head):
        return True
    try:
        _columns(head, version)
    except ActionRefused:
        return False
    return True


def text_of(content: bytes) -> str:
    """The text of an uploaded file, whichever way a spreadsheet saved it.

    Raises:
        ActionRefused: empty, or no text at all.
    """
    if not content.strip():
        raise ActionRefused("The file is empty. Choose a file with rows.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(content, "utf-16")
    if b"\0" in content:
        raise ActionRefused("This is not a text file. Save the rows as CSV or .xlsx, or copy and paste them.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded(content, "cp1252")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise ActionRefused("The file's characters cannot be read. Save it as CSV UTF-8.")


def as_text(rows: Iterable[tuple[int, list[str]]]) -> str:
    """Rows as CSV, each in its own line again, for the page between check and storing."""
    out, at = io.StringIO(), 1
    write = csv.writer(out, lineterminator="\n").writerow
    for number, cells in rows:
        while at < number:
            out.write("\n")
            at += 1
        write([" ".join(cell.split()) for cell in cells])
        at += 1
    return out.getvalue()


# Checking ------------------------------------------------------------------------------------------------------------


def check(
    metric: Metric, source: Source, *, allowed: list[Series], default: Series | None, measure: str = "", most_shown=None
) -> Preview:
    """Check every row against the metric and what is stored. Nothing is stored here.

    Args:
        allowed: the series that the person may write to.
        default: the series of rows that name no organisation.
        measure: which numbers of a published layout to take; empty for a table of one's own.
        most_shown: of rows that are refused or in doubt, and of good ones, so many are kept; None keeps all.

    Raises:
        ActionRefused: the whole is unusable: no rows, too many, or no column for period or numbers.
    """
    return Checker(metric, source, allowed=allowed, default=default, measure=measure).preview(most_shown)


class Checker:
    """Reads the rows of one file: `preview` for a person to look at, `points` to store."""

    def __init__(self, metric: Metric, source: Source, *, allowed, default, measure=""):
        self.metric, self.version, self.today = metric, metric.version, clock.today()
        self.default, self.source = default, source
        rows = source.rows
        head = list(islice(rows, HEADER_WITHIN))
        self.measure = layouts.chosen(measure, head, self.version.entry)
        if self.measure is not None:
            rows = self.measure.plain_rows(chain(head, rows))
            head = list(islice(rows, HEADER_WITHIN))
        self.columns, first, self.ignored = _columns(head, self.version)
        self.body = chain(head[first:], rows)
        self.kinds = WANTED[self.version.entry]
        self.places = _places(allowed)
        self.stored = _stored(allowed)
        self.seen: dict[tuple[int, dt.date], int] = {}
        self.fingerprint = hashlib.sha256()
        self.watch = _UnitWatch(WANTED[self.version.entry], self.stored)
        self.known_places: dict[tuple[str, str], Series | None] = {}
        self.nearest: dict[str, str] = {}
        self.known_periods: dict[str, tuple[dt.date | None, str, str]] = {}

    def preview(self, most_shown: int | None = None) -> Preview:
        preview = Preview(
            ignored=self.ignored, sheet=self.source.sheet, measure=self.measure.key if self.measure else ""
        )
        room = {"doubtful": most_shown, "good": most_shown and most_shown // 5}
        for row in self:
            if self.measure is not None and row.left_out == OTHER_PLACE:
                preview.other_places_count += 1
                continue
            _count(preview, row)
            kind = "doubtful" if row.problem or row.left_out else "good"
            if most_shown is None:
                preview.rows.append(row)
            elif room[kind]:
                room[kind] -= 1
                preview.rows.append(row)
        if not preview.count and not preview.other_places_count:
            raise ActionRefused("There is a header but no row under it.")
        preview.warned = self.watch.warnings()
        for row in preview.rows:
            row.warning = preview.warned.get(row.number, "")
        self._find_missing(preview)
        preview.seen = self.fingerprint.hexdigest()
        return preview

    def points(self) -> Iterator[NewPoint]:
        """What is good and new, for `actions.store_points`."""
        for row in self:
            if row.point is not None and not row.is_same:
                yield row.point

    def __iter__(self) -> Iterator[CheckedRow]:
        count = 0
        for number, cells in self.body:
            if not any(cell and not cell.isspace() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise ActionRefused(f"There are more than {MAX_ROWS:,} rows: split the file.")
            row = CheckedRow(number, cells, self.metric.unit)
            try:
                self._check(row)
            except ActionRefused as refusal:
                row.problem, row.point = str(refusal), None
                if why := self._why_left_out(row):
                    row.problem, row.left_out = "", why
            yield row

    def _cell(self, cells, kind: str) -> str:
        at = self.columns.get(kind)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    def _check(self, row: CheckedRow) -> None:
        cells = row.cells
        if find_nhs_numbers("\x1f".join(cells)):
            row.cells = []  # nothing of this row is shown or kept
            raise ActionRefused("It holds what looks like an NHS number: take it out.")
        series = self._series(row)
        start, row.period = self._period(self._cell(cells, "period"))
        values = Values(
            **{kind: self._number(cells, kind) for kind in self.kinds},
            is_provisional="status" in self.columns and self._cell(cells, "status").lower() in PROVISIONAL,
            note=self._cell(cells, "note"),
        )
        actions.check_numbers(self.metric, self.version, values)
        if len(values.note) > 300:
            raise ActionRefused("The note is too long: use at most 300 characters.")
        key = (series.pk, start)
        if (other := self.seen.get(key)) is not None:
            raise ActionRefused(f"The same period is in row {other} already.")
        self.seen[key] = row.number
        row.point = NewPoint(series, start, values)
        point = self.stored.get(key)
        if point is not None:
            row.is_same = point.says(values)
            row.before = shown(point, self.metric.unit)
            self.fingerprint.update(f"{series.pk} {start} {point.stamp};".encode())
        self.watch.note(row.number, series.pk, values)

    def _series(self, row: CheckedRow) -> Series:
        """The series of a row, by whichever of its columns names a place; unknown ones get the nearest name."""
        names = (self._cell(row.cells, "organisation"), self._cell(row.cells, "organisation 2"))
        found = self.default if names == ("", "") else self.known_places.get(names)
        if found is None and names != ("", ""):
            found = next(filter(None, (self.places.get(name.lower()) for name in names if name)), None)
            self.known_places[names] = found
        if found is not None:
            row.place = found.place
            return found
        row.place = next(filter(None, names), "")[:100]
        if not row.place:
            raise ActionRefused("The row names no organisation.")
        if self.measure is not None:
            row.left_out = OTHER_PLACE
            raise ActionRefused(OTHER_PLACE)
        raise ActionRefused(f"“{row.place}” is not a place whose data you may enter here.{self._nearest(row.place)}")

    def _nearest(self, name: str) -> str:
        """Each name is compared once, and not more names than a person would read: comparing takes a millisecond."""
        if name not in self.nearest:
            if len(self.nearest) >= MOST_COMPARED:
                return ""
            close = difflib.get_close_matches(name.lower(), self.places, n=1, cutoff=0.6)
            self.nearest[name] = f" Did you mean {self.places[close[0]].place}?" if close else ""
        return self.nearest[name]

    def _period(self, text: str) -> tuple[dt.date, str]:
        """Start and name of a period. A file has few of them, so each is worked out once."""
        known = self.known_periods.get(text)
        if known is None:
            try:
                start = periods.start_of(period_of(text, self.metric.frequency), self.metric.frequency)
                actions.check_period(self.metric, start, today=self.today)
            except ActionRefused as refusal:
                known = (None, "", str(refusal))
            else:
                known = (start, periods.label(start, self.metric.frequency), "")
            self.known_periods[text] = known
        start, label, refusal = known
        if start is None:
            raise ActionRefused(refusal)
        return start, label

    def _number(self, cells, kind: str) -> Decimal | None:
        text = self._cell(cells, kind)
        if text.isascii() and text.isdecimal():
            return Decimal(text)
        if text.endswith("%") and (kind != "value" or "%" not in self.metric.unit):
            expected = "a count" if kind != "value" else f"in {self.metric.unit}"
            raise ActionRefused(f"“{text[:40]}” is a percentage: the {kind} must be {expected}.")
        number = number_of(text, has_decimal_comma=not any("." in cell for cell in cells))
        return None if number is None else rounded(number, 8 if kind == "value" else 4)

    def _why_left_out(self, row: CheckedRow) -> str:
        """Totals and lines of text below a table are no rows of data."""
        if row.left_out:
            return row.left_out
        if row.period and row.place.lower() in self.places:
            return ""
        filled = [cell.strip() for cell in row.cells if cell.strip()]
        if any(TOTAL.match(cell) for cell in filled[:3]):
            return "A total: not stored"
        if len(filled) == 1 and not row.period and re.search(r"[a-z].*[ :]", filled[0], re.IGNORECASE):
            return "A line of text: not stored"
        return ""

    def _find_missing(self, preview: Preview) -> None:
        """Periods that neither the file nor the portal has, between the first and the last row of each series."""
        by_series: dict[int, set[dt.date]] = {}
        for key, start in self.seen:
            by_series.setdefault(key, set()).add(start)
        for key, starts in by_series.items():
            for start in periods.between(min(starts), max(starts), self.metric.frequency):
                if start not in starts and (key, start) not in self.stored:
                    preview.missing_count += 1
                    if len(preview.missing) < MOST_NAMED:
                        preview.missing.append(periods.label(start, self.metric.frequency))


OTHER_PLACE = "Another place: not stored"


def _count(preview: Preview, row: CheckedRow) -> None:
    preview.count += 1
    if row.left_out:
        preview.left_out_count += 1
    elif row.problem:
        preview.refused_count += 1
        if row.problem in preview.reasons or len(preview.reasons) < MOST_COMPARED:
            preview.reasons[row.problem] += 1
    elif row.is_same:
        preview.same_count += 1
    else:
        preview.good_count += 1
        preview.correction_count += bool(row.before)


class _UnitWatch:
    """Notices numbers that seem to be in another unit than what is stored, or than the rest of the file."""

    def __init__(self, kinds: list[str], stored):
        self.kinds = kinds
        self.numbers: dict[tuple[int, str], array] = {}
        self.rows: dict[tuple[int, str], array] = {}
        self.stored = stored

    def note(self, row_number: int, series_pk: int, values: Values) -> None:
        for name in self.kinds:
            number = getattr(values, name)
            if number is not None:
                key = (series_pk, name)
                if key not in self.numbers:
                    self.numbers[key], self.rows[key] = array("d"), array("L")
                self.numbers[key].append(float(number))
                self.rows[key].append(row_number)

    def warnings(self) -> dict[int, str]:
        usually, found = self._usual(), {}
        for key, numbers in self.numbers.items():
            usual = usually.get(key) or jumps.usual(numbers)
            for at, number in enumerate(numbers):
                if far := jumps.how_far(number, usual):
                    found[self.rows[key][at]] = (
                        f"{plain(number)} is {far} than the usual {plain(usual)}: check the unit"
                    )
        return found

    def _usual(self) -> dict[tuple[int, str], float | None]:
        """What is usual in what is stored, for each number of each series that the file has too."""
        known: dict[tuple[int, str], array] = {}
        for (series_pk, _), point in self.stored.items():
            for name in self.kinds:
                number = getattr(point, name)
                if number is not None and (series_pk, name) in self.numbers:
                    known.setdefault((series_pk, name), array("d")).append(float(number))
        return {key: jumps.usual(numbers) for key, numbers in known.items()}


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored point, as light as it can be: a large metric has many."""

    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    finality: str
    note: str
    stamp: str

    def says(self, values: Values) -> bool:
        return all(getattr(self, name) == value for name, value in values.as_fields.items())


def _stored(allowed: list[Series]) -> dict[tuple[int, dt.date], Stored]:
    points = DataPoint.objects.current().filter(series__in=[series.pk for series in allowed])
    fields = ("series_id", "period_start", "numerator", "denominator", "value", "finality", "note", "pk", "updated_at")
    found = points.values_list(*fields).iterator(chunk_size=5_000)
    return {(row[0], row[1]): Stored(*row[2:7], f"{row[7]}-{row[8].timestamp()}") for row in found}


def _columns(rows, version: MetricVersion) -> tuple[dict[str, int], int, list[str]]:
    """Which column is which, where the rows start, and which columns are ignored.

    Raises:
        ActionRefused: there is no header that fits, or a column is missing.
    """
    wanted = WANTED[version.entry]
    lacking: list[str] = []
    for index, (_, cells) in enumerate(rows[:HEADER_WITHIN]):
        below = rows[index + 1][1] if index + 1 < len(rows) else []
        for names, height in ((_names(cells), 1), (_names_in_two_rows(cells, below), 2)):
            found = _found(names, version)
            if "period" not in found:
                continue
            if not (lacks := [kind for kind in wanted if kind not in found]):
                used = set(found.values())
                shown_names = [" / ".join(sorted(name, key=len)[:1]) for name in names]
                ignored = [name for i, name in enumerate(shown_names) if i not in used and name]
                return found, index + height, ignored
            lacking = lacking or lacks
    if lacking:
        raise ActionRefused(f"There is no column called {' or '.join(lacking)}. Name the columns as in the example.")
    if rows and _are_periods_side_by_side(rows):
        raise ActionRefused(
            "The periods stand side by side. Give each period a row of its own: in Excel, copy the table and choose "
            "Paste special, Transpose."
        )
    if rows and len(rows[0][1]) >= 1 + len(wanted) and _is_period(rows[0][1][0]):
        return {"period": 0} | {kind: i for i, kind in enumerate(wanted, start=1)}, 0, []  # no header, in their order
    raise ActionRefused("There is no column called period. Start with a row of column names, as in the example.")


def _names(cells) -> list[set[str]]:
    """What each column may be called: its name, and its name without what stands in brackets."""
    return [{name for name in (_plain(cell), _plain(re.sub(r"\(.*?\)", "", cell))) if name} for cell in cells]


def _plain(cell: str) -> str:
    return " ".join(cell.lower().replace("_", " ").split())


def _names_in_two_rows(upper: list[str], lower: list[str]) -> list[set[str]]:
    """The names of a header in two rows: a merged cell above stands over several below, or stretches over both."""
    names, over = [], ""
    for i in range(max(len(upper), len(lower))):
        above = upper[i] if i < len(upper) else ""
        under = lower[i] if i < len(lower) else ""
        over = above or over
        own = _names([under or above])[0]
        names.append(own | {_plain(f"{over} {under}")} if under else own)
    return names


def _found(names: list[set[str]], version: MetricVersion) -> dict[str, int]:
    own = {"numerator": {_plain(version.numerator)} - {""}, "denominator": {_plain(version.denominator)} - {""}}
    found: dict[str, int] = {}
    for kind, known in COLUMNS.items():
        known = known | own.get(kind, set())
        at = [i for i, name in enumerate(names) if name & known and i not in found.values()]
        if at:
            found[kind] = at[0]
        if kind == "organisation" and len(at) > 1:
            found["organisation 2"] = at[1]  # a code beside a name
    if version.entry == MetricVersion.Entry.COUNT and "numerator" not in found and "value" in found:
        found["numerator"] = found.pop("value")
    return found


def _is_period(text: str) -> bool:
    try:
        period_of(text, "month")
    except ActionRefused:
        return False
    return True


def _are_periods_side_by_side(rows) -> bool:
    return any(sum(_is_period(cell) for cell in cells[:60]) >= 3 for _, cells in rows[:HEADER_WITHIN])


def _places(allowed: list[Series]) -> dict[str, Series]:
    """What a file may call each series: code, name, short name."""
    named = {}
    for series in allowed:
        names = [Series.REGION, series.place]
        if series.organisation_id:
            organisation = series.organisation
            names = [organisation.ods_code, organisation.slug, organisation.name, organisation.short_name]
        named |= {name.lower(): series for name in names if name}
    return named


# Numbers and periods as people write them ----------------------------------------------------------------------------


def plain(number: Decimal | float | None) -> str:
    return "" if number is None else figures.plain_text(float(number))


def shown(values, unit: str) -> str:
    """What a period says, as short as people say it: 12 of 340."""
    if values.value is not None:
        return figures.with_unit(plain(values.value), unit)
    if values.denominator is not None:
        return f"{plain(values.numerator)} of {plain(values.denominator)}"
    return plain(values.numerator)


def rounded(number: Decimal, places: int) -> Decimal:
    """As many decimals as are stored, so that the same number is the same again."""
    if number.as_tuple().exponent >= -places or not number.is_finite():
        return number
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def number_of(text: str, *, has_decimal_comma: bool = False) -> Decimal | None:
    """A number as a spreadsheet writes it; None for an empty cell.

    Raises:
        ActionRefused: it is no number; a star stands for a hidden value.
    """
    if text == workbooks.NO_RESULT:
        raise ActionRefused("A cell holds a formula without a result. Open the file in Excel, save it, and try again.")
    clean = SPACES.sub("", text).replace("\N{MINUS SIGN}", "-").removesuffix("%")
    if not clean or clean.lower() in {"-", "n/a", "na", "null"}:
        return None
    if clean == "*":
        raise ActionRefused("A star is a hidden value: enter the true one, or leave the row out.")
    if WITH_COMMAS.fullmatch(clean):
        clean = clean.replace(",", "")
    elif has_decimal_comma and re.fullmatch(r"[-+]?\d+,\d+", clean):
        clean = clean.replace(",", ".")
    if not PLAIN_NUMBER.fullmatch(clean):
        raise ActionRefused(f"“{text[:40]}” is not a number.")
    try:
        return Decimal(clean)
    except InvalidOperation:
        raise ActionRefused(f"“{text[:40]}” is not a number.")


BEFORE_A_WEEK = re.compile(r"(week (from|commencing|starting|beginning)|w/?c):? +")
YEAR = r"(?P<y>\d{4}|\d{2})"
DATES = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?: 00:00(?::00)?)?",
        rf"(?P<d>\d{{1,2}})[/.-](?P<m>\d{{1,2}})[/.-]{YEAR}(?: 00:00(?::00)?)?",
        rf"(?P<d>\d{{1,2}})[ -](?P<name>[a-z]{{3,9}})[ -]{YEAR}",
        rf"(?P<name>[a-z]{{3,9}})[ '-]+{YEAR}",
        r"(?P<name>[a-z]{3,9}) to [a-z]{3,9} (?P<y>\d{4})",
        r"(?P<name>[a-z]{3,9}) (?P<y>\d{4}) to [a-z]{3,9} \d{4}",
        r"(?P<y>\d{4})[-/](?P<m>\d{1,2})",
        r"(?P<m>\d{1,2})/(?P<y>\d{4})",
    )
)
PART_OF_YEAR = re.compile(
    r"(?:fy ?)?(?P<y>\d{4})(?:[-/](?P<to>\d{2}(?:\d{2})?))? (?P<part>q|quarter|h|half) ?(?P<n>[1-4])"
    r"|(?P<part2>q|quarter|h|half) ?(?P<n2>[1-4])[ ,]+(?:of )?(?:fy ?)?(?P<y2>\d{4})(?:[-/](?P<to2>\d{2}(?:\d{2})?))?",
    re.ASCII,
)
FINANCIAL_YEAR = re.compile(r"(?:fy ?)?([12]\d{3})([-/]\d{2}(\d{2})?)?", re.ASCII)


def period_of(text: str, frequency: str) -> dt.date:
    """A date inside the period, however it is written: 2026-10-01, 01/10/2026, 1 Oct 2026, Oct-26, 2026-10, Q3 2026/27.

    Raises:
        ActionRefused: empty, or no date.
    """
    if text == workbooks.NO_RESULT:
        raise ActionRefused("The period is a formula without a result. Open the file in Excel, save it, and try again.")
    clean = re.sub(r"\s+", " ", BEFORE_A_WEEK.sub("", text.strip().lower()).split("t00:00")[0])
    if not clean:
        raise ActionRefused("The period is empty.")
    if frequency == Metric.Frequency.YEAR and (match := FINANCIAL_YEAR.fullmatch(clean)):
        return dt.date(int(match[1]), 4, 1)  # the year 2025-26 starts in April
    if match := PART_OF_YEAR.fullmatch(clean):
        return _part_of_year(match.groupdict(), text)
    for pattern in DATES:
        if match := pattern.fullmatch(clean):
            return _date(match.groupdict(), text)
    serial = re.fullmatch(r"(\d{5})(\.\d+)?", clean, re.ASCII)
    if serial and 32874 <= int(serial[1]) <= 73050:  # Excel's serial day, 1990 to 2099
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(serial[1]))
    raise ActionRefused(f"“{text[:40]}” is not a period: write it like 2026-10-01 or October 2026.")


def _part_of_year(parts: dict[str, str | None], text: str) -> dt.date:
    """A quarter or half of a financial year. With a single year nobody knows whether the calendar's is meant."""
    year = int(parts["y"] or parts["y2"] or 0)
    until, part = parts["to"] or parts["to2"], (parts["part"] or parts["part2"] or "")[0]
    number = parts["n"] or parts["n2"] or ""
    if not until or int(until) % 100 != (year + 1) % 100:
        raise ActionRefused(f"“{text[:40]}” may mean two things: write the financial year, like Q1 2026/27, or a date.")
    month = (QUARTERS if part == "q" else HALVES).get(number)
    if month is None:
        raise ActionRefused(f"“{text[:40]}” is not a period: a year has two halves.")
    return dt.date(year + (month < 4), month, 1)


def _date(parts: dict[str, str | None], text: str) -> dt.date:
    year = int(parts["y"] or 0)
    try:
        month = _month(parts["name"]) if parts.get("name") else int(parts["m"] or 0)
        return dt.date(year + 2000 if year < 100 else year, month, int(parts.get("d") or 1))
    except ValueError:
        raise ActionRefused(f"“{text[:40]}” is not a date that exists.")


def _month(name: str) -> int:
    """
    Raises:
        ValueError: no month is called so.
    """
    for number, month in enumerate(MONTHS, start=1):
        if month.startswith(name) or name == "sept" == month[:4]:
            return number
    raise ValueError(name)
