"""Files beside a draft."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from proposals import actions, forms, questions
from proposals.models import Proposal
from proposals.views.drafts import draft_crumbs, editable_draft
from psc_portal.common.refusals import ActionRefused


@login_required
@never_cache
def draft_files(request, slug, public_id):
    """Each file is taken or refused by itself: one that is refused does not keep the others out."""
    proposal = editable_draft(request, slug, public_id)
    if proposal.status != Proposal.Status.DRAFT:
        if names := [file.name for file in request.FILES.getlist("file")]:
            messages.error(
                request, f"{actions.NoDraft(proposal)} Not added: {', '.join(f'“{name}”' for name in names)}."
            )
        return redirect(proposal)
    sections = questions.sections_of(proposal.call, proposal)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = forms.AttachmentForm(*posted)
    if request.method == "POST" and form.is_valid():
        added = _add(request, proposal, form)
        if added:
            messages.success(request, f"Added {' and '.join(f'“{name}”' for name in added)}.")
        if not form.errors:
            return redirect("proposals:draft_files", slug, public_id)
    context = {
        "proposal": proposal,
        "call": proposal.call,
        "section": sections[-1],
        "number": len(sections),
        "of": len(sections),
        "form": form,
        "attachments": proposal.attachments.current().filter(question=""),
        "crumbs": draft_crumbs(proposal, "files"),
    }
    return render(request, "proposals/proposal_files.html", context)


def _add(request, proposal, form) -> list[str]:
    added = []
    for file in form.cleaned_data["file"]:
        try:
            added.append(actions.add_attachment(proposal=proposal, by=request.user, file=file).name)
        except ActionRefused as refusal:
            form.add_error("file", str(refusal))
    return added


@login_required
@never_cache
@require_POST
def draft_file_remove(request, slug, public_id, file_id):
    proposal = editable_draft(request, slug, public_id)
    file = get_object_or_404(proposal.attachments.current(), public_id=file_id)
    try:
        actions.remove_attachment(attachment=file, by=request.user)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Removed “{file.name}”.")
    return redirect("proposals:draft_files", slug, public_id)
