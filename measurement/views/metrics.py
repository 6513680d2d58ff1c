"""The measurement plan, and one metric as a page, a file, a picture and a frame."""

from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from measurement import actions, charts, forms, open_data, permissions, readings, suggestions
from measurement.figures import HIDDEN, Icon, Reading
from measurement.models import Correction, ImportBatch, Metric, MetricOwner, NotYetMeasured
from measurement.views.shared import chosen_series, crumbs_of, metric_or_404, series_of
from projects.models import Priority, Project
from psc_portal.common import demonstration, registry
from psc_portal.common.export import csv_response
from psc_portal.common.public_pages import open_page, public_page
from psc_portal.common.refusals import ActionRefused

ROWS_SHOWN = 13  # of the data table; older ones unfold
EMBED_CODE = '<iframe src="{}" title="{}" width="100%" height="640" loading="lazy"></iframe>'


@dataclass(frozen=True)
class MetricRow:
    """A metric in the table of the plan."""

    metric: Metric
    reading: Reading
    variation: str
    assurance: str


def _icon(icon: Icon | None) -> str:
    return charts.icon_svg(icon, is_decorative=True) if icon else ""


# The measurement plan ------------------------------------------------------------------------------------------------


@public_page
def metric_list(request):
    priorities = list(Priority.objects.visible_to(request.user).order_by("-kind", "position", "title"))
    filters = forms.MetricFilters(request.GET, priorities=priorities)
    chosen = dict(filters.chosen)
    signal, sort = chosen.pop("signal", None), chosen.pop("sort", "")
    if "priority" in chosen:
        chosen["priority__slug"] = chosen.pop("priority")
    metrics = Metric.objects.visible_to(request.user).filter(**chosen).select_related("priority").in_plan_order()
    if request.user.is_authenticated:
        owners = MetricOwner.objects.current().select_related("user")
        metrics = metrics.prefetch_related(Prefetch("owners", owners))
    metrics = list(metrics)
    found = readings.readings_of(metrics, permissions.audience_for(request.user), with_marks=False)
    rows = [
        MetricRow(metric, reading, _icon(reading.variation), _icon(reading.assurance))
        for metric, reading in zip(metrics, found, strict=True)
        if signal is None or reading.variation.tone == signal
    ]
    measured = {metric.priority_id for metric in metrics}
    context = {
        "groups": _sorted(rows, sort),
        "sort": sort,
        "sort_links": _sort_links(request.GET),
        "count": len(rows),
        "form": filters,
        "has_filters": bool(filters.chosen.keys() - {"sort"}),
        "not_yet": list(NotYetMeasured.objects.open().select_related("priority")),
        "unmeasured": [one for one in priorities if one.pk not in measured and one.is_current],
        "shows_owners": request.user.is_authenticated,
    }
    return render(request, "measurement/metric_list.html", context)


SIGNAL_ORDER = ["concern", "improvement", "neutral", "common"]


def _sorted(rows: list[MetricRow], sort: str) -> list[tuple[Priority | None, list[MetricRow]]]:
    """The rows under their priorities; or all in one table, by signal or by name."""
    if sort == "signal":
        return [(None, sorted(rows, key=_by_signal))] if rows else []
    if sort == "name":
        return [(None, sorted(rows, key=lambda row: row.metric.name.lower()))] if rows else []
    return [(priority, list(group)) for priority, group in groupby(rows, key=lambda row: row.metric.priority)]


def _by_signal(row: MetricRow) -> tuple[int, bool]:
    """Concern first, then improvement, then the rest; among equals first what will miss its target."""
    will_miss = row.reading.assurance is not None and row.reading.assurance.tone == "concern"
    return SIGNAL_ORDER.index(row.reading.variation.tone), not will_miss


def _sort_links(asked) -> list[tuple[str, str, str]]:
    """Each order with its name and address, the filters kept."""
    kept = {name: asked.get(name) for name in forms.MetricFilters.base_fields}
    return [
        (sort, label, "?" + urlencode({name: value for name, value in (kept | {"sort": sort}).items() if value}))
        for sort, label in forms.MetricFilters.base_fields["sort"].choices
    ]


# One metric ----------------------------------------------------------------------------------------------------------


