"""Projects and who leads them. `by` None is the portal itself."""

from django.db import transaction

from projects import permissions
from projects.actions.storing import change, check, constraints_as_refusals, create, lock, require
from projects.models import Project, ProjectLead
from projects.readings import LEAD_TEXTS
from psc_portal.common import audit, clock
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.public_pages import changed
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug

LEAD_FIELDS = set(LEAD_TEXTS)
STAFF_FIELDS = LEAD_FIELDS | {
    "title", "priorities", "lead_organisation", "partners", "care_settings", "evidence_level", "starts_on", "ends_on",
    "documents",
}  # fmt: skip


@transaction.atomic
def create_project(
    *,
    title,
    lay_summary,
    aim,
    priorities,
    lead_organisation,
    partners=(),
    care_settings=(),
    origin=Project.Origin.CORE,
    evidence_level=0,
    is_public=False,
    starts_on=None,
    by,
) -> Project:
    """Add a project in set-up. Its slug comes from the title and never changes.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: no priority, a text is missing, too long or holds an NHS number.
    """
    require(permissions.can_manage(by))
    if not priorities:
        raise ActionRefused("Choose at least one priority that the project works on.")
    return create(
        Project,
        slug=unique_slug(Project, title),
        title=title,
        lay_summary=lay_summary,
        aim=aim,
        lead_organisation=lead_organisation,
        care_settings=list(care_settings),
        origin=origin,
        evidence_level=evidence_level,
        is_public=is_public,
        starts_on=starts_on or clock.today(),
        many={"priorities": priorities, "partners": _without(partners, lead_organisation)},
        by=by,
    )


def _without(partners, lead_organisation) -> list:
    return [partner for partner in partners if partner != lead_organisation]


class ProjectChanged(ActionRefused):
    """Somebody stored other texts after this page was opened; `texts` are theirs, with the mark of now."""

    def __init__(self, texts: dict, mark: str):
        super().__init__(
            "Somebody changed this page while you were writing. Your text is kept, and theirs is shown below the form: "
            "bring the two together and save again."
        )
        self.texts, self.mark = texts, mark


@transaction.atomic
def edit_project(*, project, by, seen: str = "", **changes) -> Project:
    """Change what the page of a project says: staff STAFF_FIELDS; its leads LEAD_FIELDS while it is not public.

    Args:
        seen: `edit_mark` of the project as `by` saw it, so that the change cannot cover up somebody else's.
    Raises:
        PermissionDenied: `by` may not edit it, or not these fields.
        ProjectChanged: somebody else changed it since.
        ActionRefused: a text is missing, too long or holds an NHS number.
    """
    require(permissions.can_publish_words(by, project))
    require(set(changes) <= (STAFF_FIELDS if permissions.can_manage(by) else LEAD_FIELDS))
    stored = lock(project)
    if seen and seen != stored.edit_mark and any(getattr(stored, name) != changes[name] for name in changes):
        raise ProjectChanged({name: getattr(stored, name) for name in changes}, stored.edit_mark)
    if stored.status == Project.Status.STOPPED and not changes.get("reuse_advice", "-").strip():
        raise ActionRefused("Keep the advice on what another place could take from it: stopped work stays of use.")
    if "priorities" in changes and not changes["priorities"]:
        raise ActionRefused("Choose at least one priority that the project works on.")
    if {"partners", "lead_organisation"} & set(changes):
        partners = changes.get("partners", project.partners.all())
        changes["partners"] = _without(partners, changes.get("lead_organisation", project.lead_organisation))
    return change(project, "edit_project", changes, by=by)


@transaction.atomic
def change_stage(*, project, stage, reason="", reuse_advice="", by) -> Project:
    """Move a project to another stage. Stopping needs a reason and advice on reuse, which everyone can read.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: there is no way from its stage to that one, or it stops without a reason or advice.
    """
    require(permissions.can_manage(by))
    check(Project, {"status": stage})
    before = lock(project).status
    is_stopping = stage == Project.Status.STOPPED
    if is_stopping and not reason.strip():
        raise ActionRefused("Say why it stops: others learn from it, and the page shows it.")
    if is_stopping and not reuse_advice.strip():
        raise ActionRefused("Say what another place could take from it, even if it is only what not to try again.")
    if is_stopping:
        refuse_nhs_numbers({"Why it stopped": reason, "What another place could take from it": reuse_advice})
        project.stopped_reason, project.reuse_advice = reason.strip(), reuse_advice.strip()
        project.save(update_fields=["stopped_reason", "reuse_advice"])
    project.change_status(stage, by=by)
    is_over = stage in {Project.Status.CLOSED, Project.Status.STOPPED}
    project.ends_on = (project.ends_on or clock.today()) if is_over else None
    with constraints_as_refusals():
        project.save(update_fields=["ends_on"])
    audit.record("change_stage", project, by=by, before={"status": before}, after={"status": stage})
    changed()
    return project


@transaction.atomic
def publish_project(*, project, by) -> Project:
    require(permissions.can_manage(by))
    return change(project, "publish_project", {"is_public": True}, by=by)


@transaction.atomic
def hide_project(*, project, by) -> Project:
    """Take the page from public view, as for a mistake. Stopped work is not hidden: its page says why it stopped."""
    require(permissions.can_manage(by))
    if lock(project).status == Project.Status.STOPPED:
        raise ActionRefused("A stopped project stays public, with its reason, so that others can learn from it.")
    return change(project, "hide_project", {"is_public": False}, by=by)


@transaction.atomic
def add_project_lead(*, project, user, role="Project lead", by) -> ProjectLead:
    """Let a person keep the page of a project. The page shows the role, not the name."""
    require(permissions.can_manage(by))
    if not user.is_active:
        raise ActionRefused("This account is closed. Choose another person.")
    return create(ProjectLead, project=project, user=user, role=role, from_date=clock.today(), by=by)


@transaction.atomic
def end_project_lead(*, project, project_lead, by) -> ProjectLead:
    """The person no longer edits the project from now on; that they led it stays on record."""
    require(permissions.can_manage(by))
    if project_lead.project_id != project.pk or project_lead.to_date is not None:
        raise ActionRefused("This person does not lead the project. Reload the page to see who does.")
    return change(project_lead, "end_project_lead", {"to_date": clock.today()}, by=by)
