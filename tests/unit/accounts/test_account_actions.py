import datetime as dt

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from psc_portal.accounts import actions
from psc_portal.accounts.models import Invitation, Role, User
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def link_token(mail):
    return next(word for word in mail.body.split() if "/invitations/" in word).rstrip("/").rsplit("/", 1)[-1]


# Roles


@pytest.mark.parametrize(
    ("role", "is_staff"), [(Role.PROGRAMME_STAFF, True), (Role.REVIEWER, True), (Role.LEAD, False)]
)
def test_a_granted_role_opens_the_admin_for_staff_and_reviewers_only_and_is_audited(role, is_staff):
    staff, person = UserFactory(staff=True), UserFactory()

    actions.grant_role(user=person, role=role, by=staff)

    person = User.objects.get(pk=person.pk)
    event = AuditEvent.objects.get(verb="grant_role")
    assert (person.roles, person.is_staff) == ({role}, is_staff)
    assert (event.by, event.subject_id, event.before, event.after) == (
        staff,
        str(person.pk),
        {"roles": []},
        {"roles": [role]},
    )


def test_granting_a_role_twice_changes_and_records_nothing_the_second_time():
    staff, person = UserFactory(staff=True), UserFactory()

    actions.grant_role(user=person, role=Role.LEAD, by=staff)
    actions.grant_role(user=person, role=Role.LEAD, by=staff)

    assert AuditEvent.objects.filter(verb="grant_role").count() == 1


@pytest.mark.parametrize("trait", ["reviewer", "lead", None])
def test_only_programme_staff_grant_roles(trait):
    by = UserFactory(**({trait: True} if trait else {}))
    person = UserFactory()

    with pytest.raises(PermissionDenied):
        actions.grant_role(user=person, role=Role.PROGRAMME_STAFF, by=by)

    assert User.objects.get(pk=person.pk).roles == set()


def test_a_closed_account_and_an_unknown_role_are_refused():
    staff = UserFactory(staff=True)

    with pytest.raises(ActionRefused, match="closed"):
        actions.grant_role(user=UserFactory(is_active=False), role=Role.LEAD, by=staff)
    with pytest.raises(ActionRefused, match="in the list"):
        actions.grant_role(user=UserFactory(), role="superuser", by=staff)


def test_a_revoked_role_closes_the_admin_and_is_audited():
    staff, reviewer = UserFactory(staff=True), UserFactory(reviewer=True)

    actions.revoke_role(user=reviewer, role=Role.REVIEWER, by=staff)

    reviewer = User.objects.get(pk=reviewer.pk)
    assert (reviewer.roles, reviewer.is_staff) == (set(), False)
    assert AuditEvent.objects.filter(verb="revoke_role", by=staff, subject_id=str(reviewer.pk)).count() == 1


def test_a_member_of_staff_who_is_also_a_reviewer_stays_in_the_admin_when_one_role_goes():
    staff, other = UserFactory(staff=True), UserFactory(is_staff=True, roles=[Role.PROGRAMME_STAFF, Role.REVIEWER])

    actions.revoke_role(user=other, role=Role.REVIEWER, by=staff)

    assert User.objects.get(pk=other.pk).is_staff


def test_the_last_member_of_programme_staff_keeps_the_role_and_the_account():
    last = UserFactory(staff=True)
    UserFactory(staff=True, is_active=False)  # a closed account does not count

    with pytest.raises(ActionRefused, match="last member"):
        actions.revoke_role(user=last, role=Role.PROGRAMME_STAFF, by=last)
    with pytest.raises(PermissionDenied):
        actions.deactivate_user(user=last, by=last)

    assert User.objects.get(pk=last.pk).is_programme_staff


def test_nobody_takes_away_their_own_last_role():
    staff = UserFactory(staff=True)
    UserFactory(staff=True)

    with pytest.raises(ActionRefused, match="your own last role"):
        actions.revoke_role(user=staff, role=Role.PROGRAMME_STAFF, by=staff)


# Invitations


def test_an_invitation_is_stored_with_its_mail_and_holds_only_the_hash_of_its_link(settings):
    settings.PORTAL_URL = "https://portal.example.org"
    staff = UserFactory(staff=True)

    invitation = actions.invite_reviewer(email=" Rev@Example.org", full_name="Rita O'Hara", by=staff)

    mail = OutboxMessage.objects.get()
    token = link_token(mail)
    assert (invitation.email, invitation.state, mail.to) == ("rev@example.org", "waiting", ["rev@example.org"])
    assert f"https://portal.example.org/accounts/invitations/{token}/" in mail.body
    assert "Hello Rita O'Hara" in mail.body
    assert token not in str(Invitation.objects.values().get())
    assert actions.find_invitation(token) == invitation


def test_somebody_who_is_a_reviewer_or_has_an_invitation_waiting_is_not_invited_again():
    staff, reviewer = UserFactory(staff=True), UserFactory(reviewer=True)
    actions.invite_reviewer(email="new@example.org", full_name="New", by=staff)

    with pytest.raises(ActionRefused, match="reviewer already"):
        actions.invite_reviewer(email=reviewer.email.upper(), full_name="Again", by=staff)
    with pytest.raises(ActionRefused, match="waiting"):
        actions.invite_reviewer(email="new@example.org", full_name="New", by=staff)

    assert OutboxMessage.objects.count() == 1


