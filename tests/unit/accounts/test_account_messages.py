from pathlib import Path

import allauth

from psc_portal.accounts.adapter import MESSAGES

NOT_USED = {  # log-in by code, phone numbers, several addresses and accounts elsewhere are switched off
    "account/messages/login_code_sent.txt",
    "account/messages/phone_verification_sent.txt",
    "account/messages/phone_verified.txt",
    "account/messages/cannot_delete_primary_email.txt",
    "account/messages/email_deleted.txt",
    "account/messages/primary_email_set.txt",
    "account/messages/unverified_primary_email.txt",
}


def test_every_message_that_allauth_shows_has_our_words():
    templates = Path(allauth.__file__).parent / "templates"
    shown = {
        str(path.relative_to(templates))
        for app in ("account", "mfa", "usersessions")
        for path in (templates / app / "messages").glob("*.txt")
    }

    assert set(MESSAGES) == shown - NOT_USED
