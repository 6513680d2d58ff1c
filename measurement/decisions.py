"""What people decided about charts: rebases, values left out, frozen limits, targets and plans, read in one query."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.db.models import DateField, DecimalField, F, Q, QuerySet, Value
from django.db.models.functions import Cast

from measurement.models import Baseline, Exclusion, MetricTarget, PlannedValue, Rebase


@dataclass(frozen=True, slots=True)
class Decision:
    """One of them. Which of date and number it has depends on its kind."""

    day: dt.date | None
    number: float | None
    text: str


@dataclass(slots=True)
class Decisions:
    """All that stand for one series, oldest first."""

    rebases: list[Decision] = field(default_factory=list)
    exclusions: list[Decision] = field(default_factory=list)
    baselines: list[Decision] = field(default_factory=list)
    planned: list[Decision] = field(default_factory=list)
    targets: list[Decision] = field(default_factory=list)

    @property
    def baseline(self) -> Decision | None:
        return self.baselines[-1] if self.baselines else None

    def target_at(self, day: dt.date) -> Decision | None:
        """The target in force on a day; None where there was none yet, or it had been ended."""
        found = [one for one in self.targets if one.day is None or one.day <= day]
        return found[-1] if found and found[-1].number is not None else None

    def planned_at(self, day: dt.date) -> float | None:
        """What was planned for a period: a value that was given, or on the straight line between two of them."""
        for before, after in pairwise(self.planned):
            if before.day <= day <= after.day:
                share = (day - before.day) / (after.day - before.day)
                return round(before.number + share * (after.number - before.number), 4)
        return None


def _rows(rows: QuerySet, kind: str, key, *, day=None, number=None, text="reason") -> QuerySet:
    """One kind as columns that all kinds have."""
    number = F(number) if number else Value(None)
    return rows.order_by().values_list(
        Value(kind),
        F(key),
        Cast(F(day) if day else Value(None), DateField()),
        Cast(number, DecimalField(max_digits=20, decimal_places=4)),
        F(text),
        F("pk"),
    )


def of_series(series: Iterable[tuple[int | None, int]]) -> dict[tuple[int | None, int], Decisions]:
    """The decisions that stand, for each pair of series (None where a metric has none) and metric."""
    pairs = list(series)
    ids = [key for key, _ in pairs if key is not None]
    mine = Q(series__in=ids, withdrawn_at__isnull=True)
    plans = PlannedValue.objects.filter(trajectory__series__in=ids, trajectory__withdrawn_at__isnull=True)
    targets = MetricTarget.objects.filter(metric__in={metric for _, metric in pairs}, withdrawn_at__isnull=True)
    found = _rows(Rebase.objects.filter(mine), "rebases", "series_id", day="from_date").union(
        _rows(Exclusion.objects.filter(mine), "exclusions", "series_id", day="period_start"),
        _rows(Baseline.objects.filter(mine), "baselines", "series_id", day="until", number="points"),
        _rows(plans, "planned", "trajectory__series_id", day="period_start", number="value", text="trajectory__reason"),
        _rows(targets, "targets", "metric_id", day="from_date", number="value"),
        all=True,
    )
    found = found.order_by()  # Meta's ordering is no column of a union
    of_key: dict[tuple[str, int], list[Decision]] = defaultdict(list)
    for kind, key, day, number, text, _ in sorted(found, key=lambda row: (row[2] or dt.date.min, row[5])):
        of_key[kind, key].append(Decision(day, None if number is None else float(number), text))
    return {(key, metric): _of(of_key, key, metric) for key, metric in pairs}


def _of(found: dict[tuple[str, int], Sequence[Decision]], series: int | None, metric: int) -> Decisions:
    kinds = ("rebases", "exclusions", "baselines", "planned")
    return Decisions(**{kind: list(found[kind, series]) for kind in kinds}, targets=list(found["targets", metric]))
