"""Members of an organisation say what has come of its pledges."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from pledges import actions, forms
from pledges.models import SignUp, Statement
from pledges.views.public import WALL
from projects.models import Organisation
from psc_portal.common.refusals import ActionRefused


@login_required
@require_http_methods(["GET", "POST"])
def progress_post(request, slug, number):
    """Members of the organisation say what has come of pledge `number`. For everybody else there is no such page."""
    statement = get_object_or_404(
        Statement.objects.select_related("pledge", "sign_up__organisation").filter(
            sign_up__status=SignUp.Status.PUBLISHED,
            sign_up__organisation__in=Organisation.objects.of_member(request.user),
        ),
        sign_up__organisation__slug=slug,
        pledge__number=number,
    )
    sign_up = statement.sign_up
    form = forms.ProgressForm(request.POST or None, initial={"token": uuid.uuid4(), "metric": statement.metric_id})
    if form.is_valid():
        try:
            actions.post_progress(statement=statement, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Your update on “{statement.pledge.title}” is published.")
            return redirect(sign_up)
    context = {
        "form": form,
        "statement": statement,
        "heading": f"Post progress: {statement.pledge.title}",
        "crumbs": [WALL, (sign_up.organisation.name, sign_up.get_absolute_url())],
    }
    return render(request, "pledges/progress_post.html", context)
