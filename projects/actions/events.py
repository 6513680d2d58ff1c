"""Events and who takes part in them. `by` None is the portal itself, or whoever holds the link of a registration.

Whatever gives or takes a place locks the event first: places are counted by one transaction at a time.
"""

import datetime as dt

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from projects import permissions
from projects.actions.storing import change, check, create, lock, require
from projects.models import Event, Registration
from psc_portal.common import audit, clock, outbox
from psc_portal.common.public_pages import changed
from psc_portal.common.refusals import ActionRefused
from psc_portal.common.slugs import unique_slug
from psc_portal.common.templatetags.portal import uk_datetime

Status = Registration.Status
WHERE_AND_WHEN = ["starts_at", "ends_at", "attendance", "venue", "joining_link"]  # who registered is told of a change
SENT_TWICE = dt.timedelta(minutes=10)
SAVED_BEFORE = (
    "Somebody else saved this while you were writing. Your text is kept here: copy what you need, open the page again "
    "and bring both together."
)


# The event -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def create_event(*, title, priorities=(), projects=(), by, **details) -> Event:
    """A new event as a draft, which only staff see.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: it ends before it starts, has no place to go to, or a text holds what it must not.
    """
    require(permissions.can_manage(by))
    return create(
        Event,
        slug=unique_slug(Event, title),
        title=title,
        many={"priorities": priorities, "projects": projects},
        by=by,
        **details,
    )


@transaction.atomic
def edit_event(*, event, by, seen="", **details) -> Event:
    """Change what the event is. Whoever registered is told of another time or place; more places move the list up.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: cancelled, changed by somebody else since `seen`, or fewer places than people who have one.
    """
    require(permissions.can_manage(by))
    stored = lock(event)
    if stored.is_cancelled:
        raise ActionRefused("This event is cancelled. Its page stays as it is: add a new event instead.")
    if seen and seen != stored.edit_mark:
        raise ActionRefused(SAVED_BEFORE)
    taken = stored.registrations.filter(status=Status.REGISTERED).count()
    if (places := details.get("places", stored.places)) is not None and places < taken:
        raise ActionRefused(f"{taken} people have a place already. Give at least as many places, or cancel some first.")
    is_moved = stored.status == Event.Status.PUBLISHED and any(
        details.get(name, getattr(stored, name)) != getattr(stored, name) for name in WHERE_AND_WHEN
    )
    if is_moved:
        details["moves"] = stored.moves + 1
    event = change(event, "edit_event", details, by=by)
    if is_moved:
        _tell_everyone(event, "projects/event_changed", f"changed-{event.moves}")
    _move_up(event, by=by)
    return event


@transaction.atomic
def publish_event(*, event, by) -> Event:
    """Show it to everyone and let people register."""
    require(permissions.can_manage(by))
    if lock(event).ends_at <= clock.now():
        raise ActionRefused("This event is over. Change its dates first.")
    event.change_status(Event.Status.PUBLISHED, by=by)
    audit.record("publish_event", event, by=by)
    return event


@transaction.atomic
def cancel_event(*, event, reason, by) -> Event:
    """Say that it does not take place, and why: on its page, in calendars, and to everyone who registered.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: no reason, over already, or not public yet.
    """
    require(permissions.can_manage(by))
    if lock(event).ends_at <= clock.now():
        raise ActionRefused("This event is over and cannot be cancelled any more.")
    if not reason.strip():
        raise ActionRefused("Say why it is cancelled: everyone who registered reads it.")
    check(Event, {"cancelled_reason": reason})
    event.cancelled_reason = reason.strip()
    event.save(update_fields=["cancelled_reason"])
    event.change_status(Event.Status.CANCELLED, by=by)
    audit.record("cancel_event", event, by=by, after={"told": event.registrations.live().count()})
    _tell_everyone(event, "projects/event_cancelled", "cancelled")
    _erase_needs(event.registrations.all())
    return event


