"""Subscribing to e-mails about what is new: pages of their own, never kept. Programs that open links change nothing."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from projects import actions, forms
from projects.models import Priority, Subscription
from psc_portal.common.guards import is_too_often
from psc_portal.common.refusals import ActionRefused

AN_HOUR = 10  # from one address


@never_cache
def subscribe(request):
    """The answer is the same for an address that is subscribed and one that is not."""
    chosen = Priority.objects.current().filter(slug=request.GET.get("priority", "")[:80])
    is_sent = request.method == "POST"
    form = forms.SubscribeForm(request.POST if is_sent else None, initial={"priorities": chosen})
    status = 200
    if is_sent and form.is_from_a_program:
        return redirect("projects:subscribe")
    if is_sent and form.is_valid():
        if not is_too_often(request, what="subscribe", times=AN_HOUR, seconds=3600):
            values = {name: form.cleaned_data[name] for name in ("email", "frequency", "priorities", "organisations")}
            actions.ask_for_digest(**values)
            return render(request, "projects/subscription_asked.html", {"email": values["email"]})
        form.add_error(None, "You have asked very often in the last hour. Wait an hour, then try again.")
        status = 429
    context = {
        "form": form,
        "heading": "Get e-mails about what is new",
        "back": ("Rather use a feed reader? See all feeds", reverse("projects:feed_list")),
        "intro": "A short e-mail with links, only when something is new. There is no tracking in it.",
    }
    return render(request, "layouts/form.html", context, status=status)


@never_cache
def subscription(request, subscription_token):
    """Where the link of each mail leads: to confirm, to change, to stop. Only a button does something."""
    found = get_object_or_404(Subscription, token=subscription_token)
    initial = {name: getattr(found, name).all() for name in ("priorities", "organisations")}
    is_changed = request.method == "POST" and "frequency" in request.POST
    form = forms.SubscriptionChoices(
        request.POST if is_changed else None, initial={**initial, "frequency": found.frequency}
    )
    if request.method == "POST":
        if "stop" in request.POST:
            actions.stop_subscription(subscription=found)
            messages.success(request, "Your address is deleted. You get no more of these e-mails.")
            return redirect("projects:subscribe")
        try:
            if "confirm" in request.POST:
                actions.confirm_subscription(subscription=found)
                messages.success(request, "Confirmed. We write to you when something is new.")
                return redirect("projects:subscription", subscription_token)
            if form.is_valid():
                actions.change_subscription(subscription=found, **form.cleaned_data)
                messages.success(request, "Your choices are saved.")
                return redirect("projects:subscription", subscription_token)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("projects:subscribe")
    return render(request, "projects/subscription_manage.html", {"subscription": found, "form": form})


@csrf_exempt
@never_cache
def subscription_stop(request, subscription_token):
    """One-click unsubscribing by a mail program (RFC 8058): its POST carries only the address. A GET only asks."""
    if request.method != "POST":
        return redirect("projects:subscription", subscription_token)
    found = Subscription.objects.filter(token=subscription_token).first()
    if found:
        actions.stop_subscription(subscription=found)
    return HttpResponse("You get no more of these e-mails.", content_type="text/plain; charset=utf-8")