@public_page
def metric_detail(request, code):
    metric = metric_or_404(request, code)
    if code != metric.code:
        return redirect(metric, permanent=True)
    all_series = series_of(metric)
    series = chosen_series(request, all_series)
    audience = permissions.audience_for(request.user)
    found = dict(zip([s.pk for s in all_series], readings.readings_of(all_series, audience), strict=True))
    reading = found[series.pk] if series else readings.reading(metric, audience(None))
    points = list(reversed(reading.points))
    query = "?" + urlencode({"series": series.key}) if series and series != all_series[0] else ""
    can_enter = series is not None and permissions.can_enter(request.user, series)
    enter_url = f"{reverse('measurement:point_enter', args=[metric.code])}?series={series.key}" if can_enter else ""
    is_open = metric.is_public and series is not None
    embed_url = open_data.address("metric_embed", metric, series) if is_open else ""
    can_explain = can_enter and permissions.can_explain(request.user, metric)
    context = {
        "metric": metric,
        "series": series,
        "reading": reading,
        "chart": charts.page_svg(reading),
        "variation": _icon(reading.variation),
        "other_variation": _icon(reading.other_variation),
        "assurance": _icon(reading.assurance),
        "recent": points[:ROWS_SHOWN],
        "older": points[ROWS_SHOWN:],
        "of_series": query,  # not "query": the search box of the header shows that
        "embed_url": embed_url,
        "embed_code": format_html(EMBED_CODE, embed_url, reading.title),
        "api_url": open_data.api_address("one_series", metric.code, series.key) if is_open else "",
        "places": [
            (one, found[one.pk], _icon(found[one.pk].variation), _icon(found[one.pk].assurance)) for one in all_series
        ],
        "can_compare": sum(one.organisation_id is not None for one in all_series) > 1,
        "versions": sorted(metric.versions.all(), key=lambda version: -version.number),
        "owner": _owner(metric) if request.user.is_authenticated else None,
        "can_enter": can_enter,
        "enter_url": enter_url,
        "can_explain": can_explain,
        "exclude_url": f"{reverse('measurement:point_exclude', args=[metric.code])}?series={series.key}"
        if can_explain
        else "",
        "rebase": suggestions.rebase_of(reading) if can_explain else None,
        "targets": metric.standing_targets,
        "cycles_url": _cycles_url(request, metric) if any(mark.cycle for mark in reading.marks) else "",
        "corrections": _corrections(series) if can_enter else [],
        "sources": _sources(series),
        "thread": registry.thread_of("metric", metric.pk, user=request.user, known=_known(metric)),
        "crumbs": [("Metrics", reverse("measurement:metric_list"))],
    }
    return render(request, "measurement/metric_detail.html", context)


def _known(metric) -> dict[str, list[int]]:
    return {
        "priority": [metric.priority_id] if metric.priority_id else [],
        "project": [metric.project_id] if metric.project_id else [],
    }


def _cycles_url(request, metric) -> str:
    """Where the cycles of the metric's project are told, if this user may see it."""
    project = Project.objects.visible_to(request.user).filter(pk=metric.project_id).first()
    return f"{project.get_absolute_url()}#cycle-" if project else ""


def _owner(metric) -> MetricOwner | None:
    return metric.owners.current().select_related("user", "deputy").first()


def _sources(series) -> list[tuple[str, str]]:
    return ImportBatch.objects.published_sources_of(series) if series else []


def _corrections(series) -> list[Correction]:
    return list(
        Correction.objects.filter(point__series=series).select_related("point", "by").order_by("-at", "-pk")[:20]
    )


@public_page
def metric_csv(request, code):
    metric = metric_or_404(request, code)
    series = chosen_series(request, series_of(metric))
    reading = readings.reading(series or metric, permissions.audience_for(request.user)(series))
    return csv_response(f"{metric.code}-{reading.series_key or 'no-data'}.csv", *_csv(metric, reading, series))


