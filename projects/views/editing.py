"""For project leads and staff: the pages on which a project is written."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from projects import actions, forms, permissions, readings
from projects.models import ProposedChange
from projects.views.projects import latest_adoptions
from projects.views.shared import done, editing_page, project_crumbs, project_to_edit, sent_data
from psc_portal.common.refusals import ActionRefused

CHANGES_SHOWN = 10  # of what was proposed for a project, the newest first


@never_cache
@login_required
def project_edit(request, slug):
    """The texts of the page. A lead of a public project proposes them; everybody else stores them."""
    project = project_to_edit(request, slug)
    is_direct = permissions.can_publish_words(request.user, project)
    proposed = None if is_direct else readings.open_change(project, ProposedChange.Kind.TEXTS)
    texts = proposed.after if proposed else readings.texts_of(project)
    mark = proposed.updated_at.isoformat() if proposed else project.edit_mark
    form = forms.ProjectLeadForm(sent_data(request), initial=texts | {"seen": mark}, level=project.evidence_level)
    if not is_direct:
        form.submit_label = "Send for approval"
    theirs = []
    try:
        if done(request, form, actions.edit_project if is_direct else actions.propose_texts, project=project):
            return _after_saving(request, project, is_direct)
    except actions.ProjectChanged as refusal:
        form.add_error(None, str(refusal))
        form.data = form.data.copy()
        form.data["seen"] = refusal.mark
        stored = ((name, refusal.texts.get(name, "")) for name in readings.LEAD_TEXTS)
        theirs = [(form[name].label, text) for name, text in stored if text != form.cleaned_data[name]]
    context = {
        "project": project,
        "form": form,
        "theirs": theirs,
        "is_direct": is_direct,
        "proposed": proposed,
        "changes": list(ProposedChange.objects.visible_to(request.user).filter(project=project)[:CHANGES_SHOWN]),
        "adoptions": latest_adoptions(project),
        "heading": f"Edit {project.title}",
        "crumbs": project_crumbs((project.title, project.get_absolute_url())),
    }
    return render(request, "projects/project_edit.html", context)


def _after_saving(request, project, is_direct):
    if is_direct:
        messages.success(request, "The page of the project has been changed.")
        return redirect(project)
    messages.success(request, "Your change has been sent. Programme staff read it before it becomes public.")
    return redirect("projects:project_edit", project.slug)


@never_cache
@login_required
@require_POST
def change_withdraw(request, slug, pk):
    project = project_to_edit(request, slug)
    proposed = get_object_or_404(project.proposed_changes, pk=pk)
    try:
        actions.withdraw_change(proposed_change=proposed, by=request.user)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The change has been taken back. The page stays as it is.")
    return redirect(proposed)


@never_cache
@login_required
def pdsa_cycle_add(request, slug):
    project = project_to_edit(request, slug)
    form = forms.PdsaCycleForm(sent_data(request), level=project.evidence_level)
    if done(request, form, actions.add_pdsa_cycle, project=project):
        messages.success(request, "The cycle has been added.")
        return redirect("projects:project_edit", slug)
    return editing_page(request, project, form, "Add a plan, do, study, act cycle")


@never_cache
@login_required
def pdsa_cycle_edit(request, slug, number):
    project = project_to_edit(request, slug)
    cycle = get_object_or_404(project.pdsa_cycles, number=number)
    names = list(forms.PdsaCycleForm.base_fields)
    initial = {name: getattr(cycle, name) for name in names if name != "keep_words"}
    form = forms.PdsaCycleForm(sent_data(request), initial=initial, level=project.evidence_level)
    if done(request, form, actions.edit_pdsa_cycle, pdsa_cycle=cycle):
        messages.success(request, f"Cycle {cycle.number} has been changed.")
        return redirect("projects:project_edit", slug)
    return editing_page(request, project, form, f"Cycle {cycle.number}: {cycle.title}")


@never_cache
@login_required
def adoption_record(request, slug):
    project = project_to_edit(request, slug)
    form = forms.AdoptionForm(sent_data(request))
    if done(request, form, actions.record_adoption, project=project):
        messages.success(request, "The adoption has been recorded.")
        return redirect("projects:project_edit", slug)
    return editing_page(request, project, form, "Record how far an organisation is")
