"""The public API: published values only, whoever asks, as JSON that anybody may keep and any site may fetch.

measurement/openapi.py describes it; docs/adr/0021 says why it is as it is.
"""

import datetime as dt
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from measurement import open_data, openapi, readings
from measurement.models import Metric, Series
from measurement.open_data import api_address
from measurement.openapi import LIMIT, MOST
from psc_portal.common import clock
from psc_portal.common.any_site import for_any_site
from psc_portal.common.public_pages import open_page, public_page

PROBLEM = "application/problem+json"  # RFC 9457
METRIC_FILTERS = ("priority", "kind", "organisation")
PAGING = ("limit", "page")


class Problem(Exception):
    """A refusal as a status and a sentence."""

    def __init__(self, status: HTTPStatus, detail: str):
        super().__init__(detail)
        self.status, self.detail = status, detail


def answered_as_json(*known: str):
    """A view that takes these query parameters and returns what to answer as JSON, or raises a Problem or a 404."""

    def decorate(view):
        @open_page
        def make(request, *args, **kwargs):
            return JsonResponse(view(request, *args, **kwargs), json_dumps_params={"ensure_ascii": False})

        @for_any_site
        @wraps(view)
        def answer(request, *args, **kwargs):
            try:
                _check(request, known)
                return make(request, *args, **kwargs)
            except Problem as problem:
                return _refused(request, problem)
            except Http404:
                nothing = "There is nothing public at this address. The list of metrics names what there is."
                return _refused(request, Problem(HTTPStatus.NOT_FOUND, nothing))

        return answer

    return decorate


def _check(request, known: tuple[str, ...]) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "This API can only be read: use GET.")
    for name in request.GET:
        if name not in known:
            may = f"It takes: {', '.join(known)}." if known else "It takes none."
            raise Problem(HTTPStatus.BAD_REQUEST, f"There is no query parameter “{name}” here. {may}")
        if len(request.GET.getlist(name)) > 1:
            raise Problem(HTTPStatus.BAD_REQUEST, f"Give {name} once.")


def _refused(request, problem: Problem) -> HttpResponse:
    response = JsonResponse(
        {
            "type": "about:blank",
            "title": problem.status.phrase,
            "status": problem.status.value,
            "detail": problem.detail,
            "instance": request.path,
        },
        status=problem.status,
        content_type=PROBLEM,
        json_dumps_params={"ensure_ascii": False},
    )
    response["Cache-Control"] = "no-store"
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        response["Allow"] = "GET, HEAD, OPTIONS"
    return response


# What is asked for ---------------------------------------------------------------------------------------------------
def _whole_number(request, name: str, otherwise: int, most: int) -> int:
    text = request.GET.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number from 1 to {most:,}.")
    return int(text)


def _day(request, name: str) -> dt.date | None:
    text = request.GET.get(name)
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name} must be a day like 2026-04-01.")


def _page(request, rows, as_json) -> dict:
    """One page of a list. `as_json` makes all of its rows at once."""
    limit = _whole_number(request, "limit", LIMIT, MOST)
    number = _whole_number(request, "page", 1, 1_000_000)
    pages = Paginator(rows, limit)
    if number > pages.num_pages:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no page {number}: the last one is {pages.num_pages}.")
    page = pages.page(number)

    def there(other: int) -> str:
        return open_data.absolute(f"{request.path}?{urlencode({**request.GET.dict(), 'page': other})}")

    return {
        **open_data.said_of_all(),
        "count": pages.count,
        "next": there(number + 1) if page.has_next() else None,
        "previous": there(number - 1) if page.has_previous() else None,
        "results": as_json(list(page)),
    }


def _metrics(request):
    """Public metrics, as the filters ask."""
    found = Metric.objects.visible_to(request.user)
    if kind := request.GET.get("kind"):
        if kind not in Metric.Kind.values:
            raise Problem(HTTPStatus.BAD_REQUEST, f"kind must be one of {', '.join(Metric.Kind.values)}.")
        found = found.filter(kind=kind)
    if priority := request.GET.get("priority"):
        found = found.filter(priority__slug=priority)
    return found