def _csv(metric, reading: Reading, series):
    """Header and rows: first what the numbers are and by which rules they are judged, then the numbers."""
    about = [
        ("Place", reading.place),
        ("Unit", reading.unit),
        ("Improvement direction", metric.get_direction_display()),
        ("Target", reading.target_text or "None"),
        ("Target from", reading.target_from),
        ("Mean and limits rest on", reading.frozen),
        (f"Definition, version {reading.definition_number}", reading.definition),
        ("Numerator", reading.numerator_name),
        ("Denominator", reading.denominator_name),
        ("Source", reading.source),
        ("Rule set", reading.rule_set),
        ("Values", capfirst(open_data.values_of(reading))),
        ("Small numbers", reading.published_as),
        ("Illustrative", "Values are made up" if reading.is_illustrative else ""),
        ("What it says", reading.sentence),
        *(("Published figures", f"{source}. {licence}") for source, licence in _sources(series)),
        ("Licence", "{name}, {url}".format(**open_data.LICENCE)),
    ]
    columns = [
        "Period", "Period start", "Period end", "Numerator", "Denominator", "Value",
        reading.centre_name.capitalize(), f"Lower {reading.limit_name}", f"Upper {reading.limit_name}", "Signal",
        "Rule", "Status", "Definition version",
        "Target then", "Planned", "Left out of mean and limits because", "Mean and limits start anew because",
    ]  # fmt: skip
    rows = [list(row) for row in about if row[1]]
    rows += [[], columns]
    rows += [
        [
            point.label, point.period_start, point.period_end, *_numbers(point),
            point.mean, point.lower, point.upper, point.meaning.split(":")[0], point.rule,
            "provisional" if point.is_provisional else "final", point.version, open_data.whole(point.target),
            open_data.whole(point.planned), point.excluded_because, point.begins_because,
        ]
        for point in reading.points
    ]  # fmt: skip
    return ["Metric", f"{metric.code} {metric.name}"], rows


def _numbers(point) -> list:
    if point.is_hidden:
        return [HIDDEN] * 3
    return [open_data.whole(number) for number in (point.numerator, point.denominator, point.value)]


@public_page
def metric_json(request, code):
    metric = metric_or_404(request, code)
    series = chosen_series(request, series_of(metric))
    reading = readings.reading(series or metric, permissions.audience_for(request.user)(series))
    return JsonResponse(open_data.file_json(metric, series, reading), json_dumps_params={"ensure_ascii": False})


@public_page
def metric_svg(request, code):
    return HttpResponse(_picture(request, code), content_type="image/svg+xml")


@public_page
def metric_png(request, code):
    return HttpResponse(charts.png(_picture(request, code)), content_type="image/png")


def _picture(request, code) -> str:
    metric = metric_or_404(request, code)
    series = chosen_series(request, series_of(metric))
    reading = readings.reading(series or metric, permissions.audience_for(request.user)(series))
    footer = "Values are illustrative." if reading.is_illustrative else ""
    if demonstration.is_demonstration():
        footer = demonstration.SENTENCE
    return charts.chart_svg(reading, with_heading=True, footer=footer)


@xframe_options_exempt
@csp_override({**settings.SECURE_CSP, "frame-ancestors": ["*"]})
@require_safe
@open_page
def metric_embed(request, code):
    """The chart for other sites to frame: the only page that allows it, so it never knows who is logged in."""
    metric = metric_or_404(request, code)
    if code != metric.code:
        return redirect("measurement:metric_embed", metric.code, permanent=True)
    series = chosen_series(request, series_of(metric))
    reading = readings.reading(series or metric)
    context = {
        "reading": reading,
        "chart": charts.page_svg(reading),
        "page": open_data.address("metric_detail", metric, series),
        "licence": open_data.LICENCE,
    }
    return render(request, "measurement/embed.html", context)


# Explaining the chart ------------------------------------------------------------------------------------------------


def _explaining(request, code, form_class, action, *, heading, intro, done):
    """A form of the metric's owner that changes what the chart says, then back to the chart."""
    metric = metric_or_404(request, code)
    if not permissions.can_explain(request.user, metric) or not metric.series.exists():
        raise Http404
    asked = next((one for one in series_of(metric) if one.key == request.GET.get("series")), None)
    initial = {"series": asked.pk if asked else None, "from_date": parse_date(request.GET.get("from", ""))}
    form = form_class(request.POST or None, metric=metric, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            action(metric, form.cleaned_data)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(form.cleaned_data["series"] or metric)
    context = {"form": form, "heading": heading, "intro": intro, "crumbs": crumbs_of(metric)}
    return render(request, "layouts/form.html", context)


@never_cache
@login_required
def metric_annotate(request, code):
    return _explaining(
        request,
        code,
        forms.AnnotationForm,
        lambda metric, cleaned: actions.annotate(metric=metric, by=request.user, **cleaned),
        heading="Mark an event on the chart",
        intro="It gets a number on the chart and a line in the list below it.",
        done="The event is on the chart.",
    )


@never_cache
@login_required
def metric_rebase(request, code):
    return _explaining(
        request,
        code,
        forms.RebaseForm,
        lambda metric, cleaned: actions.rebase(by=request.user, **cleaned),
        heading="Rebase the chart",
        intro="Mean and limits start anew from a date. Do this only when the way of working has changed for good.",
        done="The chart is rebased.",
    )
