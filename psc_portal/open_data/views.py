"""What can be downloaded, what is in it, how fresh it is and under which licence; and the files themselves.

Files are made anew for whoever asks, in a temporary file, and carry the hash of what is in them as their ETag. Which
hash a file has is kept with the public pages, so that asking again whether it has changed costs nothing.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from psc_portal.common import registry
from psc_portal.common.any_site import for_any_site
from psc_portal.common.datasets import Dataset, address
from psc_portal.common.public_pages import kept_with_pages, open_page, public_page
from psc_portal.content.essential_pages import FOLDER, read_page
from psc_portal.content.models import PageVersion
from psc_portal.content.placeholders import filled_in
from psc_portal.content.prose import prose
from psc_portal.open_data import package

PREVIEW, LONGEST_SHOWN = 5, 80  # rows, characters of a cell
PAGE = "data"  # the page whose text stands above the catalogue; staff can edit it


@dataclass(frozen=True)
class Shown:
    """A dataset with what its page says of its rows."""

    dataset: Dataset
    count: int
    updated_at: object

    @classmethod
    def of(cls, dataset):
        return cls(dataset, dataset.count(), dataset.updated_at())

    @property
    def rows_in_words(self) -> str:
        return f"{self.count:,} row{'s' * (self.count != 1)}"

    @property
    def url(self) -> str:
        return reverse("data_set", args=[self.dataset.name])

    @property
    def csv_url(self) -> str:
        return reverse("data_set_csv", args=[self.dataset.name])


def _dataset_or_404(name: str) -> Dataset:
    found = next((dataset for dataset in registry.datasets if dataset.name == name), None)
    if found is None:
        raise Http404
    return found


# Pages ---------------------------------------------------------------------------------------------------------------
@require_safe
@public_page
def catalogue(request):
    shown = [Shown.of(dataset) for dataset in registry.datasets]
    text = PageVersion.objects.shown().filter(page__slug=PAGE).first() or read_page(FOLDER / f"{PAGE}.md")
    context = {
        "title": filled_in(text.title),
        "body": prose(text.body),
        "count": len(shown),
        "sections": [(name, list(group)) for name, group in groupby(shown, key=lambda one: one.dataset.section)],
        "updated_at": package.newest(one.updated_at for one in shown),
        "attribution": package.attribution(),
        "structured": _structured_catalogue(shown),
    }
    return render(request, "open_data/catalogue.html", context)


@require_safe
@public_page
def dataset_page(request, dataset):
    found = _dataset_or_404(dataset)
    shown = Shown.of(found)
    context = {
        "shown": shown,
        "dataset": found,
        "title": found.title,
        "dictionary": [(column, package.rules_of(found, column)) for column in found.columns],
        "preview": [[_short(cell) for cell in row] for row in found.first(PREVIEW)],
        "attribution": package.attribution(),
        "address": address(shown.csv_url),
        "people_url": reverse(found.page),
        "structured": _structured_dataset(shown),
        "crumbs": [("Open data", reverse("data"))],
    }
    return render(request, "open_data/dataset.html", context)


def _short(cell) -> str:
    return "" if cell is None else Truncator(cell).chars(LONGEST_SHOWN)


def _publisher() -> dict:
    return {"@type": "Organization", "name": settings.COLLABORATIVE["name"], "url": settings.PORTAL_URL}


def _structured(shown: Shown) -> dict:
    """What schema.org asks for a dataset."""
    dated = {"dateModified": shown.updated_at.isoformat()} if shown.updated_at else {}
    return {
        "@type": "Dataset",
        "name": f"{shown.dataset.title}, {settings.COLLABORATIVE['name']}",
        "description": shown.dataset.summary,
        "url": address(shown.url),
        "license": settings.OPEN_DATA_LICENCE["url"],
        "creator": _publisher(),
        **dated,
    }


def _structured_dataset(shown: Shown) -> dict:
    return {
        **_structured(shown),
        "publisher": _publisher(),
        "isAccessibleForFree": True,
        "spatialCoverage": settings.COLLABORATIVE["region"],
        "includedInDataCatalog": {"@type": "DataCatalog", "name": package.title(), "url": address(reverse("data"))},
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": "text/csv", "contentUrl": address(shown.csv_url)},
            {"@type": "DataDownload", "encodingFormat": "application/zip", "contentUrl": address(reverse("data_zip"))},
        ],
        "variableMeasured": [
            {"@type": "PropertyValue", "name": column.name, "description": column.meaning}
            | ({"unitText": column.unit} if column.unit else {})
            for column in shown.dataset.columns
        ],
    }


def _structured_catalogue(shown: list[Shown]) -> dict:
    return {
        "@type": "DataCatalog",
        "name": package.title(),
        "url": address(reverse("data")),
        "license": settings.OPEN_DATA_LICENCE["url"],
        "publisher": _publisher(),
        "dataset": [_structured(one) for one in shown],
    }


# Files ---------------------------------------------------------------------------------------------------------------
@for_any_site
@require_safe
@open_page
def dataset_csv(request, dataset):
    found = _dataset_or_404(dataset)
    return _file(request, found.name, found.filename, "text/csv; charset=utf-8", lambda file: _write(found.csv(), file))


@for_any_site
@require_safe
@open_page
def package_zip(request):
    return _file(request, "zip", f"{package.name()}.zip", "application/zip", package.write_zip)


@for_any_site
@require_safe
@open_page
def package_json(request):
    """The description of all files, each at its address."""
    changed_at = package.newest(dataset.updated_at() for dataset in registry.datasets)
    described = package.description([package.resource(dataset) for dataset in registry.datasets], changed_at)
    return HttpResponse(package.as_json(described), content_type="application/json; charset=utf-8")


def _write(pieces: Iterable[str], file) -> None:
    for piece in pieces:
        file.write(piece.encode())


def _file(request, name: str, filename: str, content_type: str, write: Callable) -> HttpResponse:
    """The file that `write` fills, or 304 where the browser has it already."""
    made = []

    def make() -> str:
        made.append(_filled(write))
        return _hash_of(made[0])

    etag = f'"{kept_with_pages(f"open-data-{name}", make)}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        file = made.pop() if made else _filled(write)
        response = FileResponse(file, as_attachment=True, filename=filename, content_type=content_type)
        etag = f'"{_hash_of(file)}"'
    for file in made:
        file.close()
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=0, must-revalidate"
    return response


def _filled(write: Callable):
    file = tempfile.TemporaryFile()  # noqa: SIM115 closed by the response
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _hash_of(file) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    file.seek(0)
    return digest
