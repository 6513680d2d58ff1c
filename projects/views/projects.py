from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, render

from projects import charts, diagram, forms, permissions, readings, spread
from projects.models import Adoption, Event, LearningResource, Project, ProjectLead
from projects.views.shared import project_crumbs
from psc_portal.common import clock, registry
from psc_portal.common.highlight import marked
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.content.models import Document

PROJECTS_A_PAGE = 20


@public_page
def project_list(request):
    visible = Project.objects.visible_to(request.user)
    filters = forms.ProjectFilters(request.GET, projects=visible)
    filters.show_counts()
    projects = visible.filtered(**filters.chosen).for_cards().order_by("title", "pk")
    words = filters.chosen.get("q")
    if words:
        projects = projects.with_snippets(words).order_by("-rank", "title", "pk")
    page = paginate(request, projects, per_page=PROJECTS_A_PAGE)
    if words:
        for project in page:
            project.title_found, project.text_found = marked(project.title_found), marked(project.text_found)
    return render(request, "projects/project_list.html", {"page": page, "form": filters, "words": words})


@public_page
def project_detail(request, slug):
    rows = Project.objects.visible_to(request.user).select_related("lead_organisation")
    project = get_object_or_404(
        rows.prefetch_related(
            "priorities",
            "partners",
            "status_changes",
            "pdsa_cycles",
            "drivers__also_serves",
            Prefetch("leads", ProjectLead.objects.current()),
            Prefetch("events", Event.objects.visible_to(request.user)),
            Prefetch("learning_resources", LearningResource.objects.visible_to(request.user)),
            Prefetch("documents", Document.objects.visible_to(request.user)),
            Prefetch("adoptions", Adoption.objects.select_related("organisation").defer("organisation__search")),
        ),
        slug=slug,
    )
    priorities = [priority.pk for priority in project.priorities.all()]
    cycles = list(project.pdsa_cycles.all())
    mentions = registry.cycles.collect([cycle.pk for cycle in cycles], request.user) if cycles else []
    for cycle in cycles:
        cycle.charts = list(dict.fromkeys(one for one in mentions if one.cycle == cycle.pk))
    boxes = readings.boxes_of(project)
    steps = spread.curve(readings.dated(project.adoptions.all()), clock.today())
    words = spread.in_words(steps)
    context = {
        "project": project,
        "results": registry.results.collect(project.pk, request.user),
        "roles": list(dict.fromkeys(lead.role for lead in project.leads.all())),
        "steps": steps,
        "spread_words": words,
        "curve": charts.curve_svg(steps, f"Spread over time. {words}") if steps else "",
        "drawing": charts.drivers_svg(project.aim, boxes) if boxes else "",
        "cycles": cycles,
        "adoptions": latest_adoptions(project),
        "stages": stages_so_far(project),
        "drivers": diagram.outline(boxes),
        "can_edit": request.user.is_authenticated and permissions.can_edit_project(request.user, project),
        "thread": registry.thread_of("project", project.pk, user=request.user, known={"priority": priorities}),
        "crumbs": project_crumbs(),
    }
    return render(request, "projects/project_detail.html", context)


def stages_so_far(project) -> list[tuple[str, object]]:
    """Each stage and the day since when: the first from the start of the project, the others from its history."""
    changes = list(project.status_changes.all())
    first = changes[0].from_status if changes else project.status
    begun = (Project.Status(first).label, project.starts_on or project.created_at)
    return [begun, *((Project.Status(change.to_status).label, change.at) for change in changes)]


def latest_adoptions(project) -> list[Adoption]:
    """What each organisation does now; its earlier stages are in `earlier`, oldest first."""
    latest = {}
    for row in project.adoptions.all():  # oldest first
        before = latest.get(row.organisation_id)
        row.earlier = [*before.earlier, before] if before else []
        latest[row.organisation_id] = row
    return sorted(latest.values(), key=lambda row: row.organisation.name)
