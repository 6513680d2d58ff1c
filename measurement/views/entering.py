"""Entering data: one period, all that is due, or many rows at once; and taking an import back."""

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from measurement import actions, charts, due, forms, importing, imports, periods, permissions, readings
from measurement.figures import Reading
from measurement.models import DataPoint, ImportBatch, ImportFile, Metric, Series
from measurement.views.shared import chosen_series, crumbs_of, metric_or_404
from psc_portal.common.pagination import paginate
from psc_portal.common.refusals import ActionRefused

# One period -------------------------------------------------------------------------------------------------------


def _series_to_enter(request, code) -> tuple[Metric, list[Series]]:
    """The metric and the series that this user may write to; 404 where there is none."""
    metric = metric_or_404(request, code)
    allowed = importing.allowed_series(metric, request.user)
    if not allowed:
        raise Http404
    return metric, allowed


@never_cache
@login_required
def point_enter(request, code):
    metric, allowed = _series_to_enter(request, code)
    series = chosen_series(request, allowed)
    points = list(series.points.current().order_by("period_start"))
    form = forms.PointForm(request.POST or None, series=series, points=points, period=_period_asked(request, points))
    if request.method == "POST" and form.is_valid():
        try:
            actions.enter_point(series=series, by=request.user, **form.cleaned_data)
        except actions.PointChanged as refusal:
            form.show_changed(refusal)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            label = periods.label(form.cleaned_data["period_start"], metric.frequency)
            messages.success(request, f"The value for {label} is stored.")
            return redirect(series)
    reading = readings.reading(series, readings.OWNER)
    context = {
        "metric": metric,
        "series": series,
        "allowed": allowed,
        "form": form,
        "reading": reading,
        "last_facts": _last_facts(reading),
        "crumbs": crumbs_of(metric),
    }
    return render(request, "measurement/point_enter.html", context)


def _last_facts(reading: Reading) -> list[tuple[str, str]]:
    """The newest value, to compare with what one types."""
    latest = reading.latest
    if latest is None:
        return []
    facts = [("Last period", latest.label), ("Value", reading.latest_text)]
    if latest.numerator_text:
        counts = " of ".join(filter(None, [latest.numerator_text, latest.denominator_text]))
        facts.insert(1, ("Counts", counts))
    return facts


def _period_asked(request, points):
    """The period of a link that asks to correct one, if it has a value."""
    asked = request.GET.get("period", "")
    return next((point.period_start for point in points if point.period_start.isoformat() == asked), None)


# All that is due -----------------------------------------------------------------------------------------------------


@never_cache
@login_required
def data_enter(request, key):
    """All that is due at one place, stored together. A row that is refused keeps no other from being stored."""
    rows = Series.objects.enterable_by(request.user).at_place(key).running()
    allowed = {
        one.pk: one for one in rows.select_related("metric", "organisation").prefetch_related("metric__versions")
    }
    if not allowed:
        raise Http404
    first = next(iter(allowed.values()))
    is_sent = request.method == "POST"
    asked = _rows_sent(request, allowed) if is_sent else due.of_series(rows.prefetch_related("metric__versions"))
    form_rows = forms.DueForms(request.POST if is_sent else None, asked, due.recent_points(allowed.values()))
    stored = _store_due(request, form_rows) if is_sent else _stored_before(request, allowed)
    if is_sent and not form_rows.total_error_count:
        messages.success(request, _how_many(stored))
        address = reverse("measurement:data_enter", args=[first.key])
        return redirect(f"{address}?stored={'-'.join(str(point.pk) for point in stored)}" if stored else address)
    context = {
        "place": first.place,
        "series": allowed.values(),
        "rows": form_rows,
        "said": _how_many(stored) if is_sent else "",
        "stored": _stored_charts(stored, allowed),
        "crumbs": [("What waits for you", reverse("my"))],
    }
    return render(request, "measurement/data_enter.html", context)


def _rows_sent(request, allowed: dict[int, Series]) -> list[due.Due]:
    """The rows of the page as it was when it was filled in, whatever is due now."""
    found = []
    for sent in request.POST.getlist("row"):
        _, _, rest = sent.partition("row-")
        pk, _, day = rest.partition("-")
        try:
            series, start = allowed[int(pk)], dt.datetime.strptime(day, "%Y%m%d").date()
        except (KeyError, ValueError):
            raise Http404
        found.append(due.Due(series, start))
    return found


