"""Asking to be reminded of a call: pages of their own, never kept, so that the call's page can be."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from proposals import actions, forms
from proposals.models import Call, CallReminder
from proposals.views.calls import CALLS
from psc_portal.common.guards import is_too_often
from psc_portal.common.refusals import ActionRefused

AN_HOUR = 10  # from one address


@never_cache
def remind(request, slug):
    """The answer is the same for an address that is on the list and one that is not."""
    call = get_object_or_404(Call.objects.published(), slug=slug)
    if call.is_past:
        messages.info(request, "This call has closed: there is nothing to remind you of.")
        return redirect(call)
    form = forms.ReminderForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if form.is_from_a_program:
            return redirect("proposals:call_remind", call.slug)
        if form.is_valid():
            if is_too_often(request, what="call-reminder", times=AN_HOUR, seconds=3600):
                form.add_error(None, "You have asked very often in the last hour. Wait an hour, then try again.")
                status = 429
            elif _asked(call, form):
                return render(
                    request, "proposals/reminder_asked.html", _context(call, email=form.cleaned_data["email"])
                )
    return render(request, "proposals/reminder_form.html", _context(call, form=form), status=status)


def _asked(call, form) -> bool:
    try:
        actions.ask_for_reminder(call=call, email=form.cleaned_data["email"])
    except ActionRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


def _context(call, **more):
    return {"call": call, "crumbs": [*CALLS, (call.title, call.get_absolute_url())], **more}


@never_cache
def reminder(request, reminder_token):
    """Where the link of each mail leads. Programs that open links change nothing: only a button does."""
    found = get_object_or_404(CallReminder.objects.select_related("call"), token=reminder_token)
    if request.method == "POST" and "stop" in request.POST:
        actions.stop_reminder(reminder=found)
        messages.success(request, "Your address is deleted. You get no reminder of this call.")
        return redirect(found.call)
    if request.method == "POST":
        try:
            actions.confirm_reminder(reminder=found)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("proposals:call_remind", found.call.slug)
        messages.success(request, "Confirmed. We remind you of this call.")
        return redirect("proposals:reminder", reminder_token)
    return render(request, "proposals/reminder_manage.html", _context(found.call, reminder=found))
