"""Calls as a feed and as calendar files, for everyone."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_GET

from proposals.models import Call
from psc_portal.common import clock
from psc_portal.common.calendar_file import Event, calendar_file
from psc_portal.common.public_pages import public_page
from psc_portal.common.templatetags.portal import uk_date, uk_datetime

IN_FEED = 30
IN_CALENDAR_DAYS = 400  # dates longer ago are left out


@require_GET
@public_page
def feed(request):
    """Newest calls first. An entry is news again when its call changes, for example when it is extended."""
    published = Max("status_changes__at", filter=Q(status_changes__to_status=Call.Status.PUBLISHED))
    calls = Call.objects.published().annotate(published_at=published).order_by("-published_at", "-pk")[:IN_FEED]
    atom = Atom1Feed(
        title=f"Calls for proposals, {settings.COLLABORATIVE['name']}",
        link=settings.PORTAL_URL + reverse("proposals:call_list"),
        description="",
        feed_url=settings.PORTAL_URL + reverse("proposals:call_feed"),
        language="en-GB",
    )
    for call in calls:
        url = settings.PORTAL_URL + call.get_absolute_url()
        atom.add_item(
            title=call.title,
            link=url,
            unique_id=url,
            description=f"{call.summary} Opens {uk_datetime(call.opens_at)}, closes {uk_datetime(call.closes_at)}. "
            f"Decision by {uk_date(call.decision_on)}.",
            pubdate=call.published_at or call.created_at,
            updateddate=call.updated_at,
        )
    return HttpResponse(atom.writeString("utf-8"), content_type=atom.content_type)


@require_GET
@public_page
def calendar(request):
    """Opening, closing and decision of every call."""
    after = clock.today() - timedelta(days=IN_CALENDAR_DAYS)
    calls = _with_moves(Call.objects.published()).filter(decision_on__gt=after).order_by("opens_at", "pk")
    return _calendar_response(f"Calls for proposals, {settings.COLLABORATIVE['short_name']}", calls)


@require_GET
@public_page
def call_calendar(request, slug):
    call = get_object_or_404(_with_moves(Call.objects.published()), slug=slug)
    return _calendar_response(call.title, [call])


def _with_moves(calls):
    return calls.annotate(moves=Count("extensions", filter=Q(extensions__applicant=None)))


def _calendar_response(name, calls):
    events = [event for call in calls for event in _events(call)]
    text = calendar_file(name, events, product=settings.COLLABORATIVE["name"])
    return HttpResponse(text, content_type="text/calendar; charset=utf-8")


def _events(call):
    host, url = urlsplit(settings.PORTAL_URL).hostname, settings.PORTAL_URL + call.get_absolute_url()
    for name, start, verb in (
        ("opens", call.opens_at, "opens"),
        ("closes", call.closes_at, "closes"),
        ("decision", call.decision_on, "decision by today"),
    ):
        said = uk_datetime(start) if name != "decision" else uk_date(start)
        yield Event(
            uid=f"call-{call.pk}-{name}@{host}",
            summary=f"{call.title}: {verb}",
            start=start,
            url=url,
            description=f"{said}. {call.summary} {url}",
            changed_at=call.updated_at,
            sequence=call.moves,
        )
