import hmac
from typing import ClassVar

from allauth.account import forms as account_forms
from allauth.account.fields import SetPasswordField
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from psc_portal.accounts import actions
from psc_portal.accounts.models import Role, User
from psc_portal.common.hand_over import duties_of
from psc_portal.common.nhsuk import NhsukFormMixin

PASSWORD_HINT = "At least 12 characters. Three or four words that do not belong together make a good one."  # noqa: S105


class FullNameField(forms.CharField):
    def __init__(self, **kwargs):
        kwargs.setdefault("label", "Full name")
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "name"}))
        super().__init__(max_length=150, error_messages={"required": "Enter your full name"}, **kwargs)

    def clean(self, value):
        return " ".join(super().clean(value).split())


class InOurWords:
    """Labels, hints and refusals of allauth's fields in our words; no placeholders, which vanish while one types."""

    WORDS = {  # field -> label, what is said when it is empty, hint (None: allauth's own stays)
        "login": ("Email address", "Enter your email address", None),
        "email": ("Email address", "Enter an email address", None),
        "password": ("Password", "Enter your password", None),
        "oldpassword": ("Password you use now", "Enter the password you use now", None),
        "password1": ("New password", "Enter a password", PASSWORD_HINT),
    }
    HINTS: ClassVar[dict[str, str]] = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)  # people can look at what they typed: typing it twice helps nobody
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in self.WORDS:
                field.label, field.error_messages["required"], hint = self.WORDS[name]
                field.help_text = self.HINTS.get(name, hint or "")


class LoginForm(InOurWords, account_forms.LoginForm):
    pass


class SignupForm(InOurWords, account_forms.SignupForm):
    """Takes the same time whether or not the address has an account: allauth hashes a password in one case only."""

    HINTS = {"email": "We send a link to this address to check that it is yours."}

    full_name = FullNameField()
    field_order = ["full_name", "email", "password1"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = "Password"

    def clean(self):
        cleaned = super().clean()
        password, name = cleaned.get("password1"), cleaned.get("full_name")
        if password and name:
            try:
                UserAttributeSimilarityValidator(user_attributes=["full_name"]).validate(password, User(full_name=name))
            except ValidationError as error:
                self.add_error("password1", error)
        return cleaned

    def try_save(self, request):
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ChangePasswordForm(InOurWords, account_forms.ChangePasswordForm):
    pass


class SetPasswordForm(InOurWords, account_forms.SetPasswordForm):
    pass


class ResetPasswordForm(InOurWords, account_forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(InOurWords, account_forms.ResetPasswordKeyForm):
    pass


class PasswordAgainForm(InOurWords, account_forms.ReauthenticateForm):
    pass


class AddEmailForm(InOurWords, account_forms.AddEmailForm):
    HINTS = {"email": "We send a link to the new address. The old one stays until you have followed it."}


class OncePerStep:
    """A code from the app is good once, also when the cache that allauth remembers used codes in is lost.

    RFC 6238, section 5.2: the verifier must not accept the second attempt of a code. The step of the last accepted code
    is kept with the secret, and nothing at or before it is accepted again.
    """

    def clean_code(self):
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            spend(self.authenticator, code)
        return code


@transaction.atomic
def spend(authenticator, code) -> None:
    stored = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    secret = get_mfa_adapter().decrypt(stored.data["secret"])
    steps = [
        step
        for step in totp.yield_hotp_counters_from_time()
        if hmac.compare_digest(totp.format_hotp_value(totp.hotp_value(secret, step)), code.replace(" ", ""))
    ]
    if not steps or max(steps) <= stored.data.get("last_step", 0):
        raise get_mfa_adapter().validation_error("incorrect_code")
    stored.data["last_step"] = max(steps)
    stored.save(update_fields=["data"])
    authenticator.data = stored.data


class CodeField(forms.CharField):
    def __init__(self, **kwargs):
        widget = forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "nhsuk-input--width-10"}
        )
        super().__init__(widget=widget, error_messages={"required": "Enter the code"}, **kwargs)


class AuthenticateForm(OncePerStep, mfa_forms.AuthenticateForm):
    code = CodeField(label="Code", help_text="6 digits from your authenticator app, or one of your recovery codes.")


class ReauthenticateForm(OncePerStep, mfa_forms.ReauthenticateForm):
    code = CodeField(label="Code", help_text="6 digits from your authenticator app, or one of your recovery codes.")


class ActivateTOTPForm(totp_forms.ActivateTOTPForm):
    code = CodeField(label="Code from the app", help_text="6 digits. The app shows a new code every 30 seconds.")


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name of this passkey"
        self.fields["name"].help_text = "For example: work laptop"
        self.fields["passwordless"].label = "Let me log in with this passkey alone, without a password"
        self.fields["passwordless"].help_text = "Your device then asks for its PIN, your finger or your face."


class InviteReviewer(forms.Form):
    full_name = FullNameField()
    email = forms.EmailField(
        label="Email address",
        max_length=254,
        help_text="The link in the invitation works for 7 days.",
        error_messages={"required": "Enter their email address"},
    )
    is_lay = forms.BooleanField(
        label="Lay reviewer", required=False, help_text="They review as a member of the public or a patient."
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect, error_messages={"required": "Choose a role"})

    def __init__(self, *args, choices, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = choices


def roles_not_held(user):
    return [choice for choice in Role.choices if choice[0] not in user.roles]


def roles_held(user):
    return [choice for choice in Role.choices if choice[0] in user.roles]


class ResetSecondFactor(forms.Form):
    reason = forms.ChoiceField(
        label="Why is it reset?",
        widget=forms.RadioSelect,
        choices=actions.ResetReason.choices,
        error_messages={"required": "Choose a reason"},
        help_text="Check first that it is really them who asked, for example by calling a number you know.",
    )


class Address(forms.Form):
    email = forms.EmailField(
        label="Email address", max_length=254, error_messages={"required": "Enter the email address"}
    )


class AcceptInvitation(NhsukFormMixin, forms.Form):
    submit_label = "Accept and create the account"

    password1 = SetPasswordField(label="Choose a password", help_text=PASSWORD_HINT)

    def __init__(self, *args, invitation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password1"].widget.attrs.pop("placeholder", None)
        self.fields["password1"].user = User(email=invitation.email, full_name=invitation.full_name)
        self.fields["password1"].error_messages["required"] = "Enter a password"


def hand_over_kwargs(request, user):
    """What a form asks of whoever closes or erases an account: who takes over what the person looks after."""
    duties = duties_of(user)
    people = User.objects.filter(is_active=True).exclude(pk=user.pk) if duties else User.objects.none()
    return {"duties": duties, "people": people.order_by("full_name")}