def _store_due(request, form_rows: forms.DueForms) -> list[DataPoint]:
    """Store what was filled in and fits; the other rows say why not."""
    filled = [form for form in form_rows.filled() if form.is_valid()]
    outcomes = actions.enter_points(rows=[form.values for form in filled], by=request.user)
    for form, outcome in zip(filled, outcomes, strict=True):
        form.point = outcome.point
        if isinstance(outcome.refusal, actions.PointChanged):
            form.show_stored(outcome.refusal, outcome.refusal.stamp)
        elif outcome.refusal is not None:
            form.refuse(str(outcome.refusal))
    return [outcome.point for outcome in outcomes if outcome.point is not None]


def _how_many(stored) -> str:
    if not stored:
        return "Nothing was stored."
    return "1 value is stored." if len(stored) == 1 else f"{len(stored)} values are stored."


def _stored_before(request, allowed) -> list[DataPoint]:
    """What the page before this one has stored, as its address says."""
    pks = [int(pk) for pk in request.GET.get("stored", "").split("-")[:100] if pk.isdecimal()]
    return list(DataPoint.objects.current().filter(pk__in=pks, series__in=allowed)) if pks else []


def _stored_charts(stored, allowed) -> list[tuple]:
    """The charts of the series whose values were stored just now, once each."""
    series = [allowed[pk] for pk in dict.fromkeys(point.series_id for point in stored)]
    found = readings.readings_of(series, readings.OWNER) if series else []
    return [(one, reading, charts.page_svg(reading)) for one, reading in zip(series, found, strict=True)]


# Many rows -----------------------------------------------------------------------------------------------------------


@never_cache
@login_required
def rows_enter(request, code):
    """Two steps without anything stored between: check, then store what was checked, checked again."""
    metric, allowed = _series_to_enter(request, code)
    if request.method == "POST" and "seen" in request.POST:
        return _store_rows(request, metric, allowed)
    asked = request.GET.get("series")
    form = forms.RowsForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        metric=metric,
        allowed=allowed,
        initial={"series": asked if any(series.key == asked for series in allowed) else allowed[0].key},
    )
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            if form.is_large:
                return redirect(_receive(request, metric, cleaned))
            preview = _checked(metric, cleaned["text"], allowed, cleaned["default"], cleaned["measure"])
        except ActionRefused as refusal:
            form.add_error("file" if cleaned["file"] else "rows", str(refusal))
        else:
            kept = {name: cleaned[name] for name in ("text", "name", "series", "measure")}
            found = preview.as_dict()
            return _preview_page(
                request, metric, found, forms.StoreRowsForm(found=found, initial={**kept, "seen": preview.seen})
            )
    context = {
        "metric": metric,
        "form": form,
        "example": _example(metric, allowed),
        "crumbs": crumbs_of(metric, ("Enter data", reverse("measurement:point_enter", args=[metric.code]))),
    }
    return render(request, "measurement/rows_enter.html", context)


def _checked(metric, text, allowed, default, measure) -> imports.Preview:
    return imports.check(metric, imports.of_text(text), allowed=allowed, default=default, measure=measure)


def _receive(request, metric, cleaned):
    return importing.receive_file(
        metric=metric,
        series=cleaned["default"],
        file=cleaned["kept"],
        name=cleaned["name"],
        measure=cleaned["measure"],
        token=cleaned["token"],
        by=request.user,
    )


def _store_rows(request, metric, allowed):
    default = next((series for series in allowed if series.key == request.POST.get("series")), None)
    text, measure = request.POST.get("text", ""), request.POST.get("measure", "")
    try:
        preview = _checked(metric, text, allowed, default, measure)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("measurement:rows_enter", metric.code)
    found = preview.as_dict()
    form = forms.StoreRowsForm(request.POST, found=found)
    if (batch := _stored_already(request, metric)) is not None:
        return _after_import(request, batch)
    if form.is_valid():
        cleaned = form.cleaned_data
        try:
            batch = importing.store_preview(
                preview=preview,
                metric=metric,
                by=request.user,
                token=cleaned["token"],
                seen=cleaned["seen"],
                **form.answers,
            )
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
            form.data = form.data.copy()
            form.data["seen"] = preview.seen
        else:
            return _after_import(request, batch)
    return _preview_page(request, metric, found, form)


def _stored_already(request, metric) -> ImportBatch | None:
    """The import of a button that was pressed twice."""
    try:
        token = UUID(request.POST.get("token", ""))
    except ValueError:
        return None
    return metric.imports.filter(token=token, by=request.user).first()


def _after_import(request, batch):
    count = batch.rows_stored
    stored = "1 value is stored" if count == 1 else f"{count:,} values are stored"
    messages.success(request, f"{stored}. You can undo the import as a whole.")
    return redirect("measurement:import_list", batch.metric.code)


