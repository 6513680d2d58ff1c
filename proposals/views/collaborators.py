"""Who writes or reads a proposal with its applicant."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from proposals import actions, forms, permissions
from proposals.models import Collaborator, Proposal
from proposals.views.calls import CALLS
from psc_portal.common.refusals import ActionRefused


def _proposal(request, address) -> Proposal:
    """One of whose team the user is; anything else is a 404."""
    try:
        wanted = Q(public_id=UUID(address))
    except ValueError:
        wanted = Q(reference=address.upper())
    return get_object_or_404(Proposal.objects.of_team(request.user).select_related("call", "applicant"), wanted)


def _managed(request, address) -> Proposal:
    proposal = _proposal(request, address)
    if not permissions.can_manage_team(request.user, proposal):
        raise Http404
    return proposal


def _crumbs(proposal, *more):
    return [*CALLS, (proposal.title or "Your proposal", proposal.get_absolute_url()), *more]


@login_required
@never_cache
def team(request, address):
    """Everyone of the team and what they may do; its applicant invites here."""
    proposal = _proposal(request, address)
    may_manage = permissions.can_manage_team(request.user, proposal)
    if request.method == "POST" and not may_manage:
        raise Http404
    form = forms.InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            invited = actions.invite_collaborator(proposal=proposal, by=request.user, **form.cleaned_data)
        except ActionRefused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, f"We have sent an invitation to {invited.email}.")
            return redirect("proposals:team", proposal.address)
    people = proposal.collaborators.filter(left_at__isnull=True).select_related("user").order_by("pk")
    context = {
        "proposal": proposal,
        "people": people if may_manage else people.current(),
        "may_manage": may_manage,
        "may_leave": permissions.can_leave(request.user, proposal),
        "can_hand_over": may_manage and people.current().exists(),
        "roles": Collaborator.Role,
        "form": form,
        "crumbs": _crumbs(proposal),
    }
    return render(request, "proposals/proposal_team.html", context)


@login_required
@never_cache
@require_POST
def person_change(request, address, pk):
    """One button of the list: another role, the invitation again, or out of the team."""
    proposal = _managed(request, address)
    person = get_object_or_404(proposal.collaborators.select_related("user"), pk=pk)
    called = person.user.display_name if person.user else person.email
    try:
        match request.POST.get("do"):
            case "remove":
                actions.remove_collaborator(collaborator=person, by=request.user)
                said = f"{called} is no longer in the team. What they wrote stays."
            case "again":
                actions.send_invitation_again(collaborator=person, by=request.user)
                said = f"We have sent a new invitation to {person.email}. The link of the earlier one no longer works."
            case "view" | "edit" as role:
                actions.change_role(collaborator=person, by=request.user, role=role)
                said = f"{called} can {'write' if role == 'edit' else 'only read'} now."
            case _:
                raise Http404
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("proposals:team", proposal.address)


@login_required
@never_cache
def leave(request, address):
    proposal = _proposal(request, address)
    if not permissions.can_leave(request.user, proposal):
        raise Http404
    if request.method == "POST":
        try:
            actions.leave_proposal(proposal=proposal, by=request.user)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "You have left the team. What you wrote stays in the proposal.")
        return redirect("my")
    return render(request, "proposals/proposal_leave.html", {"proposal": proposal, "crumbs": _crumbs(proposal)})


@login_required
@never_cache
def hand_over(request, address):
    proposal = _managed(request, address)
    people = proposal.collaborators.current().select_related("user")
    form = forms.HandOverForm(request.POST if request.method == "POST" else None, team=people)
    if request.method == "POST" and form.is_valid():
        try:
            actions.hand_over(proposal=proposal, by=request.user, to=form.cleaned_data["to"])
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            new = form.cleaned_data["to"].display_name
            messages.success(request, f"{new} is the applicant now. You can still write the proposal.")
            return redirect("proposals:team", proposal.address)
    address = reverse("proposals:team", args=[proposal.address])
    context = {
        "form": form,
        "heading": "Hand over the proposal",
        "intro": "Choose somebody who has accepted your invitation.",
        "crumbs": _crumbs(proposal, ("The team", address)),
        "back": ("Back to the team", address),
    }
    return render(request, "layouts/form.html", context)


@never_cache
def collaboration(request, token):
    """The link of an invitation. It tells who invites to what; more is seen after accepting."""
    found = actions.find_collaboration(token)
    if found and found.accepted_at and not found.left_at and found.user == request.user:
        return redirect(found.proposal)  # the second of two clicks
    if refusal := actions.why_not_accepted(found, request.user):
        context = {"refusal": refusal, "other_account": bool(found and request.user.is_authenticated)}
        return render(request, "proposals/collaboration_refused.html", context, status=410 if found else 404)
    if request.method == "POST":
        try:
            actions.accept_collaboration(collaborator=found, by=request.user)
        except PermissionDenied:
            return redirect(request.path)
        except ActionRefused:
            return redirect(request.path)  # the page says why
        messages.success(request, "You are in the team now.")
        return redirect(found.proposal)
    return render(request, "proposals/collaboration.html", {"found": found})
