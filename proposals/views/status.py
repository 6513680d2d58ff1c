"""Where a proposal stands, for its team; for staff and cleared reviewers what it says."""

import logging
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from proposals import actions, blinding, forms, permissions, questions, readings
from proposals.models import Attachment, Decision, Proposal
from proposals.views import kept_text
from proposals.views.calls import CALLS
from psc_portal.accounts.middleware import log_in_and_return
from psc_portal.common.files import attachment_response
from psc_portal.common.refusals import ActionRefused

logger = logging.getLogger(__name__)


def _named(address) -> Q:
    """By reference, or by the id of a draft."""
    try:
        return Q(public_id=UUID(address))
    except ValueError:
        return Q(reference=address.upper())


def _proposal(request, address) -> Proposal:
    """Whoever may not see it gets a 404."""
    decisions = Decision.objects.select_related("letter").prefetch_related("letter__comments__criterion")
    proposals = (
        Proposal.objects.visible_to(request.user)
        .select_related("call", "applicant", "organisation", "project", "earlier")
        .prefetch_related(Prefetch("decisions", decisions))
    )
    return get_object_or_404(proposals, _named(address))


def _is_team(request, proposal) -> bool:
    return Proposal.objects.of_team(request.user).filter(pk=proposal.pk).exists()


NEXT_STEPS = {
    Proposal.Status.DRAFT: "Finish your draft and submit it.",
    Proposal.Status.SUBMITTED: "We check whether it is eligible for this call.",
    Proposal.Status.IN_ASSESSMENT: "Reviewers who have no interest in it read it and score it on each criterion.",
    Proposal.Status.AT_PANEL: "The panel decides, and we write feedback on each criterion.",
    Proposal.Status.APPROVED: "We contact you to start the project.",
    Proposal.Status.APPROVED_WITH_CONDITIONS: "We contact you about the conditions.",
    Proposal.Status.RESERVE: "It stays on the reserve list. We tell you if money becomes free.",
    Proposal.Status.DECLINED: "Read the feedback. You can use it for a later call.",
    Proposal.Status.INELIGIBLE: "Read the reason below. You can write to us if you have a question.",
    Proposal.Status.WITHDRAWN: "Nothing more happens. Your text stays here.",
}
TONES = {
    Proposal.Status.DRAFT: "waiting",
    Proposal.Status.APPROVED: "done",
    Proposal.Status.APPROVED_WITH_CONDITIONS: "done",
    Proposal.Status.DECLINED: "problem",
    Proposal.Status.INELIGIBLE: "problem",
    Proposal.Status.WITHDRAWN: "plain",
}


@login_required
@never_cache
@require_GET
def proposal_detail(request, address):
    """Where a proposal stands, for its team; for staff and cleared reviewers what it says."""
    proposal = _proposal(request, address)
    if address != proposal.address:
        return redirect(proposal)
    if not _is_team(request, proposal):
        return _read(request, proposal)
    kept = kept_text.take(request) or {}
    form = forms.MessageForm(address=proposal.address, initial={"text": kept.get("text", "")})
    return _where_it_stands(request, proposal, form)


@never_cache
@require_POST
def proposal_message(request, address):
    """A question or message of the team. A refused one comes back with what was typed, over a log-in too."""
    if not request.user.is_authenticated:
        page = reverse("proposals:proposal_detail", args=[address])
        kept_text.keep(request, page, Proposal.objects.filter(_named(address)))
        return log_in_and_return(page)
    proposal = _proposal(request, address)
    if not permissions.can_edit(request.user, proposal):
        raise Http404
    form = forms.MessageForm(request.POST, address=proposal.address)
    if form.is_valid():
        try:
            actions.ask_programme(proposal=proposal, by=request.user, text=form.cleaned_data["text"])
        except ActionRefused as refusal:
            form.add_error("text", str(refusal))
        else:
            messages.success(request, "Your message is sent. The answer will stand on this page, and we mail you then.")
            return redirect(f"{proposal.get_absolute_url()}#messages")
    return _where_it_stands(request, proposal, form)


proposal_message.answers_visitors = True  # SessionLimits leaves a POST whose session has just ended to us


def _where_it_stands(request, proposal, form):
    status = Proposal.Status(proposal.status_for_team)
    decision = proposal.released_decision
    is_draft = status == Proposal.Status.DRAFT
    project = None
    if decision and proposal.project_id and _project_is_visible(request.user, proposal):
        project = proposal.project
    letters = readings.correspondence_of(proposal, request.user)
    if unread := [letter.at for letter in letters if letter.is_new]:
        actions.note_messages_read(proposal=proposal, by=request.user, until=max(unread))
    return render(
        request,
        "proposals/proposal_detail.html",
        {
            "proposal": proposal,
            "call": proposal.call,
            "status": status,
            "label": "Not submitted: the call has closed" if proposal.is_too_late else status.label,
            "tone": "problem" if proposal.is_too_late else TONES.get(status, "going"),
            "next_step": "" if proposal.is_too_late else NEXT_STEPS[status],
            "promise": readings.promise_of(proposal),
            "steps": [] if is_draft else readings.steps_of(proposal, project=project),
            "letters": letters,
            "call_answers": proposal.call.answers.exists(),
            "decision": decision,
            "letter": decision.letter if decision else None,
            "screening": proposal.screenings.last() if status == Proposal.Status.INELIGIBLE else None,
            "can_withdraw": permissions.can_withdraw(request.user, proposal)
            and Proposal.Status.WITHDRAWN in Proposal.TRANSITIONS[status],
            "can_write": permissions.can_edit(request.user, proposal),
            "can_resubmit": permissions.can_resubmit(request.user, proposal),
            "earlier_is_mine": proposal.earlier_id and proposal.earlier.applicant_id == request.user.pk,
            "form": form,
            "attachments": proposal.attachments.current(),
            "project": project,
            "crumbs": [*CALLS, (proposal.call.title, proposal.call.get_absolute_url())],
        },
    )