def _preview_page(request, metric, found, form):
    context = {
        "metric": metric,
        "found": found,
        "form": form,
        "name": form["name"].value(),
        "crumbs": crumbs_of(metric, ("Many rows", reverse("measurement:rows_enter", args=[metric.code]))),
    }
    return render(request, "measurement/rows_preview.html", context)


def _example(metric, allowed) -> str:
    """Two rows as this metric wants them, to copy."""
    numbers = {
        "ratio": ("numerator,denominator", "12,340"),
        "count": ("numerator", "12"),
        "value": ("value", "12.5"),
    }[metric.version.entry]
    start = forms.recent_periods(metric, 1)[0]
    place = ("organisation,", f"{allowed[-1].key},") if len(allowed) > 1 else ("", "")
    return f"period,{place[0]}{numbers[0]},note\n{start},{place[1]}{numbers[1]},"


# Large files ---------------------------------------------------------------------------------------------------------

TONES = {"stored": "done", "checked": "waiting", "failed": "problem", "discarded": "plain"}


def _own_file(request, code, pk) -> ImportFile:
    """A file of this very person; anybody else's is not there."""
    rows = ImportFile.objects.filter(by=request.user).select_related("metric", "batch")
    return get_object_or_404(rows, pk=pk, metric=metric_or_404(request, code))


@never_cache
@login_required
def import_file(request, code, pk):
    """Where a large file stands: being checked, to be looked at, being stored, stored, or failed."""
    kept = _own_file(request, code, pk)
    form = None
    if kept.status == kept.Status.CHECKED:
        form = forms.StoreFileForm(request.POST or None, found=kept.result, initial={"name": kept.name})
    if request.method == "POST" and "discard" in request.POST:
        return _discard(request, kept)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            importing.accept_file(import_file=kept, by=request.user, **form.answers)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(kept)
    elif request.method == "POST" and form is None:
        return redirect(kept)  # the second of two clicks
    context = {
        "metric": kept.metric,
        "kept": kept,
        "found": kept.result,
        "form": form,
        "tone": TONES.get(kept.status, "going"),
        "crumbs": crumbs_of(kept.metric, ("Many rows", reverse("measurement:rows_enter", args=[kept.metric.code]))),
    }
    return render(request, "measurement/import_file.html", context)


def _discard(request, kept):
    try:
        importing.discard_file(import_file=kept, by=request.user)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(kept)
    messages.success(request, f"“{kept.name}” was thrown away. Nothing was stored.")
    return redirect("measurement:rows_enter", kept.metric.code)


@never_cache
@login_required
def import_file_progress(request, code, pk):
    """How far a file is, for the progress bar."""
    kept = _own_file(request, code, pk)
    return JsonResponse(
        {
            "status": "queued" if kept.status in kept.WAITING else kept.status,
            "percent": kept.percent,
            "step": kept.step,
            "is_under_way": kept.is_under_way,
        }
    )


# What was imported ---------------------------------------------------------------------------------------------------


@never_cache
@login_required
def import_list(request, code):
    """Every import of a metric by its name, with what became of it: one's own, or all for those who answer for it."""
    metric, _ = _series_to_enter(request, code)
    rows = metric.imports.select_related("by", "metric").prefetch_related("status_changes__by")
    if not permissions.can_explain(request.user, metric):
        rows = rows.filter(by=request.user)
    files = metric.import_files.filter(by=request.user).exclude(
        status__in=[ImportFile.Status.STORED, ImportFile.Status.DISCARDED]
    )
    context = {
        "metric": metric,
        "page": paginate(request, rows),
        "files": list(files),
        "crumbs": crumbs_of(metric, ("Many rows", reverse("measurement:rows_enter", args=[metric.code]))),
    }
    return render(request, "measurement/import_list.html", context)


@never_cache
@login_required
def import_undo(request, code, pk):
    metric = metric_or_404(request, code)
    batch = get_object_or_404(metric.imports.select_related("metric", "by"), pk=pk)
    if not permissions.can_undo(request.user, batch):
        raise Http404
    back = reverse("measurement:import_list", args=[metric.code])
    if request.method == "POST":
        try:
            actions.undo_import(import_batch=batch, by=request.user)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"The import “{batch.name}” is undone.")
        return redirect(back)
    context = {"metric": metric, "batch": batch, "back": back, "crumbs": crumbs_of(metric, ("Imports", back))}
    return render(request, "measurement/import_undo.html", context)
