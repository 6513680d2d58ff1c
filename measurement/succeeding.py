"""What becomes of metrics when a person leaves, and of series when organisations merge."""

from functools import partial

from measurement.models import MetricOwner, Series
from psc_portal.common import audit, clock
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.registry import Duty, MergeStep


def duties(user, organisation_pk):
    """The metrics that the person owns or deputises for: those with data of one organisation, or all."""
    held = MetricOwner.objects.held_by(user).select_related("metric")
    if organisation_pk:
        held = held.filter(metric__in=Series.objects.filter(organisation=organisation_pk).values("metric"))
    return [
        Duty(
            key=f"metric-{owner.metric_id}",
            kind="Metric" if owner.user_id == user.pk else "Metric, as deputy",
            title=f"{owner.metric.code} {owner.metric.name}",
            url=owner.metric.get_absolute_url(),
            hand_over=partial(_replace, owner, user),
            let_go=partial(_replace, owner, user, None),
        )
        for owner in held
    ]


def _replace(owner, user, to, *, by):
    """A new row from today on. Without a successor the deputy takes an owner's place."""
    owner = MetricOwner.objects.select_for_update(of=("self",)).select_related("metric").get(pk=owner.pk)
    first, deputy = owner.user, owner.deputy
    if first == user:
        first, deputy = (to, deputy) if to else (deputy, None)
    else:
        deputy = to
    if first is not None and first == deputy:
        deputy = None
    owner.to_date = clock.today()
    owner.save(update_fields=["to_date"])
    if first is not None and not first.is_active:
        raise ActionRefused(f"The account of {first.display_name} is closed: choose somebody else for {owner.metric}.")
    if first is not None:
        MetricOwner.objects.create(metric=owner.metric, user=first, deputy=deputy, from_date=clock.today())
    audit.record(
        "set_owner",
        owner.metric,
        by=by,
        before={"user": owner.user_id, "deputy": owner.deputy_id},
        after={"user": first and first.pk, "deputy": deputy and deputy.pk},
    )


def merge_steps(organisation, into, on):
    there = set(Series.objects.filter(organisation=into).values_list("metric", flat=True))
    for series in Series.objects.running().filter(organisation=organisation).select_related("metric"):
        name = f"{series.metric.code} {series.metric.name}"
        own = "has its own" if series.metric_id in there else "gets an empty one"
        yield MergeStep(
            "Series of data",
            name,
            f"ends on that day with the name of its time; {into} {own}",
            partial(_end_series, series, into, on),
        )


def _end_series(series, into, on, *, by):
    """Values are never added to another's: those before the merger count other people and places."""
    series.ended_on = on
    series.save(update_fields=["ended_on"])
    audit.record("end_series", series, by=by, after={"ended_on": str(on)})
    successor, is_new = Series.objects.get_or_create(metric=series.metric, organisation=into)
    if is_new:
        audit.record("add_series", successor, by=by, after={"metric": series.metric_id, "organisation": into.pk})
