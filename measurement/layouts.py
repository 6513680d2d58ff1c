"""Layouts of published statistics that the plan cites, so that nobody retypes them: one place for each.

How each layout was learnt stands beside it (`learnt_from`). Where it was written from a description and not from a
file, that is said there and in docs/entering-data.md: a publisher may have other column names, and the page then says
which ones it looked for. All take the columns by name, wherever they stand.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from psc_portal.common.refusals import ActionRefused

OGL = (
    "Contains public sector information licensed under the Open Government Licence v3.0 "
    "(nationalarchives.gov.uk/doc/open-government-licence/version/3)."
)
HEADER_WITHIN = 40

Rows = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True)
class Layout:
    """How one publication lays out its rows."""

    key: str
    name: str  # what a person chooses
    source: str  # who publishes what: shown with the metric
    columns: frozenset[str]  # names that tell this layout from others
    period: str  # the column of the period; empty: it stands in a line above
    organisations: tuple[str, ...]  # columns that may name the place
    learnt_from: str
    licence: str = OGL
    caution: str = ""  # what must not be read into the numbers
    period_prefix: str = ""  # a pattern that stands before the period in its cell


@dataclass(frozen=True)
class Measure:
    """Some numbers of a layout: which columns are numerator and denominator, or the value, and of which rows."""

    key: str
    name: str
    layout: Layout = field(repr=False)
    numerator: tuple[str, ...] = ()  # several are added up
    denominator: tuple[str, ...] = ()
    value: str = ""
    where: tuple[tuple[str, str], ...] = ()  # only rows with these words in these columns

    @property
    def entry(self) -> str:
        """How the metric is entered that can take these numbers."""
        if self.value:
            return "value"
        return "ratio" if self.denominator else "count"

    def plain_rows(self, rows: Rows) -> Rows:
        """The rows as a plain table: period, place, numbers. The first one is the header."""
        above: list[str] = []
        for header, cells in rows:  # noqa: B007 yielded below
            names = [name_of(cell) for cell in cells]
            if self.layout.columns <= set(names):
                break
            above += [cell for cell in cells if cell.strip()]
        else:
            return
        at = {name: i for i, name in reversed(list(enumerate(names)))}
        numbers = ["value"] if self.value else ["numerator", *(["denominator"] if self.denominator else [])]
        yield header, ["period", "organisation", "organisation name", *numbers]
        until = "" if self.layout.period else _period_above(above)
        for number, cells in rows:
            if any(_cell(cells, at.get(column)).lower() != word for column, word in self.where):
                continue
            period = until or _cell(cells, at.get(self.layout.period))
            if self.layout.period_prefix:
                period = re.sub(self.layout.period_prefix, "", period, flags=re.IGNORECASE).replace("-", " ")
            places = [_cell(cells, at.get(column)) for column in self.layout.organisations]
            if any(places):
                code, name = (*places, "")[:2]
                yield number, [period, code, name, *self._numbers(cells, at)]

    def _numbers(self, cells, at) -> list[str]:
        if self.value:
            return [_cell(cells, at.get(self.value))]
        return [_added(cells, at, columns) for columns in (self.numerator, self.denominator) if columns]


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _added(cells, at, columns: tuple[str, ...]) -> str:
    """The sum of several columns; what is no number stays as it stands, to be refused by name."""
    texts = [_cell(cells, at.get(column)) for column in columns if column in at]
    if len(texts) == 1:
        return texts[0]
    total = Decimal(0)
    for text in texts:
        try:
            total += Decimal(text.replace(",", "") or "0")
        except InvalidOperation:
            return text
    return str(total)


def _period_above(lines: list[str]) -> str:
    """The last month of "July 2024 - June 2025" in the lines above the header.

    Raises:
        ActionRefused: no line names a span of months.
    """
    months = "January|February|March|April|May|June|July|August|September|October|November|December"
    for line in lines:
        if found := re.search(rf"(?:{months}) \d{{4}} ?(?:-|–|to) ?((?:{months}) \d{{4}})", line, re.IGNORECASE):
            return found[1]
    raise ActionRefused(
        "The file does not say which months it covers. Write a line like “July 2024 - June 2025” above the table."
    )


def name_of(cell: str) -> str:
    """A column's name as layouts are written: "A&E attendances Type 1" and A_E_attendances_Type_1 are the same."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", cell.lower()).split())


# Layouts -------------------------------------------------------------------------------------------------------------

