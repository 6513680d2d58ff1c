"""Writing to an organisation that offers it, and making or ending that offer."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pledges import actions, forms
from pledges.models import Buddy, SignUp
from pledges.views.public import WALL
from projects.models import Organisation
from psc_portal.common.refusals import ActionRefused


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def buddy_offer(request, slug):
    """Members open or end the offer of their organisation. For everybody else there is no such page."""
    mine = SignUp.objects.public().filter(organisation__in=Organisation.objects.of_member(request.user))
    sign_up = get_object_or_404(mine.select_related("organisation"), organisation__slug=slug)
    open_now = Buddy.objects.filter(organisation=sign_up.organisation, closed_at__isnull=True).first()
    if request.method == "POST" and "close" in request.POST:
        actions.close_buddy(organisation=sign_up.organisation, by=request.user)
        messages.success(request, "Others can no longer write to you from this page.")
        return redirect(sign_up)
    initial = {"offers": open_now.offers if open_now else ""}
    form = forms.OfferForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            actions.open_buddy(organisation=sign_up.organisation, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error("offers", str(refusal))
        else:
            messages.success(request, "Others can now write to you. Your address is not shown.")
            return redirect(sign_up)
    context = {"form": form, "sign_up": sign_up, "open_now": open_now, "heading": "Messages from other organisations"}
    context["crumbs"] = [WALL, (sign_up.organisation.name, sign_up.get_absolute_url())]
    return render(request, "pledges/buddy_offer.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def buddy_write(request, slug):
    buddy = get_object_or_404(Buddy.objects.open().select_related("organisation"), organisation__slug=slug)
    sign_up = get_object_or_404(SignUp.objects.public().select_related("organisation"), organisation=buddy.organisation)
    form = forms.WriteForm(request.POST if request.method == "POST" else None, initial={"token": uuid.uuid4()})
    if form.is_valid():
        try:
            actions.write_to_buddy(buddy=buddy, **form.cleaned_data, by=request.user)
        except ActionRefused as refusal:
            form.add_error("message", str(refusal))
        else:
            messages.success(request, f"Your message to {buddy.organisation.name} is on its way.")
            return redirect(sign_up)
    context = {
        "form": form,
        "heading": f"Write to {buddy.organisation.name}",
        "intro": buddy.offers,
        "crumbs": [WALL, (buddy.organisation.name, sign_up.get_absolute_url())],
    }
    return render(request, "layouts/form.html", context)
