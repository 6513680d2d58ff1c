"""Where allauth meets the portal: its mail goes through the outbox, its links carry our address, its secrets a key."""

import datetime as dt
import logging

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings

from psc_portal.accounts import encryption, second_factor
from psc_portal.accounts.emails import mail_context, portal_address
from psc_portal.common import clock, outbox

logger = logging.getLogger(__name__)
AFTER_SIGN_UP = "after_sign_up"  # in the session: where somebody was on the way to
MESSAGES = {  # allauth's template -> our sentence; an empty one is not shown, since the page that follows says it
    "account/messages/logged_in.txt": "",
    "account/messages/logged_out.txt": "",  # the home page that follows is the same for all visitors
    "account/messages/email_confirmed.txt": "{email} is confirmed",
    "account/messages/email_confirmation_sent.txt": "We have sent a link to {email}",
    "account/messages/email_confirmation_failed.txt": "{email} belongs to another account already",
    "account/messages/password_changed.txt": "Your password is changed",
    "account/messages/password_set.txt": "Your password is set",
    "mfa/messages/totp_activated.txt": "Your authenticator app is set up",
    "mfa/messages/totp_deactivated.txt": "Your authenticator app is removed",
    "mfa/messages/webauthn_added.txt": "Your passkey is added",
    "mfa/messages/webauthn_removed.txt": "The passkey is removed",
    "mfa/messages/recovery_codes_generated.txt": "",
    "usersessions/messages/sessions_logged_out.txt": "You are logged out everywhere else",
}


def may_log_in(user) -> bool:
    """Demonstration users are for demonstrations: their passwords stand in the README."""
    return user.is_active and (settings.DEMO or not user.is_demonstration)


def _keep_the_way(request) -> None:
    """Where they were on the way to is kept for the log-in after a sign-up: the mail knows nothing of it."""
    if on_the_way_to := get_next_redirect_url(request):
        request.session[AFTER_SIGN_UP] = on_the_way_to


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This account has been closed. Contact us if you think this is a mistake.",
        "email_password_mismatch": "The email address or the password is not right. Check both and try again.",
        "too_many_login_attempts": "There have been too many attempts. Wait 5 minutes, then try again.",
        "enter_current_password": "Enter the password you use now",
        "incorrect_password": "This is not your password. Try again.",
        "incorrect_code": "This code is not right. Enter the newest code.",
        "same_as_current": "Enter something other than what is stored now",
        "duplicate_email": "This is already your email address",
    }

    def save_user(self, request, user, form, commit=True):
        user.full_name = form.cleaned_data.get("full_name", "")
        _keep_the_way(request)
        return super().save_user(request, user, form, commit=commit)

    def send_account_already_exists_mail(self, email):
        """They have an account already, and are told so by mail only; they go the same way on."""
        _keep_the_way(self.request)
        super().send_account_already_exists_mail(email)

    def get_login_redirect_url(self, request):
        return request.session.pop(AFTER_SIGN_UP, None) or super().get_login_redirect_url(request)

    def send_mail(self, template_prefix, email, context):
        """allauth's "account/email/password_changed" is our templates/emails/account/password_changed.txt."""
        values = {
            name: portal_address(value) if name.endswith("_url") else value
            for name, value in context.items()
            if isinstance(value, str | int | dt.datetime)
        }
        if user := context.get("user"):
            values["name"] = user.full_name
        name = template_prefix.rsplit("/", 1)[-1]
        outbox.send_mail(to=[email], template=f"account/{name}", context=mail_context(**values, email=email))

    def add_message(self, request, level, message_template=None, message_context=None, extra_tags="", message=None):
        if message_template in MESSAGES:
            message = MESSAGES[message_template].format(**(message_context or {}))
            if not message:
                return
        super().add_message(request, level, message_template, message_context, extra_tags, message)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        super().send_notification_mail(
            template_prefix, user, {"at": clock.now(), "user": user, **(context or {})}, email
        )

    def pre_login(self, request, user, **kwargs):
        if not may_log_in(user):
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def authentication_failed(self, request, **credentials):
        logger.warning("log-in refused from %s", self.get_client_ip(request))


class MFAAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": "Your role needs a second factor. Add a passkey first, then remove this one.",
        "incorrect_code": "This code is not right or was used already. Enter the newest code from your app.",
        "unverified_email": "Confirm your email address first: use the link in the email we sent you.",
        "add_email_blocked": "Ask the programme team to change the email address: your account has a second factor.",
    }

    def encrypt(self, text):
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text):
        return encryption.decrypt(encrypted_text)

    def can_delete_authenticator(self, authenticator):
        """Whoever needs a second factor keeps at least one."""
        if not second_factor.is_needed_by(authenticator.user):
            return True
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        return others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()

    def generate_authenticator_name(self, user, type):
        count = Authenticator.objects.filter(user=user, type=type).count()
        return "Passkey" if count == 0 else f"Passkey {count + 1}"

    def _get_site_name(self):
        return settings.COLLABORATIVE["short_name"]
