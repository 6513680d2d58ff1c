"""Jobs and mail leave through a table: stored with what caused them, so that a crash or a dead broker loses nothing.

`enqueue` and `send_mail` write a row in the caller's transaction. On commit the row is offered to Celery at once;
where that fails, beat's sweep offers it again.
"""

import datetime as dt
import logging
from functools import partial

from celery import current_app
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 12  # doubling from 10 seconds: gives up after about a day


def enqueue(task: str, *arguments, key: str | None = None) -> OutboxMessage:
    """Run the Celery task named `task` with these arguments (ids, plain values) once this transaction is stored.

    A key makes the message once-only: a second one with the same key is not stored.
    """
    return _store(key=key, kind=OutboxMessage.Kind.JOB, task=task, arguments=list(arguments))


def was_stored(key: str) -> bool:
    """Whether a message with this key was stored before."""
    return OutboxMessage.objects.filter(key=key).exists()


def send_mail(
    *,
    to: list[str],
    template: str,
    context: dict,
    key: str | None = None,
    reply_to: str = "",
    headers: dict | None = None,
) -> OutboxMessage:
    """Send the text of templates/emails/<template>.txt, whose first line is "Subject: ...", once this is stored."""
    text = render_to_string(f"emails/{template}.txt", context).lstrip()
    first, _, body = text.partition("\n")
    subject = first.removeprefix("Subject:")
    return store_mail(to=to, subject=subject, body=body, key=key, reply_to=reply_to, headers=headers)


def store_mail(
    *, to: list[str], subject: str, body: str, key: str | None = None, reply_to: str = "", headers: dict | None = None
) -> OutboxMessage:
    subject = " ".join(subject.split())[:200]  # one line: no header can be smuggled in
    reply_to = "".join(reply_to.split())
    kind = OutboxMessage.Kind.MAIL
    return _store(
        key=key, kind=kind, to=to, subject=subject, body=body.strip() + "\n", reply_to=reply_to, headers=headers or {}
    )


def _store(*, key, **values) -> OutboxMessage:
    if key is None:
        message = OutboxMessage.objects.create(**values)
    else:
        message, is_new = OutboxMessage.objects.get_or_create(key=key, defaults=values)
        if not is_new:
            return message
    transaction.on_commit(partial(offer, message), robust=True)
    return message


def offer(message: OutboxMessage) -> bool:
    """Hand the message to Celery; False where the broker does not answer (the sweep tries again)."""
    try:
        if message.kind == OutboxMessage.Kind.JOB:
            current_app.send_task(message.task, args=message.arguments)
            OutboxMessage.objects.filter(pk=message.pk).update(
                status=OutboxMessage.Status.SENT, sent_at=clock.now(), attempts=message.attempts + 1
            )
        else:
            current_app.send_task("common.deliver_mail", args=[message.pk])
    except Exception as error:
        logger.warning("outbox message %s waits: %s", message.pk, error)
        return False
    return True


def sweep(limit: int = 500) -> int:
    """Offer again what is still waiting and due. Returns how many were offered."""
    waiting = OutboxMessage.objects.filter(
        status=OutboxMessage.Status.WAITING, next_attempt_at__lte=clock.now() - dt.timedelta(seconds=5)
    ).order_by("pk")[:limit]
    offered = 0
    for message in waiting:
        if not offer(message):
            break  # the broker is down: no use trying the others now
        offered += 1
    return offered


@transaction.atomic
def deliver_mail(pk: int) -> None:
    """Send one stored mail. The row is locked, so two workers cannot send it twice."""
    message = OutboxMessage.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if message is None or message.status != OutboxMessage.Status.WAITING:
        return
    message.attempts += 1
    try:
        reply_to = [message.reply_to] if message.reply_to else None
        EmailMessage(message.subject, message.body, to=message.to, reply_to=reply_to, headers=message.headers).send()
    except Exception as error:
        message.error = f"{type(error).__name__}: {error}"[:300]
        message.next_attempt_at = clock.now() + dt.timedelta(seconds=10 * 2**message.attempts)
        if message.attempts >= MAX_ATTEMPTS:
            message.status = OutboxMessage.Status.FAILED
        logger.warning("mail %s not sent: %s", pk, message.error)
    else:
        message.status, message.sent_at, message.error = OutboxMessage.Status.SENT, clock.now(), ""
    message.save()
