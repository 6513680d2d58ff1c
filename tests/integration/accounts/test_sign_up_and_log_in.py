import re
import statistics
import time

import pytest
import redis
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher, make_password
from django.test import Client

from psc_portal.accounts.models import User
from psc_portal.common import cache as portal_cache
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=False)

NEW = {"full_name": "Ada  Lovelace", "email": "Ada@Example.org", "password1": "three wet umbrellas"}


def the_mail():
    return OutboxMessage.objects.get(kind="mail")


def link_in(mail):
    return re.search(r"https?://\S+", mail.body)[0]


def sign_up(client=None, **changes):
    return (client or Client()).post("/accounts/signup/", {**NEW, **changes})


def log_in_answer(email, password=PASSWORD, client=None, **extra):
    return (client or Client()).post("/accounts/login/", {"login": email, "password": password}, **extra)


# Sign-up


def test_a_new_person_signs_up_confirms_the_address_and_logs_in():
    assert sign_up().status_code == 302

    user = User.objects.get()
    assert (user.email, user.full_name) == ("ada@example.org", "Ada Lovelace")
    client = Client()
    assert log_in_answer(user.email, NEW["password1"], client).url == "/accounts/confirm-email/"  # not before that
    path = link_in(the_mail()).removeprefix("http://testserver")
    assert client.get(path).status_code == 200
    assert not EmailAddress.objects.get().verified  # a link scanner that opens the page confirms nothing
    client.post(path)
    assert EmailAddress.objects.get().verified
    assert log_in_answer(user.email, NEW["password1"], client).url == "/my/"


def test_sign_up_with_a_known_address_looks_the_same_and_tells_only_the_owner():
    UserFactory(email="ada@example.org", full_name="Ada King")

    known, unknown = sign_up(), sign_up(email="new@example.org")

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert User.objects.get(email="ada@example.org").full_name == "Ada King"
    mails = {mail.to[0]: mail.subject for mail in OutboxMessage.objects.all()}
    assert mails["ada@example.org"] == "You have an account already"
    assert "finish your account" in mails["new@example.org"]
    pages = [answer.client.get(answer.url).content.decode() for answer in (known, unknown)]
    assert pages[0].lower().replace("ada@", "new@") == pages[1].lower()


def test_whoever_signs_up_with_an_account_already_goes_on_the_same_way_after_the_log_in(person):
    person(email="ada@example.org")
    client = Client()

    sign_up(client, next="/calls/")

    assert log_in_answer("ada@example.org", client=client).url == "/calls/"
    assert log_in_answer("ada@example.org", client=Client()).url == "/my/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"])
def test_a_sign_up_leads_to_no_other_website(person, elsewhere):
    person(email="ada@example.org")
    client = Client()

    sign_up(client, next=elsewhere)

    assert log_in_answer("ada@example.org", client=client).url == "/my/"


def test_reset_for_a_known_and_an_unknown_address_looks_the_same(person):
    person(email="ada@example.org")

    known = Client().post("/accounts/password/reset/", {"email": "ada@example.org"})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@example.org"})

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert OutboxMessage.objects.count() == 2


def ask(page, email):
    if page == "sign-up":
        return sign_up(email=email)
    if page == "log-in":
        return log_in_answer(email, "not the password")
    return Client().post("/accounts/password/reset/", {"email": email})


@pytest.mark.parametrize(("page", "hashes"), [("sign-up", 1), ("log-in", 1), ("reset", 0)])
def test_a_known_and_an_unknown_address_cost_the_same_hashing(page, hashes, person, monkeypatch):
    person(email="known@example.org")
    counted = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: counted.append(1) or encode(*args))

    ask(page, "known@example.org")
    known = len(counted)
    ask(page, "unknown@example.org")

    assert (known, len(counted) - known) == (hashes, hashes)


