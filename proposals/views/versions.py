"""Earlier versions of a draft, for its team only."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from proposals import actions, merging, permissions, questions
from proposals.models import Proposal
from proposals.views.drafts import draft_crumbs, team_draft
from psc_portal.common.pagination import paginate
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.word_diff import Piece, word_changes

PER_PAGE = 20


@dataclass(frozen=True)
class Changed:
    """One answer that differs between a version and the draft of now."""

    label: str
    pieces: list[Piece]


@dataclass(frozen=True)
class ChangedSection:
    section: questions.Section
    answers: list[Changed]


def _may_restore(user, proposal) -> bool:
    return proposal.status == Proposal.Status.DRAFT and permissions.can_edit(user, proposal)


def _crumbs(proposal, *, deeper=False):
    back = ("Earlier versions", reverse("proposals:draft_versions", args=[proposal.call.slug, proposal.public_id]))
    return [*draft_crumbs(proposal, "versions"), *([back] if deeper else [])]


@login_required
@never_cache
@require_GET
def draft_versions(request, slug, public_id):
    """Who saved when, and which sections changed by it."""
    proposal = team_draft(request, slug, public_id)
    sections = questions.sections_of(proposal.call, proposal)
    page = paginate(request, proposal.versions.select_related("saved_by").order_by("-number"), per_page=PER_PAGE)
    rows = list(page.object_list)
    before = None
    if rows:  # what the oldest of this page is compared with
        before = proposal.versions.filter(number__lt=rows[-1].number).order_by("-number").first()
    earlier = [*rows[1:], before]
    lines = [
        (one, _changed_titles(sections, one.answers, previous.answers if previous else {}))
        for one, previous in zip(rows, earlier, strict=False)
    ]
    context = {
        "proposal": proposal,
        "call": proposal.call,
        "page": page,
        "lines": lines,
        "crumbs": _crumbs(proposal),
    }
    return render(request, "proposals/proposal_versions.html", context)


def _differs(name, one, other) -> bool:
    return merging.plain(one.get(name)) != merging.plain(other.get(name))


def _changed_titles(sections, answers, before) -> list[str]:
    return [one.title for one in sections if any(_differs(name, answers, before) for name in one.names())]


@login_required
@never_cache
@require_GET
def draft_version(request, slug, public_id, number):
    """An earlier version, and what has changed from it to now."""
    proposal = team_draft(request, slug, public_id)
    version = get_object_or_404(proposal.versions.select_related("saved_by"), number=number)
    choices = questions.Choices(proposal.call)
    sections = questions.sections_of(proposal.call, proposal)
    by_name = {name: question for section in sections for name, question in section.by_name.items()}
    context = {
        "proposal": proposal,
        "call": proposal.call,
        "version": version,
        "is_newest": version.number == proposal.version,
        "came_too_late": _came_too_late(proposal, version),
        "changed": [one for one in (_changed(each, version, proposal, choices) for each in sections) if one.answers],
        "not_taken": [
            (name, by_name[name].label, questions.as_text(by_name[name], text, choices))
            for name, text in version.not_taken.items()
            if name in by_name
        ],
        "sections": questions.shown(sections, version.answers, choices),
        "may_restore": _may_restore(request.user, proposal),
        "crumbs": _crumbs(proposal, deeper=True),
    }
    return render(request, "proposals/proposal_version.html", context)


def _came_too_late(proposal, version) -> bool:
    """Whether it was typed after the proposal had been handed in or withdrawn."""
    end = proposal.status_changes.filter(from_status=Proposal.Status.DRAFT).first()
    return end is not None and version.saved_at >= end.at


def _changed(section, version, proposal, choices) -> ChangedSection:
    answers = []
    for name in section.names():
        if _differs(name, version.answers, proposal.answers):
            question = section.by_name[name]
            before, now = (
                questions.as_text(question, one.get(name), choices) for one in (version.answers, proposal.answers)
            )
            answers.append(Changed(_label(section, question), word_changes(before, now)))
    return ChangedSection(section, answers)


def _label(section, question) -> str:
    """A row's question with the number of the row."""
    if section.rows and question.name.startswith(f"{section.rows.name}-"):
        return f"{section.rows.one} {question.name.split('-')[1]}: {question.label}"
    return question.label


@login_required
@never_cache
@require_POST
def draft_restore(request, slug, public_id, number):
    """Bring back one section, all of them, or one text that was not taken; as a new version."""
    proposal = team_draft(request, slug, public_id)
    if not permissions.can_edit(request.user, proposal):
        raise Http404
    try:
        if name := request.POST.get("name"):
            actions.restore_not_taken(proposal=proposal, by=request.user, number=number, name=name)
            what = "The text is"
        else:
            section = _wanted_section(request, proposal)
            actions.restore_version(proposal=proposal, by=request.user, number=number, section=section)
            what = f"“{section.title}” is" if section else "All sections are"
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("proposals:draft_version", slug, public_id, number)
    messages.success(request, f"{what} as in version {number} again. What was there before is an earlier version now.")
    return redirect("proposals:draft_versions", slug, public_id)


def _wanted_section(request, proposal):
    slug = request.POST.get("section")
    if not slug:
        return None
    section = questions.find(questions.sections_of(proposal.call, proposal), slug)
    if section is None:
        raise Http404
    return section
