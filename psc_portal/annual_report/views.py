from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponseNotModified, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from psc_portal.annual_report import actions, document, forms, outline, permissions, snapshots
from psc_portal.annual_report.models import AnnualReport, Rendering, Section
from psc_portal.common import registry
from psc_portal.common.files import attachment_response
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date

LIST = ("Annual reports", "/reports/")
TONES = {"queued": "waiting", "running": "going", "done": "done", "failed": "problem", "cancelled": "plain"}


# Reading -------------------------------------------------------------------------------------------------------------


@require_safe
@public_page
def report_list(request):
    reports = AnnualReport.objects.visible_to(request.user).with_document()
    context = {
        "page": paginate(request, reports),
        "can_write": permissions.can_write(request.user),
        "crumbs": [],
    }
    return render(request, "annual_report/report_list.html", context)


@require_safe
def report_latest(request):
    """A stable address for the newest published report."""
    newest = AnnualReport.objects.published().first()
    return redirect(newest if newest else "annual_report:report_list")


@require_safe
@public_page
def report_detail(request, year_start):
    """The report as a page: what was frozen, or for its writers a preview from the live data."""
    report = get_object_or_404(visible_reports(request), year_start=year_start)
    data = report.snapshot.data if report.snapshot else snapshots.collect(report, sections_of(report))
    context = {
        "report": report,
        "data": document.with_types(data),
        "chapters": document.chapters(data),
        "corrections": report.corrections.all(),
        "can_write": permissions.can_write(request.user),
        "thread": registry.thread_of("report", report.pk, user=request.user, known=_spoken_of(data)),
        "crumbs": [LIST],
    }
    return render(request, "annual_report/report_detail.html", context)


def _spoken_of(data) -> dict[str, list[int]]:
    """The subjects of a report by their kind: the other direction of their threads."""
    kinds = {"priority": "priorities", "call": "calls", "project": "projects", "metric": "metrics", "pledge": "pledges"}
    return {kind: [row["pk"] for row in data[rows]] for kind, rows in kinds.items()}


@require_safe
def report_pdf(request, year_start):
    """The finished PDF of what was frozen: for everyone once it is published, for its writers before."""
    return _pdf(request, year_start, Rendering.Kind.REPORT)


@require_safe
def report_paper(request, year_start, name):
    """Another PDF of the same snapshot: the board pack, large print, one priority."""
    return _pdf(request, year_start, name)


def _pdf(request, year_start, slug):
    reports = AnnualReport.objects.visible_to(request.user).with_document()
    report = get_object_or_404(reports, year_start=year_start)
    if (rendering := next((one for one in report.documents if one.slug == slug), None)) is None:
        raise Http404
    etag = f'"{rendering.sha256}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        response = attachment_response(rendering.file, rendering.file_name, content_type="application/pdf")
        response["Content-Length"] = rendering.size
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=0, must-revalidate" if report.is_published else "private, no-store"
    return response


def visible_reports(request):
    return AnnualReport.objects.visible_to(request.user).select_related("snapshot")


def sections_of(report):
    return report.sections.select_related("priority")


# Writing -------------------------------------------------------------------------------------------------------------


def report_to_write(request, year_start) -> AnnualReport:
    if not permissions.can_write(request.user):
        raise Http404
    reports = AnnualReport.objects.select_related("snapshot", "published_by").defer("snapshot__content")
    return get_object_or_404(reports, year_start=year_start)


def write_url(report) -> str:
    return reverse("annual_report:report_write", args=[report.year])


def crumbs_to_write(report):
    return [LIST, (report.year_label, report.get_absolute_url()), ("Write", write_url(report))]


