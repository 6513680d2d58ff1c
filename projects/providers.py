"""What other pages show of priorities, projects and organisations: the thread, the search, what waits for me."""

from urllib.parse import urlencode

from django.db.models import F, Q
from django.urls import reverse

from projects.models import Affiliation, Organisation, Priority, Project
from psc_portal.common.highlight import marked
from psc_portal.common.registry import Place, SearchHit, ThreadItem, WaitingItem

WAITING_SHOWN = 20


# The golden thread ---------------------------------------------------------------------------------------------------
def priorities_on_thread(place: Place, user) -> list[ThreadItem]:
    """The priorities of a project, and those that the page knows already."""
    wanted = Q(pk__in=place.known.get("priority", []))
    if place.kind == "project":
        wanted |= Q(pk__in=Project.priorities.through.objects.filter(project=place.pk).values("priority"))
    elif not place.known.get("priority"):
        return []
    return [
        ThreadItem(
            "priority", priority.title, priority.get_absolute_url(), "must-do topic" if priority.is_must_do else ""
        )
        for priority in Priority.objects.visible_to(user).filter(wanted)
    ]


def projects_on_thread(place: Place, user) -> list[ThreadItem]:
    """The projects of a priority, and those that the page knows already; each only for who may see it."""
    wanted = Q(pk__in=place.known.get("project", []))
    if place.kind == "priority":
        wanted |= Q(pk__in=Project.priorities.through.objects.filter(priority=place.pk).values("project"))
    elif not place.known.get("project"):
        return []
    return [
        ThreadItem("project", project.title, project.get_absolute_url(), project.get_status_display().lower())
        for project in Project.objects.visible_to(user).filter(wanted).by_stage()
    ]


# The search of the whole portal --------------------------------------------------------------------------------------
def search_priorities(query: str, user, limit: int) -> list[SearchHit]:
    found = Priority.objects.visible_to(user).matching(query).with_headlines(query, snippet=F("summary"))
    return [
        SearchHit("priority", row.title, row.get_absolute_url(), marked(row.snippet), row.rank)
        for row in found.order_by("-rank", "title")[:limit]
    ]


def search_projects(query: str, user, limit: int) -> list[SearchHit]:
    found = Project.objects.visible_to(user).matching(query).with_snippets(query)
    return [
        SearchHit("project", row.title, row.get_absolute_url(), marked(row.text_found), row.rank)
        for row in found.order_by("-rank", "title", "pk")[:limit]
    ]


def search_organisations(query: str, user, limit: int) -> list[SearchHit]:
    """An organisation leads to its projects, by its present name or a former one."""
    found = Organisation.objects.matching(query).select_related("system").order_by("-rank", "name")
    projects = reverse("projects:project_list")
    return [
        SearchHit(
            "organisation",
            row.name,
            f"{projects}?{urlencode({'organisation': row.slug})}",
            f"Formerly {', '.join(row.former_names)}" if row.former_names else str(row.system or ""),
            row.rank,
        )
        for row in found[:limit]
    ]


# What waits for me ---------------------------------------------------------------------------------------------------
def claims_waiting(user) -> list[WaitingItem]:
    """Staff: people who say that they belong to an organisation."""
    if not user.is_programme_staff:
        return []
    claims = Affiliation.objects.claimed().exclude(user=user).select_related("user", "organisation")
    return [
        WaitingItem(
            title=f"{claim.user.display_name} says that they belong to {claim.organisation}",
            url=reverse("admin:projects_affiliation_change", args=[claim.pk]),
            note=claim.role,
            section="Organisations and people",
        )
        for claim in claims.order_by("created_at")[:WAITING_SHOWN]
    ]


def projects_led(user) -> list[WaitingItem]:
    """A project lead: the pages that are theirs to keep up to date."""
    return [
        WaitingItem(
            title=project.title,
            url=reverse("projects:project_edit", args=[project.slug]),
            note=f"You lead this project. Stage: {project.get_status_display().lower()}",
            section="Your projects",
        )
        for project in Project.objects.led_by(user).by_stage()
    ]


def my_affiliations(user) -> list[WaitingItem]:
    """Others than staff: the organisation that they have not named yet, or that we have not confirmed yet."""
    if user.is_staff:
        return []
    place = {"url": reverse("projects:affiliation_list"), "section": "Your organisation"}
    live = Affiliation.objects.filter(user=user, status__in=["claimed", "confirmed"]).select_related("organisation")
    affiliations = list(live)
    if not affiliations:
        note = "Only if you want to act for it: enter data, sign pledges, apply for it."
        return [WaitingItem(title="Say which organisation you belong to", note=note, **place)]
    return [
        WaitingItem(title=str(row.organisation), note=f"{row.role}. {row.get_status_display()}", **place)
        for row in affiliations
    ]
