"""What can be done with organisations, affiliations, priorities and projects. `by` None is the portal itself."""

from collections.abc import Mapping
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import Max
from django.urls import reverse

from projects import permissions
from projects.models import (
    Adoption,
    Affiliation,
    Driver,
    Organisation,
    PdsaCycle,
    Priority,
    Project,
    ProjectLead,
    System,
)
from psc_portal.common import audit, clock, outbox
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.public_pages import changed
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug

REFUSALS = {  # constraint in the database -> what a person is told
    "projects_system_code_key": "There is already a system with this code. Look for it in the list.",
    "projects_system_name_key": "There is already a system of this name. Look for it in the list.",
    "projects_organisation_ods_code_key": "Another organisation has this ODS code. Look for it in the list.",
    "organisation_is_not_its_own_successor": "An organisation cannot follow itself. Choose another successor.",
    "organisation_closes_after_it_opens": "The closing date is before the opening date. Change one of the two.",
    "projects_priority_title_key": "There is already a priority of this name. Choose another name.",
    "priority_ends_after_start": "The last day is before the first day. Change one of the two.",
    "must_do_topics_are_never_retired": "A national must-do topic stays a priority. You can edit its words.",
    "project_ends_after_start": "The end is before the start. Change one of the two dates.",
    "one_live_affiliation_of_a_person_with_an_organisation": (
        "You have already said that you belong to this organisation. Look for it in your list."
    ),
    "one_open_lead_row_a_person": "This person leads the project already.",
    "projects_project_slug_key": "Someone else has just saved a project of this name. Try again.",
    "projects_priority_slug_key": "Someone else has just saved a priority of this name. Try again.",
    "projects_organisation_slug_key": "Someone else has just saved an organisation of this name. Try again.",
}


