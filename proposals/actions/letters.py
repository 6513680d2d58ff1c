"""Letters: feedback on each criterion, put together, edited, and released to every applicant of a call at once."""

import difflib
import hashlib

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.template.loader import render_to_string

from proposals import permissions, questions
from proposals.actions.locking import hold, locked_call, locked_under_call
from proposals.models import CriterionFeedback, Decision, FeedbackLetter, Proposal
from proposals.readings import bands_of_call
from proposals.readings.letters import missing_of, pending_decisions
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

NAMED = 10  # letters that a refusal names; the page lists all


def _decision_to_answer(by, proposal) -> Decision:
    stored = locked_under_call(proposal)
    if not permissions.can_handle(by, stored):
        raise PermissionDenied
    decision = stored.decisions.order_by("decided_at", "pk").last()
    if decision is None:
        raise ActionRefused("There is no decision yet to write feedback on.")
    decision.proposal = stored
    return decision


def _refuse_released(letter):
    if letter.is_released:
        raise ActionRefused("This feedback has been released and cannot be changed.")


@transaction.atomic
def write_feedback(*, proposal, by, comments, opening="", next_time="") -> FeedbackLetter:
    """Write or rewrite the feedback on the latest decision, criterion by criterion.

    Args:
        comments: text by criterion id.
    """
    decision = _decision_to_answer(by, proposal)
    letter, _ = hold(FeedbackLetter.objects).get_or_create(decision=decision, defaults={"written_by": by})
    _refuse_released(letter)
    refuse_nhs_numbers(
        {"Opening": opening, "What would change the result": next_time}
        | {f"Criterion {number}": text for number, text in enumerate(comments.values(), 1)}
    )
    letter.opening, letter.next_time, letter.written_by = opening.strip(), next_time.strip(), by
    letter.save()
    criteria = set(decision.proposal.call.criterion_set.criteria.values_list("pk", flat=True))
    for criterion, text in comments.items():
        if criterion in criteria:
            CriterionFeedback.objects.update_or_create(
                letter=letter, criterion_id=criterion, defaults={"text": text.strip()}
            )
    audit.record("write_feedback", decision.proposal, by=by)
    return letter


# The text -------------------------------------------------------------------------------------------------------------
def assembled_text(letter: FeedbackLetter) -> str:
    """The letter as the portal puts it together from decision and feedback: the first line is its subject."""
    decision = letter.decision
    proposal = decision.proposal
    return render_to_string(
        "emails/proposals/letter.txt",
        {
            "name": proposal.applicant.display_name,
            "proposal": proposal,
            "call": proposal.call,
            "decision": decision,
            "award": questions.pounds(decision.amount) if decision.amount else "",
            "letter": letter,
            "comments": sorted(letter.comments.all(), key=lambda comment: comment.criterion.number),
            "url": settings.PORTAL_URL + proposal.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
        },
    ).strip()


def letter_text(letter: FeedbackLetter) -> str:
    """The letter as it will be, or was, sent: the first line is its subject."""
    return letter.sent_text or letter.edited_text or assembled_text(letter)


def mark_of(text: str) -> str:
    """What a page carries of a text, to tell whether it has changed since the page was opened."""
    return hashlib.sha256(text.encode()).hexdigest()


def changed_since_edited(letter: FeedbackLetter) -> list[str]:
    """Lines of the assembled letter that are new since staff rewrote it, and those that went ("+ …", "− …")."""
    if not letter.edited_text:
        return []
    before, now = letter.edited_from.splitlines(), assembled_text(letter).splitlines()
    lines = (line for line in difflib.unified_diff(before, now, lineterm="", n=0) if line[:3] not in ("+++", "---"))
    return [f"{'+' if line[0] == '+' else '−'} {line[1:]}" for line in lines if line[0] in "+-" and line[1:].strip()]


@transaction.atomic
def edit_letter(*, proposal, by, subject, body, seen, use_assembled=False) -> FeedbackLetter:
    """Rewrite a letter as text, or go back to the one that the portal puts together.

    Args:
        seen: `mark_of` the text that the page was opened with; another's change since then is not overwritten.
    """
    decision = _decision_to_answer(by, proposal)
    letter = hold(FeedbackLetter.objects).filter(decision=decision).first()
    if letter is None:
        raise ActionRefused("Write the feedback first.")
    _refuse_released(letter)
    letter.decision = decision
    if mark_of(letter_text(letter)) != seen:
        raise ActionRefused(
            "This letter has changed since you opened this page. Your text is still below: open the page again in "
            "another tab, put together what you want to keep, and save it there."
        )
    subject, body = " ".join(subject.split()), body.replace("\r\n", "\n").strip()
    if not use_assembled and not (subject and body):
        raise ActionRefused("Write a subject and a text, or use the letter as the portal puts it together.")
    refuse_nhs_numbers({"Subject": subject, "Letter": body})
    assembled = assembled_text(letter)
    text = f"Subject: {subject}\n{body}"
    is_same = use_assembled or _plain(text) == _plain(assembled)
    letter.edited_text, letter.edited_from = ("", "") if is_same else (text, assembled)
    letter.save()
    audit.record("edit_letter", decision.proposal, by=by, after={"is_edited": not is_same})
    return letter


