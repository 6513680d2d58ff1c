"""Using the text of an earlier proposal in a later call."""

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction

from proposals import permissions, questions
from proposals.actions.attaching import NotNeutral, store_file
from proposals.actions.locking import locked_call, locked_proposal
from proposals.models import Attachment, DraftVersion, Proposal
from psc_portal.common import audit, clock
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def resubmit_proposal(*, proposal, call, by) -> Proposal:
    """Begin a draft in `call` with the text and files of `proposal`, which stays as it is.

    Answers are copied where the new call asks the same; what it does not ask stays readable in the earlier proposal.
    A second click gives the same draft again.

    Returns:
        The draft; its `left_out` says in words what could not be taken along.
    Raises:
        ActionRefused: the earlier one has not come to an end, or the call is not open.
    """
    call = locked_call(call.pk)
    earlier = locked_proposal(proposal.pk)
    if not permissions.can_submit(by, earlier) or not permissions.can_apply(by, call):
        raise PermissionDenied
    if not permissions.can_resubmit(by, earlier):
        raise ActionRefused("This proposal is still on its way. You can use its text again once it has come to an end.")
    if not call.is_open:
        raise ActionRefused("This call is not open. Choose one of the open calls.")
    begun = earlier.resubmissions.filter(call=call, applicant=by, status=Proposal.Status.DRAFT).first()
    if begun:
        begun.left_out = []
        return begun
    names = _names_there(earlier, call)
    answers, left_out = _taken_along(earlier, call, names)
    now = clock.now()
    draft = Proposal.objects.create(
        call=call, applicant=by, earlier=earlier, answers=answers, title=earlier.title, version=1, saved_at=now
    )
    DraftVersion.objects.create(proposal=draft, number=1, answers=answers, saved_by=by, saved_at=now)
    left_out += _copy_files(earlier, draft, names, by)
    audit.record("resubmit_proposal", draft, by=by, after={"earlier": earlier.reference})
    draft.left_out = left_out
    return draft


def _taken_along(earlier, call, names) -> tuple[dict, list[str]]:
    """Answers to what the new call asks too, and what is left out, in words."""
    answers, left_out = {}, []
    for name, question in _asked_by(earlier.call).items():
        raw = earlier.answers.get(name)
        if not questions.is_answered(raw):
            continue
        if names[name]:
            answers[names[name]] = raw
        else:
            left_out.append(f"the answer to “{question.label}”, which this call does not ask")
    old = dict(questions.Choices(earlier.call).priorities())
    there = {str(pk) for pk in call.priorities.values_list("pk", flat=True)}
    chosen = answers.get("priorities") or []
    dropped = [value for value in chosen if value not in there]
    left_out += [f"the priority “{old.get(value, value)}”, which this call does not serve" for value in dropped]
    answers["priorities"] = [value for value in chosen if value in there]
    return answers, left_out


def _names_there(earlier, call) -> dict[str, str]:
    """By the name of a question in the earlier form, its name in the new one; empty where that does not ask it.

    A call's own questions have names of their own: there only kind and words tell that it is the same question.
    """
    now_asked = _asked_by(call)
    by_words = {(one.label, one.kind): name for name, one in now_asked.items() if _is_own(name)}
    return {
        name: by_words.get((one.label, one.kind), "") if _is_own(name) else name if name in now_asked else ""
        for name, one in _asked_by(earlier.call).items()
    }


def _asked_by(call) -> dict[str, questions.Question]:
    """Every question that can be answered, by name, all possible rows included."""
    return {name: one for section in questions.sections_of(call) for name, one in section.by_name.items()}


def _is_own(name) -> bool:
    return name.startswith(questions.name_of(""))


def _copy_files(earlier, draft, names, by) -> list[str]:
    """Each file is copied, so that taking it out here leaves it there. What is not taken along, in words."""
    left_out = []
    for file in earlier.attachments.current():
        if why := _why_not_copied(file, draft, names, by):
            left_out.append(f"the file “{file.name}”, {why}")
    return left_out


def _why_not_copied(file, draft, names, by) -> str:
    """Copy one file; or the reason why it stays behind."""
    if file.is_infected:
        return "in which a virus was found"
    if file.is_lost:
        return "which could not be scanned for viruses"
    if file.question and not names.get(file.question):  # beside the proposal it might be too many, or tell a name
        return "which answers a question that this call does not ask"
    try:
        content = ContentFile(file.file.read())
    except OSError:
        return "which could not be read"
    copy = Attachment(
        proposal=draft, question=names.get(file.question, ""), name=file.name, kind=file.kind, uploaded_by=by,
        scan_status=file.scan_status, scanned_at=file.scanned_at,
    )  # fmt: skip
    try:
        store_file(copy, content, is_clean=file.scan_status == Attachment.Scan.CLEAN)
    except NotNeutral:
        return "which could not be freed of its document properties, and this call hides who applies"
    return ""
