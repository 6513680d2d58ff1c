"""Accounts in the browser: passkeys, the authenticator app, and the end of an idle session."""

import datetime as dt
import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from psc_portal.accounts.sessions import SEEN_KEY
from psc_portal.common.models import OutboxMessage
from tests.functional.browsing import DESKTOP, PHONE, overflow, totp_code

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in_an_authenticator(page):
    """A device with a fingerprint reader, as Chromium makes it up for tests."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def enter_password(page, user):
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill(user.plain_password)
    page.get_by_role("button", name="Log in", exact=True).click()


def look(page, axe):
    for width in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0
        axe(page)


def test_staff_without_a_factor_add_a_passkey_and_log_in_with_it_alone(visit, axe, make_person):
    staff = make_person(staff=True, totp=False)
    page = visit()
    plug_in_an_authenticator(page)

    enter_password(page, staff)
    page.wait_for_url("**/accounts/second-factor/")
    look(page, axe)
    page.goto("/admin/")
    assert page.url.endswith("/accounts/second-factor/")
    page.get_by_role("button", name="Add a passkey").click()
    page.locator("input[name=passwordless]").check()
    look(page, axe)
    page.get_by_role("button", name="Add passkey").click()
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    look(page, axe)
    page.goto("/admin/")
    assert page.url.endswith("/admin/")

    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Log out").click()
    page.goto("/accounts/login/?next=/admin/")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/admin/")
    assert Authenticator.objects.filter(user=staff, type="webauthn").count() == 1


def test_an_authenticator_app_is_set_up_from_the_picture_or_the_key(visit, axe, make_person):
    lead = make_person(lead=True, totp=False)
    page = visit()

    enter_password(page, lead)
    page.get_by_role("button", name="Set up an app").click()
    picture = page.locator("main img").first
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    look(page, axe)
    page.locator("input[name=code]").fill("000000")
    page.get_by_role("button", name="Finish").click()
    page.locator(".nhsuk-error-summary").wait_for()
    look(page, axe)
    secret = re.sub(r"\s", "", page.locator("#authenticator_secret").inner_text())
    page.locator("input[name=code]").fill(totp_code(secret))
    page.get_by_role("button", name="Finish").click()
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    page.goto("/my/")

    assert page.locator("h1").inner_text() == "What waits for you"
    look(page, axe)


def test_somebody_signs_up_with_the_link_from_the_mailbox(visit, axe, stack):
    stack.allow_log_ins()
    page = visit()
    page.goto("/accounts/signup/")
    page.locator("input[name=full_name]").fill("Ada Lovelace")
    email = f"ada-{id(page)}@example.org"
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password1]").fill("three wet umbrellas")
    page.get_by_role("button", name="Create an account").click()
    page.wait_for_url("**/accounts/confirm-email/")
    look(page, axe)

    for _ in range(30):  # the worker sends it
        if OutboxMessage.objects.get(to=[email]).status == "sent":
            break
        page.wait_for_timeout(500)
    page.goto(f"/demo/mailbox/?to={email}")
    look(page, axe)
    assert page.locator("main .nhsuk-tag").inner_text() == "Sent"
    page.locator("main li a").first.click()
    look(page, axe)
    page.locator("main .nhsuk-inset-text a").first.click()
    page.get_by_role("button", name="Yes, confirm").click()
    page.wait_for_url("**/accounts/login/")


def test_an_idle_session_warns_first_and_what_was_typed_comes_back(visit, axe, make_person, log_in, stack):
    staff = make_person(staff=True)
    page = visit()
    log_in(page, staff)
    page.goto("/accounts/email/")
    page.locator("input[name=email]").fill("half-typed@example.org")

    idle_for(page, minutes=28.5)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    dialog = page.locator("#session-warning")
    dialog.wait_for(state="visible")
    axe(page)
    dialog.get_by_role("button", name="Stay signed in").click()
    dialog.wait_for(state="hidden")
    assert page.locator("input[name=email]").input_value() == "half-typed@example.org"

    idle_for(page, minutes=31)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_url(lambda url: "/accounts/login/?next=" in url)
    axe(page)
    page.locator("input[name=login]").fill(staff.email)
    page.locator("input[name=password]").fill(staff.plain_password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.locator("input[name=code]").fill(next_code(staff.totp_secret))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/accounts/email/")
    axe(page)
    page.get_by_role("button", name="Put my text back").click()
    assert page.locator("input[name=email]").input_value() == "half-typed@example.org"


def next_code(secret: str) -> str:
    """The code of the half minute to come: the present one is spent, and a clock may be that much fast."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + 1))


def idle_for(page, *, minutes: float) -> None:
    """Let the session of this window look as if nothing had been done for so long."""
    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "session")
    row = Session.objects.get(pk=key)
    values = row.get_decoded()
    seen = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    row.session_data = SessionStore().encode({**values, SEEN_KEY: seen.isoformat()})
    row.save()
