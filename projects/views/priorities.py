from itertools import groupby
from operator import attrgetter

from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from projects.gaps import gaps
from projects.models import Consultation, Organisation, Priority, Project, System
from psc_portal.common import clock, registry
from psc_portal.common.public_pages import public_page

EVENTS_SHOWN = 5
PROJECTS_A_STAGE = 10  # on the page of a priority; the list has them all


@public_page
def priority_list(request):
    projects = Project.objects.visible_to(request.user)
    priorities = list(Priority.objects.visible_to(request.user).with_project_counts(projects))
    context = {
        "must_do_topics": [priority for priority in priorities if priority.is_must_do],
        "local_priorities": [priority for priority in priorities if priority.is_current and not priority.is_must_do],
        "consultation": Consultation.objects.open_at(clock.now()).order_by("closes_at").first(),
        "other_priorities": [priority for priority in priorities if not priority.is_current],
    }
    return render(request, "projects/priority_list.html", context)


@public_page
def priority_detail(request, slug):
    priority = get_object_or_404(Priority.objects.visible_to(request.user), slug=slug)
    projects = Project.objects.visible_to(request.user).filter(priorities=priority)
    by_stage = list(projects.select_related("lead_organisation").defer("lead_organisation__search").by_stage())
    signals = registry.signals.collect(registry.Place("priority", priority.pk), request.user)
    thread = registry.thread_of("priority", priority.pk, user=request.user)
    untouched = System.objects.without(Organisation.objects.taking_part_in(projects)) if by_stage else []
    context = {
        "priority": priority,
        "stages": [(Project.Status(stage), list(rows)) for stage, rows in groupby(by_stage, key=attrgetter("status"))],
        "shown": PROJECTS_A_STAGE,
        "calls": next(step.items for step in thread if step.kind == "call"),
        "events": priority.events.visible_to(request.user).upcoming().defer("search")[:EVENTS_SHOWN],
        "consultations": priority.consultations.visible_to(request.user),
        "signals": signals,
        "gaps": gaps(
            stages=[project.status for project in by_stage],
            signals=signals,
            systems=[system.name for system in untouched],
            thread=thread,
        ),
        "thread": thread,
        "crumbs": [("Priorities", reverse("projects:priority_list"))],
    }
    return render(request, "projects/priority_detail.html", context)
