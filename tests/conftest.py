import os

import hypothesis
import pytest

from psc_portal import local_servers

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's sync API runs an event loop in this thread


# Properties are about what holds, not about how fast this machine is today.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_configure():
    local_servers.start()


@pytest.fixture(autouse=True)
def fresh_answers():
    """What the portal remembers between requests is asked anew in each test."""
    from psc_portal.common import demonstration
    from psc_portal.common.cache import ForgivingRedisCache

    demonstration.forget()
    ForgivingRedisCache._down_until = 0.0  # a test before this one may have taken the cache away


@pytest.fixture
def client_as():
    """A client logged in as `user`, with the second factor satisfied."""
    from django.test import Client

    from psc_portal.accounts import second_factor

    def log_in(user):
        client = Client()
        client.force_login(user)
        session = client.session
        session[second_factor.ENROLLED_KEY] = str(user.pk)
        session.save()
        return client

    return log_in
