import datetime as dt

import pytest
from django.test import Client

from psc_portal.accounts import actions
from psc_portal.accounts.models import Invitation, User
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def link_of_latest():
    body = OutboxMessage.objects.filter(subject__startswith="Invitation").latest("pk").body
    return next(word for word in body.split() if "/invitations/" in word).removeprefix("http://testserver")


@pytest.fixture
def invite():
    def send(email="new@example.org", **fields):
        actions.invite_reviewer(email=email, full_name="Nora New", by=UserFactory(staff=True), **fields)
        return link_of_latest()

    return send


def test_staff_invite_in_the_admin_and_the_person_ends_at_the_enrolment_of_a_factor(client_as):
    staff = client_as(UserFactory(staff=True, full_name="Sam Staff"))
    staff.post("/admin/accounts/invitation/add/", {"full_name": "Nora New", "email": "nora@example.org"})
    link, client = link_of_latest(), Client()

    page = client.get(link)
    response = client.post(link, {"password1": "three wet umbrellas"}, follow=True)

    assert "Sam Staff invites you" in page.content.decode()
    assert "nora@example.org" in page.content.decode()
    assert response.redirect_chain[-1][0] == "/accounts/second-factor/"
    assert User.objects.get(email="nora@example.org").is_reviewer
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200  # without typing the password again
    assert client.get("/admin/").headers["Location"] == "/accounts/second-factor/"


def test_opening_the_link_accepts_nothing(invite):
    link = invite()

    Client().get(link)

    assert Invitation.objects.get().state == "waiting"


def test_a_second_click_does_no_harm(invite):
    link, client = invite(), Client()
    client.post(link, {"password1": "three wet umbrellas"})

    again = client.post(link, {"password1": "another password now"})
    elsewhere = Client().get(link)

    user = User.objects.get(email="new@example.org")
    assert again.status_code == 302
    assert user.check_password("three wet umbrellas")
    assert elsewhere.status_code == 410
    assert "has been used" in elsewhere.content.decode()


def test_a_weak_password_is_refused_with_its_reason_and_the_link_stays_good(invite):
    link = invite()

    response = Client().post(link, {"password1": "nora new"})

    assert "at least 12" in response.content.decode()
    assert Invitation.objects.get().state == "waiting"


@pytest.mark.parametrize("what", ["expired", "withdrawn", "wrong"])
def test_a_link_that_does_not_work_says_why(what, invite):
    if what == "expired":
        with clock.at(clock.now() - dt.timedelta(days=8)):
            link = invite()
    else:
        link = invite()
    if what == "withdrawn":
        actions.withdraw_invitation(invitation=Invitation.objects.get(), by=UserFactory(staff=True))
    if what == "wrong":
        link = "/accounts/invitations/nobody-sent-this/"

    answer = Client().post(link, {"password1": "three wet umbrellas"})

    sentence = {"expired": "has expired", "withdrawn": "was withdrawn", "wrong": "not one of our invitations"}[what]
    assert sentence in answer.content.decode()
    assert answer.status_code == (404 if what == "wrong" else 410)
    assert not User.objects.filter(email="new@example.org").exists()


def test_somebody_with_an_account_logs_in_and_confirms(invite, client_as):
    owner = UserFactory(email="new@example.org")
    link = invite()

    as_visitor, as_other = Client().get(link), client_as(UserFactory()).get(link)
    client = client_as(owner)
    confirm = client.get(link)
    done = client.post(link)

    assert f"/accounts/login/?next={link}" in as_visitor.content.decode()
    assert "log out first" in as_other.content.decode()
    assert "Accept" in confirm.content.decode()
    assert done.headers["Location"] == "/my/"
    assert User.objects.get(pk=owner.pk).is_reviewer


def test_the_link_of_somebody_elses_account_cannot_take_it_over(invite):
    owner = UserFactory(email="new@example.org")
    link = invite()

    Client().post(link, {"password1": "three wet umbrellas"})

    stored = User.objects.get(pk=owner.pk)
    assert (stored.password, stored.is_reviewer) == (owner.password, False)
