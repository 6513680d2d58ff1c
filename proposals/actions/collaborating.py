"""Writing a proposal together: inviting, accepting, roles, leaving, and handing over."""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from proposals import permissions
from proposals.actions.locking import hold, locked_proposal
from proposals.models import Collaborator, Extension, Proposal
from psc_portal.common import audit, clock, outbox
from psc_portal.common.refusals import ActionRefused

INVITATION_LASTS = dt.timedelta(days=14)
MOST_PEOPLE = 15
MOST_A_DAY = 40  # invitations of one proposal, those taken back included: nobody's mailbox is to be filled from here
NOT_AGAIN_FOR = dt.timedelta(minutes=5)
AUDITED = ["proposal", "role", "user"]


def _locked(by, proposal) -> Proposal:
    """The proposal, locked, for its applicant.

    Raises:
        PermissionDenied: `by` is not the applicant.
        ActionRefused: it is withdrawn, so there is nothing to do together.
    """
    stored = locked_proposal(proposal.pk, "applicant")
    if not permissions.can_manage_team(by, stored):
        raise PermissionDenied
    if stored.status == Proposal.Status.WITHDRAWN:
        raise ActionRefused("This proposal is withdrawn. Its team stays as it is.")
    return stored


def _current(collaborator) -> Collaborator:
    """The row as stored, still in the team or still asked."""
    stored = hold(Collaborator.objects).select_related("user").get(pk=collaborator.pk)
    if stored.left_at:
        raise ActionRefused(f"{_called(stored)} is no longer in this team. Reload the page to see who is.")
    return stored


def _called(collaborator) -> str:
    return collaborator.user.display_name if collaborator.user else collaborator.email


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# Inviting -------------------------------------------------------------------------------------------------------------
@transaction.atomic
def invite_collaborator(*, proposal, by, email, role) -> Collaborator:
    """Ask somebody by e-mail to read or to write the proposal with its applicant.

    Raises:
        PermissionDenied: `by` is not the applicant.
        ActionRefused: they are in the team or asked already, or the team is as large as it can be.
    """
    stored = _locked(by, proposal)
    email = email.strip().lower()
    if role not in Collaborator.Role.values:
        raise ActionRefused("Choose whether they can read or write.")
    if email == stored.applicant.email.lower():
        raise ActionRefused("This is your own address: the proposal is yours already.")
    team = stored.collaborators.filter(left_at__isnull=True)
    if team.filter(user__email__iexact=email, accepted_at__isnull=False).exists():
        raise ActionRefused(f"{email} is in your team already. You can change what they may do in the list.")
    if team.filter(email=email).exists():
        raise ActionRefused(f"{email} has been invited already. You can send the invitation again from the list.")
    if team.count() >= MOST_PEOPLE:
        raise ActionRefused(f"A team can have {MOST_PEOPLE} people beside you. Remove somebody first.")
    if stored.collaborators.filter(created_at__gt=clock.now() - dt.timedelta(days=1)).count() >= MOST_A_DAY:
        raise ActionRefused("You have sent very many invitations today. Invite the others tomorrow, or write to us.")
    collaborator = Collaborator(proposal=stored, email=email, role=role, invited_by=by)
    _send_link(collaborator, stored, by)
    audit.record("invite_collaborator", collaborator, by=by, after=audit.snapshot(collaborator, AUDITED))
    return collaborator


@transaction.atomic
def send_invitation_again(*, collaborator, by) -> Collaborator:
    """A new link to the same address; the one sent before stops working."""
    proposal = _locked(by, collaborator.proposal)
    stored = _current(collaborator)
    if stored.accepted_at:
        raise ActionRefused(f"{_called(stored)} has accepted already.")
    if stored.expires_at and clock.now() < stored.expires_at - INVITATION_LASTS + NOT_AGAIN_FOR:
        raise ActionRefused(
            f"We sent the last one to {stored.email} a moment ago. Ask them to look among their unwanted mail too, and "
            "wait five minutes before you send another: its link replaces the one before."
        )
    _send_link(stored, proposal, by)
    audit.record("send_invitation_again", stored, by=by)
    return stored


def _send_link(collaborator, proposal, by) -> None:
    token = secrets.token_urlsafe(32)
    collaborator.token_hash = _hash(token)
    collaborator.expires_at = clock.now() + INVITATION_LASTS
    collaborator.save()
    link = settings.PORTAL_URL + reverse("proposals:collaboration", args=[token])
    _mail(
        collaborator.email,
        "collaboration_invitation",
        proposal,
        invited_by=by.display_name,
        may_write=collaborator.role == Collaborator.Role.EDIT,
        link=link,
        until=collaborator.expires_at,
    )


def _mail(to, template, proposal, **context) -> None:
    outbox.send_mail(
        to=[to],
        template=f"proposals/{template}",
        context={
            "title": proposal.title or "a proposal without a title yet",
            "call": proposal.call.title,
            "url": settings.PORTAL_URL + proposal.get_absolute_url(),
            "collaborative": settings.COLLABORATIVE,
            **context,
        },
    )


# Accepting ------------------------------------------------------------------------------------------------------------
def find_collaboration(token: str) -> Collaborator | None:
    found = Collaborator.objects.select_related("proposal__call", "invited_by", "user")
    return found.filter(token_hash=_hash(token)).first()