@pytest.mark.parametrize("page", ["sign-up", "log-in"])
def test_the_time_of_an_answer_does_not_tell_whether_an_address_is_known(page, settings, person, monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 400_000)
    rounds = 7
    for number in range(rounds):
        person(email=f"known{number}@example.org")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    settings.ACCOUNT_RATE_LIMITS = False
    User.objects.update(password=make_password("three wet umbrellas"))

    def seconds(email):
        began = time.thread_time()  # of this thread alone: other work on the machine does not count
        ask(page, email)
        return time.thread_time() - began

    seconds("known0@example.org"), seconds("first@example.org")  # imports and templates
    known, unknown = [], []
    for number in range(rounds):  # in turn, so that a busy machine slows both alike
        known.append(seconds(f"known{number}@example.org"))
        unknown.append(seconds(f"unknown{number}@example.org"))

    assert 0.7 < statistics.median(known) / statistics.median(unknown) < 1.4  # a leak is a ratio of 50


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"full_name": " "}, "Enter your full name"),
        ({"email": "ada"}, "like name@example.com"),
        ({"password1": "short"}, "at least 12"),
        ({"password1": "Ada Lovelace 1"}, "too similar"),
    ],
)
def test_a_sign_up_that_cannot_be_taken_says_why_and_keeps_what_was_typed(changes, said):
    response = sign_up(**changes)

    page = response.content.decode()
    assert response.status_code == 200
    assert said in page
    assert "Error: " in page
    assert "three wet umbrellas" not in page
    assert not User.objects.exists()
    if "email" not in changes:
        assert 'value="Ada@Example.org"' in page


def test_a_posted_role_changes_nothing():
    sign_up(is_staff="on", is_superuser="1", groups="1", is_active="")

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.roles) == (False, False, set())


# Links and mail


def test_links_in_mails_carry_the_address_of_the_portal_whatever_host_was_asked(settings, person):
    settings.PORTAL_URL = "https://portal.example.org"
    person(email="ada@example.org")
    forged = {"HTTP_HOST": "evil.example.com", "HTTP_X_FORWARDED_HOST": "evil.example.com"}

    Client().post("/accounts/password/reset/", {"email": "ada@example.org"}, **forged)
    Client().post("/accounts/password/reset/", {"email": "nobody@example.org"}, **forged)
    Client().post("/accounts/signup/", NEW, **forged)
    Client().post("/accounts/signup/", {**NEW, "email": "bea@example.org"}, **forged)

    mails = list(OutboxMessage.objects.all())
    assert len(mails) == 4
    for mail in mails:
        assert "evil" not in mail.body
        assert link_in(mail).startswith("https://portal.example.org/")


def test_a_name_with_line_breaks_cannot_add_a_header_to_a_mail():
    sign_up(full_name="Ada\r\nBcc: victim@example.org")

    assert "\n" not in the_mail().subject
    assert the_mail().to == ["ada@example.org"]


def test_a_forgotten_password_is_replaced_once_and_ends_all_sessions(person, log_in):
    user = person()
    elsewhere = log_in(user)
    Client().post("/accounts/password/reset/", {"email": user.email})
    path = link_in(the_mail()).removeprefix("http://testserver")
    client = Client()

    form = client.get(path, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "three wet umbrellas"})

    user.refresh_from_db()
    assert user.check_password("three wet umbrellas")
    assert elsewhere.get("/my/").status_code == 302
    assert "_auth_user_id" not in client.session  # a reset never logs in, so it never skips the second factor
    again = Client().get(path, follow=True)
    assert "password1" not in again.content.decode()


def test_a_changed_password_ends_other_sessions_and_is_told_by_mail(person, log_in):
    user = person()
    here, elsewhere = log_in(user), log_in(user)

    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "three wet umbrellas"})

    assert here.get("/my/").status_code == 200
    assert elsewhere.get("/my/").status_code == 302
    assert the_mail().subject == "Your password was changed"


# Log-in


def test_log_in_renews_the_session_and_log_out_kills_it(person, log_in):
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["something"] = "typed before"
    session.save()
    client.cookies["session"] = before = session.session_key

    log_in(person(), client=client)
    inside = client.session.session_key
    client.post("/accounts/logout/")

    assert inside != before
    client.cookies["session"] = inside
    assert client.get("/my/").status_code == 302


