"""The page that shows one metric in all its places."""

import datetime as dt

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse

from measurement import charts, permissions, places, readings
from measurement.models import MetricVersion
from measurement.views.shared import metric_or_404, series_of
from psc_portal.common.public_pages import public_page


@public_page
def metric_places(request, code):
    """Small charts on one scale, all added up where all are known, and a funnel plot of one period."""
    metric = metric_or_404(request, code)
    mine = [series for series in series_of(metric) if series.organisation_id]
    if len(mine) < 2:
        raise Http404
    sees = permissions.audience_for(request.user)
    audience = readings.OWNER if all(sees(series) == readings.OWNER for series in mine) else readings.PUBLIC
    found = readings.readings_of(mine, audience, with_marks=False)
    scale = places.scale_of(found)
    offered = places.periods_of(found) if metric.version.entry == MetricVersion.Entry.RATIO else {}
    period = _period(request, offered)
    funnel = places.funnel_of(found, period, multiplier=metric.multiplier) if period else None
    sums, incomplete = places.added_up(found)
    context = {
        "metric": metric,
        "multiples": [(one, charts.chart_svg(one, width=charts.NARROW, scale=scale)) for one in found],
        "audience": audience,
        "published_as": found[0].published_as,
        "periods": offered,
        "period": period,
        "funnel": funnel,
        "funnel_svg": charts.funnel_svg(funnel, x_name=metric.version.denominator) if funnel else "",
        "incomplete": incomplete,
        "crumbs": [("Metrics", reverse("measurement:metric_list")), (metric.name, metric.get_absolute_url())],
    }
    if sums and metric.frequency != metric.Frequency.EVENT:
        total = readings.total_of(metric, sums, audience, place=f"All {len(found)} places, added up")
        context |= {"total": total, "total_svg": charts.page_svg(total)}
    return render(request, "measurement/metric_places.html", context)


def _period(request, offered: dict[dt.date, str]) -> dt.date | None:
    """The one asked for, else the newest. One that cannot be shown leads to the newest too: addresses live long."""
    asked = request.GET.get("period", "")
    return next((start for start in offered if start.isoformat() == asked), next(iter(offered), None))