def _series(request):
    """Series of public metrics, as the filters ask. `organisation` is an ODS code, a slug, or "region"."""
    found = Series.objects.filter(metric__in=_metrics(request)).select_related("organisation", "metric")
    found = found.prefetch_related("metric__versions")
    if organisation := request.GET.get("organisation"):
        found = found.at_place(organisation)
    if metric := request.GET.get("metric"):
        found = found.filter(metric__code=metric.upper())
    return found.order_by("metric__code", "organisation__name", "pk")


def _one_series(request, code, key) -> Series:
    found = _series(request).filter(metric__code=code).at_place(key)
    return next((series for series in found if series.key == key), None) or _nothing()


def _nothing():
    raise Http404


def _summaries(rows: list[Series]) -> list[dict]:
    found = readings.readings_of(rows, readings.PUBLIC, with_marks=False)
    return [open_data.summary_json(series, reading) for series, reading in zip(rows, found, strict=True)]


# Addresses -----------------------------------------------------------------------------------------------------------
@public_page
def about(request):
    """The page for people."""
    examples = Series.objects.filter(metric__is_public=True).select_related("metric", "organisation")
    context = {
        "example": examples.order_by("metric__code", "pk").first(),
        "kinds": Metric.Kind.values,
        "portal_url": open_data.absolute(""),
        "since": clock.today().replace(month=1, day=1),
        "limit": LIMIT,
        "most": MOST,
        "crumbs": [("Open data", reverse("data"))],
    }
    return render(request, "measurement/api.html", context)


@answered_as_json()
def index(request):
    return {
        **open_data.said_of_all(),
        "version": openapi.VERSION,
        "documentation": open_data.absolute(request.path.removesuffix("v1/")),
        "description": api_address("description"),
        "metrics": api_address("metrics"),
        "series": api_address("series"),
    }


@answered_as_json()
def description(request):
    return openapi.description()


@answered_as_json(*METRIC_FILTERS, *PAGING)
def metrics(request):
    found = _metrics(request).select_related("priority", "project").prefetch_related("versions", "targets")
    found = found.order_by("code")
    if organisation := request.GET.get("organisation"):
        found = found.filter(pk__in=Series.objects.at_place(organisation).values("metric"))

    def as_json(rows):
        by_metric = {metric.pk: [] for metric in rows}
        for series in Series.objects.filter(metric__in=rows).select_related("organisation"):
            by_metric[series.metric_id].append(series)
        return [open_data.metric_json(metric, by_metric[metric.pk]) for metric in rows]

    return _page(request, found, as_json)


@answered_as_json()
def metric(request, code):
    rows = Metric.objects.visible_to(request.user).select_related("priority", "project")
    rows = rows.prefetch_related("versions", "targets")
    found = get_object_or_404(rows, code=code)
    all_series = list(found.series.select_related("organisation"))
    return {**open_data.said_of_all(), **open_data.metric_json(found, all_series)}


@answered_as_json("metric", *METRIC_FILTERS, *PAGING)
def series(request):
    return _page(request, _series(request), _summaries)


@answered_as_json()
def one_series(request, code, key):
    found = _one_series(request, code, key)
    return {**open_data.said_of_all(), **open_data.series_json(found, readings.reading(found))}


@answered_as_json("since", *PAGING)
def points(request, code, key):
    since = _day(request, "since") or dt.date.min  # judged by published dates: true ones of events are not told
    found = [p for p in readings.reading(_one_series(request, code, key)).points if p.period_start >= since]
    return _page(request, found, lambda page: [open_data.point_json(point) for point in page])


@answered_as_json()
def nothing_here(request, rest):
    raise Http404