def _plain(text) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


# Telling applicants ---------------------------------------------------------------------------------------------------
@transaction.atomic
def release_feedback(*, proposal, by, reason="") -> FeedbackLetter:
    """Tell one applicant: from now on decision and feedback stand on the proposal's page, and the letter is sent once.

    Args:
        reason: why this one is told before the others, where others of the call still wait.
    Raises:
        ActionRefused: a criterion has no feedback yet, it was released before, or others wait and there is no reason.
    """
    decision = _decision_to_answer(by, proposal)
    letter = hold(FeedbackLetter.objects).filter(decision=decision).first()
    if letter is None:
        raise ActionRefused("Write the feedback first.")
    if letter.is_released:
        raise ActionRefused("This feedback has been released already. It was sent once and is not sent again.")
    letter.decision = decision
    if missing := missing_of(decision, letter):
        raise ActionRefused(f"Write feedback on each criterion. Missing: {'; '.join(missing)}.")
    reason = reason.strip()
    if others_wait(decision.proposal) and not reason:
        raise ActionRefused(
            "Other applicants of this call still wait for their letter. Release all letters together, on the page of "
            "the call; or say why this one is told first."
        )
    refuse_nhs_numbers({"Reason": reason})
    letter.released_alone_reason = reason
    _release(letter, by, bands_of_call(decision.proposal.call).get(decision.proposal.pk, {}))
    audit.record(
        "release_feedback", decision.proposal, by=by, after={"outcome": decision.outcome, "alone": bool(reason)}
    )
    return letter


def others_wait(proposal) -> bool:
    """Whether other applicants of the call are to hear yet: undecided, or decided and not told."""
    others = Proposal.objects.filter(call=proposal.call_id).exclude(pk=proposal.pk)
    undecided = others.filter(status__in=(Proposal.Status.IN_ASSESSMENT, Proposal.Status.AT_PANEL))
    return undecided.exists() or pending_decisions(proposal.call).exclude(proposal=proposal.pk).exists()


@transaction.atomic
def release_all_letters(*, call, by) -> list[FeedbackLetter]:
    """Tell every applicant of a call at once: all letters are released, or none.

    A second time finds nothing to release, and says so: nothing is sent twice.

    Raises:
        ActionRefused: a proposal has no decision, or a letter is not complete; names them.
    """
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    stored = locked_call(call.pk)
    if not permissions.can_release_all_letters(by, stored):
        raise ActionRefused(
            "You have an interest in one of the proposals, so you cannot release all letters. Ask a colleague."
        )
    undecided = stored.proposals.filter(status__in=(Proposal.Status.IN_ASSESSMENT, Proposal.Status.AT_PANEL))
    waiting = list(pending_decisions(stored).order_by("proposal__reference"))
    problems = [f"{one.reference}: no decision yet" for one in undecided.order_by("reference")]
    locked = {
        letter.decision_id: letter
        for letter in hold(FeedbackLetter.objects)
        .filter(decision__in=waiting)
        .prefetch_related("comments__criterion")
        .order_by("pk")
    }
    for decision in waiting:
        if missing := missing_of(decision, locked.get(decision.pk)):
            problems.append(f"{decision.proposal.reference}: {'; '.join(missing)}")
    if problems:
        named = ". ".join(problems[:NAMED])
        more = f" And {len(problems) - NAMED} more." if len(problems) > NAMED else ""
        raise ActionRefused(f"Nothing was sent, because something is missing. {named}.{more}")
    if not waiting:
        raise ActionRefused("All letters of this call have been released already. Nothing was sent again.")
    bands = bands_of_call(stored)
    for decision in waiting:
        letter = locked[decision.pk]
        letter.decision = decision
        _release(letter, by, bands.get(decision.proposal_id, {}))
    audit.record("release_all_letters", stored, by=by, after={"letters": len(waiting)})
    return list(locked.values())


def _release(letter, by, bands):
    """Freeze the letter word for word, and hand it to the outbox under its own key. The caller has locked it."""
    text = letter_text(letter)
    letter.sent_text = text
    letter.released_at, letter.released_by = clock.now(), by
    letter.save()
    for criterion, band in bands.items():
        letter.comments.filter(criterion=criterion).update(band=band)
    subject, _, body = text.partition("\n")
    outbox.store_mail(
        to=[letter.decision.proposal.applicant.email],
        subject=subject.removeprefix("Subject:"),
        body=body,
        key=f"proposals.letter.{letter.pk}",
    )
