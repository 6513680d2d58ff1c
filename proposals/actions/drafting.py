"""Writing a proposal, and handing it in."""

from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from proposals import permissions, questions
from proposals.actions.copying import order_copy
from proposals.models import Attachment, BudgetLine, Call, DraftVersion, PromisedBenefit, Proposal, ReferenceCounter
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.uploads import check_upload

MOST_FILES = 5
AUDITED = ["status", "reference", "version", "submitted_at", "organisation", "amount_asked"]


class DraftClash(ActionRefused):
    """Someone else, or another tab, changed the same answers since this page was opened. Nothing was overwritten."""

    def __init__(self, clashes, version):
        super().__init__(
            "Some answers were changed in another window or by someone else since you opened this page. "
            "Below each of them you see both texts: put together what you want to keep, then save again."
        )
        self.clashes = clashes
        self.version = version


@transaction.atomic
def start_proposal(*, call, by, answers=None) -> Proposal:
    """Begin a draft in an open call.

    Args:
        answers: what the applicant has answered in the fit check, by the names of the questions.
    """
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    if not permissions.can_apply(by, call):
        raise PermissionDenied
    if not call.is_open:
        raise ActionRefused("This call is not open. Look at the list of calls for one that is.")
    proposal = Proposal.objects.create(call=call, applicant=by)
    audit.record("start_proposal", proposal, by=by)
    if answers:
        _carry_over(proposal, answers, by)
    return proposal


def _carry_over(proposal, answers, by):
    """Put answers of the fit check into a new draft, and remember which, so that the form can say so."""
    asked = {name for section in questions.SECTIONS for name in section.names()}
    carried = {name: value for name, value in answers.items() if name in asked}
    proposal.answers = carried | {questions.CARRIED_OVER: carried}
    proposal.version, proposal.saved_at = 1, clock.now()
    proposal.save()
    DraftVersion.objects.create(
        proposal=proposal, number=1, answers=proposal.answers, saved_by=by, saved_at=proposal.saved_at
    )


def _draft_of(by, proposal) -> Proposal:
    stored = Proposal.objects.select_for_update(of=["self"]).select_related("call").get(pk=proposal.pk)
    if not permissions.can_edit(by, stored):
        raise PermissionDenied
    if stored.status != Proposal.Status.DRAFT:
        raise ActionRefused(
            f"This proposal is “{stored.get_status_display().lower()}” and can no longer be changed. "
            "To change it, withdraw it and write a new one while the call is open."
        )
    return stored


@transaction.atomic
def save_draft(*, proposal, by, section, answers, version) -> Proposal:
    """Keep what was typed in one section, whether or not it could be submitted as it is, even after the call closed.

    Args:
        answers: raw text (or lists) by name; other names than the section's are ignored.
        version: the version that the page was opened with.
    Raises:
        DraftClash: the same answer has been changed since by someone else; nothing is stored.
    """
    stored = _draft_of(by, proposal)
    asked = set(section.names())
    typed = {name: value for name, value in answers.items() if name in asked}
    if version == stored.version:
        base = stored.answers
    else:
        base = stored.versions.filter(number=version).values_list("answers", flat=True).first() or {}
    merged, clashes = questions.merge(base, stored.answers, typed)
    if clashes:
        raise DraftClash(clashes, stored.version)
    if merged == stored.answers and stored.version:
        return stored
    stored.answers = merged
    stored.version += 1
    stored.saved_at = clock.now()
    stored.title = " ".join((merged.get("title") or "").split())[:200]
    stored.save()
    DraftVersion.objects.create(
        proposal=stored, number=stored.version, answers=merged, saved_by=by, saved_at=stored.saved_at
    )
    return stored


@transaction.atomic
def add_attachment(*, proposal, by, file, question="") -> Attachment:
    """Keep a file beside a draft, checked by its content.

    Args:
        question: name of the question that it answers. It takes the place of the file that answered before.

    Raises:
        ActionRefused: the sentence names the file and what is wrong with it.
    """
    stored = _draft_of(by, proposal)
    beside = stored.attachments.current().filter(question=question)
    if not question and beside.count() >= MOST_FILES:
        raise ActionRefused(f"You can add up to {MOST_FILES} files. Remove one first.")
    try:
        kind = check_upload(file, max_bytes=settings.UPLOAD_MAX_BYTES)
    except ValidationError as problem:
        raise ActionRefused(" ".join(problem.messages))
    if question:
        beside.update(removed_at=clock.now())
    attachment = Attachment.objects.create(
        proposal=stored,
        question=question,
        file=file,
        name=PurePath(file.name).name[-200:],
        kind=kind,
        size=file.size,
        uploaded_by=by,
        uploaded_at=clock.now(),
    )
    audit.record(
        "add_attachment", attachment, by=by, after=audit.snapshot(attachment, ["proposal", "question", "kind", "size"])
    )
    return attachment


@transaction.atomic
def remove_attachment(*, attachment, by) -> None:
    _draft_of(by, attachment.proposal)
    stored = Attachment.objects.current().select_for_update().filter(pk=attachment.pk).first()
    if stored is None:
        raise ActionRefused("This file has been removed already.")
    stored.removed_at = clock.now()
    stored.save(update_fields=["removed_at"])
    audit.record("remove_attachment", stored, by=by)


