"""What several pages of metrics begin with: which metric, which of its series, and the way back."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse

from measurement.models import Metric, Series


def metric_or_404(request, code) -> Metric:
    """The metric of an address, or 404 where this user may not see it."""
    rows = Metric.objects.visible_to(request.user).select_related("priority", "project")
    return get_object_or_404(rows.prefetch_related("versions"), code=code.upper())


def series_of(metric) -> list[Series]:
    rows = metric.series.select_related("organisation")
    for series in rows:
        series.metric = metric  # with its definitions fetched
    return list(rows)


def chosen_series(request, all_series: list[Series]) -> Series | None:
    key = request.GET.get("series")
    if not key:
        return all_series[0] if all_series else None
    series = next((series for series in all_series if series.key == key), None)
    if series is None:
        raise Http404
    return series


def crumbs_of(metric, *more):
    return [("Metrics", reverse("measurement:metric_list")), (metric.name, metric.get_absolute_url()), *more]