def test_only_programme_staff_invite():
    with pytest.raises(PermissionDenied):
        actions.invite_reviewer(email="new@example.org", full_name="New", by=UserFactory(reviewer=True))


def test_an_accepted_invitation_makes_a_verified_reviewer_once():
    staff = UserFactory(staff=True)
    invitation = actions.invite_reviewer(email="new@example.org", full_name="New Person", by=staff, is_lay=True)

    user = actions.accept_invitation(invitation=invitation, password="three wet umbrellas")

    user = User.objects.get(pk=user.pk)
    assert (user.email, user.is_reviewer, user.is_staff, user.is_lay) == ("new@example.org", True, True, True)
    assert user.check_password("three wet umbrellas")
    assert EmailAddress.objects.get(user=user).verified
    with pytest.raises(ActionRefused, match="has been used"):
        actions.accept_invitation(invitation=invitation, password="another password of mine")
    assert User.objects.get(pk=user.pk).check_password("three wet umbrellas")


def test_an_expired_and_a_withdrawn_invitation_open_nothing():
    staff = UserFactory(staff=True)
    with clock.at(clock.now() - dt.timedelta(days=8)):
        expired = actions.invite_reviewer(email="late@example.org", full_name="Late", by=staff)
    withdrawn = actions.invite_reviewer(email="gone@example.org", full_name="Gone", by=staff)
    actions.withdraw_invitation(invitation=withdrawn, by=staff)

    for invitation, word in ((expired, "expired"), (withdrawn, "withdrawn")):
        with pytest.raises(ActionRefused, match=word):
            actions.accept_invitation(invitation=invitation, password="three wet umbrellas")

    assert not User.objects.filter(email__in=["late@example.org", "gone@example.org"]).exists()


def test_a_link_does_not_set_the_password_of_an_account_that_exists():
    staff, owner = UserFactory(staff=True), UserFactory(email="owner@example.org")
    invitation = actions.invite_reviewer(email="owner@example.org", full_name="Owner", by=staff)

    with pytest.raises(ActionRefused, match="Log in"):
        actions.accept_invitation(invitation=invitation, password="three wet umbrellas")
    with pytest.raises(ActionRefused, match="Log in"):
        actions.accept_invitation(invitation=invitation, by=UserFactory())
    actions.accept_invitation(invitation=invitation, by=owner)

    stored = User.objects.get(pk=owner.pk)
    assert (stored.is_reviewer, stored.password) == (True, owner.password)


# Lost factors, closed accounts


def test_a_reset_factor_is_gone_audited_with_its_reason_and_told_by_mail():
    staff, person = UserFactory(staff=True), UserFactory(reviewer=True)
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")

    actions.reset_second_factor(user=person, reason="lost", by=staff)

    event = AuditEvent.objects.get(verb="reset_second_factor")
    mail = OutboxMessage.objects.get()
    assert not Authenticator.objects.filter(user=person).exists()
    assert (event.by, event.before, event.after) == (staff, {"kinds": ["totp"]}, {"kinds": [], "reason": "lost"})
    assert mail.to == [person.email]
    assert "The phone or key is lost" in mail.body


def test_ones_own_factor_an_unlisted_reason_and_a_missing_factor_are_refused():
    staff, person = UserFactory(staff=True), UserFactory(reviewer=True)
    TOTP.activate(staff, "JBSWY3DPEHPK3PXP")

    with pytest.raises(PermissionDenied):
        actions.reset_second_factor(user=staff, reason="lost", by=staff)
    with pytest.raises(ActionRefused, match="reason"):
        actions.reset_second_factor(user=person, reason="she asked me to, her number is 07700", by=staff)
    with pytest.raises(ActionRefused, match="has not set up"):
        actions.reset_second_factor(user=person, reason="lost", by=staff)

    assert Authenticator.objects.filter(user=staff).exists()


def test_a_closed_account_can_be_opened_again_and_both_are_audited():
    staff, person = UserFactory(staff=True), UserFactory()

    actions.deactivate_user(user=person, by=staff)
    with pytest.raises(ActionRefused, match="closed already"):
        actions.deactivate_user(user=person, by=staff)
    actions.reactivate_user(user=person, by=staff)

    assert User.objects.get(pk=person.pk).is_active
    verbs = list(AuditEvent.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["deactivate_user", "reactivate_user"]


# The first administrator


def test_the_first_administrator_is_made_once_and_without_a_password(capsys, settings):
    settings.PORTAL_URL = "https://portal.example.org"

    call_command("create_first_administrator", "Boss@Example.org", name="The Boss")

    boss = User.objects.get()
    printed = capsys.readouterr().out
    assert (boss.email, boss.full_name, boss.is_programme_staff, boss.is_staff) == (
        "boss@example.org",
        "The Boss",
        True,
        True,
    )
    assert not boss.has_usable_password()
    assert "https://portal.example.org/accounts/password/reset/key/" in printed
    with pytest.raises(CommandError, match="administrator already"):
        call_command("create_first_administrator", "second@example.org")
    assert User.objects.count() == 1


def test_a_first_administrator_needs_an_email_address():
    with pytest.raises(CommandError, match="not an email address"):
        call_command("create_first_administrator", "boss")