def test_log_in_returns_to_the_page_but_never_to_another_site(person, log_in):
    user = person()

    assert log_in(user, next_page="/my/?section=1").last_response.url == "/my/?section=1"
    assert log_in(user, next_page="https://evil.example.com/").last_response.url == "/my/"


def test_a_wrong_password_and_an_unknown_address_get_the_same_sentence(person):
    known = log_in_answer(person().email, "wrong password here")
    unknown = log_in_answer("nobody@example.org", "wrong password here")

    sentence = "The email address or the password is not right"
    assert sentence in known.content.decode()
    assert sentence in unknown.content.decode()
    assert known.status_code == unknown.status_code == 200


def test_after_five_wrong_passwords_the_account_waits_also_for_another_machine(person):
    user = person()

    for number in range(5):
        log_in_answer(user.email, "wrong password here", REMOTE_ADDR=f"10.0.0.{number}")
    refused = log_in_answer(user.email, PASSWORD, REMOTE_ADDR="10.0.0.99")

    assert "Wait 5 minutes" in refused.content.decode()
    assert "_auth_user_id" not in refused.client.session


def test_one_machine_cannot_try_many_accounts(person):
    for number in range(10):
        log_in_answer(f"somebody{number}@example.org", "wrong password here")

    refused = log_in_answer(person().email)

    assert "_auth_user_id" not in refused.client.session


def test_a_forged_forwarded_address_does_not_escape_the_limit(person):
    for number in range(10):
        log_in_answer(f"somebody{number}@example.org", "wrong one here", HTTP_X_FORWARDED_FOR=f"10.1.1.{number}")

    refused = log_in_answer(person().email, HTTP_X_FORWARDED_FOR="10.1.1.200")

    assert "_auth_user_id" not in refused.client.session


def test_too_many_sign_ups_from_one_machine_get_the_429_page():
    for number in range(20):
        sign_up(email=f"new{number}@example.org")

    response = sign_up(email="one-more@example.org")

    assert response.status_code == 429
    assert not User.objects.filter(email="one-more@example.org").exists()


def test_with_the_shared_cache_down_people_still_log_in_and_limits_still_hold(person, monkeypatch):
    def down(*args, **kwargs):
        raise redis.exceptions.ConnectionError("no answer")

    monkeypatch.setattr("redis.connection.ConnectionPool.get_connection", down)
    monkeypatch.setattr(portal_cache.ForgivingRedisCache, "_down_until", 0.0)
    user, other = person(), person()

    answer = log_in_answer(user.email)
    for _ in range(5):
        log_in_answer(other.email, "wrong password here")
    refused = log_in_answer(other.email)

    assert answer.url == "/my/"
    assert "Wait 5 minutes" in refused.content.decode()


@pytest.mark.parametrize("demo", [True, False])
def test_a_demonstration_user_logs_in_on_a_demonstration_only(demo, person, log_in, settings):
    user = person(is_demonstration=True)
    settings.DEMO = True
    inside = log_in(user)

    settings.DEMO = demo
    late = log_in(user)

    assert (inside.get("/my/").status_code == 200) is demo
    assert (late.get("/my/").status_code == 200) is demo


def test_a_closed_account_is_out_at_once(person, log_in):
    user = person()
    client = log_in(user)

    User.objects.filter(pk=user.pk).update(is_active=False)

    assert client.get("/my/").status_code == 302
    assert log_in(user).last_response.url == "/accounts/inactive/"


def test_pages_of_somebody_signed_in_are_stored_nowhere_and_a_visitors_page_is_no_secret(person, log_in):
    inside, outside = log_in(person()).get("/my/"), Client().get("/accounts/login/")

    assert "no-store" in inside["Cache-Control"]
    assert "camera=()" in inside["Permissions-Policy"]
    assert "camera=()" in outside["Permissions-Policy"]
