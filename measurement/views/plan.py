"""Keeping the plan: its health, and what people decide about metrics and charts."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from measurement import actions, health, permissions, plan_forms, readings, suggestions
from measurement.models import (
    Annotation,
    Baseline,
    Exclusion,
    Metric,
    MetricTarget,
    NotYetMeasured,
    Rebase,
    Series,
    Trajectory,
)
from measurement.views.shared import chosen_series, crumbs_of, metric_or_404, series_of
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused

# The health of the plan ----------------------------------------------------------------------------------------------


@public_page
def plan_health(request):
    context = {
        "health": health.plan_health(request.user),
        "can_manage": permissions.can_manage(request.user),
        "crumbs": [("Metrics", reverse("measurement:metric_list"))],
    }
    return render(request, "measurement/plan_health.html", context)


# What is decided about a metric --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """One line of the history of decisions."""

    at: dt.datetime
    what: str
    text: str
    by: object
    withdrawn_at: dt.datetime | None = None
    withdrawn_by: object = None
    withdraw_url: str = ""


@dataclass(frozen=True)
class Withdrawal:
    """A kind of decision that can be taken back: its model, the action and what the action calls the row."""

    model: type
    action: Callable
    name: str
    words: str
    says: Callable
    field: str = "series__metric"


WITHDRAWALS = {
    "event": Withdrawal(
        Annotation, actions.withdraw_annotation, "annotation", "Event",
        lambda row: f"{row.date.day} {row.date:%B %Y}: {row.text}", field="metric",
    ),
    "rebase": Withdrawal(
        Rebase, actions.withdraw_rebase, "rebase", "Rebase",
        lambda row: f"From {row.from_date.day} {row.from_date:%B %Y}: {row.reason}",
    ),
    "exclusion": Withdrawal(
        Exclusion, actions.withdraw_exclusion, "exclusion", "Value left out",
        lambda row: f"{row.period_start.day} {row.period_start:%B %Y}: {row.reason}",
    ),
    "baseline": Withdrawal(
        Baseline, actions.withdraw_baseline, "baseline", "Limits frozen",
        lambda row: f"{row.words[0].upper()}{row.words[1:]}: {row.reason}",
    ),
    "plan": Withdrawal(
        Trajectory, actions.withdraw_trajectory, "trajectory", "Plan", lambda row: row.reason,
    ),
    "target": Withdrawal(
        MetricTarget, actions.withdraw_target, "metric_target", "Target", lambda row: target_text(row), field="metric",
    ),
}  # fmt: skip


def target_text(row: MetricTarget) -> str:
    said = "No target" if row.value is None else row.value_text
    if row.from_date:
        said += f" from {row.from_date.day} {row.from_date:%B %Y}"
    return f"{said}{f', set by {row.set_by}' if row.set_by else ''}{f': {row.reason}' if row.reason else ''}"


def _kept_by(request, code) -> Metric:
    """The metric, or 404 where it is not this user's to decide about."""
    metric = metric_or_404(request, code)
    if not permissions.can_explain(request.user, metric):
        raise Http404
    return metric


def _decisions_url(metric: Metric, series: Series | None = None) -> str:
    url = reverse("measurement:metric_decisions", args=[metric.code])
    return f"{url}?series={series.key}" if series else url


@never_cache
@login_required
def metric_decisions(request, code):
    metric = _kept_by(request, code)
    all_series = series_of(metric)
    series = chosen_series(request, all_series)
    reading = readings.reading(series or metric, readings.OWNER)
    context = {
        "metric": metric,
        "series": series,
        "all_series": all_series,
        "reading": reading,
        "rebase": suggestions.rebase_of(reading),
        "chart": suggestions.chart_for(metric, reading),
        "history": _history(metric),
        "can_manage": permissions.can_manage(request.user),
        "crumbs": crumbs_of(metric),
    }
    return render(request, "measurement/metric_decisions.html", context)


