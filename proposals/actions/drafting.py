"""Writing a proposal, and handing it in."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, Subquery

from proposals import merging, permissions, questions
from proposals.actions.analysing import scores_changed
from proposals.actions.copying import order_copy
from proposals.actions.locking import hold, locked_call, locked_proposal, locked_under_call
from proposals.models import BudgetLine, DraftVersion, PromisedBenefit, Proposal, ReferenceCounter
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_date, uk_datetime

AUTOMATIC_EACH = dt.timedelta(minutes=5)
TWO_CLICKS = dt.timedelta(seconds=10)
AUDITED = ["status", "reference", "version", "submitted_at", "organisation", "amount_asked"]


class DraftClash(ActionRefused):
    """Someone else, or another tab, changed the same answers since this page was opened. Nothing was overwritten."""

    def __init__(self, clashes, version):
        super().__init__(
            "Some answers were changed in another window or by someone else since you opened this page. "
            "Below you see both texts: put together what you want to keep, then save again. "
            "Everything else is saved."
        )
        self.clashes = clashes
        self.version = version


class NoDraft(ActionRefused):
    """The proposal was handed in or withdrawn meanwhile.

    `typed` holds what differs from the proposal, by name: it is kept beside it, not in it.
    """

    def __init__(self, proposal, typed=None):
        status = Proposal.Status(proposal.status_for_team)
        words = [f"This proposal is “{status.label.lower()}” and can no longer be changed."]
        if typed:
            words.append("What you typed is kept under “Earlier versions” and is not submitted.")
        if status == Proposal.Status.WITHDRAWN:
            words.append("You can write a new one while the call is open.")
        elif Proposal.Status.WITHDRAWN in Proposal.TRANSITIONS[status]:
            words.append("To change it, withdraw it and write a new one while the call is open.")
        super().__init__(" ".join(words))
        self.proposal, self.typed = proposal, typed or {}


@transaction.atomic
def start_proposal(*, call, by, answers=None) -> Proposal:
    """Begin a draft in an open call. The second of two clicks finds the draft of the first.

    Args:
        answers: what the applicant has answered in the fit check, by the names of the questions.
    """
    call = locked_call(call.pk)
    if not permissions.can_apply(by, call):
        raise PermissionDenied
    if not call.is_open:
        raise ActionRefused("This call is not open. Look at the list of calls for one that is.")
    just_begun = call.proposals.filter(
        applicant=by, status=Proposal.Status.DRAFT, version=1 if answers else 0, created_at__gt=clock.now() - TWO_CLICKS
    ).first()
    if just_begun:
        return just_begun
    proposal = Proposal.objects.create(call=call, applicant=by)
    audit.record("start_proposal", proposal, by=by)
    if answers:
        _carry_over(proposal, answers, by)
    return proposal


def _carry_over(proposal, answers, by):
    """Put answers of the fit check into a new draft, and remember which, so that the form can say so."""
    asked = {name for section in questions.SECTIONS for name in section.names()}
    carried = {name: value for name, value in answers.items() if name in asked}
    store_version(proposal, carried | {questions.CARRIED_OVER: carried}, by)


def draft_of(by, proposal) -> Proposal:
    """The draft, locked, for somebody who may write it.

    Raises:
        PermissionDenied: `by` may not.
        NoDraft: it is none any more.
    """
    stored = locked_proposal(proposal.pk)
    if not permissions.can_edit(by, stored):
        raise PermissionDenied
    refuse_what_is_no_draft(stored)
    return stored


def refuse_what_is_no_draft(proposal) -> None:
    if proposal.status != Proposal.Status.DRAFT:
        raise NoDraft(proposal)


# Saving ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Saved:
    """What came of a save: the draft, what clashed, and what the page is to carry from now on."""

    proposal: Proposal
    clashes: list[merging.Clash]
    base: str


def save_draft(*, proposal, by, section, answers, version, base=None, sent=()) -> Proposal:
    """Keep what was typed in one section, whether or not it could be submitted as it is, even after the call closed.

    Args:
        answers: raw text (or lists) by name; other names than the section's are ignored.
        version: the version that the page was opened with.
        base: the digests of the answers that the page showed (`merging.page_base`); more exact than the version.
        sent: what the page has sent by itself and got no answer to.
    Raises:
        DraftClash: the same answer has been changed since by someone else. Nothing of theirs is overwritten, what is
            typed there is kept with the version, and all other answers are stored.
        NoDraft: it was handed in meanwhile; what was typed is kept with a version, and is no part of the proposal.
    """
    try:
        saved = _save_by_button(proposal, by, section, answers, version, base, sent)
    except NoDraft as refusal:
        raise NoDraft(refusal.proposal, _keep_beside(proposal.pk, by, section, answers)) from None
    if saved.clashes:
        raise DraftClash(saved.clashes, saved.proposal.version)
    return saved.proposal


@transaction.atomic
def _save_by_button(proposal, by, section, answers, version, base, sent) -> Saved:
    stored = draft_of(by, proposal)
    known = stored.answers if version == stored.version else None
    if base is None and known is None:
        known = stored.versions.filter(number=version).values_list("answers", flat=True).first()
    merged, clashes = merging.merge(
        stored.answers, _asked(section, answers), merging.base_of(carried=base, version=known, sent=sent)
    )
    if merged == stored.answers and not clashes and stored.version:
        is_kept = not stored.versions.filter(number=stored.version, is_automatic=True).exists()
        if is_kept:
            return Saved(stored, [], "")
    store_version(stored, merged, by, not_taken={one.name: one.typed for one in clashes})
    return Saved(stored, clashes, "")


@transaction.atomic
def _keep_beside(pk, by, section, answers) -> dict:
    """Text that came too late for the proposal: a version of its own holds it, the proposal stays as it is."""
    stored = locked_proposal(pk)
    late = {
        name: value
        for name, value in _asked(section, answers).items()
        if merging.plain(value) != merging.plain(stored.answers.get(name))
    }
    if late and not _is_noted(stored, late):
        stored.version += 1
        stored.save(update_fields=["version"])
        stored.versions.create(
            number=stored.version, answers=stored.answers, not_taken=late, saved_by=by, saved_at=clock.now()
        )
    return late


def autosave_draft(*, drafts, by, section, answers, base, sent=()) -> Saved:
    """Keep what a page sent by itself, every few seconds of typing. Clashes are told, and all else is stored.

    Within five minutes one person's automatic saves are one version: it grows with them.

    Args:
        drafts: a QuerySet that holds the draft and nothing else.
        base: the digests of the answers that the page showed.
        sent: what the page sent before and got no answer to.
    Raises:
        Proposal.DoesNotExist: `by` may not write it.
        NoDraft: as in `save_draft`.
    """
    try:
        return _save_by_itself(drafts, by, section, answers, base, sent)
    except NoDraft as refusal:
        raise NoDraft(refusal.proposal, _keep_beside(refusal.proposal.pk, by, section, answers)) from None


@transaction.atomic
def _save_by_itself(drafts, by, section, answers, base, sent) -> Saved:
    now = clock.now()
    growing = DraftVersion.objects.filter(
        proposal=OuterRef("pk"),
        number=OuterRef("version"),
        is_automatic=True,
        saved_by=by,
        saved_at__gte=now - dt.timedelta(seconds=now.timestamp() % AUTOMATIC_EACH.total_seconds()),
    )
    stored = (
        hold(drafts.writable_by(by))
        .annotate(growing=Subquery(growing.values("pk")[:1]))
        .only("status", "answers", "version")
        .get()
    )
    refuse_what_is_no_draft(stored)
    merged, clashes = merging.merge(stored.answers, _asked(section, answers), merging.base_of(carried=base, sent=sent))
    not_taken = {one.name: one.typed for one in clashes}
    if merged != stored.answers or (not_taken and not _is_noted(stored, not_taken)):
        _store(stored, merged)
        row = {"number": stored.version, "answers": merged, "saved_at": stored.saved_at}
        if stored.growing:
            changed = {"not_taken": not_taken} if not_taken else {}
            DraftVersion.objects.filter(pk=stored.growing).update(**row, **changed)
        else:
            stored.versions.create(**row, not_taken=not_taken, saved_by=by, is_automatic=True)
    held = {one.name: base.get(one.name, "") for one in clashes}
    return Saved(stored, clashes, merging.digests(section.names(), merged, but=held))


def _is_noted(proposal, not_taken) -> bool:
    last = proposal.versions.order_by("-number").values_list("not_taken", flat=True).first()
    return last == not_taken


def _asked(section, answers) -> dict:
    """What was typed in this section, without the one sign that the database cannot hold."""
    names = set(section.names())
    return {
        name: value.replace("\0", "") if isinstance(value, str) else [one.replace("\0", "") for one in value]
        for name, value in answers.items()
        if name in names
    }


def store_version(proposal, answers, by, not_taken=None) -> Proposal:
    """Let the draft say `answers`, as a version of its own that stays."""
    _store(proposal, answers)
    proposal.versions.create(
        number=proposal.version, answers=answers, not_taken=not_taken or {}, saved_by=by, saved_at=proposal.saved_at
    )
    return proposal


def _store(proposal, answers) -> None:
    proposal.answers = answers
    proposal.version += 1
    proposal.saved_at = clock.now()
    proposal.title = " ".join((answers.get("title") or "").split())[:200]
    proposal.save(update_fields=["answers", "version", "saved_at", "title"])


class TooLate(ActionRefused):
    """The call had closed when the submit arrived. That it arrived, and when, stands in the audit trail."""

    def __init__(self, until, now):
        super().__init__(
            f"This call has closed: proposals were accepted until {uk_datetime(until)}, and yours reached us at "
            f"{now.astimezone(clock.UK):%H:%M:%S} on {uk_date(now)}. Your text is kept as not submitted, and you can "
            "still read it."
        )


def submit_proposal(*, proposal, by, interests="", numbers_explained="") -> Proposal:
    """Submit a draft to its call and give it its number; the receipt is sent once that is stored.

    One in eleven ten-digit numbers looks like an NHS number: `numbers_explained` says what such a number is. It is kept
    with the proposal, and that it was used stands in the audit trail.

    Proposal and call are locked: closing time and status cannot move in between, and a second submit finds the first.

    Raises:
        PermissionDenied: `by` may not submit it.
        TooLate: the call (with its grace and any extension) has closed.
        ActionRefused: the proposal is no longer a draft, an answer is missing or too long, or there is what looks like
            an NHS number. What was typed beside the submit button is kept with the draft then too.
    """
    try:
        return _submit(proposal, by, interests, numbers_explained)
    except ActionRefused as refusal:
        keep_declaration(
            proposal=proposal, by=by, interests=interests, numbers_explained=numbers_explained,
            is_late=isinstance(refusal, TooLate),
        )  # fmt: skip
        raise


@transaction.atomic
def keep_declaration(*, proposal, by, interests, numbers_explained, is_late=False) -> None:
    """Keep what is declared with a draft, whether or not it can be submitted so."""
    stored = locked_proposal(proposal.pk)
    if not permissions.can_submit(by, stored):
        raise PermissionDenied
    if stored.status != Proposal.Status.DRAFT:
        return
    stored.interests, stored.numbers_explained = interests.strip(), numbers_explained.strip()
    stored.save(update_fields=["interests", "numbers_explained"])
    if is_late:
        audit.record("submit_too_late", stored, by=by)


@transaction.atomic
def _submit(proposal, by, interests, numbers_explained) -> Proposal:
    stored = locked_under_call(proposal)
    if not permissions.can_submit(by, stored):
        raise PermissionDenied
    if stored.reference:
        raise ActionRefused(f"This proposal has been submitted already. Its number is {stored.reference}.")
    now = clock.now()  # after the locks: whoever had to wait for them is judged by when their turn came
    if not stored.may_be_submitted_at(now):
        raise TooLate(stored.accepts_until(), now)
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
            year=int(row["year"] or 1),
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
    counter = hold(ReferenceCounter.objects).get(year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"{settings.REFERENCE_PREFIX}-{year}-{counter.last:04d}"


@transaction.atomic
def withdraw_proposal(*, proposal, by, reason) -> Proposal:
    """Take a proposal back, with a reason; drafts too. A decision cannot be undone this way."""
    stored = locked_under_call(proposal)
    if not permissions.can_withdraw(by, stored):
        raise PermissionDenied
    if stored.status == Proposal.Status.WITHDRAWN:
        raise ActionRefused("This proposal is withdrawn already.")
    if not reason.strip():
        raise ActionRefused("Say why you withdraw the proposal.")
    refuse_nhs_numbers({"Reason": reason})
    if Proposal.Status.WITHDRAWN not in Proposal.TRANSITIONS[stored.status]:
        # in words that tell nothing of a decision not yet released
        raise ActionRefused("This proposal can no longer be withdrawn here. Write to us instead.")
    was_assessed = stored.status in Proposal.ELIGIBLE
    stored.withdrawal_reason = reason.strip()
    stored.save(update_fields=["withdrawal_reason"])
    stored.change_status(Proposal.Status.WITHDRAWN, by=by)
    if was_assessed:
        scores_changed(stored.call)
    audit.record("withdraw_proposal", stored, by=by, after=audit.snapshot(stored, ["status", "reference"]))
    return stored
