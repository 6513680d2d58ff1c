"""The driver diagram of a project: one box at a time. `by` None is the portal itself.

On a public project a lead works on a copy, which staff approve as a whole; everybody else changes the page's own.
"""

from collections.abc import Callable

from django.db import transaction

from projects import diagram, permissions, readings
from projects.actions.storing import lock, require
from projects.diagram import Box, DiagramError
from projects.models import Driver, ProposedChange
from psc_portal.common import audit
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

Kind, Status = ProposedChange.Kind, ProposedChange.Status


@transaction.atomic
def add_box(*, project, level, text, parent="", also=(), by) -> None:
    """Add a box to the diagram that `by` works on.

    Raises:
        PermissionDenied: `by` may not edit the project.
        ActionRefused: it says nothing, hangs nowhere, holds an NHS number, or the diagram is full.
    """
    refuse_nhs_numbers({"Words": text})
    _change(project, lambda boxes: diagram.added(boxes, level=level, text=text, parent=parent, also=also), by=by)


@transaction.atomic
def change_box(*, project, key, text, parent="", also=(), by) -> None:
    """Give a box other words, or hang it under another one."""
    refuse_nhs_numbers({"Words": text})
    _change(project, lambda boxes: diagram.changed(boxes, key, text=text, parent=parent, also=also), by=by)


@transaction.atomic
def move_box(*, project, key, up, by) -> None:
    _change(project, lambda boxes: diagram.moved(boxes, key, up=up), by=by)


@transaction.atomic
def remove_box(*, project, key, by) -> None:
    """Take out a box that carries no others.

    Raises:
        ActionRefused: boxes hang under it, or it is gone already.
    """
    _change(project, lambda boxes: diagram.removed(boxes, key), by=by)


def working_diagram(project, user) -> list[Box]:
    """The boxes that `user` works on: the open proposal where a lead has one, else what the page shows."""
    if permissions.can_publish_words(user, project):
        return readings.boxes_of(project)
    proposed = readings.open_change(project, Kind.DRIVERS)
    return diagram.from_data(proposed.after) if proposed else readings.boxes_of(project)


def _change(project, operation: Callable[[list[Box]], list[Box]], *, by) -> None:
    require(permissions.can_edit_project(by, project))
    stored = lock(project)
    before = working_diagram(stored, by)
    try:
        after = operation(before)
    except DiagramError as error:
        raise ActionRefused(str(error)) from error
    if after == before:
        return
    if permissions.can_publish_words(by, stored):
        store_diagram(stored, after, by=by)
    else:
        _keep_proposed(stored, diagram.to_data(after), by=by)


def _keep_proposed(project, after: list[dict], *, by) -> None:
    proposed = readings.open_change(project, Kind.DRIVERS)
    if proposed is None:
        before = diagram.to_data(readings.boxes_of(project))
        proposed = ProposedChange(project=project, kind=Kind.DRIVERS, before=before)
    proposed.after, proposed.author = after, by
    proposed.save()
    if proposed.status != Status.DRAFT:
        proposed.change_status(Status.DRAFT, by=by)
    audit.record("propose_boxes", proposed, by=by, after={"boxes": len(after)})


def store_diagram(project, boxes: list[Box], *, by) -> None:
    """Make these the boxes of the page: rows that are known are changed, new ones added, the others deleted."""
    rows = {readings.key_of(row): row for row in project.drivers.all()}
    kept = {}
    for position, box in enumerate(diagram.in_order(boxes)):  # those above come first
        row = rows.get(box.key) or Driver(project=project, level=box.level)
        row.text, row.position, row.parent = box.text, position, kept.get(box.parent)
        row.save()
        kept[box.key] = row
    for box in boxes:
        kept[box.key].also_serves.set(kept[key] for key in box.also if key in kept)
    for level in reversed(Driver.Level.values):
        gone = [row.pk for key, row in rows.items() if key not in kept and row.level == level]
        Driver.objects.filter(pk__in=gone).delete()
    project.save(update_fields=["updated_at"])
    audit.record("store_diagram", project, by=by, before={"boxes": len(rows)}, after={"boxes": len(boxes)})