AE_SOURCE = "NHS England, A&E attendances and emergency admissions, monthly"
AE_TIDY = Layout(
    key="ae-tidy",
    name="NHS England A&E, one row for each department type (NHSRdatasets)",
    source=AE_SOURCE,
    columns=frozenset({"period", "org code", "type", "attendances", "breaches", "admissions"}),
    period="period",
    organisations=("org code",),
    learnt_from="the reference manual of the R package NHSRdatasets, and series made from it",
)
AE_MONTHLY = Layout(
    key="ae-monthly",
    name="NHS England A&E, monthly CSV",
    source=AE_SOURCE,
    columns=frozenset({"period", "org code", "org name", "a e attendances type 1", "attendances over 4hrs type 1"}),
    period="period",
    organisations=("org code", "org name"),
    learnt_from="public programs that read the file; no file was at hand",
    period_prefix=r"^msitae-",
)
FINGERTIPS = Layout(
    key="fingertips",
    name="UKHSA infections and other indicators, download of Fingertips",
    source="UK Health Security Agency and Office for Health Improvement and Disparities, Fingertips",
    columns=frozenset({"indicator name", "area code", "area name", "time period", "value", "count", "denominator"}),
    period="time period",
    organisations=("area code", "area name"),
    learnt_from="the documentation of the R package fingertipsR; no file was at hand",
    caution="Choose one indicator: a file with several has the same period more than once.",
)
HCAI = Layout(
    key="hcai",
    name="UKHSA healthcare-associated infections, counts by month and trust",
    source="UK Health Security Agency, MRSA, MSSA and Gram-negative bacteraemia, and C. difficile: monthly data",
    columns=frozenset({"organisation code", "month", "hospital onset healthcare associated"}),
    period="month",
    organisations=("organisation code", "organisation name"),
    learnt_from="the published description of the tables; no file was at hand",
    caution="“Trust-apportioned” of earlier years and “hospital-onset” are not the same: do not join the lines.",
)
SHMI = Layout(
    key="shmi",
    name="NHS England SHMI, by trust",
    source="NHS England, Summary Hospital-level Mortality Indicator (SHMI)",
    columns=frozenset({"provider code", "provider name", "shmi value"}),
    period="",
    organisations=("provider code", "provider name"),
    learnt_from="the published description of the data files; no file was at hand",
    caution="A smoke alarm, not a measure of quality. Each value covers 12 months and stands at the last of them.",
)
LFPSE = Layout(
    key="lfpse",
    name="NHS England, recorded patient safety events (LFPSE), by quarter",
    source="NHS England, patient safety event data from Learn from patient safety events (LFPSE), quarterly",
    columns=frozenset({"organisation code", "quarter", "recorded events"}),
    period="quarter",
    organisations=("organisation code", "organisation name"),
    learnt_from="the published description of the quarterly data; no file was at hand",
    caution="More recording is not more harm. Not comparable with NRLS, the system before: never join the lines.",
)


def _ae_tidy(kind: str) -> tuple[Measure, ...]:
    where = (("type", kind),)
    called = f"type {kind}"
    return (
        Measure(f"ae-tidy-breaches-{kind}", f"Waits over 4 hours of attendances, {called}", AE_TIDY,
                ("breaches",), ("attendances",), where=where),
        Measure(f"ae-tidy-attendances-{kind}", f"Attendances, {called}", AE_TIDY, ("attendances",), where=where),
    )  # fmt: skip


AE_TYPES = ("type 1", "type 2", "other a e department")
AE_OVER = ("type 1", "type 2", "other department")
MEASURES = {
    measure.key: measure
    for measure in (
        *_ae_tidy("1"),
        *_ae_tidy("2"),
        *_ae_tidy("other"),
        Measure("ae-monthly-over-1", "Waits over 4 hours of attendances, type 1", AE_MONTHLY,
                ("attendances over 4hrs type 1",), ("a e attendances type 1",)),
        Measure("ae-monthly-over-all", "Waits over 4 hours of attendances, all types", AE_MONTHLY,
                tuple(f"attendances over 4hrs {kind}" for kind in AE_OVER),
                tuple(f"a e attendances {kind}" for kind in AE_TYPES)),
        Measure("ae-monthly-attendances-all", "Attendances, all types", AE_MONTHLY,
                tuple(f"a e attendances {kind}" for kind in AE_TYPES)),
        Measure("fingertips-ratio", "Count of denominator", FINGERTIPS, ("count",), ("denominator",)),
        Measure("fingertips-count", "Count", FINGERTIPS, ("count",)),
        Measure("fingertips-value", "Value", FINGERTIPS, value="value"),
        Measure("hcai-hospital", "Cases that began in hospital", HCAI, ("hospital onset healthcare associated",)),
        Measure("shmi-value", "SHMI", SHMI, value="shmi value"),
        Measure("shmi-deaths", "Observed deaths of expected deaths", SHMI,
                ("observed number of deaths",), ("expected number of deaths",)),
        Measure("lfpse-events", "Recorded events", LFPSE, ("recorded events",)),
    )
}  # fmt: skip


def for_entry(entry: str) -> list[Measure]:
    """What a metric can take that is entered so."""
    return [measure for measure in MEASURES.values() if measure.entry == entry]


def recognised(head: Sequence[tuple[int, list[str]]]) -> Layout | None:
    """The layout whose columns stand in one of the first rows."""
    all_layouts = dict.fromkeys(measure.layout for measure in MEASURES.values())
    for _, cells in head[:HEADER_WITHIN]:
        names = {name_of(cell) for cell in cells}
        for layout in all_layouts:
            if layout.columns <= names:
                return layout
    return None


def chosen(key: str, head, entry: str) -> Measure | None:
    """The numbers to take from a file that starts with these rows; None for a table of one's own.

    Raises:
        ActionRefused: the file has another layout than was chosen, or several numbers fit and none was chosen.
    """
    layout = recognised(head)
    if key:
        measure = MEASURES.get(key)
        if measure is None or measure.entry != entry:
            raise ActionRefused("Choose numbers that fit this metric.")
        if layout != measure.layout:
            wanted = ", ".join(sorted(measure.layout.columns))
            raise ActionRefused(f"This is not the layout “{measure.layout.name}”: it has columns like {wanted}.")
        return measure
    if layout is None:
        return None
    fitting = [measure for measure in for_entry(entry) if measure.layout == layout]
    if not fitting:
        raise ActionRefused(
            f"This looks like “{layout.name}”, which has no numbers of the kind that this metric takes."
        )
    if len(fitting) > 1:
        raise ActionRefused(f"This looks like “{layout.name}”. Choose under “Which numbers” what to take from it.")
    return fitting[0]
