"""Questions of a proposal's team to the programme, answers, and answers published for everyone."""

import re

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from proposals import permissions
from proposals.actions.locking import hold, locked_call, locked_proposal
from proposals.models import Call, CallAnswer, Message, MessagesRead, Proposal
from psc_portal.common import audit, clock, outbox, public_pages
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

LONGEST = 5000  # characters
SHORTEST_NAME = 4  # characters: a shorter one is a word of its own too often


@transaction.atomic
def ask_programme(*, proposal, by, text) -> Message:
    """A question or message of the team, kept with the proposal; the programme gets a mail with a link.

    Sending the same text twice in a row, as a double click does, is one message.
    """
    stored = _locked(proposal)
    if not permissions.can_edit(by, stored):
        raise PermissionDenied
    message, is_new = _write(stored, by, text, is_from_team=True)
    if is_new:
        outbox.send_mail(
            to=[settings.COLLABORATIVE["email"]],
            template="proposals/question",
            context={
                "what": stored.reference or "a draft",
                "call": stored.call.title,
                "url": settings.PORTAL_URL + reverse("admin:proposals_message_answer", args=[message.pk]),
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"proposals.message.{message.pk}",
        )
    return message


@transaction.atomic
def answer_message(*, message, by, text) -> Message:
    """The programme's answer. Applicant and asker get a mail with a link, never the text."""
    return _write_from_us(message.proposal, by, text, may=permissions.can_answer)


@transaction.atomic
def write_to_team(*, proposal, by, text) -> Message:
    """A message of the programme that answers no question, to the team of a submitted proposal."""
    return _write_from_us(proposal, by, text, may=permissions.can_handle)


def _write_from_us(proposal, by, text, *, may) -> Message:
    stored = _locked(proposal)
    if not may(by, stored):
        raise PermissionDenied
    message, is_new = _write(stored, by, text, is_from_team=False)
    if is_new:
        _tell_team(stored, message)
    return message


def note_messages_read(*, proposal, by, until) -> None:
    """Somebody of the team has the messages on their page that were sent until this moment: they wait no longer."""
    if not permissions.can_read(by, proposal):
        raise PermissionDenied
    read, is_new = MessagesRead.objects.get_or_create(proposal=proposal, user=by, defaults={"until": until})
    if not is_new:
        MessagesRead.objects.filter(pk=read.pk, until__lt=until).update(until=until)  # another window may show more


def _locked(proposal) -> Proposal:
    """Locked, so that two clicks at once come one after the other."""
    return locked_proposal(proposal.pk, "applicant")


def _write(proposal, by, text, *, is_from_team) -> tuple[Message, bool]:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise ActionRefused("Write your message first.")
    if len(text) > LONGEST:
        raise ActionRefused(
            f"A message can have up to {LONGEST:,} characters. Yours has {len(text):,}: shorten it, or send it in two."
        )
    refuse_nhs_numbers({"Your message": text})
    last = proposal.messages.order_by("sent_at", "pk").last()
    if last and (last.by_id, last.is_from_team, last.text) == (by.pk, is_from_team, text):
        return last, False
    message = Message.objects.create(proposal=proposal, by=by, is_from_team=is_from_team, text=text)
    audit.record("send_message" if is_from_team else "answer_message", message, by=by)
    return message, True


def _tell_team(proposal, message):
    """The applicant, and whoever else of the team has asked."""
    asked = [one.by for one in proposal.messages.filter(is_from_team=True).select_related("by")]
    people = {person.pk: person for person in (proposal.applicant, *asked) if permissions.can_read(person, proposal)}
    for person in people.values():
        outbox.send_mail(
            to=[person.email],
            template="proposals/answer",
            context={
                "name": person.display_name,
                "what": proposal.reference or "your draft",
                "call": proposal.call.title,
                "url": settings.PORTAL_URL + proposal.get_absolute_url() + "#messages",
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"proposals.message.{message.pk}.{person.pk}",
        )


# For everyone ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def publish_answer(*, by, question, answer, call=None, message=None) -> CallAnswer:
    """Put a question of general interest and its answer on the call's page, in words that name nobody.

    Raises:
        ActionRefused: a text is missing, or it names the proposal, its team or their organisation.
    """
    if message is not None:
        proposal = Proposal.objects.select_related("call", "applicant", "organisation").get(pk=message.proposal_id)
        call = proposal.call
        if not permissions.can_answer(by, proposal):
            raise PermissionDenied
        _refuse_names(proposal, {"The question": question, "The answer": answer})
    if not permissions.can_manage_call(by, call):
        raise PermissionDenied
    if call.status == Call.Status.DRAFT:
        raise ActionRefused("Publish the call first. Nobody can see its page yet.")
    question, answer = _both(question, answer)
    locked_call(call.pk)  # two clicks at once come one after the other
    again = CallAnswer.objects.filter(call=call, question=question, answer=answer).first()
    if again:
        return again
    published = CallAnswer.objects.create(
        call=call, question=question, answer=answer, published_at=clock.now(), published_by=by, message=message
    )
    audit.record("publish_answer", published, by=by)
    public_pages.changed()
    return published


@transaction.atomic
def edit_answer(*, call_answer, by, question, answer) -> CallAnswer:
    stored = hold(CallAnswer.objects).select_related("call").get(pk=call_answer.pk)
    if not permissions.can_manage_call(by, stored.call):
        raise PermissionDenied
    if stored.message_id:
        _refuse_names(stored.message.proposal, {"The question": question, "The answer": answer})
    stored.question, stored.answer = _both(question, answer)
    stored.save(update_fields=["question", "answer"])
    audit.record("edit_answer", stored, by=by)
    public_pages.changed()
    return stored


def _both(question, answer) -> tuple[str, str]:
    question, answer = question.strip(), answer.strip()
    if not question or not answer:
        raise ActionRefused("Write both the question and the answer.")
    refuse_nhs_numbers({"The question": question, "The answer": answer})
    return question, answer


def _refuse_names(proposal, texts):
    """What would tell readers who asked: names of the team and its organisations, and of the proposal itself."""
    team = [proposal.applicant, *(one.user for one in proposal.collaborators.select_related("user") if one.user)]
    organisations = [partner.name for partner in proposal.partners.all()]
    answers = proposal.answers
    names = [
        *(person.full_name for person in team),
        *(person.email for person in team),
        *organisations,
        proposal.applicant_organisation_name,
        answers.get("organisation_name") or "",
        proposal.reference or "",
        proposal.title,
    ]
    names = {name.strip() for name in names if len(name.strip()) >= SHORTEST_NAME}
    for place, text in texts.items():
        found = [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]
        if found:
            raise ActionRefused(f"{place} names “{found[0]}”. Everyone can read it: reword it so that it names nobody.")
