"""What leads want a public page to say, and what staff answer. `by` None is the portal itself."""

from django.db import transaction

from projects import emails, permissions, readings
from projects.actions.diagrams import store_diagram
from projects.actions.projects import LEAD_FIELDS, ProjectChanged
from projects.actions.storing import change, check, lock, require
from projects.diagram import from_data
from projects.models import Project, ProposedChange
from psc_portal.common import audit
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

Kind, Status = ProposedChange.Kind, ProposedChange.Status


@transaction.atomic
def propose_texts(*, project, by, seen: str = "", **texts) -> ProposedChange:
    """Send new texts of a public project to staff; what was proposed before and is still open is replaced by them.

    Args:
        seen: mark of what `by` had before them when they began to write.
    Raises:
        PermissionDenied: `by` does not lead the project, or these are not theirs to write.
        ProjectChanged: somebody else proposed or stored other texts since.
        ActionRefused: nothing is new, or a text is missing, too long or holds an NHS number.
    """
    require(permissions.can_edit_project(by, project) and set(texts) <= LEAD_FIELDS)
    check(Project, texts)
    stored = lock(project)
    now = readings.texts_of(stored)
    proposed = readings.open_change(stored, Kind.TEXTS)
    latest, mark = (proposed.after, proposed.updated_at.isoformat()) if proposed else (now, stored.edit_mark)
    after = latest | texts
    if seen and seen != mark and after != latest:
        raise ProjectChanged(latest, mark)
    if proposed and after == proposed.after and proposed.status == Status.WAITING:
        return proposed  # the second of two clicks
    if after == now:
        raise ActionRefused("These are the words that the page shows already. Change something, or go back.")
    if proposed is None:
        proposed = ProposedChange(project=stored, kind=Kind.TEXTS, before=now, author=by)
    proposed.after, proposed.author = after, by
    proposed.save()
    return _send(proposed, by=by)


@transaction.atomic
def send_diagram(*, project, by) -> ProposedChange:
    """Send the changed driver diagram of a public project to staff.

    Raises:
        ActionRefused: it has not been changed, or has been sent already.
    """
    require(permissions.can_edit_project(by, project))
    stored = lock(project)
    proposed = readings.open_change(stored, Kind.DRIVERS)
    if proposed is None or proposed.after == readings.shown_now(proposed):
        raise ActionRefused("The diagram is the one that the page shows already. Change a box first.")
    if proposed.status == Status.WAITING:
        return proposed
    return _send(proposed, by=by)


def _send(proposed, *, by) -> ProposedChange:
    if proposed.status != Status.WAITING:
        proposed.change_status(Status.WAITING, by=by)
        emails.change_proposed(proposed)
    audit.record("propose_change", proposed, by=by, after={"kind": proposed.kind, "project": proposed.project_id})
    return proposed


@transaction.atomic
def approve_change(*, proposed_change, by, seen: str = "") -> ProposedChange:
    """Make a proposed change public.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: it no longer waits, or one of the two sides is not the one that `by` has read.
    """
    require(permissions.can_manage(by))
    proposed = _locked(proposed_change)
    if seen and proposed.status == Status.WAITING and seen != proposed.mark_beside(readings.shown_now(proposed)):
        raise ActionRefused("The page or the proposed change is not the one you read any more. Read both again.")
    proposed.change_status(Status.APPROVED, by=by)
    if proposed.kind == Kind.TEXTS:
        change(proposed.project, "approve_change", readings.changed_texts(proposed), by=by)
    else:
        store_diagram(proposed.project, from_data(proposed.after), by=by)
    emails.change_answered(proposed)
    return proposed


@transaction.atomic
def return_change(*, proposed_change, reason, by) -> ProposedChange:
    """Send a proposed change back with a reason; the page stays as it is and the lead's words are kept.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: there is no reason, it holds an NHS number, or the change no longer waits.
    """
    require(permissions.can_manage(by))
    if not reason.strip():
        raise ActionRefused("Say why it goes back and what would make it fit: the lead reads it.")
    refuse_nhs_numbers({"Why it goes back": reason})
    proposed = _locked(proposed_change)
    proposed.reason = reason.strip()
    proposed.save(update_fields=["reason"])
    proposed.change_status(Status.RETURNED, by=by)
    audit.record("return_change", proposed, by=by)
    emails.change_answered(proposed)
    return proposed


@transaction.atomic
def withdraw_change(*, proposed_change, by) -> ProposedChange:
    """Take back what was proposed; its words stay on record and the page stays as it is."""
    require(permissions.can_edit_project(by, proposed_change.project))
    proposed = _locked(proposed_change)
    proposed.change_status(Status.WITHDRAWN, by=by)
    audit.record("withdraw_change", proposed, by=by)
    return proposed


def _locked(proposed_change) -> ProposedChange:
    """The stored change, its project locked before it."""
    project = lock(proposed_change.project)
    proposed = lock(proposed_change)
    proposed.project = project
    return proposed
