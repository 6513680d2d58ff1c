"""Consultations for everybody: read, answer without an account, see what was said and decided."""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from projects import actions, forms
from projects.models import Consultation
from psc_portal.common import clock
from psc_portal.common.guards import is_too_often
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import kept_until, public_page
from psc_portal.common.refusals import ActionRefused

RESPONSES_AN_HOUR = 10  # from one address


@public_page
def consultation_list(request):
    rows = list(Consultation.objects.visible_to(request.user).with_counts())
    open_ones = sorted((row for row in rows if row.is_open), key=lambda row: row.closes_at)
    context = {
        "open": open_ones,
        "upcoming": sorted((row for row in rows if row.is_upcoming), key=lambda row: row.opens_at),
        "page": paginate(request, [row for row in rows if row.is_closed or row.is_decided]),
        "drafts": [row for row in rows if row.status == Consultation.Status.DRAFT],
        "crumbs": [("Priorities", reverse("projects:priority_list"))],
    }
    moments = [moment for row in rows for moment in (row.opens_at, row.closes_at)]
    return kept_until(render(request, "projects/consultation_list.html", context), *moments)


@public_page
def consultation_detail(request, slug):
    consultation = get_object_or_404(Consultation.objects.visible_to(request.user).with_counts(), slug=slug)
    shown = consultation.responses.shown().prefetch_related("answers__question")
    context = {
        "consultation": consultation,
        "questions": consultation.questions.all(),
        "page": paginate(request, shown, per_page=20),
        "priorities": consultation.priorities.visible_to(request.user),
        "crumbs": _crumbs(),
    }
    response = render(request, "projects/consultation_detail.html", context)
    return kept_until(response, consultation.opens_at, consultation.closes_at)


@never_cache
def consultation_respond(request, slug):
    """The form. What is sent after closing is kept as late and shown back to whoever wrote it."""
    consultation = get_object_or_404(Consultation.objects.visible_to(request.user), slug=slug)
    if consultation.status == Consultation.Status.DRAFT or consultation.is_upcoming:
        raise Http404
    if request.method != "POST":
        if not consultation.is_open:
            return redirect(consultation)
        return _form_page(request, consultation, forms.RespondForm(consultation=consultation))
    form = forms.RespondForm(request.POST, consultation=consultation)
    if form.is_valid():
        if is_too_often(request, what="consultation", times=RESPONSES_AN_HOUR, seconds=3600):
            form.add_error(None, "Many answers came from your network in the last hour. Wait an hour, then send again.")
            return _form_page(request, consultation, form, status=429)
        values = {name: form.cleaned_data[name] for name in ("kind", "name")}
        try:
            response = actions.respond(consultation=consultation, answers=form.answers, **values)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            if response.is_late:
                return _late_page(request, consultation, response)
            return redirect("projects:consultation_thanks", slug)
    return _form_page(request, consultation, form)


def _form_page(request, consultation, form, *, status=200):
    context = {"consultation": consultation, "form": form, "crumbs": _crumbs(consultation), "now": clock.now()}
    return render(request, "projects/consultation_respond.html", context, status=status)


def _late_page(request, consultation, response):
    context = {
        "consultation": consultation,
        "response": response,
        "answers": response.answers.select_related("question"),
        "crumbs": _crumbs(consultation),
    }
    return render(request, "projects/consultation_late.html", context)


@never_cache
def consultation_thanks(request, slug):
    consultation = get_object_or_404(Consultation.objects.visible_to(request.user), slug=slug)
    context = {"consultation": consultation, "crumbs": _crumbs(consultation)}
    return render(request, "projects/consultation_thanks.html", context)


def _crumbs(*consultations):
    before = [
        ("Priorities", reverse("projects:priority_list")),
        ("Consultations", reverse("projects:consultation_list")),
    ]
    return before + [(one.title, one.get_absolute_url()) for one in consultations]