def _project_is_visible(user, proposal) -> bool:
    return type(proposal.project).objects.visible_to(user).filter(pk=proposal.project_id).exists()


def _read(request, proposal):
    """The proposal as staff and cleared reviewers read it; a blind call's reviewers without names."""
    is_staff = request.user.is_programme_staff
    blind = proposal.call.is_blind and not is_staff
    attachments = list(proposal.attachments.visible_to(request.user))
    return render(
        request,
        "proposals/proposal_copy.html",
        {
            "proposal": proposal,
            "call": proposal.call,
            "blind": blind,
            "title": blinding.title_of(proposal, blind=blind),
            "sections": questions.shown_of(proposal, attachments=attachments, blind=blind),
            "since": readings.since_last_time_of(proposal, blind=blind),
            "totals": questions.shown_totals(proposal.answers),
            "attachments": [one for one in attachments if not one.question],
            "held_back": readings.held_back(proposal) if is_staff else [],
            "crumbs": CALLS,
        },
    )


@login_required
@never_cache
@require_GET
def proposal_copy(request, address):
    """The whole proposal on one page, to print or keep."""
    proposal = _proposal(request, address)
    if not _is_team(request, proposal):
        return _read(request, proposal)
    attachments = list(proposal.attachments.current())
    return render(
        request,
        "proposals/proposal_copy.html",
        {
            "proposal": proposal,
            "call": proposal.call,
            "sections": questions.shown_of(proposal, attachments=attachments),
            "totals": questions.shown_totals(proposal.answers),
            "attachments": [one for one in attachments if not one.question],
            "crumbs": [*CALLS, (str(proposal), proposal.get_absolute_url())],
        },
    )


@login_required
@never_cache
@require_GET
def proposal_pdf(request, address):
    """The PDF copy, for team and staff; where there is none yet, it is ordered and the page says so."""
    proposal = _proposal(request, address)
    if proposal.submitted_at is None or not (_is_team(request, proposal) or request.user.is_programme_staff):
        raise Http404
    if not proposal.copy_file:
        actions.order_copy(proposal, again=True)
        messages.info(request, "The PDF copy is being made. Come back to this page in a minute.")
        return redirect(proposal)
    try:
        return attachment_response(proposal.copy_file, f"{proposal.reference}.pdf", content_type="application/pdf")
    except OSError:
        logger.exception("the PDF copy of %s cannot be handed out", proposal.reference)
        messages.error(request, "The PDF copy cannot be opened at the moment. Tell us if you need it.")
        return redirect(proposal)


@login_required
@never_cache
def proposal_withdraw(request, address):
    proposal = _proposal(request, address)
    if not permissions.can_withdraw(request.user, proposal):
        raise Http404
    if proposal.status == Proposal.Status.WITHDRAWN:  # the second of two clicks
        messages.info(request, "This proposal is withdrawn already.")
        return redirect(proposal)
    form = forms.WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.withdraw_proposal(proposal=proposal, by=request.user, reason=form.cleaned_data["reason"])
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your proposal is withdrawn. Its text stays here.")
            return redirect(proposal)
    context = {
        "form": form,
        "heading": f"Withdraw {proposal.reference or 'this draft'}",
        "intro": "A withdrawn proposal cannot be brought back. Its text stays readable for you.",
        "crumbs": [*CALLS, (str(proposal), proposal.get_absolute_url())],
        "back": ("Keep the proposal", proposal.get_absolute_url()),
    }
    return render(request, "layouts/form.html", context)


@login_required
@never_cache
def proposal_resubmit(request, address):
    """A new draft with the text of an earlier proposal, in one of the calls that are open now."""
    proposal = _proposal(request, address)
    if not permissions.can_resubmit(request.user, proposal):
        raise Http404
    form = forms.ResubmitForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            draft = actions.resubmit_proposal(proposal=proposal, call=form.cleaned_data["call"], by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, "Your new draft begins with the text of last time. Read it through and change it."
            )
            if draft.left_out:
                messages.warning(request, f"Not taken along: {'; '.join(draft.left_out)}.")
            return redirect("proposals:draft", draft.call.slug, draft.public_id)
    context = {
        "proposal": proposal,
        "form": form,
        "open_calls": form.fields["call"].queryset,
        "crumbs": [*CALLS, (str(proposal), proposal.get_absolute_url())],
    }
    return render(request, "proposals/proposal_resubmit.html", context)


@login_required
@never_cache
@require_GET
def attachment(request, file_id):
    """Nobody gets a file that waits for its scan; a reviewer of a blind call gets it without names and properties."""
    file = get_object_or_404(
        Attachment.objects.visible_to(request.user).safe().select_related("proposal"), public_id=file_id
    )
    try:
        stored = actions.neutral_file(attachment=file) if file.is_for_blind_reader else file.file
        return attachment_response(stored, file.name)
    except (OSError, actions.NotNeutral):
        logger.exception("attachment %s cannot be handed out", file.pk)
        messages.error(request, f"“{file.name}” cannot be opened at the moment. Tell us if you need it.")
        return redirect("proposals:proposal_detail", file.proposal.address)
