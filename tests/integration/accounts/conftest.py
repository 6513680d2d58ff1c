import time
import uuid

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from tests.factories.accounts import PASSWORD, UserFactory

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def limits_of_its_own(settings):
    """Rate limits live in the shared cache: each test counts from nothing."""
    default = {**settings.CACHES["default"], "KEY_PREFIX": f"test-{uuid.uuid4().hex}"}
    settings.CACHES = {**settings.CACHES, "default": default}


@pytest.fixture
def person():
    """Makes a user who can log in: with a confirmed address and, when asked, an authenticator app."""

    def make(*, totp_app=False, **fields):
        user = UserFactory(**fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        if totp_app:
            totp.TOTP.activate(user, SECRET)
        return user

    return make


@pytest.fixture
def log_in():
    """Logs in through the page, with the password and, when asked, a code."""

    def enter(user, *, code=None, client=None, next_page="", password=PASSWORD):
        client = client or Client()
        path = "/accounts/login/" + (f"?next={next_page}" if next_page else "")
        response = client.post(path, {"login": user.email, "password": password, "next": next_page})
        if code is not None:
            response = client.post("/accounts/2fa/authenticate/", {"code": code})
        client.last_response = response
        return client

    return enter


@pytest.fixture
def code_at():
    """The code of the test secret, `steps` periods of 30 seconds from now."""

    def make(steps=0):
        return totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30 + steps))

    return make
