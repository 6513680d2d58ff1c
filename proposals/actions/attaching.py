"""Files beside a proposal: adding, scanning, removing, and the copies that tell no names."""

import logging
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F

from proposals import questions
from proposals.actions.drafting import draft_of
from proposals.actions.locking import hold
from proposals.models import Attachment
from psc_portal.common import audit, clamd, clock, outbox
from psc_portal.common.neutral import neutral_copy
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.uploads import check_upload, clean_name, without_metadata

logger = logging.getLogger(__name__)
MOST_FILES = 5  # beside the proposal; a question takes one
SCAN = "proposals.scan_attachment"
MOST_SCANS = 60  # a minute apart: what has no verdict after that gets none


@transaction.atomic
def add_attachment(*, proposal, by, file, question="") -> Attachment:
    """Keep a file beside a draft, or as the answer to a question, checked by its content.

    Where a scanner is set up, nobody but the team knows of the file before it was found clean.

    Args:
        question: name of the question that it answers. It takes the place of the file that answered before.
    Raises:
        ActionRefused: the sentence names the file and what is wrong with it.
    """
    stored = draft_of(by, proposal)
    name = clean_name(file.name)
    if question:
        _refuse_where_none_is_asked(stored, question, name)
    else:
        _refuse_too_many(stored, name)
    try:
        kind = check_upload(file, max_bytes=settings.UPLOAD_MAX_BYTES)
    except ValidationError as problem:
        raise ActionRefused(" ".join(problem.messages))
    if question:
        stored.attachments.current().filter(question=question).update(removed_at=clock.now())
    try:
        attachment = store_file(
            Attachment(proposal=stored, question=question, name=name, kind=kind, uploaded_by=by),
            without_metadata(file, kind),
        )
    except NotNeutral:
        raise ActionRefused(
            f"“{name}” could not be freed of its document properties, and this call hides who applies. "
            "Save it again or print it to a new PDF, then add that."
        )
    audit.record(
        "add_attachment", attachment, by=by, after=audit.snapshot(attachment, ["proposal", "question", "kind", "size"])
    )
    return attachment


class NotNeutral(Exception):
    """No copy without names can be made, so the file cannot be shown to a reviewer of a blind call."""


def store_file(attachment, content, *, is_clean=False) -> Attachment:
    """Keep the content of a new file, in a blind call its neutral copy too, and have it scanned.

    Args:
        is_clean: the very same content was found clean before.
    Raises:
        NotNeutral: the call is blind, and there is no neutral copy.
    """
    if attachment.proposal.call.is_blind:
        neutral = _neutral(content, attachment.kind)
        ending = PurePath(attachment.name).suffix
        attachment.neutral_file.save(f"neutral{ending}", ContentFile(neutral), save=False)
    attachment.size, attachment.uploaded_at = content.size, clock.now()
    if is_clean:
        attachment.scan_status = Attachment.Scan.CLEAN
    elif clamd.is_set_up():
        attachment.scan_status = Attachment.Scan.WAITING
    content.seek(0)
    attachment.file.save(attachment.name, content, save=False)
    attachment.save()
    if attachment.is_waiting_for_scan:
        outbox.enqueue(SCAN, attachment.pk)
    return attachment


def _refuse_where_none_is_asked(proposal, question, name) -> None:
    sections = questions.sections_of(proposal.call, proposal)
    asked = {one for section in sections for one, found in section.by_name.items() if found.kind == questions.Kind.FILE}
    if question not in asked:
        raise ActionRefused(f"“{name}” was not added: no file is asked for there. Open the section again.")


def _refuse_too_many(proposal, name) -> None:
    beside = proposal.attachments.current().filter(question="").exclude(scan_status=Attachment.Scan.INFECTED)
    if beside.count() >= MOST_FILES:
        raise ActionRefused(
            f"“{name}” was not added: you can add up to {MOST_FILES} files beside a proposal. Remove one first."
        )


def _neutral(file, kind) -> bytes:
    try:
        return neutral_copy(file, kind)
    except Exception as problem:
        logger.exception("no neutral copy of a file")
        raise NotNeutral from problem


@transaction.atomic
def remove_attachment(*, attachment, by) -> None:
    draft_of(by, attachment.proposal)
    stored = hold(Attachment.objects.current()).filter(pk=attachment.pk).first()
    if stored is None:
        raise ActionRefused("This file has been removed already.")
    stored.removed_at = clock.now()
    stored.save(update_fields=["removed_at"])
    audit.record("remove_attachment", stored, by=by)


