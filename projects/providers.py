"""What other pages show of priorities, projects and organisations: the thread, the search, what waits for me."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchVector
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html

from projects.models import (
    PROJECT_TEXTS,
    Affiliation,
    Consultation,
    ConsultationResponse,
    Event,
    JoinedWords,
    LearningResource,
    Offer,
    Organisation,
    Priority,
    Project,
    ProjectStatusChange,
    ProposedChange,
)
from projects.models.consultations import ConsultationStatusChange
from projects.models.events import EventStatusChange
from psc_portal.common import clock
from psc_portal.common.registry import LinkedText, News, Place, Source, Strand, ThreadItem, WaitingItem, joined
from psc_portal.common.templatetags.portal import uk_date
from psc_portal.content.prose import prose

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


def programme(user) -> Iterator[Strand]:
    """Every priority, those of today first, and every project with the systems of those who take part in it."""
    for priority in sorted(Priority.objects.visible_to(user), key=lambda priority: not priority.is_current):
        note = priority.get_kind_display()
        if not priority.is_current:
            is_over = priority.to_date and priority.to_date < clock.today()
            note = f"A priority until {uk_date(priority.to_date)}" if is_over else f"From {uk_date(priority.from_date)}"
        yield Strand("priority", priority.pk, priority.title, priority.get_absolute_url(), note, key=priority.slug)
    everywhere = Organisation.objects.filter(serves_all_systems=True)
    taking_part = Project.partners.through.objects.filter(project=OuterRef("pk"))
    rows = (
        Project.objects.visible_to(user)
        .annotate(
            on=ArraySubquery(
                Project.priorities.through.objects.filter(project=OuterRef("pk")).order_by().values("priority")
            ),
            partner_systems=ArraySubquery(taking_part.order_by().values("organisation__system")),
            is_everywhere=Exists(taking_part.filter(organisation__in=everywhere.values("pk"))),
        )
        .by_stage()
        .values_list(
            "pk", "title", "slug", "status", "on", "partner_systems",
            "lead_organisation__system", "is_everywhere", "lead_organisation__serves_all_systems",
        )
    )  # fmt: skip
    for pk, title, slug, stage, on, partners, lead, *everywhere in rows:
        yield Strand(
            kind="project",
            pk=pk,
            title=title,
            url=reverse("projects:project_detail", args=[slug]),
            note=Project.Status(stage).label,
            stage=stage,
            priorities=tuple(on),
            systems=None if any(everywhere) else frozenset({lead, *partners}),
        )


NEWS = {  # what is told of it, and the address of its page; anything else is a stage of a project
    "project": ("New project", "projects:project_detail"),
    "consultation": ("Consultation opened", "projects:consultation_detail"),
    "decided": ("Consultation decided", "projects:consultation_detail"),
    "event": ("New event", "projects:event_detail"),
}


def news(since: dt.datetime, limit: int) -> list[News]:
    """What is new of projects, their stages, events and consultations: one query."""
    projects = Project.objects.public().filter(created_at__gte=since)
    stages = ProjectStatusChange.objects.filter(subject__is_public=True, at__gte=since)
    published = Consultation.objects.exclude(status=Consultation.Status.DRAFT)
    asked = published.filter(opens_at__range=(since, clock.now()))
    decided = ConsultationStatusChange.objects.filter(to_status=Consultation.Status.DECIDED, at__gte=since)
    planned = EventStatusChange.objects.filter(
        to_status=Event.Status.PUBLISHED, subject__status=Event.Status.PUBLISHED, at__gte=since
    )
    found = [
        _named(projects, "project", "title", "slug", "created_at"),
        _named(asked, "consultation", "title", "slug", "opens_at"),
        _named(decided, "decided", "subject__title", "subject__slug", "at"),
        _named(planned, "event", "subject__title", "subject__slug", "at"),
        stages.order_by().values_list("to_status", "subject__title", "subject__slug", "at"),
    ]
    return [_news(*row) for row in found[0].union(*found[1:], all=True).order_by("-moment")[:limit]]


def _named(rows, what: str, *columns: str):
    *columns, moment = columns
    named = rows.order_by().annotate(what=Value(what, CharField()), moment=F(moment))
    return named.values_list("what", *columns, "moment")


def _news(what: str, title: str, slug: str, at: dt.datetime) -> News:
    words, page = NEWS.get(what) or (f"Project is now {Project.Status(what).label.lower()}", "projects:project_detail")
    return News(at, words, title, reverse(page, args=[slug]))


# The search of the whole portal --------------------------------------------------------------------------------------
def _projects_of(slug: str) -> str:
    return f"{reverse('projects:project_list')}?{urlencode({'organisation': slug})}"


DECIDED = Case(  # told once it is decided
    When(status="decided", then=joined("what_was_said", Value(" "), "what_was_decided")),
    default=Value(""),
    output_field=TextField(),
)
SOURCES = [
    Source(
        kind="priority",
        many="Priorities",
        weight=2.0,
        rows=lambda user: Priority.objects.visible_to(user),
        key=F("slug"),
        url=lambda slug: reverse("projects:priority_detail", args=[slug]),
        title=F("title"),
        text=joined("summary", Value(" "), "why_chosen", Value(" "), "asked_by"),
        changed_at=F("updated_at"),
        priorities="pk",
    ),
    Source(
        kind="project",
        many="Projects",
        weight=1.5,
        rows=lambda user: Project.objects.visible_to(user),
        key=F("slug"),
        url=lambda slug: reverse("projects:project_detail", args=[slug]),
        title=F("title"),
        text=joined(*PROJECT_TEXTS),
        changed_at=F("updated_at"),
        priorities="priorities",
        organisations=("lead_organisation", "partners"),
    ),
    Source(
        kind="consultation",
        many="Consultations",
        rows=lambda user: Consultation.objects.visible_to(user),
        key=F("slug"),
        url=lambda slug: reverse("projects:consultation_detail", args=[slug]),
        title=F("title"),
        text=joined("summary", Value(" "), "about", Value(" "), DECIDED),
        vector=SearchVector("title", weight="A", config="english")
        + SearchVector("summary", weight="B", config="english")
        + SearchVector("about", DECIDED, weight="C", config="english"),
        changed_at=F("updated_at"),
        priorities="priorities",
    ),
    Source(
        kind="event",
        many="Events",
        rows=lambda user: Event.objects.visible_to(user),
        key=F("slug"),
        url=lambda slug: reverse("projects:event_detail", args=[slug]),
        title=F("title"),
        text=joined("summary", Value(" "), "description", Value(" "), "venue"),
        changed_at=F("updated_at"),
        priorities="priorities",
    ),
    Source(
        kind="learning",
        many="Best-practice library",
        rows=lambda user: LearningResource.objects.visible_to(user),
        key=F("slug"),
        url=lambda slug: reverse("projects:learning_detail", args=[slug]),
        title=F("title"),
        text=joined("summary", Value(" "), "body", Value(" "), "source"),
        changed_at=F("updated_at"),
        priorities="priorities",
    ),
    Source(
        kind="offer",
        many="Offers",
        rows=lambda user: Offer.objects.visible_to(user),
        key=F("slug"),
        url=lambda slug: reverse("projects:offer_detail", args=[slug]),
        title=F("title"),
        text=joined("summary", Value(" "), "body", Value(" "), "how_to_apply"),
        changed_at=F("updated_at"),
        priorities="priorities",
    ),
    Source(  # an organisation leads to its projects, by its present name or a former one
        kind="organisation",
        many="Organisations",
        rows=lambda user: Organisation.objects.all(),
        key=F("slug"),
        url=_projects_of,
        title=F("name"),
        text=joined(
            Case(
                When(former_names=[], then=Coalesce("system__name", Value(""))),
                default=joined(Value("Formerly "), JoinedWords("former_names")),
                output_field=TextField(),
            ),
            Case(
                When(successor__isnull=False, then=joined(Value(". Now part of "), "successor__name")),
                default=Value(""),
                output_field=TextField(),
            ),
        ),
    ),
]


# What waits for me ---------------------------------------------------------------------------------------------------
def claims_waiting(user) -> list[WaitingItem]:
    """Staff and signatories: people who say that they belong to an organisation, or sign for it."""
    is_staff = user.is_programme_staff
    claims = Affiliation.objects.to_answer_by(user).select_related("user", "organisation")
    return [
        WaitingItem(
            title=f"{claim.user.display_name} says that they {claim.what_is_claimed} {claim.organisation}",
            url=reverse(
                "admin:projects_affiliation_change" if is_staff else "projects:affiliation_answer", args=[claim.pk]
            ),
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


def changes_waiting(user) -> list[WaitingItem]:
    """Staff: what leads want public pages to say. A lead: what became of theirs."""
    changes = ProposedChange.objects.visible_to(user).select_related("project").order_by("updated_at")
    if user.is_programme_staff:
        return [
            WaitingItem(
                title=str(change),
                url=reverse("admin:projects_proposedchange_change", args=[change.pk]),
                note="A project lead proposes a change of the public page",
                section="Changes to approve",
            )
            for change in changes.waiting()[:WAITING_SHOWN]
        ]
    return [
        WaitingItem(
            title=str(change),
            url=change.get_absolute_url(),
            note=f"{change.get_status_display()}{f': {change.reason}' if change.status == 'returned' else ''}",
            section="Your proposed changes",
        )
        for change in changes.open()[:WAITING_SHOWN]
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


def responses_waiting(user) -> list[WaitingItem]:
    """Staff: consultations with answers that nobody has looked at, and closed ones that nobody has decided."""
    if not user.is_programme_staff:
        return []
    unread = Count("responses", filter=Q(responses__status=ConsultationResponse.Status.WAITING))
    rows = Consultation.objects.filter(status=Consultation.Status.PUBLISHED).annotate(unread=unread)
    items = []
    for row in rows.order_by("closes_at")[:WAITING_SHOWN]:
        if row.unread:
            url = reverse("admin:projects_consultationresponse_changelist")
            note = f"{row.unread} answer{'s' if row.unread > 1 else ''} to look at before they are shown"
            items.append(
                WaitingItem(row.title, f"{url}?consultation__id__exact={row.pk}", note, section="Consultations")
            )
        elif row.is_closed:
            url = reverse("admin:projects_consultation_change", args=[row.pk])
            items.append(WaitingItem(row.title, url, "Closed: publish what was decided", section="Consultations"))
    return items


# The check of links --------------------------------------------------------------------------------------------------
def linked_texts():
    """What staff write in Markdown and everybody reads: events to come, the library, offers."""
    for event in Event.objects.filter(status=Event.Status.PUBLISHED).upcoming():
        yield LinkedText(event.title, event.get_absolute_url(), prose(event.description))
    for resource in LearningResource.objects.out():
        original = format_html('<a href="{}"></a>', resource.link) if resource.link else ""
        yield LinkedText(resource.title, resource.get_absolute_url(), prose(resource.body) + original)
    for offer in Offer.objects.filter(is_public=True).open():
        yield LinkedText(offer.title, offer.get_absolute_url(), prose(offer.body) + prose(offer.how_to_apply))
