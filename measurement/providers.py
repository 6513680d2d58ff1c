"""What other pages show of metrics: the golden thread, the search, what waits for me."""

import datetime as dt
from collections.abc import Iterator

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.urls import reverse

from measurement import charts, due, permissions, readings
from measurement.models import Annotation, DataPoint, Metric, Series
from projects.models import Project
from psc_portal.common.registry import (
    CycleMention,
    News,
    Place,
    ResultChart,
    Signal,
    Source,
    Strand,
    ThreadItem,
    WaitingItem,
    joined,
)

WAITING_SHOWN = 30


def news(since: dt.datetime, limit: int) -> list[News]:
    """Metrics that everybody sees since then."""
    rows = Metric.objects.filter(is_public=True, created_at__gte=since).order_by("-created_at")[:limit]
    return [News(metric.created_at, "New metric", metric.name, metric.get_absolute_url()) for metric in rows]


def metrics_on_thread(place: Place, user) -> list[ThreadItem]:
    """The metrics of a priority or project, and those that the page knows already."""
    wanted = Q(pk__in=place.known.get("metric", []))
    if place.kind == "priority":
        wanted |= _of_priority(place.pk, user)
    elif place.kind == "project":
        wanted |= Q(project=place.pk)
    elif not place.known.get("metric"):
        return []
    return [
        ThreadItem("metric", metric.name, metric.get_absolute_url(), metric.code)
        for metric in Metric.objects.visible_to(user).filter(wanted).order_by("code")
    ]


def _of_priority(pk: int, user) -> Q:
    """Its own metrics, and those of its projects that this user may see."""
    through = Project.priorities.through.objects.filter(priority=pk)
    return Q(priority=pk) | Q(
        project__in=Project.objects.visible_to(user).filter(pk__in=through.values("project")).values("pk")
    )


def programme(user) -> Iterator[Strand]:
    """Every metric, with the systems whose organisations have values of it; the region's values stand for all."""
    series = Series.objects.filter(metric=OuterRef("pk")).order_by()
    rows = (
        Metric.objects.visible_to(user)
        .annotate(
            systems=ArraySubquery(series.filter(organisation__isnull=False).values("organisation__system")),
            is_everywhere=Exists(
                series.filter(Q(organisation__isnull=True) | Q(organisation__serves_all_systems=True))
            ),
        )
        .order_by("code")
        .values_list("pk", "code", "name", "priority", "project", "systems", "is_everywhere")
    )
    for pk, code, name, priority, project, systems, is_everywhere in rows:
        yield Strand(
            kind="metric",
            pk=pk,
            title=name,
            url=reverse("measurement:metric_detail", args=[code]),
            note=code,
            priorities=(priority,) if priority else (),
            projects=(project,) if project else (),
            systems=None if is_everywhere else frozenset(systems),
        )


def signals(place: Place, user) -> Iterator[Signal]:
    """What the metrics of a priority (those of its projects too) or of a project say, and those that are named."""
    wanted = Q(pk__in=place.known.get("metric", []))
    if place.kind == "priority":
        wanted |= _of_priority(place.pk, user)
    elif place.kind == "project":
        wanted |= Q(project=place.pk)
    metrics = list(Metric.objects.visible_to(user).filter(wanted).order_by("code"))
    found = readings.readings_of(metrics, permissions.audience_for(user), with_marks=False) if metrics else []
    for metric, reading in zip(metrics, found, strict=True):
        yield _signal(metric, reading)


def new_signals(since: dt.datetime) -> list[Signal]:
    """Signals that visitors see in the newest value of a metric, not in the one before; of values stored since."""
    stored = DataPoint.objects.current().filter(created_at__gte=since).values("series__metric")
    metrics = list(Metric.objects.filter(is_public=True, pk__in=stored).order_by("code"))
    found = readings.readings_of(metrics, readings.PUBLIC, with_marks=False) if metrics else []
    return [_signal(metric, one) for metric, one in zip(metrics, found, strict=True) if _is_new(one)]


def _is_new(reading) -> bool:
    values = [point for point in reading.points if point.value is not None]
    if not values or not values[-1].is_special:
        return False
    return len(values) < 2 or values[-2].rule != values[-1].rule


def _signal(metric, reading) -> Signal:
    return Signal(
        metric=metric.pk,
        title=metric.name,
        url=metric.get_absolute_url(),
        place=reading.place,
        latest=reading.latest_text,
        period=reading.latest.label if reading.latest else "",
        sentence=reading.sentence,
        summary=reading.summary,
        icon=charts.icon_svg(reading.variation, is_decorative=True),
        words=reading.variation.words,
        tone=reading.variation.tone,
        target_icon=charts.icon_svg(reading.assurance, is_decorative=True) if reading.assurance else "",
        target_words=reading.assurance_words,
        is_illustrative=reading.is_illustrative,
    )


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


def main_result(project: int, user) -> list[ResultChart]:
    """The chart of a project's main metric: its first outcome metric, else its first one, by code."""
    metrics = Metric.objects.visible_to(user).filter(project=project)
    first = metrics.order_by(Case(When(kind=Metric.Kind.OUTCOME, then=0), default=1), "code").first()
    if first is None:
        return []
    found = readings.reading(first)
    return [
        ResultChart(f"{found.title}, {found.place}", first.get_absolute_url(), charts.page_svg(found), found.sentence)
    ]


SOURCES = [
    Source(
        kind="metric",
        many="Metrics",
        rows=lambda user: Metric.objects.visible_to(user),
        key=F("code"),
        url=lambda code: reverse("measurement:metric_detail", args=[code]),
        title=joined("code", Value(" "), "name"),
        text=F("why_it_matters"),
        changed_at=F("updated_at"),
        priorities="priority",
        organisations=("series__organisation",),
    ),
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
