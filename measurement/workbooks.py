"""Rows of an Excel workbook (.xlsx) as text, one at a time: what a person sees in the cells, as CSV would have it.

Only stored values are read. A formula counts by the result that was saved with it; nothing is worked out, no link is
followed. openpyxl writes our exports; it reads five times slower, and cannot tell a formula without a result from
an empty cell.

Source of the format: ECMA-376, Office Open XML, part 1, 18.3 (worksheets), 18.4 (shared strings), 18.8 (styles).
"""

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

from django.core.exceptions import ValidationError

from psc_portal.common import uploads
from psc_portal.common.refusals import ActionRefused

MAX_UNPACKED = 80 * 1024 * 1024  # 100,000 rows of five columns unpack to about 25 MB
MAX_COLUMNS = 200
MAX_SHEETS = 20
NO_RESULT = "=(no result)"  # a cell whose formula was saved without what it gives
EPOCH, EPOCH_1904 = dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CHUNK = 256 * 1024
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
UNREADABLE = "The workbook cannot be read. Save it again as an Excel workbook (.xlsx), or copy the rows and paste them."

Rows = Iterator[tuple[int, list[str]]]


def refuse_unfit(file) -> None:
    """Refuse what is no plain workbook, before any of it is read: macros, passwords, archives that grow.

    Raises:
        ActionRefused: says what is wrong with the file.
    """
    _refuse_other_endings(file)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise ActionRefused(UNREADABLE)
    if unpacked > MAX_UNPACKED:
        raise ActionRefused(
            f"The workbook unpacks to {unpacked // 1_000_000:,} MB, more than the "
            f"{MAX_UNPACKED // 1_000_000} MB allowed. Split it, or save the rows as CSV."
        )
    try:
        uploads.check_upload(file, allowed=frozenset({"xlsx"}))  # counts what really comes out while unpacking
    except ValidationError as refusal:
        raise ActionRefused(refusal.messages[0])


def _refuse_other_endings(file) -> None:
    name = uploads.clean_name(file.name).lower()
    if name.endswith((".xlsm", ".xltm", ".xlam")):
        raise ActionRefused("A workbook with macros is not taken. Save it as an Excel workbook (.xlsx) without macros.")
    if not name.endswith(".xlsx"):
        raise ActionRefused("This is not a workbook that can be read here. Save it as .xlsx or as CSV.")


@dataclass
class Sheet:
    name: str
    part: str