def why_not_accepted(collaborator: Collaborator | None, user) -> str:
    """Why this link does not let `user` in, or an empty text when it does."""
    if collaborator is None:
        return "This link is not one of our invitations, or a newer one was sent since. Use the link of the last email."
    inviter = collaborator.invited_by.display_name
    if collaborator.left_at:
        return f"This invitation was taken back. Ask {inviter} if you think that is a mistake."
    if collaborator.accepted_at:
        return "This invitation has been used already."
    if collaborator.is_expired:
        return f"This invitation has expired. Ask {inviter} to send it again."
    if collaborator.proposal.status == Proposal.Status.WITHDRAWN:
        return "This proposal has been withdrawn."
    if user.is_authenticated and user.email.lower() != collaborator.email:
        return (
            f"This invitation went to {collaborator.email}, and you are logged in as {user.email}. Log out and log in "
            f"with {collaborator.email}, or ask {inviter} to invite {user.email}."
        )
    if permissions.can_read(user, collaborator.proposal):  # invited under two addresses, one after the other theirs
        return "You are in this team already."
    return ""


@transaction.atomic
def accept_collaboration(*, collaborator, by) -> Collaborator:
    """Join the team. A link works once, for the account with the address that it was sent to.

    Raises:
        PermissionDenied: nobody is logged in.
        ActionRefused: the sentence says why the link does not work.
    """
    if not by.is_authenticated:
        raise PermissionDenied
    stored = (
        hold(Collaborator.objects)
        .select_related("proposal__call", "proposal__applicant", "invited_by", "user")
        .get(pk=collaborator.pk)
    )
    if stored.accepted_at and stored.user_id == by.pk and not stored.left_at:
        return stored  # the second of two clicks
    if refusal := why_not_accepted(stored, by):
        raise ActionRefused(refusal)
    stored.user, stored.accepted_at = by, clock.now()
    stored.save(update_fields=["user", "accepted_at"])
    audit.record("accept_collaboration", stored, by=by, after=audit.snapshot(stored, AUDITED))
    applicant = stored.proposal.applicant
    _mail(applicant.email, "collaboration_accepted", stored.proposal, name=applicant.display_name, who=by.display_name)
    return stored


# Who may do what, and who goes ----------------------------------------------------------------------------------------
@transaction.atomic
def change_role(*, collaborator, by, role) -> Collaborator:
    """
    Raises:
        PermissionDenied: `by` is not the applicant.
        ActionRefused: no such role, or they are gone.
    """
    _locked(by, collaborator.proposal)
    stored = _current(collaborator)
    if role not in Collaborator.Role.values:
        raise ActionRefused("Choose whether they can read or write.")
    before = audit.snapshot(stored, AUDITED)
    stored.role = role
    stored.save(update_fields=["role"])
    audit.record("change_role", stored, by=by, before=before, after=audit.snapshot(stored, AUDITED))
    return stored


@transaction.atomic
def remove_collaborator(*, collaborator, by) -> Collaborator:
    """Take somebody out of the team, or an invitation back: from now on they see nothing. What they wrote stays."""
    proposal = _locked(by, collaborator.proposal)
    stored = _current(collaborator)
    _end(stored)
    audit.record("remove_collaborator", stored, by=by, before=audit.snapshot(stored, AUDITED))
    if stored.accepted_at:
        _mail(stored.user.email, "collaboration_ended", proposal, name=stored.user.display_name, by=by.display_name)
    return stored


@transaction.atomic
def leave_proposal(*, proposal, by) -> Collaborator:
    """Leave the team. What one wrote stays in the proposal.

    Raises:
        PermissionDenied: `by` is not one of those who were invited.
    """
    if not permissions.can_leave(by, proposal):
        raise PermissionDenied
    stored = hold(Collaborator.objects.current()).filter(proposal=proposal, user=by).first()
    if stored is None:
        raise ActionRefused("You have left this team already.")
    _end(stored)
    audit.record("leave_proposal", stored, by=by, before=audit.snapshot(stored, AUDITED))
    applicant = stored.proposal.applicant
    _mail(applicant.email, "collaboration_left", stored.proposal, name=applicant.display_name, who=by.display_name)
    return stored


def _end(collaborator) -> None:
    collaborator.left_at = clock.now()
    collaborator.save(update_fields=["left_at"])


# Handing over ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def hand_over(*, proposal, by, to) -> Proposal:
    """Make somebody of the team the applicant: they submit, withdraw and get our mail. Who hands over stays a writer.

    More time that was given to the applicant alone goes with the proposal.

    Raises:
        PermissionDenied: `by` is not the applicant.
        ActionRefused: `to` is not in the team, or has closed the account.
    """
    stored = _locked(by, proposal)
    heir = hold(stored.collaborators.current()).select_related("user").filter(user=to).first()
    if heir is None or not heir.user.is_active:
        raise ActionRefused("Choose somebody who has accepted your invitation.")
    before = audit.snapshot(stored, ["applicant"])
    own = stored.own_extension
    _end(heir)
    for other in stored.collaborators.filter(left_at__isnull=True, email=by.email.lower()):
        _end(other)  # invited under an address that has become the applicant's own
    Collaborator.objects.create(
        proposal=stored,
        email=by.email.lower(),
        user=by,
        role=Collaborator.Role.EDIT,
        invited_by=heir.user,
        accepted_at=clock.now(),
    )
    stored.applicant = heir.user
    stored.save(update_fields=["applicant"])
    if own:
        Extension.objects.create(
            call=stored.call,
            applicant=heir.user,
            closed_at_before=own.closed_at_before,
            closes_at=own.closes_at,
            reason=own.reason,
            granted_by=own.granted_by,
            granted_at=clock.now(),
        )
    audit.record("hand_over", stored, by=by, before=before, after=audit.snapshot(stored, ["applicant"]))
    for person in (heir.user, by):
        _mail(
            person.email,
            "handed_over",
            stored,
            name=person.display_name,
            is_new=person == heir.user,
            old=by.display_name,
            new=heir.user.display_name,
        )
    return stored