def _history(metric: Metric) -> list[Kept]:
    """Every decision about a metric and its charts, newest first, those taken back among them."""
    found = []
    for kind, one in WITHDRAWALS.items():
        related = ["by", "withdrawn_by"]
        if any(field.name == "series" for field in one.model._meta.fields):
            related += ["series__organisation", "series__metric"]
        for row in one.model.objects.filter(**{one.field: metric}).select_related(*related):
            series = getattr(row, "series", None)
            url = reverse("measurement:decision_withdraw", args=[metric.code, kind, row.pk])
            found.append(
                Kept(
                    row.created_at,
                    f"{one.words}, {series.place}" if series else one.words,
                    one.says(row),
                    row.by,
                    row.withdrawn_at,
                    row.withdrawn_by,
                    "" if row.withdrawn_at else url,
                )
            )
    for choice in metric.chart_choices.select_related("by"):
        found.append(Kept(choice.at, "Chart", f"{choice.get_chart_type_display()}: {choice.reason}", choice.by))
    for version in metric.versions.select_related("created_by"):
        text = f"Version {version.number}{f': {version.reason}' if version.reason else ''}"
        found.append(Kept(version.created_at, "Definition", text, version.created_by))
    return sorted(found, key=lambda one: one.at, reverse=True)


@never_cache
@login_required
def decision_withdraw(request, code, kind, pk):
    metric = _kept_by(request, code)
    one = WITHDRAWALS.get(kind)
    if one is None:
        raise Http404
    row = get_object_or_404(one.model.objects.filter(**{one.field: metric}), pk=pk)
    if request.method == "POST":
        try:
            one.action(**{one.name: row}, by=request.user)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{one.words}: withdrawn. It stays in the history.")
        return redirect(_decisions_url(metric))
    back = _decisions_url(metric)
    context = {
        "metric": metric,
        "what": one.words,
        "text": one.says(row),
        "crumbs": crumbs_of(metric, ("Decisions", back)),
        "back": back,
    }
    return render(request, "measurement/decision_withdraw.html", context)


