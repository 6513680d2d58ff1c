"""How complete and how fresh the measurement plan is."""

from dataclasses import dataclass

from django.db.models import Prefetch

from measurement import due
from measurement.models import Metric, MetricOwner, NotYetMeasured, Series
from projects.models import Priority

Kind, Dimension = Metric.Kind, Metric.Dimension


@dataclass(frozen=True, slots=True)
class Family:
    """The metrics of one priority (None: of no priority) by kind: a family needs all three."""

    priority: Priority | None
    outcome: list[Metric]
    process: list[Metric]
    balancing: list[Metric]

    @property
    def missing(self) -> list[str]:
        return [kind.value for kind in Kind if not getattr(self, kind.value)]


@dataclass(frozen=True, slots=True)
class DimensionCover:
    """One of Vincent's five dimensions: what measures it, and what should."""

    label: str
    metrics: list[Metric]
    entries: list[NotYetMeasured]


@dataclass(frozen=True, slots=True)
class PlanHealth:
    metrics: list[Metric]
    families: list[Family]
    dimensions: list[DimensionCover]
    late: list[due.Due]
    nowhere: list[Metric]  # collected at no place
    unowned: list[Metric]
    untargeted: list[Metric]
    unbalanced: list[Metric]  # outcome and process metrics that nothing balances
    not_yet: list[NotYetMeasured]

    @property
    def incomplete(self) -> int:
        """How many priorities lack a kind of metric."""
        return sum(bool(family.priority and family.missing) for family in self.families)


def plan_health(user) -> PlanHealth:
    """The health of what this user may see of the plan, in eight queries."""
    metrics = list(
        Metric.objects.visible_to(user)
        .select_related("priority")
        .in_plan_order()
        .prefetch_related(
            Prefetch("owners", MetricOwner.objects.current()),
            "targets",
            Prefetch("series", Series.objects.running()),
        )
    )
    priorities = Priority.objects.visible_to(user).order_by("-kind", "position", "title")
    not_yet = list(NotYetMeasured.objects.open().select_related("priority"))
    visible = Metric.objects.visible_to(user).order_by().values("pk")
    late = due.of_series(Series.objects.filter(metric__in=visible), most=1)
    return PlanHealth(
        metrics=metrics,
        families=_families(metrics, [one for one in priorities if one.is_current]),
        dimensions=[_cover(one, metrics, not_yet) for one in Dimension],
        late=[one for one in late if one.days_late],
        nowhere=[metric for metric in metrics if not metric.series.all()],
        unowned=[metric for metric in metrics if not metric.owners.all()],
        untargeted=[metric for metric in metrics if not _has_target(metric)],
        unbalanced=_unbalanced(metrics),
        not_yet=not_yet,
    )


def _families(metrics: list[Metric], priorities: list[Priority]) -> list[Family]:
    """Must-do topics first, as the priorities come; those that have ended only where something still measures them."""
    ended = {metric.priority for metric in metrics if metric.priority_id} - set(priorities)
    wanted = [*priorities, *sorted(ended, key=lambda one: one.title)]
    if any(metric.priority_id is None for metric in metrics):
        wanted.append(None)
    families = []
    for priority in wanted:
        mine = [metric for metric in metrics if metric.priority == priority]
        families.append(Family(priority, *([one for one in mine if one.kind == kind] for kind in Kind)))
    return families


def _cover(dimension, metrics: list[Metric], not_yet: list[NotYetMeasured]) -> DimensionCover:
    return DimensionCover(
        dimension.label,
        [metric for metric in metrics if metric.dimension == dimension],
        [entry for entry in not_yet if entry.dimension == dimension],
    )


def _has_target(metric: Metric) -> bool:
    """A target in force, or one to come. Where neither direction is better, none is missed."""
    if metric.direction == Metric.Direction.NEUTRAL:
        return True
    targets = metric.standing_targets
    begun = [one for one in targets if one.has_begun]
    to_come = targets[len(begun) :]
    return any(one.value is not None for one in [*begun[-1:], *to_come])


def _unbalanced(metrics: list[Metric]) -> list[Metric]:
    """Outcome and process metrics for which no balancing metric of the same project or priority looks out."""
    balancing = [metric for metric in metrics if metric.kind == Kind.BALANCING]
    projects = {metric.project_id for metric in balancing} - {None}
    priorities = {metric.priority_id for metric in balancing} - {None}
    return [
        metric
        for metric in metrics
        if metric.kind != Kind.BALANCING and metric.project_id not in projects and metric.priority_id not in priorities
    ]
