"""How work spreads: the board of organisations and projects, who near me does it, and how to ask them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from projects import actions, forms, readings, spread
from projects.models import Organisation, Project, System
from projects.views.shared import project_crumbs
from psc_portal.common import clock
from psc_portal.common.export import csv_response
from psc_portal.common.guards import is_too_often
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused

ROWS_A_PAGE, COLUMNS_A_PAGE = 25, 5
MESSAGES_AN_HOUR = 5  # from one address
CSV_COLUMNS = ["organisation", "system", "project", "project_address", "stage", "since", "note"]


@dataclass
class Board:
    """What the filters leave: organisations, projects, and what each organisation does now with each project."""

    form: forms.SpreadFilters
    places: list[spread.Place]
    projects: list[Project]
    latest: dict[tuple[int, int], spread.Dated]

    def rows(self, places: Iterable[spread.Place], projects: list[Project]):
        return [
            (place, [(project, self.latest.get((place.pk, project.pk))) for project in projects]) for place in places
        ]

    def by_project(self) -> list[tuple[Project, list[int], int]]:
        """Each project with how many organisations stand at each stage, and how many it is meant for that do not."""
        counts: dict[int, Counter] = defaultdict(Counter)
        for (_place, project), row in self.latest.items():
            counts[project][row.stage] += 1
        return [
            (
                project,
                [counts[project.pk][stage] for stage in spread.STAGES],
                sum(
                    (place.pk, project.pk) not in self.latest and spread.may_use(place, project.care_settings)
                    for place in self.places
                ),
            )
            for project in self.projects
        ]

    def reach(self) -> list[spread.Reach]:
        """By system. With one project, only the organisations that it is meant for or that have taken it up count."""
        stages = defaultdict(list)
        for (place, _project), row in self.latest.items():
            stages[place].append(row.stage)
        only = self.only
        meant = [
            place
            for place in self.places
            if only is None or place.pk in stages or spread.may_use(place, only.care_settings)
        ]
        return spread.reach(meant, stages)

    @property
    def only(self) -> Project | None:
        return self.projects[0] if self.form.chosen.get("project") and self.projects else None


def _board(request) -> Board:
    """Five queries, however many rows."""
    visible = Project.objects.visible_to(request.user).order_by("title", "pk")
    form = forms.SpreadFilters(request.GET, projects=visible)
    chosen = form.chosen
    projects = visible.filtered(priority=chosen.get("priority"), setting=chosen.get("setting"))
    if "project" in chosen:
        projects = projects.filter(slug=chosen["project"])
    projects = list(projects.only("pk", "slug", "title", "care_settings", "evidence_level"))
    latest = spread.latest(readings.latest_stages([project.pk for project in projects]))
    taking = {place for place, _project in latest}
    places = readings.places()
    if "system" in chosen:
        name = dict(form.fields["system"].choices)[chosen["system"]]
        places = [place for place in places if place.system in {name, readings.EVERYWHERE}]
    if "setting" in chosen:
        places = [place for place in places if chosen["setting"] in place.care_settings or place.pk in taking]
    shown = {place.pk for place in places}
    return Board(form, places, projects, {key: row for key, row in latest.items() if key[0] in shown})


@public_page
def board(request):
    found = _board(request)
    page = paginate(request, found.places, per_page=ROWS_A_PAGE)
    columns = Paginator(found.projects, COLUMNS_A_PAGE).get_page(request.GET.get("columns"))
    kept = found.form.query
    reach = found.reach()
    context = {
        "form": found.form,
        "page": page,
        "columns": columns,
        "rows": found.rows(page, list(columns)),
        "by_project": found.by_project(),
        "reach": reach,
        "stages": list(spread.STAGES.values()),
        "only": found.only,
        "query": kept,
        "query_with_columns": "&".join(filter(None, [kept, f"columns={columns.number}" if columns.number > 1 else ""])),
        "has_taken_part": bool(found.latest),
    }
    return render(request, "projects/spread.html", context)


@public_page
def board_print(request):
    """Everything that the filters leave, project by project, on paper."""
    found = _board(request)
    names = {place.pk: place for place in found.places}
    listed = defaultdict(lambda: defaultdict(list))
    for (place, project), row in found.latest.items():
        if place in names:
            listed[project][row.stage].append((names[place].name, row.since))
    projects = [
        (project, [(label, sorted(listed[project.pk][stage])) for stage, label in spread.STAGES.items()])
        for project in found.projects
    ]
    context = {"form": found.form, "projects": projects, "reach": found.reach(), "today": clock.today()}
    return render(request, "projects/spread_print.html", context | {"stages": list(spread.STAGES.values())})


@require_safe
@public_page
def board_csv(request):
    found = _board(request)
    places = {place.pk: place for place in found.places}
    titles = {project.pk: project for project in found.projects}
    rows = [
        [
            places[row.organisation].name,
            places[row.organisation].system,
            titles[row.project].title,
            request.build_absolute_uri(titles[row.project].get_absolute_url()),
            row.stage_name,
            row.since,
            row.note,
        ]
        for row in sorted(
            found.latest.values(), key=lambda row: (titles[row.project].title, places[row.organisation].name)
        )
    ]
    return csv_response(
        "adoption.csv", CSV_COLUMNS, rows, [("What each organisation does now, as of", str(clock.today()))]
    )


# Near whom -----------------------------------------------------------------------------------------------------------
@public_page
def near(request):
    """Projects with somebody in the visitor's system. Where that is comes from the organisations' own postcodes."""
    visible = Project.objects.visible_to(request.user)
    form = forms.NearFilters(request.GET, projects=visible)
    systems = list(System.objects.all())
    chosen = _systems_of(form.chosen, systems)
    context = {
        "form": form,
        "systems": systems,
        "chosen": chosen,
        "is_asked": bool(form.chosen.get("place") or form.chosen.get("system")),
        "projects": _projects_in(chosen, visible, form.chosen.get("q", "")) if chosen else [],
        "crumbs": [("Spread", reverse("projects:spread"))],
    }
    return render(request, "projects/near.html", context)


def _systems_of(asked: dict, systems: list[System]) -> list[System]:
    """The systems that were chosen, or whose organisations have such a postcode or name."""
    if "system" in asked:
        return [system for system in systems if system.code == asked["system"]]
    typed = asked.get("place", "")
    if not typed:
        return []
    rows = Organisation.objects.current().exclude(system=None).values_list("postcode", "system", "name")
    rows = list(rows)
    found = spread.systems_near(typed, [(postcode, system) for postcode, system, _name in rows if postcode])
    if not found:
        word = typed.lower()
        found = {system.pk for system in systems if word in system.name.lower()}
        found = found or {system for _postcode, system, name in rows if len(word) > 2 and word in name.lower()}
    return [system for system in systems if system.pk in found]


def _projects_in(systems: list[System], visible, words: str) -> list[tuple[Project, list]]:
    """Projects that somebody in these systems has taken up, the ones in use most first."""
    projects = {project.pk: project for project in visible.filtered(q=words).only(
        "pk", "slug", "title", "status", "evidence_level", "result_in_short"
    )}  # fmt: skip
    names = {system.name for system in systems} | {readings.EVERYWHERE}
    here = {place.pk: place for place in readings.places() if place.system in names}
    found = defaultdict(list)
    for row in readings.latest_stages(list(projects)):
        if row.organisation in here:
            found[row.project].append((here[row.organisation], row))
    order = list(spread.STAGES)
    listed = [
        (projects[pk], sorted(rows, key=lambda pair: (order.index(pair[1].stage), pair[0].name)))
        for pk, rows in found.items()
    ]
    return sorted(listed, key=lambda pair: (-sum(row.stage == "in_use" for _place, row in pair[1]), pair[0].title))


# Asking them ---------------------------------------------------------------------------------------------------------
@never_cache
def contact(request, slug):
    project = get_object_or_404(Project.objects.public(), slug=slug)
    if request.method != "POST":
        asked = Organisation.objects.filter(
            slug=request.GET.get("organisation", "").replace("\0", ""), adoptions__project=project
        ).first()
        return _contact_page(request, project, forms.ContactForm(project=project, initial={"organisation": asked}))
    form = forms.ContactForm(request.POST, project=project)
    if form.is_valid():
        if is_too_often(request, what="contact", times=MESSAGES_AN_HOUR, seconds=3600):
            form.add_error(None, "You have sent several messages in the last hour. Wait an hour, then send this again.")
            return _contact_page(request, project, form, status=429)
        values = {name: form.cleaned_data[name] for name in ("organisation", "name", "email", "message")}
        try:
            actions.contact_project(project=project, **values)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("projects:contact_sent", slug)
    return _contact_page(request, project, form)


def _contact_page(request, project, form, *, status=200):
    context = {
        "form": form,
        "heading": "Ask those who work on it",
        "intro": project.title,
        "crumbs": project_crumbs((project.title, project.get_absolute_url())),
    }
    return render(request, "projects/contact.html", context, status=status)


def contact_sent(request, slug):
    project = get_object_or_404(Project.objects.public(), slug=slug)
    context = {"project": project, "crumbs": project_crumbs((project.title, project.get_absolute_url()))}
    return render(request, "projects/contact_sent.html", context)
