"""Who may do what with metrics. Actions ask here to refuse, pages to hide the button."""

from measurement.models import MetricOwner, Series
from projects.models import Affiliation


def can_manage(user, metric=None) -> bool:
    """Add and define metrics, name owners, open series, undo anybody's import."""
    return user.is_authenticated and (user.is_programme_staff or user.is_lead)


def holds(user, metric) -> bool:
    """Whether the user is the metric's owner or deputy today."""
    return user.is_authenticated and MetricOwner.objects.held_by(user).filter(metric=metric).exists()


def owns_any(user) -> bool:
    """Whether the user owns any metric today, as owner or deputy: they then need a second factor."""
    return MetricOwner.objects.held_by(user).exists()


def can_explain(user, metric) -> bool:
    """Describe and define a metric, set its targets, and decide about its charts: events, rebases, values left out."""
    return can_manage(user) or holds(user, metric)


def organisation_ids(user) -> set[int]:
    """Organisations that the user is a confirmed member of today."""
    if not user.is_authenticated:
        return set()
    return set(Affiliation.objects.current().filter(user=user).values_list("organisation_id", flat=True))


def can_enter(user, series: Series) -> bool:
    """Staff and the metric's owner: everywhere. A confirmed member: the series of their organisation."""
    if not user.is_authenticated:
        return False
    if can_explain(user, series.metric):
        return True
    return series.organisation_id is not None and series.organisation_id in organisation_ids(user)


def can_undo(user, import_batch) -> bool:
    """Those who manage metrics, the metric's owner, and who made the import."""
    return can_explain(user, import_batch.metric) or (user.is_authenticated and import_batch.by_id == user.pk)


def audience_for(user):
    """A function of a series: whether this user sees its true values ("owner") or the published ones ("public")."""
    if not user.is_authenticated:
        return lambda series: "public"
    if can_manage(user):
        return lambda series: "owner"
    mine = organisation_ids(user)
    held = set(MetricOwner.objects.held_by(user).values_list("metric_id", flat=True))

    def audience(series):
        is_own = series is not None and (series.metric_id in held or series.organisation_id in mine)
        return "owner" if is_own else "public"

    return audience