# The virus scan -------------------------------------------------------------------------------------------------------
def scan_attachment(*, attachment) -> Attachment:
    """Ask the scanner about one file that waits. May run twice: the second finds it scanned.

    A file that cannot be read, or that the scanner will not judge, is tried again for a while: its folder may just not
    be mounted. Then it "could not be scanned" for good, and its team is told: nobody ever gets it.

    Raises:
        ScannerUnavailable: no verdict on any file now; it goes on waiting, and `scan_waiting` asks again.
    """
    if not attachment.is_waiting_for_scan or not clamd.is_set_up():
        return attachment
    try:
        with attachment.file.open("rb") as file:
            virus = clamd.scan(file)
    except (clamd.ScannerUnavailable, ImproperlyConfigured):
        raise
    except Exception as trouble:  # the storage's or the scanner's, about this file: no other one is to wait for it
        logger.exception("attachment %s has no verdict", attachment.pk)
        return _note_trouble(attachment, is_final=isinstance(trouble, clamd.TooLarge))
    return _note_verdict(attachment, Attachment.Scan.INFECTED if virus else Attachment.Scan.CLEAN, virus)


@transaction.atomic
def _note_trouble(attachment, *, is_final) -> Attachment:
    Attachment.objects.filter(pk=attachment.pk).update(scan_attempts=F("scan_attempts") + 1)
    attachment.refresh_from_db(fields=["scan_attempts"])
    if is_final or attachment.scan_attempts >= MOST_SCANS:
        return _note_verdict(attachment, Attachment.Scan.UNSCANNABLE)
    return attachment


@transaction.atomic
def _note_verdict(attachment, verdict, virus="") -> Attachment:
    stored = hold(Attachment.objects).select_related("proposal").get(pk=attachment.pk)
    if not stored.is_waiting_for_scan:
        return stored
    stored.scanned_at = clock.now()
    stored.scan_status = verdict
    stored.save(update_fields=["scan_status", "scanned_at"])
    audit.record("scan_attachment", stored, by=None, after={"scan_status": str(stored.scan_status)})
    if stored.is_infected:
        logger.warning("attachment %s: %s found, deleted", stored.pk, virus)
        transaction.on_commit(lambda: _delete_content(stored.pk))
    if stored.removed_at is None and not stored.may_be_downloaded:
        _tell_the_team(stored, "infected_file" if stored.is_infected else "unscanned_file")
    return stored


def _tell_the_team(attachment, template) -> None:
    proposal = attachment.proposal
    for person in {proposal.applicant, attachment.uploaded_by}:
        outbox.send_mail(
            to=[person.email],
            template=f"proposals/{template}",
            context={
                "name": person.display_name,
                "file": attachment.name,
                "title": proposal.title or "your draft",
                "is_draft": proposal.status == proposal.Status.DRAFT,
                "url": settings.PORTAL_URL + proposal.get_absolute_url(),
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"proposals.{template}.{attachment.pk}.{person.pk}",
        )


def _delete_content(pk) -> None:
    """The row stays, so that the team can be told; its content does not."""
    stored = Attachment.objects.get(pk=pk)
    for content in (stored.file, stored.neutral_file):
        if content:
            content.delete(save=False)
    Attachment.objects.filter(pk=pk).update(file="", neutral_file="")


def scan_waiting(limit: int = 50) -> int:
    """Ask about every file that still waits: those whose job found no scanner, or was lost. Returns how many it asked.

    Those that had trouble before come last, so that they hold up nobody.

    Raises:
        ScannerUnavailable: at the first that finds no scanner; the others wait too.
    """
    if not clamd.is_set_up():
        return 0
    for leftover in Attachment.objects.filter(scan_status=Attachment.Scan.INFECTED).exclude(file="")[:limit]:
        _delete_content(leftover.pk)  # a crash came between verdict and deletion
    waiting = Attachment.objects.filter(scan_status=Attachment.Scan.WAITING).order_by("scan_attempts", "pk")[:limit]
    for attachment in waiting:
        scan_attachment(attachment=attachment)
    return len(waiting)


# What a reviewer of a blind call gets ---------------------------------------------------------------------------------
def neutral_file(*, attachment):
    """The stored copy without document properties; made now for a file from before there were such copies.

    Raises:
        NotNeutral: there is none, and none can be made.
    """
    if not attachment.neutral_file:
        with attachment.file.open("rb") as file:
            content = _neutral(file, attachment.kind)
        stored = Attachment.objects.get(pk=attachment.pk)
        ending = PurePath(stored.file.name).suffix
        stored.neutral_file.save(f"neutral{ending}", ContentFile(content), save=False)
        Attachment.objects.filter(pk=stored.pk).update(neutral_file=stored.neutral_file.name)
        return stored.neutral_file
    return attachment.neutral_file
