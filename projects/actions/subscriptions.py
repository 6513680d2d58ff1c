"""Digests by e-mail: asked for, confirmed, changed, sent, stopped. Nothing tells whether an address is subscribed."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from projects.models import Subscription
from psc_portal.common import clock, outbox
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.search.recent import recent

UNCONFIRMED_FOR = timedelta(days=7)
EVERY = {Subscription.Frequency.WEEKLY: timedelta(days=7), Subscription.Frequency.MONTHLY: timedelta(days=30)}
IN_DIGEST = 30


def _key(subscription, *what) -> str:
    return ".".join(["projects.subscription", str(subscription.pk), *what])


def _send(subscription, template, *what, **context):
    address = settings.PORTAL_URL + reverse("projects:subscription", args=[subscription.token])
    stop = settings.PORTAL_URL + reverse("projects:subscription_stop", args=[subscription.token])
    outbox.send_mail(
        to=[subscription.email],
        template=f"projects/{template}",
        context={"manage_url": address, "collaborative": settings.COLLABORATIVE, **context},
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},  # RFC 8058
        key=_key(subscription, *what),
    )


@transaction.atomic
def ask_for_digest(*, email, frequency, priorities=(), organisations=()) -> None:
    """Note what an address wants; it counts once its owner has pressed the button behind the link that is mailed.

    An address that has confirmed already gets the link to what it has, and nothing is changed.
    """
    email = email.strip().lower()
    subscription, _is_new = Subscription.objects.get_or_create(email=email)
    subscription = Subscription.objects.select_for_update().get(pk=subscription.pk)
    day = f"{clock.today():%Y%m%d}"
    if subscription.confirmed_at:
        _send(subscription, "subscription_known", "known", day)
        return
    subscription.asked_at, subscription.frequency = clock.now(), frequency
    subscription.save(update_fields=["asked_at", "frequency"])
    _choose(subscription, priorities, organisations)
    _send(subscription, "subscription_confirm", "asked", day)


def _choose(subscription, priorities, organisations):
    subscription.priorities.set(priorities)
    subscription.organisations.set(organisations)


def _stored(subscription) -> Subscription:
    stored = Subscription.objects.select_for_update().filter(pk=subscription.pk).first()
    if stored is None:
        raise ActionRefused("Your address has been deleted meanwhile. Subscribe again if you want to.")
    return stored


@transaction.atomic
def confirm_subscription(*, subscription) -> None:
    """
    Raises:
        ActionRefused: it was deleted, or the link is more than seven days old.
    """
    stored = _stored(subscription)
    if stored.confirmed_at is None:
        if stored.asked_at < clock.now() - UNCONFIRMED_FOR:
            raise ActionRefused("This link is more than 7 days old. Subscribe again to get a new one.")
        stored.confirmed_at = stored.told_until = clock.now()
        stored.save(update_fields=["confirmed_at", "told_until"])


@transaction.atomic
def change_subscription(*, subscription, frequency, priorities, organisations) -> None:
    stored = _stored(subscription)
    stored.frequency = frequency
    stored.save(update_fields=["frequency"])
    _choose(stored, priorities, organisations)


@transaction.atomic
def stop_subscription(*, subscription) -> None:
    """Delete the address, and the mails to it that are still kept."""
    _forget(Subscription.objects.filter(pk=subscription.pk))


def _forget(subscriptions) -> None:
    for one in subscriptions.select_for_update(skip_locked=True):
        OutboxMessage.objects.filter(key__startswith=_key(one, "")).delete()
        one.delete()


def send_digests() -> int:
    """Send what is due, each once, and delete addresses that were not confirmed in time. Returns how many were sent."""
    now = clock.now()
    sent = 0
    for frequency, every in EVERY.items():
        due = Subscription.objects.filter(frequency=frequency, told_until__lte=now - every)
        sent += sum(_send_digest(pk, now, every) for pk in due.values_list("pk", flat=True))
    with transaction.atomic():
        _forget(Subscription.objects.filter(confirmed_at=None, asked_at__lt=now - UNCONFIRMED_FOR))
    return sent


@transaction.atomic
def _send_digest(pk, now, every) -> bool:
    """The mail and how far it told are stored together, so neither a crash nor a second run tells twice."""
    waiting = Subscription.objects.select_for_update(skip_locked=True).filter(told_until__lte=now - every)
    subscription = waiting.filter(pk=pk).first()
    if subscription is None:
        return False
    items = recent(
        since=subscription.told_until,
        until=now,
        priorities=list(subscription.priorities.values_list("pk", flat=True)),
        organisations=list(subscription.organisations.values_list("pk", flat=True)),
        limit=IN_DIGEST + 1,
    )
    if items:
        shown = [(item, settings.PORTAL_URL + item.url) for item in items[:IN_DIGEST]]
        context = {"items": shown, "has_more": len(items) > IN_DIGEST, "since": subscription.told_until}
        context["search_url"] = settings.PORTAL_URL
        _send(subscription, "digest", "digest", f"{now:%Y%m%d%H%M}", **context)
    subscription.told_until = now
    subscription.save(update_fields=["told_until"])
    return bool(items)
