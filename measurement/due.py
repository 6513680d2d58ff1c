"""What is due: periods that are over and have no value yet."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Max, Q, Window
from django.db.models.functions import RowNumber

from measurement import periods
from measurement.models import DataPoint, Metric, Series
from psc_portal.common import clock

RECENT = 12  # values that say what is usual for a series
MOST_A_SERIES = 3  # periods asked for at once; whoever is further behind pastes rows


@dataclass(frozen=True, slots=True)
class Due:
    """One period of one series that waits for its value."""

    series: Series
    start: dt.date
    unshown: int = 0  # how many later periods of the series are due too, but not asked for yet

    @property
    def label(self) -> str:
        return periods.label(self.start, self.series.metric.frequency)

    @property
    def due_on(self) -> dt.date:
        metric = self.series.metric
        return periods.end_of(self.start, metric.frequency) + dt.timedelta(days=metric.days_to_report)

    @property
    def days_late(self) -> int:
        """0 until the day after it was due."""
        return max(0, (clock.today() - self.due_on).days)


def of_series(series_rows, *, most: int = MOST_A_SERIES) -> list[Due]:
    """The due periods of each series of a QuerySet, the oldest first and at most so many; most urgent series first.

    A series is asked for what follows its newest value; one without any, for the newest period that is over. Events
    are never due: they happen or not.
    """
    rows = (
        series_rows.running()
        .exclude(metric__frequency=Metric.Frequency.EVENT)
        .select_related("metric", "organisation")
        .annotate(newest=Max("points__period_start", filter=Q(points__withdrawn_at__isnull=True)))
    )
    found = []
    for series in rows:
        starts = _starts(series.newest, series.metric.frequency)
        for number, start in enumerate(starts[:most], start=1):
            found.append(Due(series, start, len(starts) - most if number == most else 0))
    return sorted(found, key=lambda due: (due.due_on, due.series.metric.code, due.series.place))


def _starts(newest: dt.date | None, frequency: str) -> list[dt.date]:
    """Starts of the periods after `newest` that are over, oldest first."""
    today = clock.today()
    start = (
        periods.next_start(newest, frequency)
        if newest is not None
        else periods.start_of(periods.start_of(today, frequency) - periods.ONE_DAY, frequency)
    )
    starts = []
    while periods.end_of(start, frequency) < today:
        starts.append(start)
        start = periods.next_start(start, frequency)
    return starts


def anchor(series: Series, start: dt.date) -> str:
    """Where the page of all that is due asks for this period."""
    return f"row-{series.pk}-{start:%Y%m%d}"


def recent_points(series_rows: Iterable[Series]) -> dict[int, list[DataPoint]]:
    """The newest dozen values of each series, newest first."""
    nth = Window(RowNumber(), partition_by="series", order_by=F("period_start").desc())
    points = DataPoint.objects.current().filter(series__in=[series.pk for series in series_rows])
    found: dict[int, list[DataPoint]] = {}
    for point in points.annotate(nth=nth).filter(nth__lte=RECENT).order_by("series", "-period_start"):
        found.setdefault(point.series_id, []).append(point)
    return found
