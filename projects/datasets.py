"""Open data of organisations, priorities, projects, their spread, consultations and events."""

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q

from projects.models import EVIDENCE_LEVELS, Adoption, Consultation, Event, Organisation, Priority, Project
from projects.models.organisations import CareSetting
from projects.spread import STAGES
from psc_portal.common.datasets import Column, Dataset, page_of

EVERYBODY = AnonymousUser()
WORK, TAKING_PART = "Priorities and projects", "Taking part"


def public_priorities():
    return Priority.objects.visible_to(EVERYBODY)


def _slugs(relation, row: str, other: str, shown):
    """The short names of what a row is linked to by a table between the two, in alphabetical order."""
    linked = relation.through.objects.filter(**{row: OuterRef("pk"), f"{other}__in": shown.order_by().values("pk")})
    return ArraySubquery(linked.order_by(f"{other}__slug").values(f"{other}__slug"))


def _system(organisation) -> str:
    return "all" if organisation.serves_all_systems else organisation.system.name if organisation.system else ""


ORGANISATION = Column(
    "organisation", "string", "Short name of the organisation", example="riverside-mental-health-nhs-trust",
    is_always=True, refers_to="organisations.slug", of=lambda row: row.organisation.slug,
)  # fmt: skip
ORGANISATION_NAME = Column(
    "organisation_name", "string", "What the organisation is called now", is_always=True,
    example="Riverside Mental Health NHS Trust", of=lambda row: row.organisation.name,
)  # fmt: skip
PAGE = Column(
    "page", "string", "The page where people read the same", is_address=True, is_always=True, of=page_of,
    example="https://portal.example.nhs.uk/projects/call-dont-fall/",
)  # fmt: skip
UPDATED = Column(
    "updated_at", "datetime", "When the row was last changed", example="2026-06-28T11:00:00Z", is_always=True
)
PRIORITIES = Column(
    "priorities", "string", "Short names of its priorities, as in the dataset of priorities",
    example="falls; medicines-safety", is_list=True, of=lambda row: row.priority_slugs,
)  # fmt: skip


# Priorities and projects ---------------------------------------------------------------------------------------------
def _priorities():
    public = Q(projects__is_public=True)
    return public_priorities().annotate(public_projects=Count("projects", filter=public)).order_by("slug")


def _projects():
    latest = Adoption.objects.filter(project=OuterRef("pk")).order_by("organisation_id", "-since", "-pk")
    partners = Project.partners.through.objects.filter(project=OuterRef("pk")).order_by("organisation__slug")
    return (
        Project.objects.public()
        .select_related("lead_organisation")
        .defer("lead_organisation__search")
        .annotate(
            priority_slugs=_slugs(Project.priorities, "project", "priority", public_priorities()),
            partner_slugs=ArraySubquery(partners.values("organisation__slug")),
            stages=ArraySubquery(latest.distinct("organisation_id").values("stage")),
        )
        .order_by("slug")
    )


def _adoption():
    later = Adoption.objects.filter(organisation=OuterRef("organisation"), project=OuterRef("project")).filter(
        Q(since__gt=OuterRef("since")) | Q(since=OuterRef("since"), pk__gt=OuterRef("pk"))
    )
    return (
        Adoption.objects.filter(project__in=Project.objects.public().order_by().values("pk"))
        .select_related("organisation__system", "project")
        .defer("organisation__search", "project__search")
        .annotate(has_later=Exists(later))
        .order_by("project__slug", "organisation__slug", "since")
    )


def _organisations():
    return Organisation.objects.select_related("system", "successor").defer("successor__search").order_by("slug")


def _events():
    return (
        Event.objects.visible_to(EVERYBODY)
        .annotate(
            priority_slugs=_slugs(Event.priorities, "event", "priority", public_priorities()),
            project_slugs=_slugs(Event.projects, "event", "project", Project.objects.public()),
        )
        .order_by("slug")
    )


def _consultations():
    return (
        Consultation.objects.visible_to(EVERYBODY)
        .annotate(priority_slugs=_slugs(Consultation.priorities, "consultation", "priority", public_priorities()))
        .order_by("slug")
    )