def report_create(request):
    if not permissions.can_write(request.user):
        raise Http404
    form = forms.CreateReportForm(request.POST or None)
    if form.is_valid():
        try:
            report = actions.create_report(**form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The report {report.year_label} has been started.")
            return redirect(write_url(report))
    context = {"form": form, "heading": "Start an annual report", "crumbs": [LIST]}
    return render(request, "layouts/form.html", context)


@require_GET
def report_write(request, year_start):
    """Where a report stands: its sections, and the steps from writing to publication."""
    report = report_to_write(request, year_start)
    sections = list(report.sections.select_related("owner", "signed_off_by", "priority"))
    renderings = renderings_of(report)
    context = {
        "report": report,
        "sections": sections,
        "tasks": {"idPrefix": "section", "items": [task_of(section, report) for section in sections]},
        "signed_off": sum(section.is_signed_off for section in sections),
        "renderings": [(one, TONES[one.status]) for one in renderings],
        "rendering": followed(renderings),
        "is_done": report.document is not None,
        "may_be_retried": any(one.may_be_retried for one in renderings),
        "reopenings": report.snapshot.reopenings.all() if report.snapshot else [],
        "crumbs": crumbs_to_write(report)[:-1],
    }
    return render(request, "annual_report/report_write.html", context)


def task_of(section, report) -> dict:
    """A section as an item of the NHS.UK task list."""
    hint = f"{section.owner.display_name} writes it" if section.owner else "Nobody writes it yet"
    if section.is_signed_off:
        status = {"text": "Signed off"}
        hint = f"Signed off by {section.signed_off_by.display_name} on {uk_date(section.signed_off_at)}"
    elif section.text:
        status = {"tag": {"text": "Written", "classes": "nhsuk-tag--blue"}}
    elif section.is_filled_by_portal:
        status = {"tag": {"text": "Numbers only", "classes": "nhsuk-tag--grey"}}
    else:
        status = {"tag": {"text": "Not written", "classes": "nhsuk-tag--yellow"}}
    task = {"title": {"text": section.heading}, "hint": {"text": hint}, "status": status}
    return task | {"href": section_url(report, section)} if report.is_editable else task


def section_url(report, section) -> str:
    return reverse("annual_report:section_edit", args=[report.year, section.pk])


def renderings_of(report) -> list[Rendering]:
    """Every PDF of the current snapshot, the report itself first."""
    found = Rendering.objects.filter(snapshot=report.snapshot_id).exclude(snapshot=None)
    for rendering in found:
        rendering.snapshot = report.snapshot  # without its content
    return sorted(found, key=lambda rendering: rendering.place_in_list)


def followed(renderings: list[Rendering]) -> Rendering | None:
    """The one that a progress bar shows: what is being made, else what is next, else the report itself."""
    by_status = {status: one for one in reversed(renderings) if (status := one.status)}
    return (
        by_status.get(Rendering.Status.RUNNING)
        or by_status.get(Rendering.Status.QUEUED)
        or next(iter(renderings), None)
    )


@require_GET
def rendering_progress(request, year_start):
    """How far the PDFs are, for the progress bar."""
    renderings = renderings_of(report_to_write(request, year_start))
    if (rendering := followed(renderings)) is None:
        raise Http404
    return JsonResponse(
        {
            "status": rendering.status,
            "label": rendering.get_status_display(),
            "percent": rendering.percent,
            "step": f"{rendering.name}: {rendering.step}" if rendering.step else rendering.name,
            "is_under_way": rendering.is_under_way,
            "each": {one.slug: one.get_status_display() for one in renderings},
        }
    )


def report_edit(request, year_start):
    report = report_to_write(request, year_start)
    initial = {"summary": report.summary, "data_cut_on": report.data_cut_on}
    form = forms.ReportForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            actions.edit_report(report=report, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect(write_url(report))
    context = {"form": form, "heading": f"Details of the report {report.year_label}", "crumbs": crumbs_to_write(report)}
    return render(request, "layouts/form.html", context)


def section_edit(request, year_start, pk):
    """One section to write. Where somebody else stored another text meanwhile, both are shown and none is lost."""
    report = report_to_write(request, year_start)
    section = get_object_or_404(Section.objects.select_related("report", "priority"), pk=pk, report=report)
    form = forms.SectionForm(request.POST or None, section=section)
    stored = None
    if form.is_valid():
        try:
            saved = actions.edit_section(section=section, **form.cleaned_data, by=request.user)
            if "sign_off" in request.POST:
                actions.sign_off(section=saved, by=request.user)
        except actions.SectionChanged as refusal:
            stored = refusal.stored
            form = forms.SectionForm({**form.data.dict(), "version": stored.version}, section=section)
            form.add_error(None, str(refusal))
        except ActionRefused as refusal:
            section.refresh_from_db()
            form = forms.SectionForm({**form.data.dict(), "version": section.version}, section=section)
            form.add_error(None, str(refusal))
        else:
            done = "saved and signed off" if "sign_off" in request.POST else "saved"
            messages.success(request, f"“{form.cleaned_data['heading']}” has been {done}.")
            return redirect(write_url(report))
    context = {
        "form": form,
        "heading": section.heading,
        "intro": outline.GUIDANCE[section.kind],
        "report": report,
        "section": section,
        "anchor": snapshots.anchor_of(section),
        "stored": stored,
        "crumbs": crumbs_to_write(report),
    }
    return render(request, "annual_report/section_edit.html", context)


@dataclass(frozen=True)
class Step:
    """One step of a report's life, with a page that says what it does before it is done."""

    heading: str
    intro: str
    form: type
    act: callable
    done: str


STEPS = {
    "freeze": Step(
        "Freeze the report",
        "Every number and word is copied. Later changes of the data do not reach the report. "
        "You can open it for writing again until it is published.",
        forms.FreezeForm,
        actions.freeze_report,
        "The report is frozen. Next, make its PDFs.",
    ),
    "reopen": Step(
        "Open the report for writing again",
        "Its numbers will be copied anew at the next freeze. The reason is kept.",
        forms.ReopenForm,
        actions.reopen_report,
        "The report can be written again.",
    ),
    "render": Step(
        "Make the PDFs",
        "The report, its board pack, a large-print edition and a PDF for each priority are made in the background from "
        "what was frozen. You can close the page meanwhile.",
        forms.RenderForm,
        actions.request_rendering,
        "The PDFs have been asked for.",
    ),
    "cancel": Step(
        "Cancel the PDFs",
        "The making of every PDF that is not done stops. You can ask for them again at any time.",
        forms.CancelForm,
        actions.cancel_renderings,
        "The PDFs that were not done have been cancelled.",
    ),
    "publish": Step(
        "Publish the report",
        "Everyone can then read the report and download its PDF. "
        "It cannot be changed any more, only corrected by notes.",
        forms.PublishForm,
        actions.publish_report,
        "The report is published.",
    ),
    "correct": Step(
        "Add a correction",
        "The report stays as it was published. Your note stands above it with today's date.",
        forms.CorrectionForm,
        actions.add_correction,
        "The correction stands with the report.",
    ),
}


def report_step(request, year_start, step):
    report = report_to_write(request, year_start)
    if (chosen := STEPS.get(step)) is None:
        raise Http404
    form = chosen.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            chosen.act(report=report, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, chosen.done)
            return redirect(write_url(report))
    context = {
        "form": form,
        "heading": chosen.heading,
        "intro": chosen.intro,
        "report": report,
        "crumbs": crumbs_to_write(report),
        "back": (f"Back to the report {report.year_label}", write_url(report)),
    }
    if step == "freeze":
        context["unsigned"] = report.sections.filter(signed_off_at=None).exclude(text="")
    return render(request, "annual_report/report_step.html", context)
