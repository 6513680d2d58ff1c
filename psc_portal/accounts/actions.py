"""What can be done with accounts: roles, invitations, lost factors, closing an account."""

import datetime as dt
import hashlib
import secrets

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import TextChoices
from django.urls import reverse

from psc_portal.accounts import permissions, sessions
from psc_portal.accounts.emails import mail_context
from psc_portal.accounts.models import ADMIN_ROLES, Invitation, Role, User
from psc_portal.common import audit, clock, outbox, personal_data
from psc_portal.common.hand_over import hand_over
from psc_portal.common.refusals import ActionRefused

INVITATION_LASTS = dt.timedelta(days=7)


class ResetReason(TextChoices):
    """Chosen from a list: the audit trail, which is never erased, keeps no free text."""

    LOST = "lost", "The phone or key is lost"
    STOLEN = "stolen", "The phone or key was stolen"
    BROKEN = "broken", "The phone or key is broken or was replaced"
    LEFT = "left", "The device stayed with a former employer"


def _roles_by_name(user) -> list[str]:
    return sorted(user.groups.values_list("name", flat=True))


def _lock_administrators() -> Group:
    """One change of programme staff at a time, so that two people cannot each remove the other."""
    return Group.objects.select_for_update().get(name=Role.PROGRAMME_STAFF)


def _others_on_staff(user):
    return User.objects.with_role(Role.PROGRAMME_STAFF).exclude(pk=user.pk)


def _store_roles(user, *, by, verb, before) -> None:
    user.__dict__.pop("roles", None)
    after = _roles_by_name(user)
    user.is_staff = bool(ADMIN_ROLES & set(after))
    user.save(update_fields=["is_staff"])
    audit.record(verb, user, by=by, before={"roles": before}, after={"roles": after})


def _give_role(user, role, *, by) -> None:
    before = _roles_by_name(user)
    if role in before:
        return
    user.groups.add(Group.objects.get(name=role))
    _store_roles(user, by=by, verb="grant_role", before=before)


@transaction.atomic
def grant_role(*, user, role, by) -> None:
    """Give a role; one already held stays as it is. `by` None is the portal itself (a command, the demonstration data).

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: the account is closed or there is no such role.
    """
    if by is not None and not permissions.can_manage_users(by, user):
        raise PermissionDenied
    if role not in Role.values:
        raise ActionRefused("Choose one of the roles in the list.")
    user = User.objects.select_for_update().get(pk=user.pk) if user.pk else user
    if not user.is_active:
        raise ActionRefused("This account is closed. Open it again before you give it a role.")
    _give_role(user, Role(role), by=by)


@transaction.atomic
def revoke_role(*, user, role, by) -> None:
    """Take a role away; the person keeps the account.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: not held, one's own last role, or the last member of programme staff.
    """
    if not permissions.can_manage_users(by, user):
        raise PermissionDenied
    _lock_administrators()
    user = User.objects.select_for_update().get(pk=user.pk)
    before = _roles_by_name(user)
    if role not in before:
        raise ActionRefused(f"{user.display_name} does not have this role. Reload the page to see the roles now.")
    if role == Role.PROGRAMME_STAFF and not _others_on_staff(user).exists():
        raise ActionRefused("This is the last member of programme staff. Give the role to somebody else first.")
    if by.pk == user.pk and before == [role]:
        raise ActionRefused("This is your own last role. Ask another member of programme staff to take it away.")
    user.groups.remove(Group.objects.get(name=role))
    _store_roles(user, by=by, verb="revoke_role", before=before)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _normal_email(email: str) -> str:
    return email.strip().lower()


@transaction.atomic
def invite_reviewer(*, email, full_name, by, is_lay=False) -> Invitation:
    """Invite somebody to review; the mail with the link goes out once this is stored.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: they are a reviewer already, or their account is closed, or an invitation is waiting.
    """
    if not permissions.can_manage_users(by):
        raise PermissionDenied
    email = _normal_email(email)
    _lock_administrators()
    user = User.objects.filter(email__iexact=email).first()
    if user and not user.is_active:
        raise ActionRefused("The account with this email address is closed. Open it again first.")
    if user and user.is_reviewer:
        raise ActionRefused(f"{user.display_name} is a reviewer already.")
    if Invitation.objects.waiting().filter(email=email).exists():
        raise ActionRefused("An invitation to this email address is waiting. Withdraw it before you send another.")
    return _send_invitation(email=email, full_name=full_name.strip(), is_lay=is_lay, by=by)


