"""What the portal does when allauth says that something happened to an account: the audit trail, other sessions."""

import time

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in

from psc_portal.accounts import second_factor, sessions
from psc_portal.common import audit


def connect() -> None:
    user_logged_in.connect(on_log_in, dispatch_uid="accounts.on_log_in")
    mfa_signals.authenticator_added.connect(on_factor_added, dispatch_uid="accounts.on_factor_added")
    mfa_signals.authenticator_removed.connect(on_factor_removed, dispatch_uid="accounts.on_factor_removed")
    mfa_signals.authenticator_reset.connect(on_factor_changed, dispatch_uid="accounts.on_factor_reset")
    account_signals.password_changed.connect(on_password_changed, dispatch_uid="accounts.on_password_changed")
    account_signals.password_set.connect(on_password_changed, dispatch_uid="accounts.on_password_set")
    account_signals.password_reset.connect(on_password_reset, dispatch_uid="accounts.on_password_reset")
    account_signals.email_changed.connect(on_email_changed, dispatch_uid="accounts.on_email_changed")


def on_log_in(sender, request, user, **kwargs):
    """The limits of the session begin; the log-in counts as the re-authentication of its first five minutes."""
    if request is None:
        return
    sessions.begin(request)
    for record in get_authentication_records(request, user):
        if record.get("method") in {"password", "mfa"}:
            record["reauthenticated"] = True
    request.session.modified = True


def on_factor_added(sender, request, user, authenticator, **kwargs):
    if authenticator.type == Authenticator.Type.TOTP:  # the code that proved the app is spent
        authenticator.data["last_step"] = int(time.time()) // mfa_settings.TOTP_PERIOD
        authenticator.save(update_fields=["data"])
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        second_factor.remember_enrolment(request)
    on_factor_changed(sender, request, user, authenticator, verb="add_second_factor")


def on_factor_removed(sender, request, user, authenticator, **kwargs):
    if not second_factor.has_one(user):
        second_factor.forget(request)
    on_factor_changed(sender, request, user, authenticator, verb="remove_second_factor")


def on_factor_changed(sender, request, user, authenticator, verb="renew_recovery_codes", **kwargs):
    audit.record(verb, user, by=user, after={"kind": str(authenticator.type)})
    sessions.end_sessions_of(user, but=request.session.session_key)


def on_password_changed(sender, request, user, **kwargs):
    """Other sessions end by themselves: Django ties a session to the password it was opened with."""
    audit.record("change_password", user, by=user)


def on_password_reset(sender, request, user, **kwargs):
    audit.record("reset_password", user, by=user)
    sessions.end_sessions_of(user)


def on_email_changed(sender, request, user, **kwargs):
    audit.record("change_email", user, by=user)
