"""What other pages show of metrics: the golden thread, the search, what waits for me."""

import datetime as dt

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Max, Q
from django.urls import reverse

from measurement import periods
from measurement.models import Metric, Series
from psc_portal.common import clock
from psc_portal.common.highlight import headline, marked
from psc_portal.common.registry import Place, SearchHit, ThreadItem, WaitingItem

WAITING_SHOWN = 30


def metrics_on_thread(place: Place, user) -> list[ThreadItem]:
    """The metrics of a priority or project, and those that the page knows already."""
    wanted = Q(pk__in=place.known.get("metric", []))
    if place.kind == "priority":
        wanted |= Q(priority=place.pk)
    elif place.kind == "project":
        wanted |= Q(project=place.pk)
    elif not place.known.get("metric"):
        return []
    return [
        ThreadItem("metric", metric.name, metric.get_absolute_url(), metric.code)
        for metric in Metric.objects.visible_to(user).filter(wanted).order_by("code")
    ]


def search_metrics(query: str, user, limit: int) -> list[SearchHit]:
    found = (
        Metric.objects.visible_to(user)
        .matching(query)
        .annotate(snippet=headline(F("why_it_matters"), SearchQuery(query, config="english", search_type="websearch")))
    )
    return [
        SearchHit("metric", str(row), row.get_absolute_url(), marked(row.snippet), row.rank)
        for row in found.order_by("-rank", "code")[:limit]
    ]


def data_due(user) -> list[WaitingItem]:
    """The next period of each series that the user keeps, once it is over and has no value yet."""
    today = clock.today()
    kept = (
        Series.objects.kept_by(user)
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gte=today))
        .exclude(metric__frequency=Metric.Frequency.EVENT)
        .select_related("metric", "organisation")
        .annotate(newest=Max("points__period_start", filter=Q(points__withdrawn_at__isnull=True)))
    )
    items = []
    for series in kept:
        metric, frequency = series.metric, series.metric.frequency
        if series.newest is None:
            start = periods.start_of(periods.start_of(today, frequency) - dt.timedelta(days=1), frequency)
        else:
            start = periods.next_start(series.newest, frequency)
        end = periods.end_of(start, frequency)
        if end >= today:
            continue
        items.append(
            WaitingItem(
                title=f"{metric.name}, {periods.label(start, frequency)}",
                url=f"{reverse('measurement:point_enter', args=[metric.code])}?series={series.key}",
                note=f"Data for {series.place}",
                due=end + dt.timedelta(days=metric.days_to_report),
                section="Data that are due",
            )
        )
    return sorted(items, key=lambda item: (item.due, item.title))[:WAITING_SHOWN]
