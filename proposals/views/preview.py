"""A draft of a call as applicants will see it once it is open: staff look through the very pages, before anybody can.

The real views run on the call as it will be, published and open, with a proposal just begun, inside a transaction that
is always rolled back. So a preview shows what there will be, and nothing in it can be saved, submitted or sent.
"""

import copy
import re
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.cache import never_cache

from proposals import actions, permissions
from proposals.models import Call
from psc_portal.common import clock

NOT_SAVED = "This is a preview: nothing was saved, and nothing can be submitted."


def staff_only(view):
    @wraps(view)
    def for_staff(request, slug, rest=""):
        call = get_object_or_404(Call.objects.filter(status=Call.Status.DRAFT), slug=slug)
        if not permissions.can_manage_call(request.user, call):
            raise Http404
        return view(request, call, rest)

    return for_staff


@never_cache
@login_required
@staff_only
def preview(request, call, rest):
    """The page that will be at /calls/<slug>/<rest>; what applicants write is below draft/ here."""
    if request.method != "GET":
        messages.info(request, NOT_SAVED)
        return redirect(_address(call, "draft/" if rest == "apply/" else rest))
    with transaction.atomic():
        response = _as_it_will_be(request, call, rest)
        transaction.set_rollback(True)
    return response


def _address(call, rest="") -> str:
    return reverse("proposals:preview", args=[call.slug]) + rest


def _as_it_will_be(request, call, rest):
    Call.objects.filter(pk=call.pk).update(status=Call.Status.PUBLISHED)  # until the rollback
    call.refresh_from_db()
    moment = clock.now() if call.is_open else call.opens_at
    with clock.at(moment):
        public, mine = call.get_absolute_url(), ""
        if rest.startswith("draft/"):
            proposal = actions.start_proposal(call=call, by=request.user)
            mine = reverse("proposals:draft", args=[call.slug, proposal.public_id])
            path = mine + rest.removeprefix("draft/")
        else:
            path = public + rest
        response = _answer(request, call, path)
    return _lead_back_here(response, call, public, mine)


def _answer(request, call, path):
    try:
        match = resolve(path)
    except Resolver404:
        raise Http404
    if match.namespace != "proposals" or match.url_name in ("preview", "preview_page"):
        raise Http404
    shown = copy.copy(request)
    shown.path = shown.path_info = path
    shown.resolver_match = match
    shown.preview = {"back": reverse("admin:proposals_call_change", args=[call.pk]), "call": _address(call),
                     "form": _address(call, "form/"), "draft": _address(call, "draft/")}  # fmt: skip
    response = match.func(shown, *match.args, **match.kwargs)
    return response.render() if hasattr(response, "render") else response


def _lead_back_here(response, call, public, mine):
    """Addresses of the call and of the proposal lead to their previews; nothing is saved behind the reader's back."""

    def here(text: str) -> str:
        if mine:
            text = text.replace(f'="{mine}', f'="{_address(call)}draft/')
        return re.sub(f'="{re.escape(public)}(?!preview/)', f'="{_address(call)}', text)

    if location := response.headers.get("Location"):
        response["Location"] = here(f'="{location}').removeprefix('="')
    elif response["Content-Type"].startswith("text/html"):
        text = re.sub(r'\sdata-autosave[\w-]*="[^"]*"', "", response.content.decode())
        response.content = here(text).encode()
    return response
