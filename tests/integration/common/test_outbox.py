import datetime as dt

import pytest
from celery import current_app
from django.core import mail
from django.db import transaction

from psc_portal.common import clock, outbox
from psc_portal.common.models import OutboxMessage

pytestmark = pytest.mark.django_db(transaction=True)
Status = OutboxMessage.Status


@pytest.fixture
def sent(monkeypatch):
    """What reaches the broker: the network is where we mock."""
    tasks = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args: tasks.append((name, args)))
    return tasks


@pytest.fixture
def broker_down(monkeypatch):
    def refuse(name, args):
        raise ConnectionError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuse)


def store_mail(**options):
    return outbox.store_mail(to=["a@example.org"], subject="Hello", body="Text", **options)


def test_a_job_is_offered_once_its_transaction_is_stored(sent):
    with transaction.atomic():
        message = outbox.enqueue("proposals.acknowledge", 7)
        assert sent == []

    message.refresh_from_db()
    assert (sent, message.status) == ([("proposals.acknowledge", [7])], Status.SENT)


def test_a_job_of_a_transaction_that_failed_does_not_exist(sent):
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        outbox.enqueue("proposals.acknowledge", 7)
        raise ValueError("no")

    assert (sent, OutboxMessage.objects.count()) == ([], 0)


def test_with_the_broker_down_the_message_waits_and_the_sweep_sends_it(broker_down, monkeypatch):
    message = outbox.enqueue("proposals.acknowledge", 7)
    message.refresh_from_db()
    assert message.status == Status.WAITING

    tasks = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args: tasks.append((name, args)))
    with clock.at(clock.now() + dt.timedelta(seconds=6)):
        assert outbox.sweep() == 1
        assert outbox.sweep() == 0

    assert tasks == [("proposals.acknowledge", [7])]


def test_a_key_makes_a_message_once_only(sent):
    first = store_mail(key="letter 7")
    second = store_mail(key="letter 7")

    assert (first.pk, len(sent)) == (second.pk, 1)


def test_a_mail_is_delivered_once_however_often_its_task_runs(sent):
    message = store_mail()

    outbox.deliver_mail(message.pk)
    outbox.deliver_mail(message.pk)

    message.refresh_from_db()
    assert (len(mail.outbox), message.status) == (1, Status.SENT)
    assert mail.outbox[0].to == ["a@example.org"]


def test_a_mail_that_cannot_be_sent_waits_longer_each_time_and_gives_up_in_the_end(sent, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise OSError("connection refused")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    message = store_mail()
    waits = []
    for _ in range(outbox.MAX_ATTEMPTS):
        outbox.deliver_mail(message.pk)
        message.refresh_from_db()
        waits.append(message.next_attempt_at - clock.now())

    assert waits == sorted(waits)
    assert (message.status, message.attempts) == (Status.FAILED, outbox.MAX_ATTEMPTS)
    assert "connection refused" in message.error


def test_a_subject_cannot_smuggle_a_header(sent):
    message = outbox.store_mail(to=["a@example.org"], subject="Hello\r\nBcc: all@example.org", body="x")

    outbox.deliver_mail(message.pk)

    assert mail.outbox[0].subject == "Hello Bcc: all@example.org"
    assert "all@example.org" not in mail.outbox[0].recipients()