def _decide(request, subject: Metric | Series, form, action, *, heading, done, intro=""):
    """A form of the metric's keepers about a metric or one of its series, then back to the chart."""
    if request.method == "POST" and form.is_valid():
        try:
            action(**form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(subject)
    series = subject if isinstance(subject, Series) else None
    metric = series.metric if series else subject
    context = {
        "form": form,
        "heading": f"{heading}: {series.place}" if series else heading,
        "intro": intro,
        "crumbs": crumbs_of(metric, ("Decisions", _decisions_url(metric, series))),
    }
    return render(request, "layouts/form.html", context)


@never_cache
@login_required
def metric_describe(request, code):
    metric = _kept_by(request, code)
    form = plan_forms.DescribeForm(request.POST or None, initial=plan_forms.fields_of(plan_forms.DescribeForm, metric))
    return _decide(
        request,
        metric,
        form,
        partial(actions.describe_metric, metric=metric),
        heading="Describe the metric",
        intro="Name, priority and who may see it are changed by programme staff.",
        done="The description is stored.",
    )


@never_cache
@login_required
def metric_define(request, code):
    metric = _kept_by(request, code)
    form = plan_forms.NewDefinitionForm(request.POST or None, initial=plan_forms.definition_of(metric))
    return _decide(
        request,
        metric,
        form,
        partial(actions.define_metric, metric=metric),
        heading="Change the definition",
        intro="The new definition gets its own version. The line of every chart of this metric breaks on its date.",
        done="The new definition applies.",
    )


@never_cache
@login_required
def target_set(request, code):
    metric = _kept_by(request, code)
    return _decide(
        request,
        metric,
        plan_forms.TargetForm(request.POST or None),
        partial(actions.set_target, metric=metric),
        heading="Set a target",
        intro=f"In {metric.unit}. Earlier targets stay: the chart shows each from its date on.",
        done="The target is set.",
    )


@never_cache
@login_required
def chart_choose(request, code):
    metric = _kept_by(request, code)
    reading = readings.reading(metric, readings.OWNER)
    return _decide(
        request,
        metric,
        plan_forms.ChartForm(request.POST or None, metric=metric),
        partial(actions.choose_chart, metric=metric),
        heading="Choose the chart",
        intro=suggestions.chart_for(metric, reading).sentence,
        done="The chart is chosen.",
    )


def _series_kept_by(request, code) -> Series:
    series = chosen_series(request, series_of(_kept_by(request, code)))
    if series is None:
        raise Http404
    return series


@never_cache
@login_required
def point_exclude(request, code):
    series = _series_kept_by(request, code)
    form = plan_forms.ExclusionForm(
        request.POST or None, series=series, initial={"period_start": request.GET.get("period")}
    )
    return _decide(
        request,
        series,
        form,
        partial(actions.exclude_point, series=series),
        heading="Leave a value out of mean and limits",
        intro="Only where you know what was special about it. It stays on the chart and in the data, with the reason.",
        done="The value is left out of mean and limits.",
    )


@never_cache
@login_required
def baseline_set(request, code):
    series = _series_kept_by(request, code)
    return _decide(
        request,
        series,
        plan_forms.BaselineForm(request.POST or None, series=series),
        partial(actions.set_baseline, series=series),
        heading="Freeze mean and limits",
        intro="They then rest on these values alone, and every later value is compared with them.",
        done="Mean and limits are frozen.",
    )


@never_cache
@login_required
def trajectory_set(request, code):
    series = _series_kept_by(request, code)
    return _decide(
        request,
        series,
        plan_forms.TrajectoryForm(request.POST or None, series=series),
        partial(actions.set_trajectory, series=series),
        heading="Plan how it should go",
        intro="The plan is drawn as a thin line. No value is judged by it. It takes the place of an earlier plan.",
        done="The plan is on the chart.",
    )


# Not yet measured ----------------------------------------------------------------------------------------------------


def _managing(request) -> None:
    if not permissions.can_manage(request.user):
        raise Http404


def _entry(request, form, action, *, heading, done, intro=""):
    if request.method == "POST" and form.is_valid():
        try:
            action(**form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(reverse("measurement:plan_health") + "#not-yet-measured")
    crumbs = [
        ("Metrics", reverse("measurement:metric_list")),
        ("Health of the plan", reverse("measurement:plan_health")),
    ]
    return render(request, "layouts/form.html", {"form": form, "heading": heading, "intro": intro, "crumbs": crumbs})


@never_cache
@login_required
def not_yet_add(request):
    _managing(request)
    return _entry(
        request,
        plan_forms.NotYetMeasuredForm(request.POST or None),
        actions.add_not_yet_measured,
        heading="Add what is not yet measured",
        intro="Everybody can read it. An honest gap is better than a metric that says nothing.",
        done="The entry is on the page.",
    )


@never_cache
@login_required
def not_yet_edit(request, pk):
    _managing(request)
    entry = get_object_or_404(NotYetMeasured.objects.open(), pk=pk)
    form_class = plan_forms.NotYetMeasuredForm
    return _entry(
        request,
        form_class(request.POST or None, initial=plan_forms.fields_of(form_class, entry)),
        partial(actions.edit_not_yet_measured, not_yet_measured=entry),
        heading="Change what is not yet measured",
        done="The entry is stored.",
    )


@never_cache
@login_required
def not_yet_end(request, pk):
    _managing(request)
    entry = get_object_or_404(NotYetMeasured.objects.open(), pk=pk)
    return _entry(
        request,
        plan_forms.EndNotYetMeasuredForm(request.POST or None),
        partial(actions.end_not_yet_measured, not_yet_measured=entry),
        heading=f"Close: {entry.what}",
        intro="It leaves the page. It stays in the history.",
        done="The entry is closed.",
    )
