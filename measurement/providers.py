"""What other pages show of metrics: the golden thread, the search, what waits for me."""

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Q
from django.urls import reverse

from measurement import due
from measurement.models import Annotation, Metric, Series
from psc_portal.common.highlight import headline, marked
from psc_portal.common.registry import CycleMention, Place, SearchHit, ThreadItem, WaitingItem

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


def charts_with_cycles(cycles: list[int], user) -> list[CycleMention]:
    """The charts on which these cycles are marked."""
    marked = (
        Annotation.objects.filter(pdsa_cycle__in=cycles, withdrawn_at__isnull=True)
        .filter(metric__in=Metric.objects.visible_to(user).order_by().values("pk"))
        .select_related("metric", "series__metric", "series__organisation")
        .order_by("metric__code", "date", "pk")
    )
    return [
        CycleMention(
            note.pdsa_cycle_id,
            f"{note.metric.name}, {note.series.place}" if note.series_id else note.metric.name,
            (note.series or note.metric).get_absolute_url(),
        )
        for note in marked
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
    items = []
    for one in due.of_series(Series.objects.kept_by(user), most=1)[:WAITING_SHOWN]:
        series = one.series
        page = reverse("measurement:data_enter", args=[series.key])
        more = f" and {one.unshown} later period{'s' if one.unshown > 1 else ''}" if one.unshown else ""
        items.append(
            WaitingItem(
                title=f"{series.metric.name}, {one.label}{more}",
                url=f"{page}#{due.anchor(series, one.start)}",
                due=one.due_on,
                section=f"Data for {series.place}",
                section_url=page,
                section_link="Enter all on one page",
            )
        )
    return items
