"""The driver diagram, a box at a time, on pages that need no JavaScript."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from projects import actions, charts, diagram, forms, permissions, readings
from projects.models import ProposedChange
from projects.views.shared import done, project_crumbs, project_to_edit, sent_data
from psc_portal.common.refusals import ActionRefused


@never_cache
@login_required
def drivers_edit(request, slug):
    project = project_to_edit(request, slug)
    is_direct = permissions.can_publish_words(request.user, project)
    boxes = actions.working_diagram(project, request.user)
    proposed = None if is_direct else readings.open_change(project, ProposedChange.Kind.DRIVERS)
    context = {
        "project": project,
        "rows": _rows(boxes),
        "drawing": charts.drivers_svg(project.aim, boxes) if boxes else "",
        "levels": [(level, name, _can_add(boxes, level)) for level, name in diagram.LEVELS.items()],
        "is_direct": is_direct,
        "proposed": proposed,
        "differences": diagram.differences(readings.boxes_of(project), boxes) if proposed else [],
        "crumbs": _crumbs(project),
    }
    return render(request, "projects/drivers_edit.html", context)


def _rows(boxes) -> list[dict]:
    """Each box in reading order, with how deep it stands and what can be done with it."""
    depth = {level: number for number, level in enumerate(diagram.LEVELS)}
    texts = {box.key: box.text for box in boxes}
    return [
        {
            "box": box,
            "depth": depth[box.level],
            "also": [texts[key] for key in box.also if key in texts],
            "can_rise": diagram.moved(boxes, box.key, up=True) != boxes,
            "can_sink": diagram.moved(boxes, box.key, up=False) != boxes,
        }
        for box in diagram.in_order(boxes)
    ]


def _can_add(boxes, level) -> bool:
    return diagram.ABOVE[level] is None or bool(diagram.above(boxes, level))


@never_cache
@login_required
def driver_add(request, slug, level):
    project = project_to_edit(request, slug)
    boxes = actions.working_diagram(project, request.user)
    if level not in diagram.LEVELS or not _can_add(boxes, level):
        raise Http404
    form = forms.BoxForm(sent_data(request), level=level, boxes=boxes)
    if done(request, form, actions.add_box, project=project, level=level):
        messages.success(request, "The box has been added.")
        return redirect("projects:drivers_edit", slug)
    return _box_page(request, project, form, f"Add a {diagram.LEVELS[level].lower()}")


@never_cache
@login_required
def driver_change(request, slug, key):
    project = project_to_edit(request, slug)
    boxes = actions.working_diagram(project, request.user)
    box = next((one for one in boxes if one.key == key), None)
    if box is None:
        raise Http404
    initial = {"text": box.text, "parent": box.parent, "also": box.also}
    form = forms.BoxForm(sent_data(request), level=box.level, boxes=boxes, initial=initial)
    if done(request, form, actions.change_box, project=project, key=key):
        messages.success(request, "The box has been changed.")
        return redirect("projects:drivers_edit", slug)
    return _box_page(request, project, form, f"{box.level_name}: {box.text}")


MOVES = {
    "up": (actions.move_box, {"up": True}, "The box has moved up."),
    "down": (actions.move_box, {"up": False}, "The box has moved down."),
    "remove": (actions.remove_box, {}, "The box has been removed."),
}


@never_cache
@login_required
@require_POST
def driver_move(request, slug, key, move):
    """A button of the outline: up, down or remove."""
    project = project_to_edit(request, slug)
    if move not in MOVES:
        raise Http404
    action, options, told = MOVES[move]
    try:
        action(project=project, key=key, **options, by=request.user)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect("projects:drivers_edit", slug)


@never_cache
@login_required
@require_POST
def drivers_send(request, slug):
    project = project_to_edit(request, slug)
    try:
        actions.send_diagram(project=project, by=request.user)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The diagram has been sent. Programme staff look at it before it becomes public.")
    return redirect("projects:drivers_edit", slug)


def _crumbs(project, *more):
    edit = reverse("projects:project_edit", args=[project.slug])
    return project_crumbs((project.title, project.get_absolute_url()), ("Edit", edit), *more)


def _box_page(request, project, form, heading):
    drivers = reverse("projects:drivers_edit", args=[project.slug])
    context = {
        "form": form,
        "heading": heading,
        "intro": project.title,
        "crumbs": _crumbs(project, ("Driver diagram", drivers)),
        "back": ("Back without saving", drivers),
    }
    return render(request, "layouts/form.html", context)
