"""Events as everyone sees them, their calendar files, and registering without an account."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from projects import actions, forms
from projects.models import Event, Priority, Project, Registration
from psc_portal.common import calendar_file, clock
from psc_portal.common.guards import is_too_often
from psc_portal.common.pagination import paginate
from psc_portal.common.public_pages import public_page
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.templatetags.portal import uk_datetime
from psc_portal.content.prose import prose

EVENTS_A_PAGE = 20
IN_CALENDAR_DAYS = 400  # events longer ago are left out
REGISTRATIONS_AN_HOUR = 20  # from one address: a team may register together
EVENTS = "Events"


def crumbs(*more):
    return [(EVENTS, reverse("projects:event_list")), *more]


@public_page
def event_list(request):
    visible = Event.objects.visible_to(request.user)
    filters = forms.EventFilters(request.GET)
    events = filters.applied_to(visible).with_counts().defer("description", "search")
    context = {
        "page": paginate(request, events, per_page=EVENTS_A_PAGE),
        "form": filters,
        "shows_past": filters.chosen.get("when") == "past",
        "calendar_url": settings.PORTAL_URL + reverse("projects:event_calendar"),
    }
    return render(request, "projects/event_list.html", context)


@public_page
def event_detail(request, slug):
    rows = Event.objects.visible_to(request.user).with_counts()
    event = get_object_or_404(
        rows.prefetch_related(
            Prefetch("projects", Project.objects.visible_to(request.user)),
            Prefetch("priorities", Priority.objects.visible_to(request.user)),
        ),
        slug=slug,
    )
    context = {
        "event": event,
        "description": prose(event.description),
        "structured": _structured(event),
        "crumbs": crumbs(),
    }
    return render(request, "projects/event_detail.html", context)


def _structured(event) -> dict:
    """The event as schema.org describes one. The link to join is not public, so an online place is the page itself."""
    url = settings.PORTAL_URL + event.get_absolute_url()
    places = [{"@type": "Place", "name": event.venue, "address": event.venue}] if event.is_in_person else []
    places += [{"@type": "VirtualLocation", "url": url}] if event.is_online else []
    modes = {"in_person": "Offline", "online": "Online", "both": "Mixed"}
    return {
        "@type": "Event",
        "name": event.title,
        "description": event.summary,
        "startDate": event.starts_at.isoformat(),
        "endDate": event.ends_at.isoformat(),
        "eventStatus": f"https://schema.org/Event{'Cancelled' if event.is_cancelled else 'Scheduled'}",
        "eventAttendanceMode": f"https://schema.org/{modes[event.attendance]}EventAttendanceMode",
        "location": places,
        "url": url,
        "organizer": {"@type": "Organization", "name": settings.COLLABORATIVE["name"], "url": settings.PORTAL_URL},
    }


# Calendar files ------------------------------------------------------------------------------------------------------
@require_GET
@public_page
def calendar(request):
    """Every event, for a calendar that fetches it again and again: a cancelled one stays in and says so."""
    after = clock.now() - timedelta(days=IN_CALENDAR_DAYS)
    events = Event.objects.exclude(status=Event.Status.DRAFT).filter(ends_at__gt=after).order_by("starts_at", "pk")
    return _calendar_response(f"Events, {settings.COLLABORATIVE['short_name']}", events)


@require_GET
@public_page
def event_calendar(request, slug):
    event = get_object_or_404(Event.objects.exclude(status=Event.Status.DRAFT), slug=slug)
    return _calendar_response(event.title, [event])


def _calendar_response(name, events):
    entries = [_entry(event) for event in events]
    text = calendar_file.calendar_file(name, entries, product=settings.COLLABORATIVE["name"])
    return HttpResponse(text, content_type="text/calendar; charset=utf-8")


def _entry(event):
    url = settings.PORTAL_URL + event.get_absolute_url()
    return calendar_file.Event(
        uid=f"event-{event.pk}@{urlsplit(settings.PORTAL_URL).hostname}",
        summary=f"Cancelled: {event.title}" if event.is_cancelled else event.title,
        start=event.starts_at,
        end=event.ends_at,
        location=event.venue or event.get_attendance_display(),
        url=url,
        description=f"{event.summary} {url}",
        changed_at=event.updated_at,
        sequence=event.moves + event.is_cancelled,
        is_cancelled=event.is_cancelled,
    )


# Registering ---------------------------------------------------------------------------------------------------------
@never_cache
def register(request, slug):
    event = get_object_or_404(Event.objects.exclude(status=Event.Status.DRAFT).with_counts(), slug=slug)
    form = forms.RegistrationForm(request.POST if request.method == "POST" else None, event=event)
    status = 200
    if request.method == "POST" and form.is_valid():
        if is_too_often(request, what="register", times=REGISTRATIONS_AN_HOUR, seconds=3600):
            form.add_error(None, forms.TOO_MANY_REGISTRATIONS)
            status = 429
        elif _registered(form, event):
            messages.success(request, f"We have written to {form.cleaned_data['email']}.")
            return redirect("projects:event_registered", slug)
    context = {"event": event, "form": form, "crumbs": crumbs((event.title, event.get_absolute_url()))}
    return render(request, "projects/event_register.html", context, status=status)


def _registered(form, event) -> bool:
    try:
        actions.register(event=event, **form.details)
    except ActionRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    return True


@never_cache
def registered(request, slug):
    """The same page for everybody: whoever types another person's address learns nothing about them."""
    event = get_object_or_404(Event.objects.exclude(status=Event.Status.DRAFT), slug=slug)
    context = {"event": event, "crumbs": crumbs((event.title, event.get_absolute_url()))}
    return render(request, "projects/event_registered.html", context)


@never_cache
def registration(request, registration_token):
    """Where somebody stands, behind the link of their e-mail. Only a POST cancels: programs follow links in mail."""
    rows = Registration.objects.select_related("event").defer("event__search")
    row = get_object_or_404(rows.exclude(erased_at__isnull=False), token=registration_token)
    if request.method == "POST":
        try:
            actions.cancel_registration(registration=row)
        except ActionRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Your registration is cancelled.")
        return redirect(row)
    context = {
        "registration": row,
        "event": row.event,
        "when": uk_datetime(row.event.starts_at),
        "crumbs": crumbs((row.event.title, row.event.get_absolute_url())),
    }
    return render(request, "projects/registration.html", context)