class Workbook:
    """A workbook that `refuse_unfit` has let through; its sheets are read from the archive each time."""

    def __init__(self, file):
        file.seek(0)
        self.archive = zipfile.ZipFile(file)
        self.known_dates: dict[str, str] = {}
        self.fraction = 0.0  # how much of the sheet that is being read has been read
        try:
            book = self._parse("xl/workbook.xml")
            properties = book.find(f"{MAIN}workbookPr")
            is_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
            self.epoch = EPOCH_1904 if is_1904 else EPOCH
            self.sheets = self._sheets(book)
            self.shared = self._shared()
            self.dates, self.percents = self._styles()
        except (ElementTree.ParseError, KeyError, ValueError):
            raise ActionRefused(UNREADABLE)

    def _parse(self, part):
        with self.archive.open(part) as file:
            return ElementTree.parse(file).getroot()  # noqa: S314 see above

    def _has(self, part) -> bool:
        return part in self.archive.namelist()

    def _sheets(self, book) -> list[Sheet]:
        """The sheets that a person sees, in their order."""
        targets = {}
        for link in self._parse("xl/_rels/workbook.xml.rels"):
            target = link.get("Target", "")
            targets[link.get("Id")] = posixpath.normpath(posixpath.join("xl", target)).lstrip("/")
            if target.startswith("/"):
                targets[link.get("Id")] = target.lstrip("/")
        shown = [sheet for sheet in book.iter(f"{MAIN}sheet") if sheet.get("state", "visible") == "visible"]
        found = [Sheet(sheet.get("name", ""), targets.get(sheet.get(LINK), "")) for sheet in shown[:MAX_SHEETS]]
        return [sheet for sheet in found if sheet.part.startswith("xl/worksheets/") and self._has(sheet.part)]

    def _shared(self) -> list[str]:
        if not self._has("xl/sharedStrings.xml"):
            return []
        texts = []
        with self.archive.open("xl/sharedStrings.xml") as file:
            for _, element in ElementTree.iterparse(file):  # noqa: S314 see above
                if element.tag == f"{MAIN}si":
                    texts.append(_text_of(element))
                    element.clear()
        return texts

    def _styles(self) -> tuple[set[str], set[str]]:
        """Which cell styles show a number as a date, and which as a percentage."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format  # loaded by whoever reads a workbook

        if not self._has("xl/styles.xml"):
            return set(), set()
        root = self._parse("xl/styles.xml")
        formats = dict(BUILTIN_FORMATS)
        for one in root.iter(f"{MAIN}numFmt"):
            formats[int(one.get("numFmtId"))] = one.get("formatCode", "")
        dates, percents = set(), set()
        cells = root.find(f"{MAIN}cellXfs")
        for number, style in enumerate(cells if cells is not None else []):
            shown = formats.get(int(style.get("numFmtId", 0)), "General")
            if is_date_format(shown):
                dates.add(str(number))
            elif "%" in re.sub(r'"[^"]*"', "", shown):
                percents.add(str(number))
        return dates, percents

    def rows(self, sheet: Sheet) -> Rows:
        """Row number, as the spreadsheet counts, and the texts of its cells; one piece of the sheet is in memory.

        Raises:
            ActionRefused: the sheet's XML is broken.
        """
        reader = _SheetReader(self)
        try:
            with self.archive.open(sheet.part) as file:
                size, done = max(1, self.archive.getinfo(sheet.part).file_size), 0
                while piece := file.read(CHUNK):
                    yield from reader.feed(piece)
                    done += len(piece)
                    self.fraction = done / size
                yield from reader.feed(b"", is_last=True)
        except (expat.ExpatError, zipfile.BadZipFile, KeyError, ValueError, IndexError, OverflowError):
            raise ActionRefused(UNREADABLE)

    def text(self, kind: str, style: str, value: str) -> str:
        """A stored value as its cell shows it."""
        if kind == "s":
            return self.shared[int(value)]
        if kind == "n":
            return self._number(value, style)
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        return value  # text, an error such as #N/A, or a date as ISO 8601 has it

    def _number(self, value: str, style: str) -> str:
        if style in self.dates:
            known = self.known_dates.get(value)
            if known is None:
                known = (self.epoch + dt.timedelta(days=float(value))).date().isoformat()
                self.known_dates[value] = known
            return known
        if style in self.percents:
            return f"{float(value) * 100:.13g}%"
        return value if value.isdecimal() else f"{float(value):.15g}"  # as many digits as Excel itself shows


class _SheetReader:
    """Collects the rows of a sheet from the events of its XML."""

    def __init__(self, book: Workbook):
        self.done: list[tuple[int, list[str]]] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.StartElementHandler = self._begin
        self.book = book

    def feed(self, piece: bytes, *, is_last: bool = False) -> list[tuple[int, list[str]]]:
        self.done = []
        self.parser.Parse(piece, is_last)
        return self.done

    def _begin(self, root, _):
        """The first element tells how the file calls the namespace of sheets: with a prefix, or without."""
        prefix = root.removesuffix("worksheet")
        parser = self.parser
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._handlers(prefix)

    def _handlers(self, prefix: str):
        """Closures: half a million cells go through them, and a look-up in `self` costs as much as the rest."""
        cell, row, formula, *grabbed = (prefix + tag for tag in ("c", "row", "f", "v", "t"))
        number, at, kind, style, has_formula, is_grabbing = 0, 0, "n", "", False, False
        cells: list[str] = []
        heard: list[str] = []
        text_of = self.book.text

        def start(tag, attributes):
            nonlocal number, at, kind, style, has_formula, is_grabbing, cells
            if tag == cell:
                get = attributes.get
                kind, style = get("t", "n"), get("s", "")
                reference = get("r")
                at = _column(reference) if reference else len(cells)
                has_formula = False
            elif tag in grabbed:
                is_grabbing = True
            elif tag == formula:
                has_formula = True
            elif tag == row:
                number, cells = int(attributes.get("r") or number + 1), []

        def end(tag):
            nonlocal is_grabbing
            if tag in grabbed:
                is_grabbing = False
            elif tag == cell:
                said = heard[0] if len(heard) == 1 else "".join(heard)
                heard.clear()
                if at < MAX_COLUMNS:
                    while len(cells) < at:
                        cells.append("")
                    if said:
                        cells.append(text_of(kind, style, said))
                    else:
                        cells.append(NO_RESULT if has_formula and kind != "str" else "")
            elif tag == row:
                self.done.append((number, cells))

        def characters(text):
            if is_grabbing:
                heard.append(text)

        return start, end, characters


def _refuse_doctype(*_):
    raise ActionRefused(UNREADABLE)


def _text_of(element) -> str:
    """The text of a shared or inline string, without the readings of Asian characters."""
    runs = [run for run in element if run.tag in {f"{MAIN}t", f"{MAIN}r"}]
    return "".join(part.text or "" for run in runs for part in run.iter(f"{MAIN}t"))


_columns: dict[str, int] = {}


def _column(reference: str) -> int:
    """0 for A1, 27 for AB7."""
    letters = reference.rstrip("0123456789")
    known = _columns.get(letters)
    if known is None:
        known = 0
        for letter in letters:
            known = known * 26 + ord(letter) - 64
        if not 1 <= known <= 16_384:
            raise ValueError(reference)
        _columns[letters] = known
    return known - 1
