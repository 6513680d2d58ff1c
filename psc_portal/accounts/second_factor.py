"""Who needs a second factor, and whether a session was opened with one.

The proof is kept in the session, not read from the user's authenticators: a session that was open before the factor was
set up, or that began without it, has not shown it.
"""

import time
from collections.abc import Callable

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp

ENROLLED_KEY = "second_factor_enrolled"

_role_holders: list[Callable] = []


def register_role(holds_role: Callable) -> None:
    """Let a higher app name a role of its own that needs a second factor: `holds_role(user) -> bool`, one query."""
    if holds_role not in _role_holders:
        _role_holders.append(holds_role)


def is_needed_by(user) -> bool:
    """Programme staff, reviewers, leads, and whoever a higher app names (leads of a project, owners of a metric)."""
    if not user.is_authenticated:
        return False
    if user.is_staff or user.is_programme_staff or user.is_reviewer or user.is_lead:
        return True
    if not hasattr(user, "_holds_role_with_factor"):
        user._holds_role_with_factor = any(holds_role(user) for holds_role in _role_holders)
    return user._holds_role_with_factor


def has_one(user) -> bool:
    """The user has set up an authenticator app or a passkey; recovery codes alone do not count."""
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def was_shown(request) -> bool:
    """This session was opened with a second factor, or set one up itself."""
    if not request.user.is_authenticated:
        return False
    if request.session.get(ENROLLED_KEY) == str(request.user.pk):
        return True
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def remember_enrolment(request) -> None:
    request.session[ENROLLED_KEY] = str(request.user.pk)


def forget(request) -> None:
    """Take the proof away, so that the next page is the one that sets up a factor."""
    request.session.pop(ENROLLED_KEY, None)
    records = get_authentication_records(request, request.user)
    records[:] = [record for record in records if record.get("method") != "mfa"]
    request.session.modified = True


def current_code(secret: str) -> str:
    """What an authenticator app with this secret shows now."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // mfa_settings.TOTP_PERIOD))
