"""What a merger of organisations does with people and projects, and what a person who leaves hands over here."""

from functools import partial

from django.db.models import Q

from projects.actions.storing import change, create
from projects.models import Adoption, Affiliation, Project, ProjectLead
from psc_portal.common import clock
from psc_portal.common.registry import Duty, MergeStep

RUNNING = [status for status in Project.Status if status not in (Project.Status.CLOSED, Project.Status.STOPPED)]


# A person leaves -----------------------------------------------------------------------------------------------------
def duties(user, organisation_pk):
    """The projects that the person leads, those of one organisation or all."""
    leads = ProjectLead.objects.current().filter(user=user).select_related("project")
    if organisation_pk:
        leads = leads.filter(
            Q(project__lead_organisation=organisation_pk)
            | Q(project__in=Project.partners.through.objects.filter(organisation=organisation_pk).values("project"))
        )
    return [
        Duty(
            key=f"project-{lead.project_id}",
            kind="Project",
            title=lead.project.title,
            url=lead.project.get_absolute_url(),
            hand_over=partial(_hand_over_project, lead),
            let_go=partial(_end_lead, lead),
        )
        for lead in leads
    ]


def _end_lead(lead, *, by):
    change(lead, "end_project_lead", {"to_date": clock.today()}, by=by)


def _hand_over_project(lead, to, *, by):
    _end_lead(lead, by=by)
    if not ProjectLead.objects.current().filter(project=lead.project_id, user=to).exists():
        create(ProjectLead, project=lead.project, user=to, from_date=clock.today(), by=by)


# Organisations merge -------------------------------------------------------------------------------------------------
def merge_steps(organisation, into, on):
    yield from _people(organisation, into)
    yield from _projects(organisation, into)
    yield from _adoptions(organisation, into, on)


def _people(organisation, into):
    live = Affiliation.objects.filter(organisation=organisation, status__in=["claimed", "confirmed"])
    there = {
        one.user_id: one for one in Affiliation.objects.filter(organisation=into, status__in=["claimed", "confirmed"])
    }
    for affiliation in live.select_related("user"):
        yield MergeStep(
            "People",
            f"{affiliation.user.display_name}, {affiliation.role}",
            f"belongs to {into} from then on, {affiliation.get_status_display().lower()} as before",
            partial(_move_person, affiliation, there.get(affiliation.user_id), into),
        )


def _move_person(affiliation, other, into, *, by):
    status, signing = affiliation.status, affiliation.signing
    affiliation.change_status(Affiliation.Status.ENDED, by=by)
    affiliation.to_date = max(clock.today(), affiliation.from_date)
    affiliation.save(update_fields=["to_date"])
    if other is None:
        other = create(
            Affiliation, user=affiliation.user, organisation=into, role=affiliation.role, signing=signing, by=by
        )
    elif other.signing == Affiliation.Signing.NO:
        other.signing = signing
        other.save(update_fields=["signing"])
    if status == Affiliation.Status.CONFIRMED and other.status == Affiliation.Status.CLAIMED:
        other.change_status(Affiliation.Status.CONFIRMED, by=by)
        other.confirmed_by = by
        other.save(update_fields=["confirmed_by"])


def _projects(organisation, into):
    for project in Project.objects.filter(lead_organisation=organisation):
        if project.status in RUNNING:
            yield MergeStep("Projects", project.title, f"is led by {into}", partial(_lead, project, into))
        else:
            yield MergeStep("Projects", project.title, "is over: it stays with the name of its time")
    for project in Project.objects.filter(partners=organisation):
        if project.status in RUNNING:
            what = f"has {into} as a partner instead"
            yield MergeStep("Projects", project.title, what, partial(_join, project, organisation, into))
        else:
            yield MergeStep("Projects", project.title, "is over: it stays with the name of its time")


def _lead(project, into, *, by):
    partners = [one for one in project.partners.all() if one.pk != into.pk]
    change(project, "merge_lead_organisation", {"lead_organisation": into, "partners": partners}, by=by)


def _join(project, organisation, into, *, by):
    partners = {one.pk: one for one in project.partners.all() if one.pk != organisation.pk}
    if project.lead_organisation_id != into.pk:
        partners[into.pk] = into
    change(project, "merge_partner", {"partners": list(partners.values())}, by=by)


def _adoptions(organisation, into, on):
    """The newest stage of each project that was not stopped goes on with the successor, if it has none of its own."""
    rows = Adoption.objects.filter(organisation__in=[organisation, into]).select_related("project")
    newest = {(row.organisation_id, row.project_id): row for row in rows.order_by("since", "pk")}
    for (owner, project_pk), row in newest.items():
        if owner != organisation.pk:
            continue
        name = f"{row.project.title}: {row.get_stage_display().lower()} since {row.since:%-d %B %Y}"
        if row.stage == Adoption.Stage.STOPPED or (into.pk, project_pk) in newest:
            yield MergeStep("Adoption", name, "stays with the name of its time")
        else:
            what = f"stays, and goes on with {into}"
            yield MergeStep("Adoption", name, what, partial(_adopt, row, into, on))


def _adopt(row, into, on, *, by):
    note = f"Taken over from {row.organisation.name}."
    create(
        Adoption, organisation=into, project=row.project, stage=row.stage, since=max(on, row.since), note=note, by=by
    )
