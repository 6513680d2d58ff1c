from itertools import groupby
from operator import attrgetter

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from projects import actions, forms, permissions
from projects.models import Adoption, Affiliation, Priority, Project
from psc_portal.common import registry
from psc_portal.common.highlight import marked
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused

PROJECTS_A_PAGE = 20
PROJECTS_A_STAGE = 10  # on the page of a priority; the list has them all


def project_crumbs(*more):
    return [("Projects", reverse("projects:project_list")), *more]


# Priorities ----------------------------------------------------------------------------------------------------------
@public_page
def priority_list(request):
    projects = Project.objects.visible_to(request.user)
    priorities = list(Priority.objects.visible_to(request.user).with_project_counts(projects))
    context = {
        "must_do_topics": [priority for priority in priorities if priority.is_must_do],
        "local_priorities": [priority for priority in priorities if priority.is_current and not priority.is_must_do],
        "other_priorities": [priority for priority in priorities if not priority.is_current],
    }
    return render(request, "projects/priority_list.html", context)


@public_page
def priority_detail(request, slug):
    priority = get_object_or_404(Priority.objects.visible_to(request.user), slug=slug)
    projects = Project.objects.visible_to(request.user).filter(priorities=priority)
    by_stage = projects.select_related("lead_organisation").defer("lead_organisation__search").by_stage()
    context = {
        "priority": priority,
        "stages": [(Project.Status(stage), list(rows)) for stage, rows in groupby(by_stage, key=attrgetter("status"))],
        "shown": PROJECTS_A_STAGE,
        "thread": registry.thread_of("priority", priority.pk, user=request.user),
        "crumbs": [("Priorities", reverse("projects:priority_list"))],
    }
    return render(request, "projects/priority_detail.html", context)


# Projects ------------------------------------------------------------------------------------------------------------
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
            "drivers",
            Prefetch("adoptions", Adoption.objects.select_related("organisation").defer("organisation__search")),
        ),
        slug=slug,
    )
    priorities = [priority.pk for priority in project.priorities.all()]
    cycles = list(project.pdsa_cycles.all())
    mentions = registry.cycles.collect([cycle.pk for cycle in cycles], request.user) if cycles else []
    for cycle in cycles:
        cycle.charts = list(dict.fromkeys(one for one in mentions if one.cycle == cycle.pk))
    context = {
        "project": project,
        "cycles": cycles,
        "adoptions": latest_adoptions(project),
        "stages": stages_so_far(project),
        "drivers": drivers_as_outline(project.drivers.all()),
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


def drivers_as_outline(drivers) -> list[dict]:
    """The boxes of a driver diagram as nested items: {"driver", "under": [...]}."""
    items = {driver.pk: {"driver": driver, "under": []} for driver in drivers}
    top = []
    for item in items.values():
        parent = items.get(item["driver"].parent_id)
        (parent["under"] if parent else top).append(item)
    return top


# For project leads ---------------------------------------------------------------------------------------------------
def _project_to_edit(request, slug) -> Project:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    if not permissions.can_edit_project(request.user, project):
        raise Http404
    return project


def _done(request, form, action, **subject) -> bool:
    """Whether the form was sent and its action took it. A refusal is shown on the form, with what was typed."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        action(**subject, **form.cleaned_data, by=request.user)
    except actions.ProjectChanged:
        raise  # the view shows both texts
    except ActionRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _data(request):
    return request.POST if request.method == "POST" else None


@never_cache
@login_required
def project_edit(request, slug):
    project = _project_to_edit(request, slug)
    names = list(forms.ProjectTextForm.base_fields)
    initial = {name: getattr(project, name) for name in names} | {"seen": project.edit_mark}
    form = forms.ProjectLeadForm(_data(request), initial=initial)
    theirs = []
    try:
        if _done(request, form, actions.edit_project, project=project):
            messages.success(request, "The page of the project has been changed.")
            return redirect(project)
    except actions.ProjectChanged as refusal:
        form.add_error(None, str(refusal))
        form.data = form.data.copy()
        form.data["seen"] = refusal.stored.edit_mark
        stored = ((name, getattr(refusal.stored, name)) for name in names)
        theirs = [(form[name].label, text) for name, text in stored if text != form.cleaned_data[name]]
    context = {
        "project": project,
        "form": form,
        "theirs": theirs,
        "adoptions": latest_adoptions(project),
        "heading": f"Edit {project.title}",
        "crumbs": project_crumbs((project.title, project.get_absolute_url())),
    }
    return render(request, "projects/project_edit.html", context)


@never_cache
@login_required
def pdsa_cycle_add(request, slug):
    project = _project_to_edit(request, slug)
    form = forms.PdsaCycleForm(_data(request))
    if _done(request, form, actions.add_pdsa_cycle, project=project):
        messages.success(request, "The cycle has been added.")
        return redirect("projects:project_edit", slug)
    return _editing_page(request, project, form, "Add a plan, do, study, act cycle")


@never_cache
@login_required
def pdsa_cycle_edit(request, slug, number):
    project = _project_to_edit(request, slug)
    cycle = get_object_or_404(project.pdsa_cycles, number=number)
    names = list(forms.PdsaCycleForm.base_fields)
    form = forms.PdsaCycleForm(_data(request), initial={name: getattr(cycle, name) for name in names})
    if _done(request, form, actions.edit_pdsa_cycle, pdsa_cycle=cycle):
        messages.success(request, f"Cycle {cycle.number} has been changed.")
        return redirect("projects:project_edit", slug)
    return _editing_page(request, project, form, f"Cycle {cycle.number}: {cycle.title}")


@never_cache
@login_required
def adoption_record(request, slug):
    project = _project_to_edit(request, slug)
    form = forms.AdoptionForm(_data(request))
    if _done(request, form, actions.record_adoption, project=project):
        messages.success(request, "The adoption has been recorded.")
        return redirect("projects:project_edit", slug)
    return _editing_page(request, project, form, "Record how far an organisation is")


def _editing_page(request, project, form, heading):
    edit = reverse("projects:project_edit", args=[project.slug])
    context = {
        "form": form,
        "heading": heading,
        "intro": project.title,
        "crumbs": project_crumbs((project.title, project.get_absolute_url()), ("Edit", edit)),
        "back": ("Back without saving", edit),
    }
    return render(request, "layouts/form.html", context)


# Affiliations --------------------------------------------------------------------------------------------------------
@never_cache
@login_required
def affiliation_list(request):
    form = forms.ClaimForm(_data(request))
    if _done(request, form, actions.claim_affiliation):
        messages.success(request, "We will check it and write to you.")
        return redirect("projects:affiliation_list")
    affiliations = Affiliation.objects.filter(user=request.user).select_related("organisation")
    context = {"form": form, "affiliations": affiliations, "crumbs": [("My page", reverse("my"))]}
    return render(request, "projects/affiliation_list.html", context)


@never_cache
@login_required
def affiliation_end(request, pk):
    affiliation = get_object_or_404(Affiliation.objects.filter(user=request.user).select_related("organisation"), pk=pk)
    if request.method == "POST":
        try:
            actions.end_affiliation(affiliation=affiliation, by=request.user)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"You no longer belong to {affiliation.organisation} in the portal.")
        return redirect("projects:affiliation_list")
    context = {"affiliation": affiliation, "crumbs": [("My organisations", reverse("projects:affiliation_list"))]}
    return render(request, "projects/affiliation_end.html", context)
