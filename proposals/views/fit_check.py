"""The fit check: anyone can see in two minutes whether an idea fits a call. Nothing is stored unless they go on."""

from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from proposals import fit, forms
from proposals.views.calls import CALLS, published_call

KEPT = "fit-check"  # in the session: answers of those who go on, by the slug of the call


@never_cache
def fit_check(request, slug):
    """The questions; posted, the result. It is shown at once and not stored."""
    call = published_call(slug)
    context = {"call": call, "crumbs": [*CALLS, (call.title, call.get_absolute_url())]}
    if call.is_past:
        return render(request, "proposals/fit_check.html", context)
    form = forms.FitCheckForm(request.POST if request.method == "POST" else None, call=call)
    if request.method == "POST" and form.is_valid():
        return render(request, "proposals/fit_check_result.html", context | _result(call, form))
    return render(request, "proposals/fit_check.html", context | {"form": form})


def _result(call, form) -> dict:
    idea = form.idea()
    criteria = {weight.criterion.code: weight.criterion for weight in call.weights.all()}
    return {
        "form": form,
        "not_yet": [(criteria.get(one.criterion), one) for one in fit.not_yet(idea)],
        "stronger": [(criteria.get(one.criterion), one) for one in fit.could_be_stronger(idea)],
        "hidden": list(form.hidden()),
    }


@never_cache
@require_POST
def fit_check_go_on(request, slug):
    """Take the answers along to the form: they wait in the session while somebody signs up or logs in."""
    call = published_call(slug)
    form = forms.FitCheckForm(request.POST, call=call)
    if not call.is_open or not form.is_valid():
        return redirect("proposals:fit_check", call.slug)
    request.session[KEPT] = {call.slug: form.answers()}
    return redirect("proposals:apply", call.slug)


def kept_answers(request, call) -> dict:
    """What waits to be carried over into a draft in this call."""
    return request.session.get(KEPT, {}).get(call.slug, {})


def forget(request) -> None:
    request.session.pop(KEPT, None)
