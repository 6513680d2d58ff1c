"""What the pages of this app have in common."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from projects import actions, permissions
from projects.models import Project
from psc_portal.common.refusals import ActionRefused


def project_crumbs(*more):
    return [("Projects", reverse("projects:project_list")), *more]


def project_to_edit(request, slug) -> Project:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    if not permissions.can_edit_project(request.user, project):
        raise Http404
    return project


def done(request, form, action, **subject) -> bool:
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


def sent_data(request):
    return request.POST if request.method == "POST" else None


def editing_page(request, project, form, heading):
    edit = reverse("projects:project_edit", args=[project.slug])
    context = {
        "form": form,
        "heading": heading,
        "intro": project.title,
        "crumbs": project_crumbs((project.title, project.get_absolute_url()), ("Edit", edit)),
        "back": ("Back without saving", edit),
    }
    return render(request, "layouts/form.html", context)
