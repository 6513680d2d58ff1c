"""An organisation offers to be written to by others about its pledges; nobody's address is shown."""

import datetime as dt

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction

from pledges import permissions
from pledges.models import Buddy, SignUp
from psc_portal.common import audit, clock, outbox
from psc_portal.common.models import AuditEvent
from psc_portal.common.nhs_numbers import refuse_nhs_numbers
from psc_portal.common.refusals import ActionRefused

MESSAGES_A_DAY = 10  # of one person, to all organisations together


@transaction.atomic
def open_buddy(*, organisation, offers, by) -> Buddy:
    """Offer to be written to; the member who opens it gets the messages. Offered already: the words and person change.

    Raises:
        PermissionDenied: `by` is not a member.
        ActionRefused: the organisation has no published pledges, or the text holds an NHS number.
    """
    if not (by.is_authenticated and permissions.is_member(by, organisation)):
        raise PermissionDenied
    if not SignUp.objects.public().filter(organisation=organisation).exists():
        raise ActionRefused(f"{organisation} has no published pledges. Sign up first.")
    if not offers.strip():
        raise ActionRefused("Say what you can help others with.")
    refuse_nhs_numbers({"What you can help others with": offers})
    buddy, _ = Buddy.objects.update_or_create(
        organisation=organisation, closed_at=None, defaults={"contact": by, "offers": offers.strip()}
    )
    audit.record("open_buddy", buddy, by=by)
    return buddy


@transaction.atomic
def close_buddy(*, organisation, by) -> None:
    """No more messages. What was written stays with those who have it."""
    if not (by.is_authenticated and permissions.is_member(by, organisation)):
        raise PermissionDenied
    for buddy in Buddy.objects.select_for_update().filter(organisation=organisation, closed_at__isnull=True):
        buddy.closed_at = clock.now()
        buddy.save(update_fields=["closed_at"])
        audit.record("close_buddy", buddy, by=by)


@transaction.atomic
def write_to_buddy(*, buddy, message, by, token) -> None:
    """Send a message to the organisation's contact; their answer goes to the writer's own address. Sent twice: once.

    Raises:
        PermissionDenied: nobody is logged in.
        ActionRefused: the offer is closed, too many messages in a day, nothing written, or an NHS number in the text.
    """
    if not (by.is_authenticated and by.is_active):
        raise PermissionDenied
    get_user_model().objects.select_for_update().get(pk=by.pk)  # one message of a person at a time: the count holds
    buddy = Buddy.objects.open().select_related("organisation", "contact").filter(pk=buddy.pk).first()
    if buddy is None:
        raise ActionRefused("This organisation no longer takes messages here.")
    if not message.strip():
        raise ActionRefused("Write a message.")
    refuse_nhs_numbers({"Your message": message})
    a_day_ago = clock.now() - dt.timedelta(days=1)
    if AuditEvent.objects.filter(verb="write_to_buddy", by=by, at__gt=a_day_ago).count() >= MESSAGES_A_DAY:
        raise ActionRefused(f"You can write {MESSAGES_A_DAY} messages a day. Send this one tomorrow.")
    key = f"pledges.buddy {by.pk} {token}"
    if outbox.was_stored(key):
        return
    context = {
        "name": buddy.contact.display_name,
        "writer": by.display_name,
        "organisation": buddy.organisation.name,
        "message": message.strip(),
        "url": f"{settings.PORTAL_URL}/pledges/{buddy.organisation.slug}/buddy/",
        "collaborative": settings.COLLABORATIVE,
    }
    outbox.send_mail(to=[buddy.contact.email], template="pledges/buddy", context=context, key=key, reply_to=by.email)
    audit.record("write_to_buddy", buddy, by=by)
