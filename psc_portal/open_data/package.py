"""Everything in one ZIP, as a Frictionless data package: https://datapackage.org/standard/data-package/.

The same data make the same bytes: nothing in the package says when it was made, only when its data changed.
"""

import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from psc_portal.common import clock, demonstration, registry
from psc_portal.common.datasets import BETWEEN, Column, Dataset, address

PROFILE = "https://datapackage.org/profiles/2.0/{}.json"
OLDEST = dt.datetime(1980, 1, 1, tzinfo=clock.UK)  # that a ZIP can say


def name() -> str:
    return f"{settings.REFERENCE_PREFIX.lower()}-patient-safety-open-data"


def title() -> str:
    return f"Open data of {settings.COLLABORATIVE['name']}"


def licences() -> list[dict]:
    licence = settings.OPEN_DATA_LICENCE
    return [{"name": licence["id"], "title": licence["name"], "path": licence["url"]}]


def attribution() -> str:
    """How to name the source, as a sentence."""
    return f"Source: {settings.COLLABORATIVE['name']}, {settings.OPEN_DATA_LICENCE['name']}."


def resource(dataset: Dataset, **more) -> dict:
    """A dataset as a resource of the package."""
    marked = {"headerRows": [2], "commentRows": [1]} if demonstration.is_demonstration() else {}
    found = {
        "$schema": PROFILE.format("dataresource"),
        "name": dataset.name,
        "type": "table",
        "title": dataset.title,
        "description": " ".join([dataset.summary, *dataset.notes]),
        "path": address(reverse("data_set_csv", args=[dataset.name])),
        "homepage": address(reverse("data_set", args=[dataset.name])),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"$schema": PROFILE.format("tabledialect"), "delimiter": ",", **marked},
        "licenses": licences(),
        "schema": {"$schema": PROFILE.format("tableschema"), **dataset.schema()},
    }
    return found | more


def description(resources: list[dict], changed_at: dt.datetime | None) -> dict:
    """The package as datapackage.json has it."""
    collaborative = settings.COLLABORATIVE
    said = f"Everything that everybody can read on the website of {collaborative['name']}, as tables."
    found = {
        "$schema": PROFILE.format("datapackage"),
        "name": name(),
        "title": title(),
        "description": f"{said} {demonstration.SENTENCE}" if demonstration.is_demonstration() else said,
        "homepage": address(reverse("data")),
        "licenses": licences(),
        "contributors": [{"title": collaborative["name"], "path": settings.PORTAL_URL, "roles": ["publisher"]}],
        "keywords": ["patient safety", "quality improvement", "statistical process control", collaborative["region"]],
        "resources": resources,
    }
    return found | ({"created": f"{changed_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"} if changed_at else {})


def as_json(described: dict) -> str:
    return json.dumps(described, ensure_ascii=False, indent=2) + "\n"


def newest(moments) -> dt.datetime | None:
    return max((moment for moment in moments if moment), default=None)


# The ZIP -------------------------------------------------------------------------------------------------------------
@contextmanager
def _one_moment():
    """All tables as they stand at one moment, so that what refers to a row finds it."""
    if connection.in_atomic_block:  # of whoever calls
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def write_zip(file) -> None:
    """Write the package into `file`. One row is in memory at a time, and one batch of charts."""
    with _one_moment(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        changed = {dataset.name: dataset.updated_at() for dataset in registry.datasets}
        changed_at = newest(changed.values())
        resources = []
        for dataset in registry.datasets:
            path = f"data/{dataset.filename}"
            counted = _write(archive, path, dataset.csv(), changed[dataset.name])
            resources.append(resource(dataset, path=path, **counted))
        _write(archive, "datapackage.json", [as_json(description(resources, changed_at))], changed_at)
        _write(archive, "README.md", [readme(changed)], changed_at)
        _write(archive, "LICENCE.txt", [licence_text()], changed_at)


def _write(archive: zipfile.ZipFile, path: str, pieces, changed_at: dt.datetime | None) -> dict:
    """Write a text file that is dated by its data. Returns its size and hash."""
    at = max(changed_at or OLDEST, OLDEST).astimezone(clock.UK)
    entry = zipfile.ZipInfo(path, at.timetuple()[:6])
    entry.create_system, entry.external_attr, entry.compress_type = 3, 0o644 << 16, zipfile.ZIP_DEFLATED
    size, digest = 0, hashlib.sha256()
    with archive.open(entry, "w") as inside:
        for piece in pieces:
            content = piece.encode()
            inside.write(content)
            size += len(content)
            digest.update(content)
    return {"bytes": size, "hash": f"sha256:{digest.hexdigest()}"}


def licence_text() -> str:
    licence = settings.OPEN_DATA_LICENCE
    return (
        f"{title()}\n\n"
        f"The data in this package are available under the {licence['name']}.\n"
        f"Read the licence here: {licence['url']}\n\n"
        "If you publish something made of them, say where they come from:\n"
        f"{attribution()}\n"
        f"{address(reverse('data'))}\n"
    )


def readme(changed: dict[str, dt.datetime | None]) -> str:
    return "\n".join(_readme(changed))


def _readme(changed) -> Iterator[str]:
    yield f"# {title()}\n"
    if demonstration.is_demonstration():
        yield f"**{demonstration.SENTENCE}**\n"
    yield f"From {address(reverse('data'))}, where the newest version is.\n"
    yield f"Licence: {settings.OPEN_DATA_LICENCE['name']}, {settings.OPEN_DATA_LICENCE['url']}. {attribution()}\n"
    yield "## How to read the files\n"
    yield "- `datapackage.json` describes every file and column for programs (Frictionless Data Package 2)."
    yield "- The files are CSV in UTF-8 with a byte order mark. The first row has the names of the columns"
    if demonstration.is_demonstration():
        yield "  (here the second: the first one says that the data are made up)."
    yield "- An empty cell is a value that there is none of, or that is not published."
    yield "- Text that a spreadsheet would take for a formula begins with a quote (')."
    yield f"- Lists stand in one cell, with “{BETWEEN}” between their values. E-mail addresses are taken out of texts."
    yield "- Dates are like 2026-06-28; moments are in UTC, like 2026-06-28T11:00:00Z.\n"
    for dataset in registry.datasets:
        at = changed[dataset.name]
        yield f"## {dataset.title}: `data/{dataset.filename}`\n"
        yield dataset.summary + "\n"
        yield from (f"- {note}" for note in dataset.notes)
        yield f"- Last changed: {at.astimezone(clock.UK):%Y-%m-%d}\n" if at else "- Nothing is in it yet\n"
        yield "| Column | Type | Unit | Meaning | Rules | Example |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(dataset, column) for column in dataset.columns)
        yield ""


def _row(dataset: Dataset, column: Column) -> str:
    meaning = column.meaning
    if column.choices:
        meaning += ". " + "; ".join(f"{value}: {words}" for value, words in column.choices.items())
    rules = "; ".join(rules_of(dataset, column))
    cells = [f"`{column.name}`", column.kind_in_words, column.unit, meaning, rules, column.example]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def rules_of(dataset: Dataset, column: Column) -> list[str]:
    """The constraints of a column in words, with what it has to do with others."""
    rules = list(column.rules)
    if column.name in dataset.key:
        rules.append("different in each row" if len(dataset.key) == 1 else "part of what tells rows apart")
    if column.refers_to:
        rules.append(f"as {column.refers_to.partition('.')[2]} in {column.refers_to.partition('.')[0]}")
    return rules
