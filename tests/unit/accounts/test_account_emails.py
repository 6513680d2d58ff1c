import re
from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.template.loader import render_to_string

from psc_portal.accounts.emails import mail_context, portal_address
from psc_portal.common import clock

OURS = Path(settings.BASE_DIR) / "templates" / "emails" / "account"
NOT_USED = {"login_code", "password_reset_code"}  # log-in and reset by code are switched off
SENT_BY_ALLAUTH = sorted(
    {
        path.name.removesuffix("_subject.txt")
        for app in ("account", "mfa")
        for path in (Path(allauth.__file__).parent / "templates" / app / "email").glob("*_subject.txt")
    }
    - NOT_USED
)


@pytest.mark.parametrize("name", SENT_BY_ALLAUTH)
def test_every_mail_that_allauth_sends_has_our_words(name):
    context = mail_context(
        name="Rita O'Hara", email="rita@example.org", at=clock.now(), ip="10.0.0.1", user_agent="Firefox",
        activate_url="https://p.example/a", password_reset_url="https://p.example/r", signup_url="https://p.example/s",
        from_email="old@example.org", to_email="new@example.org", deleted_email="gone@example.org",
    )  # fmt: skip

    text = render_to_string(f"emails/account/{name}.txt", context)

    subject, _, body = text.partition("\n")
    assert re.fullmatch(r"Subject: [A-Z][^{}]{5,80}", subject)
    assert "Rita O'Hara" in body
    assert settings.COLLABORATIVE["name"] in body
    assert "{" not in body
    assert "&#" not in body


def test_there_is_no_mail_that_nothing_sends():
    ours = {path.stem for path in OURS.glob("*.txt")} - {"base", "notification"}

    assert ours == set(SENT_BY_ALLAUTH)


def test_an_address_in_a_mail_keeps_its_path_and_takes_the_portals_host(settings):
    settings.PORTAL_URL = "https://portal.example.org"

    assert portal_address("http://evil.example.com:8000/a/b/?c=1") == "https://portal.example.org/a/b/?c=1"