@transaction.atomic
def submit_proposal(*, proposal, by, interests="", numbers_explained="") -> Proposal:
    """Submit a draft to its call and give it its number; the receipt is sent once that is stored.

    One in eleven ten-digit numbers looks like an NHS number: `numbers_explained` says what such a number is. It is kept
    with the proposal, and that it was used stands in the audit trail.

    Proposal and call are locked: closing time and status cannot move in between, and a second submit finds the first.

    Raises:
        PermissionDenied: `by` may not submit it.
        ActionRefused: the call (with its grace and any extension) has closed, the proposal is no longer a draft, an
            answer is missing or too long, or there is what looks like an NHS number.
    """
    stored = Proposal.objects.locked().get(pk=proposal.pk)
    if not permissions.can_submit(by, stored):
        raise PermissionDenied
    if stored.reference:
        raise ActionRefused(f"This proposal has been submitted already. Its number is {stored.reference}.")
    now = clock.now()  # after the locks: whoever had to wait for them is judged by when their turn came
    if not stored.may_be_submitted_at(now):
        raise ActionRefused("This call has closed. Your text is kept as not submitted, and you can still read it.")
    choices = questions.Choices(stored.call)
    sections = questions.sections_of(stored.call, stored)
    answers = questions.with_files(stored.answers, stored.attachments.current())
    found = questions.read(sections, answers, choices)
    if found.problems:
        count = len(found.problems)
        raise ActionRefused(
            f"{count} {'answer is' if count == 1 else 'answers are'} missing or must be changed. "
            "Follow the links below."
        )
    if not numbers_explained.strip():
        refuse_nhs_numbers(questions.texts(sections, stored.answers) | {"Declaration of interests": interests})
    _write_what_was_answered(stored, found)
    stored.interests = interests.strip()
    stored.numbers_explained = numbers_explained.strip()
    stored.reference = next_reference()
    stored.submitted_at, stored.submitted_by = now, by
    stored.save()
    stored.change_status(Proposal.Status.SUBMITTED, by=by)
    after = audit.snapshot(stored, AUDITED) | {"has_explained_numbers": bool(stored.numbers_explained)}
    audit.record("submit_proposal", stored, by=by, after=after)
    outbox.send_mail(
        to=[stored.applicant.email],
        template="proposals/received",
        context={
            "name": stored.applicant.display_name,
            "reference": stored.reference,
            "title": stored.title,
            "call": stored.call.title,
            "submitted_at": stored.submitted_at,
            "decision_on": stored.call.decision_on,
            "url": settings.PORTAL_URL + stored.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
        },
        key=f"proposals.received.{stored.pk}",
    )
    order_copy(stored)
    return stored


def _write_what_was_answered(proposal, found) -> None:
    values = found.values
    proposal.title = values["title"]
    proposal.lay_summary = values["lay_summary"]
    proposal.organisation_id = int(values["organisation"]) if values["organisation"] else None
    proposal.organisation_name = values["organisation_name"] or ""
    proposal.care_settings = values["care_settings"]
    proposal.evidence_level = int(values["evidence_level"])
    proposal.partners.set(int(pk) for pk in values["partners"])
    proposal.priorities.set(int(pk) for pk in values["priorities"])
    PromisedBenefit.objects.bulk_create(
        PromisedBenefit(proposal=proposal, position=position, **row)
        for position, row in enumerate(found.rows["benefit"], 1)
    )
    lines = BudgetLine.objects.bulk_create(
        BudgetLine(
            proposal=proposal,
            position=position,
            description=row["description"],
            asked=row["asked"],
            matched=row["matched"] or 0,
        )
        for position, row in enumerate(found.rows["budget"], 1)
    )
    proposal.amount_asked = sum(line.asked for line in lines)


def next_reference() -> str:
    """The next number of this year, like EM-2026-0007. The counter's row stays locked until the caller commits."""
    year = clock.today().year
    ReferenceCounter.objects.bulk_create([ReferenceCounter(year=year)], ignore_conflicts=True)
    counter = ReferenceCounter.objects.select_for_update().get(year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"{settings.REFERENCE_PREFIX}-{year}-{counter.last:04d}"


@transaction.atomic
def withdraw_proposal(*, proposal, by, reason) -> Proposal:
    """Take a proposal back, with a reason; drafts too. A decision cannot be undone this way."""
    stored = Proposal.objects.locked().get(pk=proposal.pk)
    if not permissions.can_withdraw(by, stored):
        raise PermissionDenied
    if not reason.strip():
        raise ActionRefused("Say why you withdraw the proposal.")
    refuse_nhs_numbers({"Reason": reason})
    if Proposal.Status.WITHDRAWN not in Proposal.TRANSITIONS[stored.status]:
        # in words that tell nothing of a decision not yet released
        raise ActionRefused("This proposal can no longer be withdrawn here. Write to us instead.")
    stored.withdrawal_reason = reason.strip()
    stored.save(update_fields=["withdrawal_reason"])
    stored.change_status(Proposal.Status.WITHDRAWN, by=by)
    audit.record("withdraw_proposal", stored, by=by, after=audit.snapshot(stored, ["status", "reference"]))
    return stored
