"""Reminders by mail: of a call's dates to whoever asked and confirmed, of an unfinished draft to its applicant."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from proposals.actions.locking import hold
from proposals.models import Call, CallReminder, Extension, Proposal
from psc_portal.common import clock, outbox
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused

BEFORE_CLOSING = timedelta(days=3)
UNCONFIRMED_FOR = timedelta(days=7)


def _key(reminder, *what) -> str:
    return ".".join(["proposals.call_reminder", str(reminder.pk), *what])


def _send(reminder, template, *what):
    stop = settings.PORTAL_URL + reverse("proposals:reminder", args=[reminder.token])
    call = reminder.call
    outbox.send_mail(
        to=[reminder.email],
        template=f"proposals/{template}",
        context={
            "call": call,
            "url": settings.PORTAL_URL + call.get_absolute_url(),
            "reminder_url": stop,
            "collaborative": settings.COLLABORATIVE,
        },
        key=_key(reminder, *what),
    )


@transaction.atomic
def ask_for_reminder(*, call, email) -> CallReminder:
    """Note an address that wants to be reminded. It gets one mail a day at most, with a link to confirm or to stop.

    What happens is the same whether or not the address is known.
    """
    if call.is_past or call.status == Call.Status.DRAFT:
        raise ActionRefused("This call has closed: there is nothing to remind you of. Look at the other calls.")
    email = email.strip().lower()
    reminder, _ = CallReminder.objects.get_or_create(call=call, email=email, defaults={"asked_at": clock.now()})
    template = "reminder_known" if reminder.confirmed_at else "reminder_confirm"
    _send(reminder, template, "asked", f"{clock.today():%Y%m%d}", template)
    return reminder


@transaction.atomic
def confirm_reminder(*, reminder) -> CallReminder:
    stored = hold(CallReminder.objects).filter(pk=reminder.pk).first()
    if stored is None:
        raise ActionRefused("Your address was deleted meanwhile, so it cannot be confirmed. Ask for a reminder again.")
    if stored.confirmed_at is None:
        stored.confirmed_at = clock.now()
        stored.save(update_fields=["confirmed_at"])
    return stored


@transaction.atomic
def stop_reminder(*, reminder) -> None:
    """Delete the address, and the mails to it that are still kept."""
    _forget(CallReminder.objects.filter(pk=reminder.pk))


def _forget(reminders) -> int:
    found = list(hold(reminders))
    for reminder in found:
        OutboxMessage.objects.filter(key__startswith=_key(reminder, "")).delete()
    return CallReminder.objects.filter(pk__in=[one.pk for one in found]).delete()[0]


def remind_of_calls() -> int:
    """Send what is due, each reminder once, and delete addresses that are no longer needed. Returns how many were sent.

    An extension moves the reminder of the closing too: who was reminded of the earlier time is told the new one.
    """
    now = clock.now()
    sent = sum(_remind_of_opening(pk, now) for pk in _opened(now).values_list("pk", flat=True))
    sent += sum(_remind_of_closing(pk, now) for pk in _closing(now).values_list("pk", flat=True))
    with transaction.atomic():
        _forget(CallReminder.objects.filter(call__in=Call.objects.past_at(now)))
        _forget(CallReminder.objects.filter(confirmed_at=None, asked_at__lt=now - UNCONFIRMED_FOR))
    return sent


def _confirmed(now):
    return CallReminder.objects.filter(confirmed_at__isnull=False, call__in=Call.objects.open_at(now))


def _opened(now):
    """Asked before the call opened, and not told yet that it has. Not when the closing is due to be told as well."""
    fresh = Q(opening_sent_at=None, asked_at__lt=F("call__opens_at"), call__closes_at__gt=now + BEFORE_CLOSING)
    return _confirmed(now).filter(fresh)


def _closing(now):
    soon = Q(call__closes_at__gt=now, call__closes_at__lte=now + BEFORE_CLOSING)
    untold = Q(closing_sent_at=None) | Q(closing_sent_at__lt=F("call__closes_at") - BEFORE_CLOSING)
    return _confirmed(now).filter(soon & untold)


@transaction.atomic
def _remind_of_opening(pk, now) -> bool:
    reminder = _opened(now).select_for_update(of=("self",), skip_locked=True, no_key=True).filter(pk=pk).first()
    if reminder is None:
        return False
    _send(reminder, "reminder_opening", "opening")
    reminder.opening_sent_at = now
    reminder.save(update_fields=["opening_sent_at"])
    return True


@transaction.atomic
def _remind_of_closing(pk, now) -> bool:
    reminder = _closing(now).select_for_update(of=("self",), skip_locked=True, no_key=True).filter(pk=pk).first()
    if reminder is None:
        return False
    _send(reminder, "reminder_closing", "closing", f"{reminder.call.closes_at:%Y%m%d%H%M}")
    reminder.closing_sent_at = now
    reminder.save(update_fields=["closing_sent_at"])
    return True


# Drafts ---------------------------------------------------------------------------------------------------------------
def remind_of_drafts() -> int:
    """Tell the applicant of a draft that has been written on, once for each closing time, that it is not submitted."""
    now = clock.now()
    drafts = Proposal.objects.filter(status=Proposal.Status.DRAFT, version__gt=0).select_related("call", "applicant")
    soon = Q(call__closes_at__lte=now + BEFORE_CLOSING, call__in=Call.objects.open_at(now))
    extended = Extension.objects.filter(closes_at__gt=now, closes_at__lte=now + BEFORE_CLOSING, applicant__isnull=False)
    alone = Q(
        pk__in=drafts.filter(call__extensions__in=extended, applicant=F("call__extensions__applicant")).values("pk")
    )
    return sum(_remind_of_draft(draft, now) for draft in drafts.filter(soon | alone))


@transaction.atomic
def _remind_of_draft(draft, now) -> bool:
    until = draft.accepts_until()
    if not now < until <= now + BEFORE_CLOSING + draft.call.grace or not draft.may_be_submitted_at(now):
        return False
    outbox.send_mail(
        to=[draft.applicant.email],
        template="proposals/unfinished",
        context={
            "name": draft.applicant.display_name,
            "title": draft.title or "Untitled draft",
            "call": draft.call,
            "until": until,
            "url": settings.PORTAL_URL + reverse("proposals:draft", args=[draft.call.slug, draft.public_id]),
            "collaborative": settings.COLLABORATIVE,
        },
        key=f"proposals.unfinished.{draft.pk}.{until:%Y%m%d%H%M}",
    )
    return True