def _send_invitation(*, email, full_name, is_lay, by) -> Invitation:
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        full_name=full_name,
        is_lay=is_lay,
        token_hash=_hash(token),
        invited_by=by,
        expires_at=clock.now() + INVITATION_LASTS,
    )
    link = settings.PORTAL_URL + reverse("accounts:invitation", args=[token])
    outbox.send_mail(
        to=[email],
        template="accounts/invitation",
        context=mail_context(name=full_name, invited_by=by.display_name, link=link, until=invitation.expires_at),
    )
    audit.record("invite_reviewer", invitation, by=by, after={"role": invitation.role, "is_lay": is_lay})
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation, by) -> None:
    """
    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: it was accepted or withdrawn already.
    """
    if not permissions.can_manage_users(by):
        raise PermissionDenied
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at or invitation.withdrawn_at:
        raise ActionRefused(f"This invitation was {invitation.state} already.")
    invitation.withdrawn_at = clock.now()
    invitation.save(update_fields=["withdrawn_at"])
    audit.record("withdraw_invitation", invitation, by=by)


def find_invitation(token: str) -> Invitation | None:
    return Invitation.objects.select_related("accepted_by", "invited_by").filter(token_hash=_hash(token)).first()


def account_of(invitation: Invitation) -> User | None:
    return User.objects.filter(email__iexact=invitation.email).first()


def refusal_of(invitation: Invitation | None) -> str:
    """Why this link opens nothing, or an empty text when it does."""
    sentences = {
        "accepted": "This invitation has been used. Log in with your email address and password.",
        "withdrawn": "This invitation was withdrawn. Ask the programme team if you think that is a mistake.",
        "expired": "This invitation has expired. Ask the programme team to send you a new one.",
        "waiting": "",
    }
    if invitation is None:
        return "This link is not one of our invitations. Check that you copied the whole link from the email."
    return sentences[invitation.state]