@contextmanager
def constraints_as_refusals():
    """What a named constraint does not let in becomes a sentence; anything else stays an error."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if sentence := REFUSALS.get(error.__cause__.diag.constraint_name):
            raise ActionRefused(sentence) from error
        raise


def _require(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied


def _check(model, values: Mapping) -> None:
    """Refuse what is missing, too long, not in its list or holds an NHS number, naming the place as the forms do."""
    texts = {}
    for field, value in [(model._meta.get_field(name), value) for name, value in values.items()]:
        place = field.verbose_name[:1].upper() + field.verbose_name[1:]
        if getattr(field, "choices", None):
            if value not in {choice for choice, _label in field.flatchoices} | ({""} if field.blank else set()):
                raise ActionRefused(f"{place}: choose one from the list.")
        elif isinstance(field, models.CharField | models.TextField):
            texts[place] = value or ""
            if not texts[place].strip() and not field.blank:
                raise ActionRefused(f"{place}: enter some text.")
            if field.max_length and len(texts[place]) > field.max_length:
                raise ActionRefused(f"{place}: use {field.max_length} characters or fewer.")
    refuse_nhs_numbers(texts)


def _create(model, *, by, many=None, **values):
    """A new row with its links to many, and its audit event."""
    many = many or {}
    _check(model, values)
    with constraints_as_refusals():
        row = model.objects.create(**values)
        for name, rows in many.items():
            getattr(row, name).set(rows)
    audit.record(f"create_{model._meta.model_name}", row, by=by, after=audit.snapshot(row, [*values, *many]))
    changed()
    return row


def _lock(row):
    """The stored row, which nobody else changes until this transaction ends."""
    return type(row)._base_manager.select_for_update(of=("self",)).get(pk=row.pk)


def _change(row, verb: str, values: Mapping, *, by):
    """Set fields of a row, links to many included, with one audit event that holds both sides."""
    _check(type(row), values)
    stored = _lock(row)
    before = audit.snapshot(stored, values)
    columns = [name for name in values if not row._meta.get_field(name).many_to_many]
    with constraints_as_refusals():
        for name, value in values.items():
            if name in columns:
                setattr(row, name, value)
            else:
                getattr(row, name).set(value)
        row.save(update_fields=columns)
    after = audit.snapshot(row, values)
    audit.record(verb, row, by=by, before=before, after=after)
    changed()
    return row


# Organisations -------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_system(*, code, name, by) -> System:
    _require(permissions.can_manage(by))
    return _create(System, code=code.upper(), name=name, by=by)


@transaction.atomic
def create_organisation(*, name, ods_code=None, former_names=(), by, **details) -> Organisation:
    """Add an organisation; `details` are the remaining fields of its row."""
    _require(permissions.can_manage(by))
    return _create(
        Organisation,
        slug=unique_slug(Organisation, name),
        name=name,
        ods_code=(ods_code or "").strip().upper() or None,
        former_names=list(former_names),
        by=by,
        **details,
    )


@transaction.atomic
def edit_organisation(*, organisation, ods_code=None, by, **details) -> Organisation:
    """Change anything but its name, which `rename_organisation` does."""
    _require(permissions.can_manage(by))
    if {"name", "slug", "former_names"} & set(details):
        raise ActionRefused("The name is changed by “rename”, which keeps the former one.")
    details["ods_code"] = (ods_code or "").strip().upper() or None
    return _change(organisation, "edit_organisation", details, by=by)


@transaction.atomic
def rename_organisation(*, organisation, name, by) -> Organisation:
    """Give a new name and keep the former one; the address stays."""
    _require(permissions.can_manage(by))
    stored = _lock(organisation)
    if name.strip() == stored.name:
        raise ActionRefused("This is its name already. Enter the new one.")
    former_names = [*stored.former_names, stored.name]
    return _change(organisation, "rename_organisation", {"name": name.strip(), "former_names": former_names}, by=by)


# Affiliations --------------------------------------------------------------------------------------------------------
@transaction.atomic
def claim_affiliation(*, organisation, role, by) -> Affiliation:
    """Say that one belongs to an organisation; staff confirm it.

    Raises:
        PermissionDenied: nobody is logged in.
        ActionRefused: claimed already, the organisation has closed, or the role is missing.
    """
    _require(by is not None and permissions.can_claim(by))
    if not Organisation.objects.current().filter(pk=organisation.pk).exists():
        raise ActionRefused(f"{organisation} has closed. Choose the organisation that follows it.")
    return _create(Affiliation, user=by, organisation=organisation, role=role, from_date=clock.today(), by=by)


@transaction.atomic
def confirm_affiliation(*, affiliation, by) -> Affiliation:
    _require(permissions.can_answer_claim(by, affiliation))
    return _answer_claim(affiliation, Affiliation.Status.CONFIRMED, by=by)


@transaction.atomic
def decline_affiliation(*, affiliation, by) -> Affiliation:
    _require(permissions.can_answer_claim(by, affiliation))
    return _answer_claim(affiliation, Affiliation.Status.DECLINED, by=by)


def _answer_claim(affiliation, status, *, by) -> Affiliation:
    before = affiliation.status
    affiliation.change_status(status, by=by)
    affiliation.confirmed_by = by if status == Affiliation.Status.CONFIRMED else None
    affiliation.save(update_fields=["confirmed_by"])
    audit.record(f"affiliation_{status}", affiliation, by=by, before={"status": before}, after={"status": status})
    if affiliation.user.is_active:
        outbox.send_mail(
            to=[affiliation.user.email],
            template="projects/affiliation_answered",
            context={
                "name": affiliation.user.display_name,
                "organisation": str(affiliation.organisation),
                "is_confirmed": status == Affiliation.Status.CONFIRMED,
                "url": settings.PORTAL_URL + reverse("projects:affiliation_list"),
                "collaborative": settings.COLLABORATIVE,
            },
            key=f"affiliation-{affiliation.pk}-{status}",
        )
    return affiliation


@transaction.atomic
def end_affiliation(*, affiliation, by) -> Affiliation:
    """The person no longer belongs there, or takes the claim back. What they did there keeps its history."""
    _require(permissions.can_end_affiliation(by, affiliation))
    before = affiliation.status
    affiliation.change_status(Affiliation.Status.ENDED, by=by)
    affiliation.to_date = max(clock.today(), affiliation.from_date)
    affiliation.save(update_fields=["to_date"])
    audit.record("end_affiliation", affiliation, by=by, before={"status": before}, after={"status": "ended"})
    return affiliation


# Priorities ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_priority(*, title, summary, kind=Priority.Kind.LOCAL, by, **details) -> Priority:
    _require(permissions.can_manage(by))
    slug = unique_slug(Priority, title)
    return _create(Priority, slug=slug, title=title, summary=summary, kind=kind, by=by, **details)


@transaction.atomic
def edit_priority(*, priority, by, **details) -> Priority:
    """Change its words, order and dates. Whether it is a must-do topic is not for the portal to change.

    Raises:
        ActionRefused: a must-do topic would be hidden by a first day in the future.
    """
    _require(permissions.can_manage(by))
    if {"kind", "slug", "to_date"} & set(details):
        raise ActionRefused("Its kind and its address stay as they are; to end it, retire it.")
    if priority.is_must_do and details.get("from_date", priority.from_date) > clock.today():
        raise ActionRefused("A national must-do topic is always shown: choose a first day that is not in the future.")
    return _change(priority, "edit_priority", details, by=by)


@transaction.atomic
def retire_priority(*, priority, to_date, by) -> Priority:
    """Say until when a local priority is one; its page stays.

    Raises:
        ActionRefused: it is a national must-do topic, or the day is before its first.
    """
    _require(permissions.can_manage(by))
    if priority.is_must_do:
        raise ActionRefused(REFUSALS["must_do_topics_are_never_retired"])
    return _change(priority, "retire_priority", {"to_date": to_date}, by=by)


# Projects ------------------------------------------------------------------------------------------------------------
LEAD_FIELDS = {"lay_summary", "aim", "result", "what_did_not_work"}
STAFF_FIELDS = LEAD_FIELDS | {
    "title", "priorities", "lead_organisation", "partners", "care_settings", "evidence_level", "starts_on", "ends_on",
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
    _require(permissions.can_manage(by))
    if not priorities:
        raise ActionRefused("Choose at least one priority that the project works on.")
    return _create(
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
    """Somebody stored other texts after this page was opened; `stored` is the project as it is now."""

    def __init__(self, stored):
        super().__init__(
            "Somebody changed this page while you were writing. Your text is kept, and theirs is shown below the form: "
            "bring the two together and save again."
        )
        self.stored = stored


@transaction.atomic
def edit_project(*, project, by, seen: str = "", **changes) -> Project:
    """Change what the page of a project says: its leads LEAD_FIELDS, staff STAFF_FIELDS.

    Args:
        seen: `edit_mark` of the project as `by` saw it, so that the change cannot cover up somebody else's.
    Raises:
        PermissionDenied: `by` may not edit it, or not these fields.
        ProjectChanged: somebody else changed it since.
        ActionRefused: a text is missing, too long or holds an NHS number.
    """
    _require(permissions.can_edit_project(by, project))
    _require(set(changes) <= (STAFF_FIELDS if permissions.can_manage(by) else LEAD_FIELDS))
    stored = _lock(project)
    if seen and seen != stored.edit_mark and any(getattr(stored, name) != changes[name] for name in changes):
        raise ProjectChanged(stored)
    if "priorities" in changes and not changes["priorities"]:
        raise ActionRefused("Choose at least one priority that the project works on.")
    if {"partners", "lead_organisation"} & set(changes):
        partners = changes.get("partners", project.partners.all())
        changes["partners"] = _without(partners, changes.get("lead_organisation", project.lead_organisation))
    return _change(project, "edit_project", changes, by=by)


@transaction.atomic
def change_stage(*, project, stage, reason="", by) -> Project:
    """Move a project to another stage. Stopping needs a reason, which everyone can read.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: there is no way from its stage to that one, or it stops without a reason.
    """
    _require(permissions.can_manage(by))
    _check(Project, {"status": stage})
    before = _lock(project).status
    is_stopping = stage == Project.Status.STOPPED
    if is_stopping and not reason.strip():
        raise ActionRefused("Say why it stops: others learn from it, and the page shows it.")
    if is_stopping:
        refuse_nhs_numbers({"Why it stopped": reason})
        project.stopped_reason = reason.strip()
        project.save(update_fields=["stopped_reason"])
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
    _require(permissions.can_manage(by))
    return _change(project, "publish_project", {"is_public": True}, by=by)


@transaction.atomic
def hide_project(*, project, by) -> Project:
    """Take the page from public view, as for a mistake. Stopped work is not hidden: its page says why it stopped."""
    _require(permissions.can_manage(by))
    if _lock(project).status == Project.Status.STOPPED:
        raise ActionRefused("A stopped project stays public, with its reason, so that others can learn from it.")
    return _change(project, "hide_project", {"is_public": False}, by=by)


@transaction.atomic
def add_project_lead(*, project, user, by) -> ProjectLead:
    _require(permissions.can_manage(by))
    if not user.is_active:
        raise ActionRefused("This account is closed. Choose another person.")
    return _create(ProjectLead, project=project, user=user, from_date=clock.today(), by=by)


@transaction.atomic
def end_project_lead(*, project, project_lead, by) -> ProjectLead:
    """The person no longer edits the project from now on; that they led it stays on record."""
    _require(permissions.can_manage(by))
    if project_lead.project_id != project.pk or project_lead.to_date is not None:
        raise ActionRefused("This person does not lead the project. Reload the page to see who does.")
    return _change(project_lead, "end_project_lead", {"to_date": clock.today()}, by=by)


@transaction.atomic
def record_adoption(*, project, organisation, stage, since=None, note="", by) -> Adoption:
    """Note how far an organisation has taken up the project, as a new dated row; the same day again corrects that row.

    Raises:
        PermissionDenied: `by` may not edit the project.
        ActionRefused: the day is in the future, or the note holds an NHS number.
    """
    _require(permissions.can_edit_project(by, project))
    since = since or clock.today()
    if since > clock.today():
        raise ActionRefused("The day is in the future. Enter the day since when this is so.")
    _lock(project)
    project.save(update_fields=["updated_at"])
    if row := Adoption.objects.filter(project=project, organisation=organisation, since=since).first():
        return _change(row, "correct_adoption", {"stage": stage, "note": note}, by=by)
    return _create(Adoption, project=project, organisation=organisation, stage=stage, since=since, note=note, by=by)


@transaction.atomic
def add_pdsa_cycle(
    *, project, title, starts_on, plan, prediction="", ends_on=None, happened="", learned="", act="", by
) -> PdsaCycle:
    """Add a plan, do, study, act cycle under the next number of its project; what happened may follow later."""
    _require(permissions.can_edit_project(by, project))
    _check_cycle(starts_on=starts_on, ends_on=ends_on, act=act, learned=learned)
    _lock(project)
    project.save(update_fields=["updated_at"])
    last = project.pdsa_cycles.aggregate(number=Max("number"))["number"] or 0
    return _create(
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
    _require(permissions.can_edit_project(by, pdsa_cycle.project))
    pdsa_cycle.project.save(update_fields=["updated_at"])
    names = ["starts_on", "ends_on", "act", "learned"]
    _check_cycle(**{name: changes.get(name, getattr(pdsa_cycle, name)) for name in names})
    return _change(pdsa_cycle, "edit_pdsa_cycle", changes, by=by)


def _check_cycle(*, starts_on, ends_on, act, learned) -> None:
    if ends_on and ends_on < starts_on:
        raise ActionRefused("The cycle ends before it starts. Change one of the two dates.")
    if act and not learned.strip():
        raise ActionRefused("Say what you learned before you decide to adopt, adapt or abandon.")


@transaction.atomic
def add_driver(*, project, level, text, parent=None, position=0, by) -> Driver:
    """Add a box of the driver diagram: a primary driver, or something under a driver of the same project."""
    _require(permissions.can_edit_project(by, project))
    if parent is not None and parent.project_id != project.pk:
        raise ActionRefused("This driver belongs to another project. Choose one of this project.")
    return _create(Driver, project=project, level=level, text=text, parent=parent, position=position, by=by)