DATASETS = [
    Dataset(
        name="priorities",
        title="Priorities",
        summary="The national must-do topics and the local priorities: what each is about, why it was chosen, who "
        "asked for it and since when it has been a priority.",
        section=WORK,
        page="projects:priority_list",
        key=("slug",),
        rows=_priorities,
        every="About once a year",
        notes=("Past priorities stay in, with the day on which they ended.",),
        columns=(
            Column("slug", "string", "Short name, which never changes", example="falls", is_always=True),
            Column("title", "string", "What it is called", example="Falls", is_always=True),
            Column("kind", "string", "National or local", example="local", is_always=True,
                   choices=dict(Priority.Kind.choices)),
            Column("summary", "string", "What it is, in one or two sentences", example="Fewer people fall."),
            Column("why_chosen", "string", "Why it was chosen", example="Falls are the incident reported most often."),
            Column("asked_by", "string", "Who asked for it", example="Council of patients"),
            Column("source", "string", "Where that is written down", example="Local delivery plan 2025 to 2026"),
            Column("from_date", "date", "First day as a priority", example="2025-04-01", is_always=True),
            Column("to_date", "date", "Last day as a priority; empty while it is one", example="2027-03-31"),
            Column("projects", "integer", "How many projects that everybody can see work on it", unit="projects",
                   example="7", least=0, is_always=True, of=lambda row: row.public_projects),
            PAGE,
            UPDATED,
        ),
    ),
    Dataset(
        name="projects",
        title="Projects",
        summary="Every project of the programme: aim, who works on it, which stage it is in, what changed, how sure we "
        "are, what did not work, and why work stopped.",
        section=WORK,
        page="projects:project_list",
        key=("slug",),
        rows=_projects,
        notes=(
            "Stopped and closed projects stay in.",
            "Who leads a project is not in it: people are not named in open data.",
        ),
        columns=(
            Column("slug", "string", "Short name, which never changes", example="call-dont-fall", is_always=True),
            Column("title", "string", "What it is called", example="Call, don't fall", is_always=True),
            Column("lay_summary", "string", "What it is and why it matters, in plain words",
                   example="People who may fall are asked to call before they get up.", is_always=True),
            Column("aim", "string", "How much, by when, for whom", example="A quarter fewer falls by March 2027.",
                   is_always=True),
            PRIORITIES,
            Column("lead_organisation", "string", "Short name of the organisation that leads it", is_always=True,
                   example="riverside-hospitals-nhs-trust", refers_to="organisations.slug",
                   of=lambda row: row.lead_organisation.slug),
            Column("partners", "string", "Short names of the other organisations that work on it", is_list=True,
                   example="riverside-university; old-age-together", of=lambda row: row.partner_slugs),
            Column("care_settings", "string", "Where care is given: " + ", ".join(CareSetting.values),
                   example="acute; community", is_list=True),
            Column("origin", "string", "How it came to be", example="call", is_always=True,
                   choices=dict(Project.Origin.choices)),
            Column("stage", "string", "The stage that the work is in", example="testing", is_always=True,
                   choices=dict(Project.Status.choices), of=lambda row: row.status),
            Column("evidence_level", "integer", "How sure we are, from 0 to 5: "
                   + "; ".join(f"{level} {words}" for level, words in EVIDENCE_LEVELS.items()),
                   example="3", least=0, most=5, is_always=True),
            Column("result_in_short", "string", "What changed, in one sentence", example="Falls went down by a fifth."),
            Column("result", "string", "What changed", example="Falls went down on nine wards of eleven."),
            Column("what_did_not_work", "string", "What did not work", example="Cards at the bed got lost."),
            Column("stopped_reason", "string", "Why it stopped; empty unless it did", example="The sensors failed."),
            Column("reuse_advice", "string", "What another place could take from it",
                   example="Begin with one ward and one shift."),
            Column("in_use", "integer", "How many organisations use it now", unit="organisations", example="4", least=0,
                   is_always=True, of=lambda row: row.stages.count("in_use")),
            Column("testing", "integer", "How many organisations test it now", unit="organisations", example="2",
                   least=0, is_always=True, of=lambda row: row.stages.count("testing")),
            Column("starts_on", "date", "First day, planned or past", example="2025-04-01"),
            Column("ends_on", "date", "Last day, planned or past", example="2027-03-31"),
            PAGE,
            UPDATED,
        ),
    ),
    Dataset(
        name="adoption",
        title="Adoption: who does what",
        summary="How far each organisation has taken up each project, dated: interested, testing, in use or stopped. "
        "One row for each step, so that the spread can be drawn over time.",
        section=WORK,
        page="projects:spread",
        key=("project", "organisation", "since"),
        rows=_adoption,
        notes=("Only of projects that everybody can see.", "The numbers count organisations, never people."),
        columns=(
            Column("project", "string", "Short name of the project", example="call-dont-fall", is_always=True,
                   refers_to="projects.slug", of=lambda row: row.project.slug),
            Column("project_title", "string", "What the project is called", example="Call, don't fall", is_always=True,
                   of=lambda row: row.project.title),
            ORGANISATION,
            ORGANISATION_NAME,
            Column("system", "string", "The integrated care system in which it plans its care; “all” where it serves "
                   "all of the region", example="Riverside and Hills", of=lambda row: _system(row.organisation)),
            Column("stage", "string", "What it did from this day on", example="in_use", is_always=True,
                   choices=STAGES),
            Column("since", "date", "The day from which on that holds", example="2026-02-01", is_always=True),
            Column("is_latest", "boolean", "Whether this is the newest row of the organisation with the project: what "
                   "it does now", example="true", is_always=True, of=lambda row: not row.has_later),
            Column("note", "string", "What is noted about it", example="Two wards of nine"),
            UPDATED,
        ),
    ),
    Dataset(
        name="organisations",
        title="Organisations",
        summary="The organisations that the other datasets name, with their ODS codes, what they are, where they plan "
        "their care, and what they were called before.",
        section=WORK,
        page="projects:project_list",
        key=("slug",),
        rows=_organisations,
        every="When an organisation is added, renamed or merged",
        notes=("Addresses, telephone numbers and contacts are not in it.",),
        columns=(
            Column("slug", "string", "Short name, by which the other datasets call it", example="old-age-together",
                   is_always=True),
            Column("ods_code", "string", "Code of the Organisation Data Service of the NHS; not every one has any",
                   example="RWD"),
            Column("name", "string", "What it is called", example="Riverside Hospitals NHS Trust",
                   is_always=True),
            Column("former_names", "string", "What it was called before", example="Old Town Hospital NHS Trust",
                   is_list=True),
            Column("kind", "string", "What it is", example="trust", is_always=True,
                   choices=dict(Organisation.Kind.choices)),
            Column("care_settings", "string", "The care that it gives: " + ", ".join(CareSetting.values),
                   example="acute; community", is_list=True),
            Column("system", "string", "The integrated care system in which it plans its care; “all” where it serves "
                   "all of the region", example="Riverside and Hills", of=_system),
            Column("is_outside_region", "boolean", "A partner from outside", example="false", is_always=True),
            Column("opened_on", "date", "First day, where it is known", example="2013-04-01"),
            Column("closed_on", "date", "The day on which it closed or merged", example="2025-03-31"),
            Column("successor", "string", "Short name of the organisation that followed it",
                   example="riverside-hospitals-nhs-trust", refers_to="organisations.slug",
                   of=lambda row: row.successor.slug if row.successor else None),
            UPDATED,
        ),
    ),
    Dataset(
        name="consultations",
        title="Consultations",
        summary="The public consultations on the priorities: what was asked and when, and once it is decided, what was "
        "said and what was decided.",
        section=TAKING_PART,
        page="projects:consultation_list",
        key=("slug",),
        rows=_consultations,
        notes=("The answers themselves are not in it: those that may be shown stand on the page of the consultation.",),
        columns=(
            Column("slug", "string", "Short name, which never changes", example="priorities-2026", is_always=True),
            Column("title", "string", "What it is called", example="What should we work on next?", is_always=True),
            Column("summary", "string", "What was asked, and of whom", example="We ask patients and staff.",
                   is_always=True),
            Column("about", "string", "Why it was asked, and what could change", example="One priority ends in March.",
                   is_always=True),
            Column("opens_at", "datetime", "From when on one could answer", example="2026-05-01T08:00:00Z",
                   is_always=True),
            Column("closes_at", "datetime", "Until when one could answer", example="2026-06-12T16:00:00Z",
                   is_always=True),
            Column("decided_on", "date", "The day of the decision; empty before", example="2026-07-30",
                   of=lambda row: row.decided_on if row.is_decided else None),
            Column("what_was_said", "string", "What was said; empty before the decision", example="Most wrote: falls.",
                   of=lambda row: row.what_was_said if row.is_decided else None),
            Column("what_was_decided", "string", "What was decided; empty before the decision",
                   example="Falls become a priority.", of=lambda row: row.what_was_decided if row.is_decided else None),
            Column("priorities", "string", "Short names of the priorities that came from it", example="falls",
                   is_list=True, of=lambda row: row.priority_slugs if row.is_decided else None),
            PAGE,
            UPDATED,
        ),
    ),
    Dataset(
        name="events",
        title="Events",
        summary="Learning sessions, workshops and meetings, past, to come and cancelled: when, where, for whom and on "
        "which priorities and projects.",
        section=TAKING_PART,
        page="projects:event_list",
        key=("slug",),
        rows=_events,
        notes=("Who registered is not in it, nor how many; links to join are sent to those with a place alone.",),
        columns=(
            Column("slug", "string", "Short name, which never changes", example="falls-learning-day", is_always=True),
            Column("title", "string", "What it is called", example="Learning day on falls", is_always=True),
            Column("kind", "string", "What it is", example="learning", is_always=True,
                   choices=dict(Event.Kind.choices)),
            Column("status", "string", "Whether it takes place", example="published", is_always=True,
                   choices={"published": "Takes place, or did", "cancelled": "Cancelled"}),
            Column("summary", "string", "What it is about", example="What nine wards learned.", is_always=True),
            Column("audience", "string", "Who it is for", example="Ward managers"),
            Column("starts_at", "datetime", "When it begins", example="2026-09-16T09:00:00Z", is_always=True),
            Column("ends_at", "datetime", "When it ends", example="2026-09-16T15:00:00Z", is_always=True),
            Column("attendance", "string", "How people take part", example="in_person", is_always=True,
                   choices=dict(Event.Attendance.choices)),
            Column("venue", "string", "Where it is, where that is a place", example="Town Hall, Riverside"),
            Column("places", "integer", "How many can come; empty: as many as do", unit="people", example="60",
                   least=1),
            Column("priorities", "string", "Short names of the priorities that it is about", example="falls",
                   is_list=True, of=lambda row: row.priority_slugs),
            Column("projects", "string", "Short names of the projects that it is about", example="call-dont-fall",
                   is_list=True, of=lambda row: row.project_slugs),
            Column("cancelled_reason", "string", "Why it is cancelled; empty unless it is",
                   example="The speaker is ill."),
            PAGE,
            UPDATED,
        ),
    ),
]  # fmt: skip
