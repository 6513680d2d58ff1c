import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from psc_portal.accounts.models import User
from psc_portal.common.models import AuditEvent, OutboxMessage

pytestmark = pytest.mark.django_db


def ask_for(client, email):
    return client.post("/accounts/email/", {"email": email, "action_add": ""})


def link_to(address):
    body = OutboxMessage.objects.filter(to=[address]).latest("pk").body
    return re.search(r"https?://\S+", body)[0].removeprefix("http://testserver")


def test_a_new_address_replaces_the_old_one_once_it_is_confirmed_and_both_are_told(person, log_in):
    user = person(email="old@example.org")
    client = log_in(user)

    ask_for(client, "New@example.org")
    before = User.objects.get().email
    client.post(link_to("new@example.org"))

    assert before == "old@example.org"
    assert User.objects.get().email == "new@example.org"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@example.org", True, True)]
    told = OutboxMessage.objects.get(subject="Your email address was changed")
    assert told.to == ["old@example.org"]
    assert "from old@example.org to new@example.org" in told.body
    assert AuditEvent.objects.filter(verb="change_email", by=user).count() == 1


def test_an_address_of_somebody_else_is_neither_taken_nor_given_away(person, log_in):
    person(email="taken@example.org")
    client = log_in(person(email="old@example.org"))

    answer = ask_for(client, "taken@example.org")

    assert answer.status_code == ask_for(client, "free@example.org").status_code
    assert User.objects.filter(email="old@example.org").exists()


def test_a_change_of_address_asks_for_the_password_again_after_a_while(person, log_in):
    client = log_in(person())
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 301
    session.save()

    answer = ask_for(client, "new@example.org")

    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert OutboxMessage.objects.count() == 0


def test_with_a_second_factor_the_page_says_whom_to_ask(person, log_in, code_at):
    user = person(totp_app=True)
    client = log_in(user, code=code_at())

    page = ask_for(client, "new@example.org")

    assert "Ask the programme team" in page.content.decode()
    assert OutboxMessage.objects.count() == 0


def test_a_fresh_installation_has_no_accounts_and_nothing_to_log_in_with():
    answer = Client().post("/accounts/login/", {"login": "admin@example.org", "password": "admin"})

    assert User.objects.count() == 0
    assert "_auth_user_id" not in answer.client.session
