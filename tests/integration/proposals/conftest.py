import pytest

from psc_portal.common.models import OutboxMessage


@pytest.fixture
def mailed():
    """The mails that wait in the outbox for a person, oldest first."""

    def to(user):
        return [message for message in OutboxMessage.objects.order_by("pk") if user.email in message.to]

    return to
