from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from projects import actions, forms
from projects.leaving import duties_at, people_to_take_over
from projects.models import Affiliation
from projects.views.shared import done, sent_data
from psc_portal.common.hand_over import HandOverForm
from psc_portal.common.refusals import ActionRefused


@never_cache
@login_required
def affiliation_list(request):
    form = forms.ClaimForm(sent_data(request))
    if done(request, form, actions.claim_affiliation):
        messages.success(request, "We will check it and write to you.")
        return redirect("projects:affiliation_list")
    affiliations = Affiliation.objects.filter(user=request.user).select_related("organisation")
    context = {"form": form, "affiliations": affiliations, "crumbs": [("My page", reverse("my"))]}
    return render(request, "projects/affiliation_list.html", context)


@never_cache
@login_required
def affiliation_answer(request, pk):
    """Who signs for an organisation confirms or declines those who say that they belong there."""
    claims = Affiliation.objects.to_answer_by(request.user).select_related("user", "organisation")
    affiliation = get_object_or_404(claims, pk=pk)
    form = forms.AnswerClaimForm(sent_data(request))
    if form.is_valid():
        try:
            form.answer(affiliation)(affiliation=affiliation, by=request.user)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Thank you. Your answer on {affiliation.user.display_name} is stored.")
        return redirect("my")
    context = {"form": form, "affiliation": affiliation, "crumbs": [("My page", reverse("my"))]}
    return render(request, "projects/affiliation_answer.html", context)


@never_cache
@login_required
def affiliation_end(request, pk):
    affiliation = get_object_or_404(Affiliation.objects.filter(user=request.user).select_related("organisation"), pk=pk)
    form = HandOverForm(sent_data(request), duties=duties_at(affiliation), people=people_to_take_over(affiliation))
    if form.is_valid():
        try:
            actions.end_affiliation(affiliation=affiliation, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"You no longer belong to {affiliation.organisation} in the portal.")
            return redirect("projects:affiliation_list")
    context = {
        "affiliation": affiliation,
        "form": form,
        "crumbs": [("My organisations", reverse("projects:affiliation_list"))],
    }
    return render(request, "projects/affiliation_end.html", context)


@never_cache
@login_required
@require_POST
def affiliation_answers(request, pk):
    """Begin or end answering questions about the projects that one's organisation uses."""
    affiliation = get_object_or_404(Affiliation.objects.filter(user=request.user), pk=pk)
    answers = request.POST.get("answers") == "yes"
    try:
        actions.answer_questions(affiliation=affiliation, answers_questions=answers, by=request.user)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        told = "Questions about projects used there now reach you by mail." if answers else "You get no more questions."
        messages.success(request, told)
    return redirect("projects:affiliation_list")