@transaction.atomic
def accept_invitation(*, invitation, password=None, by=None) -> User:
    """Make the account of the person invited and give it the role.

    Args:
        password: the one they chose; checked by the form.
        by: the person logged in, when an account with this e-mail address exists already; then no password is needed.
    Raises:
        ActionRefused: the invitation was used, withdrawn or has expired, or belongs to another account.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if refusal := refusal_of(invitation):
        raise ActionRefused(refusal)
    user = account_of(invitation)
    if user is None:
        user = create_verified_user(email=invitation.email, full_name=invitation.full_name, password=password)
    elif by is None or by.pk != user.pk:
        raise ActionRefused("There is an account with this email address. Log in with it, then open the link again.")
    if invitation.is_lay and not user.is_lay:
        user.is_lay = True
        user.save(update_fields=["is_lay"])
    invitation.accepted_at, invitation.accepted_by = clock.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    audit.record("accept_invitation", invitation, by=user)
    _give_role(user, Role(invitation.role), by=invitation.invited_by)
    return user


def create_verified_user(*, email, full_name, password=None, **fields) -> User:
    """A user whose e-mail address somebody vouches for; without a password they set one by a link first."""
    user = User.objects.create_user(email=email, password=password, full_name=full_name, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@transaction.atomic
def reset_second_factor(*, user, reason, by) -> None:
    """Remove a person's second factors, so that their next log-in sets up a new one; they are told by mail.

    Raises:
        PermissionDenied: `by` is not programme staff, or the account is their own.
        ActionRefused: there is nothing to reset, or no reason was chosen.
    """
    if not permissions.can_reset_second_factor(by, user):
        raise PermissionDenied
    if reason not in ResetReason.values:
        raise ActionRefused("Choose a reason from the list.")
    kinds = sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    if not kinds:
        raise ActionRefused(f"{user.display_name} has not set up a second factor.")
    Authenticator.objects.filter(user=user).delete()
    audit.record("reset_second_factor", user, by=by, before={"kinds": kinds}, after={"kinds": [], "reason": reason})
    outbox.send_mail(
        to=[user.email],
        template="accounts/second_factor_reset",
        context=mail_context(name=user.full_name, by=by.display_name, reason=ResetReason(reason).label, at=clock.now()),
    )
    sessions.end_sessions_of(user)


@transaction.atomic
def deactivate_user(*, user, by, successors=None) -> None:
    """Close an account: no log-in, all sessions ended. What the person did stays as it is.

    What they look after goes to `successors` ({key of the duty: person or None}); what nobody takes over, to staff.

    Raises:
        PermissionDenied: `by` is not programme staff, or the account is their own.
        ActionRefused: closed already, or the last member of programme staff.
    """
    if not permissions.can_deactivate(by, user):
        raise PermissionDenied
    _lock_administrators()
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.is_active:
        raise ActionRefused("This account is closed already.")
    if user.is_programme_staff and not _others_on_staff(user).exists():
        raise ActionRefused("This is the last member of programme staff. Give the role to somebody else first.")
    hand_over(user=user, successors=successors or {}, by=by)
    user.is_active = False
    user.save(update_fields=["is_active"])
    audit.record("deactivate_user", user, by=by, before={"is_active": True}, after={"is_active": False})
    sessions.end_sessions_of(user)


@transaction.atomic
def reactivate_user(*, user, by) -> None:
    """
    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: the account is open.
    """
    if not permissions.can_manage_users(by, user):
        raise PermissionDenied
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_active:
        raise ActionRefused("This account is open already.")
    user.is_active = True
    user.save(update_fields=["is_active"])
    audit.record("reactivate_user", user, by=by, before={"is_active": False}, after={"is_active": True})


def export_person(*, user, by) -> dict:
    """Everything that the portal holds of a person, as plain values, for staff to look through and send.

    Raises:
        PermissionDenied: `by` is not programme staff.
    """
    if not permissions.can_manage_users(by, user):
        raise PermissionDenied
    audit.record_export(User, by=by, subject=user.pk)
    return {
        "roles": _roles_by_name(user),
        **personal_data.export(user=user, email=user.email, by=by),
        "mails": personal_data.mails_of(user.email),
    }


def export_address(*, email, by) -> dict:
    """The same of somebody without an account, by the e-mail address that they gave.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: there is an account with this address.
    """
    email = _address_without_account(email, by)
    audit.record_export(User, by=by, subject="an address without an account")
    return {**personal_data.export(email=email, by=by), "mails": personal_data.mails_of(email)}


@transaction.atomic
def erase_address(*, email, by) -> list[str]:
    """Take out what somebody without an account gave with this e-mail address. Returns what was done, in words.

    Raises:
        PermissionDenied: `by` is not programme staff.
        ActionRefused: there is an account with this address.
    """
    email = _address_without_account(email, by)
    done = personal_data.erase(email=email, by=by)
    personal_data.erase_mails(email)
    audit.record("erase_address", by, by=by, after={"kinds": len(done)})
    return [*done, "Mails to this address: erased."]


def _address_without_account(email: str, by) -> str:
    if not permissions.can_manage_users(by):
        raise PermissionDenied
    if User.objects.filter(email__iexact=email.strip()).exists():
        raise ActionRefused("There is an account with this address. Open it in the list of users.")
    return email.strip()


@transaction.atomic
def erase_person(*, user, by, successors=None) -> list[str]:
    """Take everything that identifies a person out of the portal; what they did stays, by “Erased person”.

    Returns what was done, in words, with the reason for what stays. What they look after is handed over first.

    Raises:
        PermissionDenied: `by` is not programme staff, or the account is their own.
        ActionRefused: the last member of programme staff.
    """
    if not permissions.can_deactivate(by, user):
        raise PermissionDenied
    _lock_administrators()
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_programme_staff and not _others_on_staff(user).exists():
        raise ActionRefused("This is the last member of programme staff. Give the role to somebody else first.")
    hand_over(user=user, successors=successors or {}, by=by, leaver="Somebody")
    sessions.end_sessions_of(user)
    erased = personal_data.erase(user=user, email=user.email, by=by)
    personal_data.erase_mails(user.email, user.full_name)
    user.groups.clear()
    user.full_name, user.email = "Erased person", f"erased-{user.pk}@invalid"
    user.is_active = user.is_staff = user.is_lay = False
    user.set_unusable_password()
    user.save()
    audit.record("erase_person", user, by=by)
    return ["Name, e-mail address, log-in and mails: erased.", *erased]


@transaction.atomic
def create_first_administrator(*, email, full_name) -> str:
    """Make the first member of programme staff of a new installation; returns the link at which they set a password.

    Raises:
        ActionRefused: the installation has an administrator already.
    """
    _lock_administrators()
    if User.objects.with_role(Role.PROGRAMME_STAFF).exists():
        raise ActionRefused("This portal has an administrator already. They can give roles to others in the admin.")
    email = _normal_email(email)
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = create_verified_user(email=email, full_name=full_name)
    _give_role(user, Role.PROGRAMME_STAFF, by=None)
    return set_password_link(user)


def set_password_link(user) -> str:
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )
    return settings.PORTAL_URL + path
