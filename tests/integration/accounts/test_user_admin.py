import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin

from psc_portal.accounts.models import Invitation, Role, User
from psc_portal.common import outbox
from psc_portal.common.models import AuditEvent
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"


@pytest.fixture
def staff(client_as):
    return client_as(UserFactory(staff=True, full_name="Sam Staff"))


def test_a_reviewer_a_lead_and_a_visitor_see_no_people(client_as):
    person = UserFactory()

    for user in (UserFactory(reviewer=True),):
        for path in (
            USERS,
            f"{USERS}{person.pk}/change/",
            f"{USERS}{person.pk}/grant_role/",
            "/admin/accounts/invitation/",
        ):
            assert client_as(user).get(path).status_code == 404, path


def test_staff_give_and_take_roles_by_form(staff):
    person = UserFactory()

    page = staff.get(f"{USERS}{person.pk}/grant_role/")
    staff.post(f"{USERS}{person.pk}/grant_role/", {"role": Role.REVIEWER})
    granted = User.objects.get(pk=person.pk).roles
    staff.post(f"{USERS}{person.pk}/revoke_role/", {"role": Role.REVIEWER})

    assert page.status_code == 200
    assert granted == {Role.REVIEWER}
    assert User.objects.get(pk=person.pk).roles == set()


def test_a_forged_role_is_refused_with_a_sentence(staff):
    person = UserFactory(lead=True)

    response = staff.post(f"{USERS}{person.pk}/grant_role/", {"role": "superuser"})

    assert response.status_code == 200
    assert "Error: " in response.content.decode()
    assert User.objects.get(pk=person.pk).roles == {Role.LEAD}


def test_the_last_member_of_staff_is_told_why_the_role_stays(staff):
    me = User.objects.get(full_name="Sam Staff")

    response = staff.post(f"{USERS}{me.pk}/revoke_role/", {"role": Role.PROGRAMME_STAFF})

    assert "last member of programme staff" in response.content.decode()
    assert User.objects.get(pk=me.pk).is_programme_staff


def test_closing_an_account_ends_its_sessions(staff, person, log_in):
    user = person()
    client = log_in(user)

    page = staff.get(f"{USERS}{user.pk}/deactivate/")
    staff.post(f"{USERS}{user.pk}/deactivate/")

    assert page.status_code == 200
    assert client.get("/my/").status_code == 302
    assert AuditEvent.objects.filter(verb="deactivate_user").count() == 1


def test_what_makes_no_sense_now_has_no_button(staff):
    me, closed, with_app = User.objects.get(full_name="Sam Staff"), UserFactory(is_active=False), UserFactory()
    TOTP.activate(with_app, "JBSWY3DPEHPK3PXP")

    def buttons(user):
        page = staff.get(f"{USERS}{user.pk}/change/").content.decode()
        verbs = ["grant_role", "revoke_role", "reset_second_factor", "deactivate", "reactivate"]
        return [name for name in verbs if f"{USERS}{user.pk}/{name}/" in page]

    assert buttons(me) == ["grant_role", "revoke_role"]
    assert buttons(closed) == ["reactivate"]
    assert buttons(with_app) == ["grant_role", "reset_second_factor", "deactivate"]


def test_nothing_of_a_user_can_be_edited_or_deleted_past_the_verbs(staff):
    user = UserFactory()

    staff.post(f"{USERS}{user.pk}/change/", {"email": "other@example.org", "is_superuser": "on"})

    assert staff.get(f"{USERS}{user.pk}/delete/").status_code in {403, 404}
    assert staff.get(f"{USERS}add/").status_code in {403, 404}
    assert (User.objects.get(pk=user.pk).email, User.objects.get(pk=user.pk).is_superuser) == (user.email, False)


def test_the_page_of_a_user_shows_no_password_and_no_secret(staff):
    user = UserFactory()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")

    page = staff.get(f"{USERS}{user.pk}/change/").content.decode()

    assert "md5$" not in page
    assert user.authenticator_set.get().data["secret"] not in page


def test_staff_see_that_a_mail_was_sent_but_not_to_whom_what_about_or_the_link_that_is_in_it(staff):
    message = outbox.store_mail(
        to=["ada@example.org"], subject="Choose a new password", body="https://p.example/key-123/", key="password.7"
    )
    type(message).objects.filter(pk=message.pk).update(error="SMTPRecipientsRefused: {'ada@example.org': (550,)}")

    for address in ("", f"{message.pk}/change/"):
        page = staff.get(f"/admin/common/outboxmessage/{address}").content.decode()

        assert "password.7" in page and "Waiting" in page and "SMTPRecipientsRefused" in page
        assert not [secret for secret in ("ada@example.org", "Choose a new", "key-123") if secret in page]


def test_groups_addresses_and_authenticators_have_no_admin_pages_of_their_own():
    registered = {model._meta.label for model in admin.site._registry}

    assert not registered & {
        "auth.Group",
        "account.EmailAddress",
        "mfa.Authenticator",
        "usersessions.UserSession",
    }


def test_an_invitation_is_withdrawn_once(staff):
    staff.post("/admin/accounts/invitation/add/", {"full_name": "Nora New", "email": "nora@example.org"})
    invitation = Invitation.objects.get()

    staff.post(f"/admin/accounts/invitation/{invitation.pk}/withdraw/")
    again = staff.post(f"/admin/accounts/invitation/{invitation.pk}/withdraw/", follow=True)

    assert Invitation.objects.get().state == "withdrawn"
    assert "was withdrawn already" in again.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_run_the_same_queries_for_one_row_and_three(rows, staff, django_assert_max_num_queries):
    me = User.objects.get(full_name="Sam Staff")
    for number in range(rows):
        user = UserFactory(reviewer=True)
        TOTP.activate(user, "JBSWY3DPEHPK3PXP")
        Invitation.objects.create(
            email=user.email, full_name="A", token_hash=f"{number}", invited_by=me, expires_at=user.date_joined
        )
    staff.get(USERS)

    with django_assert_max_num_queries(9):
        staff.get(USERS)
    with django_assert_max_num_queries(7):
        staff.get("/admin/accounts/invitation/")
