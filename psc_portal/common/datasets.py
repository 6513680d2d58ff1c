"""Open data: what each dataset is, column by column. The catalogue, the files and their dictionary are all made of it.

A dataset lies with the app whose rows it holds (`<app>/datasets.py`), which adds it to `registry.datasets`. It holds
what every visitor may read and nothing else: no names of people, no e-mail addresses, no accounts. Dates stand in it
rather than states that depend on the day ("overdue"), so that a file that somebody keeps does not age.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from operator import attrgetter

from django.conf import settings
from django.db.models import Max, QuerySet

from psc_portal.common.export import csv_lines

AT_A_TIME = 500  # rows that are read together
BETWEEN = "; "  # the values of a list
EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
EMAIL_TAKEN_OUT = "[e-mail address taken out]"
KINDS = {  # as Frictionless Table Schema calls them -> what people read
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "date": "date, like 2026-06-28",
    "datetime": "date and time in UTC, like 2026-06-28T11:00:00Z",
}


def address(path: str) -> str:
    return f"{settings.PORTAL_URL}{path}"


def page_of(thing) -> str:
    """The address of its page."""
    return address(thing.get_absolute_url())


@dataclass(frozen=True)
class Column:
    """One column: what stands in it, and how it is read from a row.

    Args:
        kind: one of KINDS.
        of: reads the value from a row; left out, the attribute of this name.
        unit: of a number.
        is_always: no cell is empty.
        choices: every value that there can be, with what it means.
        least, most: of a number.
        refers_to: dataset and column of which it holds a value, as "projects.slug".
        is_address: of a web page.
        is_list: several values, with BETWEEN between them.
    """

    name: str
    kind: str
    meaning: str
    of: Callable[[object], object] | None = None
    example: str = ""
    unit: str = ""
    is_always: bool = False
    choices: Mapping[str, str] | None = None
    least: int | None = None
    most: int | None = None
    refers_to: str = ""
    is_address: bool = False
    is_list: bool = False

    def cell(self, row):
        """The value as it stands in the file."""
        value = self.of(row) if self.of else attrgetter(self.name)(row)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, dt.datetime):
            return f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        if isinstance(value, list | tuple):
            value = BETWEEN.join(value)
        if isinstance(value, str):
            return EMAIL.sub(EMAIL_TAKEN_OUT, value).replace("\0", "")
        if isinstance(value, float | Decimal) and value == int(value):
            return int(value)
        return value

    @property
    def kind_in_words(self) -> str:
        return "web address" if self.is_address else f"list, “{BETWEEN}” between" if self.is_list else KINDS[self.kind]

    @property
    def rules(self) -> list[str]:
        """The constraints, in words."""
        rules = ["never empty"] if self.is_always else []
        if self.least is not None and self.most is not None:
            rules.append(f"{self.least} to {self.most}")
        elif self.least is not None:
            rules.append(f"{self.least} or more")
        return rules

    def as_field(self, *, is_key: bool) -> dict:
        """The column as a field of a Frictionless Table Schema."""
        constraints = {
            "required": self.is_always or None,
            "unique": is_key or None,
            "enum": list(self.choices) if self.choices else None,
            "minimum": self.least,
            "maximum": self.most,
        }
        constraints = {name: value for name, value in constraints.items() if value is not None}
        said = [self.meaning, *(f"{value}: {meaning}." for value, meaning in (self.choices or {}).items())]
        found = {"name": self.name, "type": self.kind, "description": " ".join(said), "example": self.example}
        if self.is_address:
            found["format"] = "uri"
        if self.unit:
            found["unit"] = self.unit
        return found | ({"constraints": constraints} if constraints else {})


@dataclass(frozen=True)
class Dataset:
    """One file of open data.

    Args:
        name: what its address and its file are called; never changes.
        section: under which heading the catalogue has it.
        key: the columns that tell its rows apart.
        rows: what everybody may see, in a fixed order: a QuerySet, or an iterable that holds few rows at a time.
        stored: the same rows as a QuerySet, to count; left out where `rows` is one.
        changed: the columns of `stored` that hold when a row changed.
        every: how often it changes, in words.
        page: the name of the address where people read the same.
        notes: what a reader must know: what is left out, what is hidden.
    """

    name: str
    title: str
    summary: str
    section: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: Callable[[], QuerySet | Iterable]
    page: str
    stored: Callable[[], QuerySet] | None = None
    changed: tuple[str, ...] = ("updated_at",)
    every: str = "When something changes"
    notes: tuple[str, ...] = ()

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def filename(self) -> str:
        return f"{self.name}.csv"

    def cells(self) -> Iterator[list]:
        """Its rows, as cells under `header`. Few are in memory at a time."""
        rows = self.rows()
        for row in rows.iterator(chunk_size=AT_A_TIME) if isinstance(rows, QuerySet) else rows:
            yield [column.cell(row) for column in self.columns]

    def first(self, number: int) -> list[list]:
        rows = self.rows()
        few = rows[:number] if isinstance(rows, QuerySet) else islice(rows, number)
        return [[column.cell(row) for column in self.columns] for row in few]

    def csv(self) -> Iterator[str]:
        return csv_lines(self.header, self.cells())

    def _stored(self) -> QuerySet:
        return (self.stored or self.rows)().order_by()

    def count(self) -> int:
        return self._stored().count()

    def updated_at(self) -> dt.datetime | None:
        """When the newest of its rows changed; None where there is none."""
        found = self._stored().aggregate(**{f"at_{n}": Max(path) for n, path in enumerate(self.changed)})
        return max((at for at in found.values() if at), default=None)

    def schema(self) -> dict:
        """Frictionless Table Schema, https://datapackage.org/standard/table-schema/."""
        references = [(column.name, *column.refers_to.split(".")) for column in self.columns if column.refers_to]
        found = {
            "fields": [column.as_field(is_key=self.key == (column.name,)) for column in self.columns],
            "missingValues": [""],
            "primaryKey": list(self.key),
        }
        keys = [
            {"fields": [column], "reference": {"resource": dataset, "fields": [field]}}
            for column, dataset, field in references
        ]
        return found | ({"foreignKeys": keys} if keys else {})
