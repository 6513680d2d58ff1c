"""Adoption, cycles and drivers of a project. `by` None is the portal itself."""

from django.db import transaction
from django.db.models import Max

from projects import permissions
from projects.actions.storing import change, create, lock, require
from projects.models import Adoption, Driver, PdsaCycle
from psc_portal.common import clock
from psc_portal.common.refusals import ActionRefused


@transaction.atomic
def record_adoption(*, project, organisation, stage, since=None, note="", by) -> Adoption:
    """Note how far an organisation has taken up the project, as a new dated row; the same day again corrects that row.

    Raises:
        PermissionDenied: `by` may not edit the project.
        ActionRefused: the day is in the future, or the note holds an NHS number.
    """
    require(permissions.can_edit_project(by, project))
    since = since or clock.today()
    if since > clock.today():
        raise ActionRefused("The day is in the future. Enter the day since when this is so.")
    lock(project)
    project.save(update_fields=["updated_at"])
    if row := Adoption.objects.filter(project=project, organisation=organisation, since=since).first():
        return change(row, "correct_adoption", {"stage": stage, "note": note}, by=by)
    return create(Adoption, project=project, organisation=organisation, stage=stage, since=since, note=note, by=by)


@transaction.atomic
def add_pdsa_cycle(
    *, project, title, starts_on, plan, prediction="", ends_on=None, happened="", learned="", act="", by
) -> PdsaCycle:
    """Add a plan, do, study, act cycle under the next number of its project; what happened may follow later."""
    require(permissions.can_edit_project(by, project))
    _check_cycle(starts_on=starts_on, ends_on=ends_on, act=act, learned=learned)
    lock(project)
    project.save(update_fields=["updated_at"])
    last = project.pdsa_cycles.aggregate(number=Max("number"))["number"] or 0
    return create(
        PdsaCycle,
        project=project,
        number=last + 1,
        title=title,
        starts_on=starts_on,
        ends_on=ends_on,
        plan=plan,
        prediction=prediction,
        happened=happened,
        learned=learned,
        act=act,
        by=by,
    )


@transaction.atomic
def edit_pdsa_cycle(*, pdsa_cycle, by, **changes) -> PdsaCycle:
    """Say what happened in a cycle, or correct it."""
    require(permissions.can_edit_project(by, pdsa_cycle.project))
    pdsa_cycle.project.save(update_fields=["updated_at"])
    names = ["starts_on", "ends_on", "act", "learned"]
    _check_cycle(**{name: changes.get(name, getattr(pdsa_cycle, name)) for name in names})
    return change(pdsa_cycle, "edit_pdsa_cycle", changes, by=by)


def _check_cycle(*, starts_on, ends_on, act, learned) -> None:
    if ends_on and ends_on < starts_on:
        raise ActionRefused("The cycle ends before it starts. Change one of the two dates.")
    if act and not learned.strip():
        raise ActionRefused("Say what you learned before you decide to adopt, adapt or abandon.")


@transaction.atomic
def add_driver(*, project, level, text, parent=None, position=0, by) -> Driver:
    """Add a box of the driver diagram: a primary driver, or something under a driver of the same project."""
    require(permissions.can_edit_project(by, project))
    if parent is not None and parent.project_id != project.pk:
        raise ActionRefused("This driver belongs to another project. Choose one of this project.")
    return create(Driver, project=project, level=level, text=text, parent=parent, position=position, by=by)
