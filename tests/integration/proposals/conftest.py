import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from psc_portal.common import demonstration
from psc_portal.common.models import OutboxMessage


@pytest.fixture
def mailed():
    """The mails that wait in the outbox for a person, oldest first."""

    def to(user):
        return [message for message in OutboxMessage.objects.order_by("pk") if user.email in message.to]

    return to


@pytest.fixture
def queries_of(monkeypatch):
    """How many queries each of some pages takes, by address; the first look, which fills caches, is not counted.

    Whether this is a demonstration is asked again every ten seconds: on a slow machine that would count by chance.
    """
    monkeypatch.setattr(demonstration, "_answer", (time.monotonic() + 3600, False))

    def count(client, addresses) -> dict[str, int]:
        counts = {}
        for address in addresses:
            client.get(address)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            counts[address] = len(captured)
        return counts

    return count