# Registrations -------------------------------------------------------------------------------------------------------
@transaction.atomic
def register(*, event, name, email, organisation="", comes="", access_needs="", by=None) -> Registration:
    """Give somebody a place, or the next one on the waiting list; no account is needed.

    An address that is registered already keeps what it has and, unless it was a double click, gets its e-mail again,
    once a day.

    Raises:
        ActionRefused: registration is closed, or what was typed is missing, too long or holds an NHS number.
    """
    event = lock(event)
    if not event.takes_registrations_at(clock.now()):
        raise ActionRefused("Registration for this event has closed. Write to us if you still want to take part.")
    values = {"name": name.strip(), "organisation": organisation.strip(), "comes": comes, "access_needs": access_needs}
    if not values["name"]:
        raise ActionRefused("Name: enter some text.")
    check(Registration, values)
    try:
        validate_email(email)
    except ValidationError:
        raise ActionRefused("Enter an e-mail address in the correct format, like name@example.com.")
    already = event.registrations.live().filter(email__iexact=email).first()
    if already:
        if already.registered_at < clock.now() - SENT_TWICE:
            _tell(already, "projects/registered", f"again-{clock.today()}")
        return already
    taken = event.registrations.filter(status=Status.REGISTERED).count()
    has_place = event.places is None or taken < event.places
    registration = Registration.objects.create(
        event=event,
        status=Status.REGISTERED if has_place else Status.WAITING,
        email=email,
        registered_at=clock.now(),
        **values,
    )
    audit.record("register", registration, by=by, after={"event": event.pk, "status": registration.status})
    changed()
    _tell(registration, "projects/registered", "first")
    return registration


@transaction.atomic
def cancel_registration(*, registration, by=None) -> Registration:
    """Give the place back. What the person needed is erased, and the first of the waiting list moves up.

    Raises:
        PermissionDenied: `by` is somebody, and not programme staff.
        ActionRefused: cancelled already, or the event is over.
    """
    require(by is None or permissions.can_manage(by))
    event = lock(registration.event)
    if event.is_past:
        raise ActionRefused("This event is over. There is nothing to cancel any more.")
    registration.change_status(Status.CANCELLED, by=by)
    _erase_needs(Registration.objects.filter(pk=registration.pk))
    audit.record("cancel_registration", registration, by=by, after={"event": event.pk})
    _tell(registration, "projects/registration_cancelled", "cancelled")
    _move_up(event, by=by)
    changed()
    return registration


def _move_up(event, *, by) -> None:
    """Give free places to those who wait, first come first served. The event is locked."""
    if event.status != Event.Status.PUBLISHED or event.starts_at <= clock.now():
        return
    waiting = event.registrations.in_line()
    if event.places is not None:
        free = event.places - event.registrations.filter(status=Status.REGISTERED).count()
        waiting = waiting[: max(0, free)]
    for registration in waiting:
        registration.change_status(Status.REGISTERED, by=by)
        audit.record("move_up", registration, by=by, after={"event": event.pk})
        _tell(registration, "projects/moved_up", "moved-up")


# Retention -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def erase_registrations() -> tuple[int, int]:
    """After an event forget what people needed; after EVENT_PEOPLE_KEPT_DAYS who they were. May run twice.

    Returns:
        How many registrations lost their access needs, and how many their name and address.
    """
    now = clock.now()
    over = Registration.objects.filter(event__ends_at__lte=now)
    needs = _erase_needs(over)
    people = over.filter(
        event__ends_at__lte=now - dt.timedelta(days=settings.EVENT_PEOPLE_KEPT_DAYS), erased_at__isnull=True
    ).update(name="", email="", organisation="", access_needs="", erased_at=now)
    return needs, people


def _erase_needs(registrations) -> int:
    return registrations.exclude(access_needs="").update(access_needs="", needs_erased_at=clock.now())


# Mail ----------------------------------------------------------------------------------------------------------------
def _tell_everyone(event, template: str, occasion: str) -> None:
    for registration in event.registrations.live().select_related("event"):
        _tell(registration, template, occasion)


def _tell(registration, template: str, occasion: str) -> None:
    """Nothing in these mails was typed by whoever registered: they may have typed another person's address."""
    event = registration.event
    has_place = registration.status == Status.REGISTERED
    outbox.send_mail(
        to=[registration.email],
        template=template,
        context={
            "event": event,
            "when": uk_datetime(event.starts_at),
            "until": uk_datetime(event.ends_at),
            "has_place": has_place,
            "joining_link": event.joining_link if has_place and registration.comes != "in_person" else "",
            "url": settings.PORTAL_URL + event.get_absolute_url(),
            "calendar_url": settings.PORTAL_URL + reverse("projects:event_file", args=[event.slug]),
            "events_url": settings.PORTAL_URL + reverse("projects:event_list"),
            "cancel_url": settings.PORTAL_URL + registration.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
        },
        key=f"event-registration-{registration.pk}-{occasion}",
    )
