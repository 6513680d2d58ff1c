"""Writing a proposal and handing it in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from proposals import actions, forms, merging, permissions, questions
from proposals.models import Call, Proposal
from proposals.views import fit_check, kept_text
from proposals.views.calls import CALLS, published_call
from proposals.views.kept_text import log_in_and_keep_text
from psc_portal.common.nhs_numbers import find_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_clock


@login_required
@never_cache
def apply(request, slug):
    """Where a proposal begins, and the way back to drafts."""
    call = published_call(slug)
    mine = Proposal.objects.of_team(request.user).filter(call=call).order_by("pk")
    carried = fit_check.kept_answers(request, call)
    if request.method == "POST":
        try:
            proposal = actions.start_proposal(call=call, by=request.user, answers=carried)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
            return redirect(call)
        if carried:
            fit_check.forget(request)
            messages.success(request, "Your answers from the fit check are in the form. Look them through there.")
        return redirect("proposals:draft", call.slug, proposal.public_id)
    return render(
        request,
        "proposals/proposal_apply.html",
        {
            "call": call,
            "carried": carried,
            "crumbs": [*CALLS, (call.title, call.get_absolute_url())],
            "drafts": [one for one in mine if one.status == Proposal.Status.DRAFT],
            "others": [one for one in mine if one.status != Proposal.Status.DRAFT],
        },
    )


def team_draft(request, slug, public_id) -> Proposal:
    proposals = Proposal.objects.of_team(request.user).select_related("call", "applicant")
    return get_object_or_404(proposals, public_id=public_id, call__slug=slug)


def editable_draft(request, slug, public_id) -> Proposal:
    """A draft that this user may write; one that is no longer a draft has its own page."""
    proposal = team_draft(request, slug, public_id)
    if not permissions.can_edit(request.user, proposal):
        raise Http404
    return proposal


def draft_crumbs(proposal, *more):
    call = proposal.call
    here = (proposal.title or "Your proposal", reverse("proposals:draft", args=[call.slug, proposal.public_id]))
    return [*CALLS, (call.title, call.get_absolute_url()), *([here] if more else [])]


@login_required
@never_cache
@require_GET
def draft(request, slug, public_id):
    """The task list of a draft; who may only read it gets its page."""
    proposal = team_draft(request, slug, public_id)
    if not permissions.can_edit(request.user, proposal):
        return redirect(proposal)
    if proposal.status != Proposal.Status.DRAFT:
        return redirect(proposal)
    attachments = list(proposal.attachments.current())
    progress = questions.progress(
        questions.sections_of(proposal.call, proposal),
        questions.with_files(proposal.answers, attachments),
        questions.Choices(proposal.call),
        has_files=any(not one.question for one in attachments),
    )
    done = sum(one.is_complete for one in progress if one.section.is_required)
    return render(
        request,
        "proposals/proposal_tasks.html",
        {
            "proposal": proposal,
            "call": proposal.call,
            "crumbs": draft_crumbs(proposal),
            "tasks": [_task(proposal, one) for one in progress],
            "done": done,
            "wanted": sum(one.section.is_required for one in progress),
        },
    )


def _task(proposal, progress) -> dict:
    """One line of the NHS.UK task list."""
    section = progress.section
    if progress.is_complete:
        status = {"text": "Completed"}
    elif not section.is_required:
        status = {"tag": {"text": "Optional", "classes": "nhsuk-tag--grey"}}
    elif progress.is_started:
        status = {"tag": {"text": "In progress", "classes": "nhsuk-tag--aqua-green"}}
    else:
        status = {"tag": {"text": "Not started", "classes": "nhsuk-tag--blue"}}
    return {"title": {"text": section.title}, "href": section_url(proposal, section), "status": status}


def section_url(proposal, section) -> str:
    args = [proposal.call.slug, proposal.public_id]
    if section.slug == "files":
        return reverse("proposals:draft_files", args=args)
    return reverse("proposals:draft_section", args=[*args, section.slug])


@never_cache
@log_in_and_keep_text
def draft_section(request, slug, public_id, section):
    """One section of the form. Save keeps everything; the way on opens when nothing stands in the way."""
    proposal = editable_draft(request, slug, public_id)
    sections = questions.sections_of(proposal.call, proposal)
    section = questions.find(sections, section)
    if section is None or section.slug == "files":
        raise Http404
    kept = kept_text.take(request)
    data = request.POST if request.method == "POST" else kept
    is_draft = proposal.status == Proposal.Status.DRAFT
    if data is None and not is_draft:
        return redirect(proposal)
    is_sent = request.method == "POST" or not is_draft  # kept over a log-in, and too late by now: as if sent now
    choices = questions.Choices(proposal.call)
    answers = _with_files(proposal, section)
    form = forms.SectionForm(
        section, choices, answers=answers, version=proposal.version, data=data, files=request.FILES or None
    )
    clashes = []
    if is_sent:
        form.is_valid()
        try:
            saved = actions.save_draft(
                proposal=proposal,
                by=request.user,
                section=section,
                answers=forms.present_answers(section, data),
                version=form.typed_version,
                base=form.typed_base,
                sent=form.sent_before,
            )
        except actions.DraftClash as clash:
            proposal.refresh_from_db()
            form.show_version(clash.version, proposal.answers)
            _keep_files(request, proposal, form)
            form.add_error(None, str(clash))
            clashes = _clashes(section, clash.clashes, choices)
        except actions.NoDraft as refusal:
            return _came_too_late(request, proposal, section, refusal, choices)
        else:
            if not _keep_files(request, saved, form) and (
                answer := _after_saving(request, saved, section, form, choices)
            ):
                return answer
            proposal = saved
    context = _section_context(proposal, sections, section, form, clashes)
    return render(request, "proposals/proposal_section.html", context | {"is_kept": kept is not None})


def _came_too_late(request, proposal, section, refusal, choices):
    """What was typed after the proposal had been handed in or withdrawn is shown back."""
    if not refusal.typed:
        messages.info(request, "This proposal has been submitted or withdrawn meanwhile. You had not changed anything.")
        return redirect(proposal)
    by_name = section.by_name
    shown = [
        (by_name[name].label, questions.as_text(by_name[name], value, choices)) for name, value in refusal.typed.items()
    ]
    context = {
        "proposal": proposal,
        "call": proposal.call,
        "section": section,
        "refusal": refusal,
        "shown": shown,
        "crumbs": draft_crumbs(proposal),
    }
    return render(request, "proposals/proposal_too_late.html", context, status=409)


def _with_files(proposal, section) -> dict:
    """The answers to a section, with the files that answer some of its questions."""
    if not any(question.kind == questions.Kind.FILE for question in section.by_name.values()):
        return proposal.answers
    return questions.with_files(proposal.answers, proposal.attachments.current())


def _keep_files(request, proposal, form) -> bool:
    """Keep the files that answer questions, and take out those that are ticked; whether one was refused."""
    refused = {}
    for name in form.files_to_remove():
        for file in proposal.attachments.current().filter(question=name):
            try:
                actions.remove_attachment(attachment=file, by=request.user)
            except ActionRefused as refusal:
                refused[name] = str(refusal)
    for name, file in form.sent_files().items():
        try:
            actions.add_attachment(proposal=proposal, by=request.user, file=file, question=name)
        except ActionRefused as refusal:
            refused[name] = str(refusal)
    if refused:
        form.show_version(proposal.version, proposal.answers)
        form.show_problems(refused)
    return bool(refused)


def _after_saving(request, proposal, section, form, choices):
    """Where to go next; nothing when the page is to be shown again with what stands in the way."""
    if "later" in request.POST:
        messages.success(request, "Saved. You can come back at any time.")
        return redirect("proposals:draft", proposal.call.slug, proposal.public_id)
    if "more" in request.POST and section.rows:
        row = section.rows.shown(proposal.answers)[-1]
        return redirect(f"{section_url(proposal, section)}#{section.rows.name}-{row}")
    problems = questions.read([section], _with_files(proposal, section), choices).problems
    if not problems:
        sections = questions.sections_of(proposal.call, proposal)
        following = sections[sections.index(section) + 1]
        return redirect(section_url(proposal, following))
    form.show_version(proposal.version, proposal.answers)
    form.show_problems(problems)
    return None


def _clashes(section, clashes, choices) -> list[tuple]:
    by_name = section.by_name
    return [
        (
            by_name[one.name].label,
            questions.as_text(by_name[one.name], one.stored, choices),
            questions.as_text(by_name[one.name], one.typed, choices),
        )
        for one in clashes
    ]


@never_cache
@require_POST
def draft_autosave(request, slug, public_id, section):
    """What the page sends by itself while somebody types. Answers in JSON; 401 when they are no longer logged in."""
    if not request.user.is_authenticated:
        return JsonResponse({"problem": "logged out"}, status=401)
    section = questions.BY_SLUG.get(section) or _section_of_its_own(slug, public_id, section)
    base = merging.page_base(request.POST.get("base", ""))
    if section is None or section.slug == "files" or base is None:
        raise Http404
    try:
        saved = actions.autosave_draft(
            drafts=Proposal.objects.filter(public_id=public_id, call__slug=slug),
            by=request.user,
            section=section,
            answers=forms.present_answers(section, request.POST),
            base=base,
            sent=forms.sent_answers(section, request.POST),
        )
    except Proposal.DoesNotExist:
        raise Http404
    except ActionRefused as refusal:
        return JsonResponse({"problem": str(refusal)}, status=409)
    answer = {"saved_at": uk_clock(saved.proposal.saved_at), "version": saved.proposal.version, "base": saved.base}
    if saved.clashes:
        shown = _clashes(section, saved.clashes, questions.Choices(Call.objects.get(slug=slug)))
        answer["clashes"] = [
            {
                "name": one.name,
                "label": label,
                "stored": stored,
                "value": one.stored,
                "mark": merging.digest(one.stored),
            }
            for one, (label, stored, _typed) in zip(saved.clashes, shown, strict=True)
        ]
    return JsonResponse(answer)


draft_autosave.answers_visitors = True


def _section_of_its_own(call_slug, public_id, section):
    """What this call asks beside the common questions, or this proposal because it is a second attempt."""
    drafts = Proposal.objects.select_related("call", "earlier__call")
    proposal = get_object_or_404(drafts, public_id=public_id, call__slug=call_slug)
    return questions.find(questions.sections_of(proposal.call, proposal), section)


def _section_context(proposal, sections, section, form, clashes):
    weight = None
    if section.criterion:
        weights = proposal.call.weights.select_related("criterion").prefetch_related("criterion__levels")
        weight = weights.filter(criterion__code=section.criterion).first()
    return {
        "proposal": proposal,
        "call": proposal.call,
        "section": section,
        "number": sections.index(section) + 1,
        "of": len(sections),
        "form": form,
        "clashes": clashes,
        "weight": weight,
        "advice": questions.advice(section, proposal.answers),
        "budget": questions.budget_table(proposal.answers) if section.rows is questions.BUDGET else None,
        "limit": proposal.call.money_per_project or "",
        "most": questions.pounds(proposal.call.money_per_project) if proposal.call.money_per_project else "",
        "crumbs": draft_crumbs(proposal, section),
    }


def _keep_declaration(request, proposal, form):
    """What stands on the page without being declared yet is kept, so that it is there when they come back."""
    kept = ("interests", "numbers_explained")
    try:
        values = {name: form.cleaned_data.get(name, getattr(proposal, name)) for name in kept}
        actions.keep_declaration(proposal=proposal, by=request.user, **values)
    except PermissionDenied:
        raise Http404


@never_cache
@log_in_and_keep_text
def draft_check(request, slug, public_id):
    """Check your answers, declare, submit."""
    proposal = editable_draft(request, slug, public_id)
    if proposal.status != Proposal.Status.DRAFT:
        if request.method == "POST" and proposal.reference:
            messages.info(request, f"This proposal has been submitted already. Its number is {proposal.reference}.")
        return redirect(proposal)
    texts = questions.texts(questions.sections_of(proposal.call, proposal), proposal.answers)
    interests = request.POST.get("interests", "") if request.method == "POST" else proposal.interests
    has_numbers = any(find_nhs_numbers(text) for text in (*texts.values(), interests))
    kept = kept_text.take(request) or {}
    initial = {"interests": proposal.interests, "numbers_explained": proposal.numbers_explained} | {
        name: kept[name] for name in ("interests", "numbers_explained") if name in kept
    }
    data = request.POST if request.method == "POST" else None
    form = forms.SubmitForm(data, has_numbers=has_numbers, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            submitted = actions.submit_proposal(
                proposal=proposal,
                by=request.user,
                interests=form.cleaned_data["interests"],
                numbers_explained=form.cleaned_data.get("numbers_explained", ""),
            )
        except PermissionDenied:
            raise Http404
        except ActionRefused as refusal:
            proposal.refresh_from_db()
            if proposal.reference:
                messages.info(request, str(refusal))
                return redirect(proposal)
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"We have received your proposal. Its number is {submitted.reference}.")
            return redirect(submitted)
    elif request.method == "POST":
        _keep_declaration(request, proposal, form)
    attachments = list(proposal.attachments.current())
    sections = questions.shown_of(proposal, attachments=attachments, with_problems=True)
    return render(
        request,
        "proposals/proposal_check.html",
        {
            "proposal": proposal,
            "call": proposal.call,
            "form": form,
            "sections": [(one, section_url(proposal, one.section)) for one in sections],
            "problems": sum(len(one.problems) for one in sections if one.section.is_required),
            "totals": questions.shown_totals(proposal.answers),
            "attachments": [one for one in attachments if not one.question],
            "may_submit": permissions.can_submit(request.user, proposal),
            "crumbs": draft_crumbs(proposal, "check"),
        },
    )
