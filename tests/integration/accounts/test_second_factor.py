import json
import re
import time
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib import admin
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from psc_portal.accounts import second_factor
from psc_portal.accounts.middleware import ENROLMENT_PAGES, OPEN_PATHS
from psc_portal.accounts.models import Role
from psc_portal.common.models import AuditEvent, OutboxMessage
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.django_db

NEEDED = "/accounts/second-factor/"


def all_addresses(resolver=None, prefix="", name=""):
    """Every address of the portal with made-up values, with its view's name."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + re.sub(r"^\^|\$$|\\Z$", "", str(entry.pattern))
        if isinstance(entry, URLResolver):
            inner = f"{name}{entry.namespace}:" if entry.namespace else name
            yield from all_addresses(entry, route, inner)
        elif isinstance(entry, URLPattern):
            yield "/" + made_up(route), f"{name}{entry.name}"


def made_up(route):
    route = re.sub(r"<(int|pk):\w+>", "1", route)
    route = re.sub(r"<[^>]+>", "x", route)
    route = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "x", route)
    return re.sub(r"\(\?:?[^)]*\)|[\\^$?+*]", "", route)


def answers_all_as_visitors(address):
    """Whether the page at this address looks at no log-in, whoever asks."""
    try:
        return getattr(resolve(address).func, "sees_no_log_in", False)
    except Resolver404:
        return False


# Who needs one


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({}, False),
        ({"staff": True}, True),
        ({"reviewer": True}, True),
        ({"lead": True}, True),
        ({"is_staff": True}, True),
    ],
)
def test_whoever_has_a_role_gets_the_enrolment_page_after_log_in(fields, needs, person, log_in):
    client = log_in(person(**fields))

    response = client.get("/my/")

    assert (response.status_code, response.headers.get("Location")) == ((302, NEEDED) if needs else (200, None))


def test_a_higher_app_can_name_roles_that_need_one(person, log_in, monkeypatch):
    monkeypatch.setattr(second_factor, "_role_holders", [])
    owner, member = person(), person()
    second_factor.register_role(lambda user: user.pk == owner.pk)

    assert log_in(owner).get("/my/").headers["Location"] == NEEDED
    assert log_in(member).get("/my/").status_code == 200


@pytest.mark.parametrize("role", [Role.PROGRAMME_STAFF, Role.REVIEWER])
def test_without_a_second_factor_every_address_of_the_portal_leads_to_enrolment(role, person, log_in):
    client = log_in(person(is_staff=True, roles=[role]))
    open_to_all = 0

    for address, view_name in all_addresses():
        response = client.get(address)
        if view_name in ENROLMENT_PAGES or address.startswith(OPEN_PATHS) or answers_all_as_visitors(address):
            open_to_all += 1
        else:
            there = (response.status_code, response.headers.get("Location"))
            assert there == (302, NEEDED) or response.status_code == 404, (address, view_name, there)

    assert open_to_all >= len(ENROLMENT_PAGES)


def test_the_walk_over_all_addresses_meets_the_admin_and_the_pages():
    addresses = dict(all_addresses())

    assert {"/admin/", "/my/", "/accounts/password/change/", "/accounts/2fa/totp/activate/"} <= set(addresses)
    assert len(addresses) > 60
    assert len([address for address in addresses if address.startswith("/admin/")]) > len(admin.site._registry)


@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_writing_is_stopped_as_reading_is(method, person, log_in):
    client = log_in(person(staff=True))

    response = getattr(client, method)("/accounts/password/change/", {"oldpassword": PASSWORD})

    assert response.headers["Location"] == NEEDED


@pytest.mark.parametrize(
    "path",
    [NEEDED, "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/", "/accounts/session/seconds-left/"],
)
def test_the_enrolment_pages_open_without_one(path, person, log_in):
    client = log_in(person(staff=True))

    assert client.get(path).status_code == 200


def test_log_out_works_without_one(person, log_in):
    client = log_in(person(staff=True))

    assert client.post("/accounts/logout/").headers["Location"] == "/"
    assert "_auth_user_id" not in client.session


# Setting up and using an app


@pytest.fixture
def set_up_app(monkeypatch):
    """Sets up an app through the page. What allauth does on commit happens at once: tests never commit."""
    at_once = SimpleNamespace(atomic=transaction.atomic, on_commit=lambda action: action())
    monkeypatch.setattr("allauth.mfa.totp.internal.flows.transaction", at_once)
    monkeypatch.setattr("allauth.mfa.recovery_codes.internal.flows.transaction", at_once)

    def set_up(client):
        page = client.get("/accounts/2fa/totp/activate/")
        secret = client.session[totp.SECRET_SESSION_KEY]
        code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
        return page, secret, code, client.post("/accounts/2fa/totp/activate/", {"code": code})

    return set_up


def test_an_app_set_up_opens_the_admin_and_shows_recovery_codes_once(person, log_in, set_up_app):
    user = person(staff=True)
    client = log_in(user)

    page, secret, _code, response = set_up_app(client)

    assert "data:image/svg+xml" in page.content.decode()
    assert response.headers["Location"] == "/accounts/2fa/recovery-codes/"
    first, second = client.get("/accounts/2fa/recovery-codes/"), client.get("/accounts/2fa/recovery-codes/")
    code = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).generate_codes()[0]
    assert code in first.content.decode()
    assert code not in second.content.decode()
    assert client.get("/admin/").status_code == 200
    assert secret not in json.dumps([row.data for row in Authenticator.objects.all()])
    assert AuditEvent.objects.filter(verb="add_second_factor", by=user).count() == 2
    assert OutboxMessage.objects.filter(subject="An authenticator app was added").count() == 1


def test_secrets_are_encrypted_in_the_database(person):
    user = person(totp_app=True)
    RecoveryCodes.activate(user)

    stored = {one.type: one for one in Authenticator.objects.all()}

    assert "JBSWY3DP" not in stored["totp"].data["secret"]
    assert re.search(r"\b[0-9a-f]{80}\b", stored["recovery_codes"].data["seed"]) is None
    assert len(RecoveryCodes(stored["recovery_codes"]).generate_codes()) == 10


def test_a_password_alone_does_not_open_an_account_with_an_app(person, log_in, code_at):
    user = person(staff=True, totp_app=True)

    client = log_in(user)
    assert client.last_response.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session

    client = log_in(user, code=code_at(), next_page="/admin/")
    assert client.last_response.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_code_is_good_once_also_when_the_cache_has_forgotten_it(person, log_in, code_at):
    user, code = person(staff=True, totp_app=True), code_at()
    log_in(user, code=code)
    cache.delete(f"allauth.mfa.totp.used?user={user.pk}&code={code}")

    again = log_in(user, code=code)
    earlier = log_in(user, code=code_at(-1))
    newest = log_in(user, code=code_at(1))

    assert "was used already" in again.last_response.content.decode()
    assert "_auth_user_id" not in again.session
    assert "_auth_user_id" not in earlier.session
    assert "_auth_user_id" in newest.session


def test_the_code_that_proved_the_app_does_not_log_in(person, log_in, set_up_app):
    user = person(staff=True)
    _page, _secret, code, _response = set_up_app(log_in(user))

    late = log_in(user, code=code)

    assert late.last_response.status_code == 200
    assert "_auth_user_id" not in late.session


def test_a_recovery_code_logs_in_once(person, log_in):
    user = person(staff=True, totp_app=True)
    code = RecoveryCodes.activate(user).generate_codes()[3]

    assert log_in(user, code=code).get("/admin/").status_code == 200
    assert "_auth_user_id" not in log_in(user, code=code).session


def test_after_five_wrong_codes_the_right_one_waits_too(person, log_in, code_at):
    user = person(staff=True, totp_app=True)

    for _ in range(5):
        client = log_in(user, code="000000")
    response = client.post("/accounts/2fa/authenticate/", {"code": code_at()})

    assert "Wait 5 minutes" in response.content.decode()
    assert "_auth_user_id" not in client.session


# Sessions and factors


def test_a_session_from_before_the_factor_has_to_show_it(person, log_in):
    user = person(lead=True)
    client = Client()
    client.force_login(user)
    totp.TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")

    response = client.get("/my/?section=2")

    assert response.headers["Location"] == "/accounts/login/?next=%2Fmy%2F%3Fsection%3D2"
    assert "_auth_user_id" not in client.session


def test_a_factor_added_or_removed_ends_other_sessions(person, log_in, set_up_app):
    user = person()
    elsewhere, here = log_in(user), log_in(user)

    set_up_app(here)

    assert elsewhere.get("/my/").status_code == 302
    assert here.get("/my/").status_code == 200


def test_whoever_needs_a_factor_cannot_remove_the_last_one(person, log_in, code_at):
    needs, free = person(staff=True, totp_app=True), person(totp_app=True)

    for user, stays in ((needs, True), (free, False)):
        client = log_in(user, code=code_at())
        client.post("/accounts/2fa/totp/deactivate/")
        assert Authenticator.objects.filter(user=user, type="totp").exists() is stays


def test_a_reset_factor_ends_all_sessions_and_the_next_log_in_enrols(person, log_in, code_at, client_as):
    staff, user = person(staff=True), person(reviewer=True, totp_app=True)
    inside = log_in(user, code=code_at())
    assert inside.get("/admin/").status_code == 200

    client_as(staff).post(f"/admin/accounts/user/{user.pk}/reset_second_factor/", {"reason": "lost"})

    assert inside.get("/admin/").status_code == 302
    assert log_in(user).get("/admin/").headers["Location"] == NEEDED


def test_a_change_of_password_asks_for_the_password_again_after_a_while(person, log_in, monkeypatch):
    client = log_in(person())
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 301
    session.save()

    response = client.get("/accounts/2fa/totp/activate/")

    assert response.headers["Location"].startswith("/accounts/reauthenticate/")


# The admin


def test_the_admins_own_log_in_is_the_portals(person, log_in):
    response = Client().get("/admin/login/?next=/admin/")

    assert response.headers["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert Client().post("/admin/login/", {"username": "a", "password": "b"}).status_code == 302


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({"staff": True}, True),
        ({"reviewer": True}, True),
        ({"lead": True}, False),
        ({}, False),
        ({"is_staff": True}, False),
    ],
)
def test_the_admin_opens_for_staff_and_reviewers_only(fields, opens, person, client_as):
    response = client_as(person(**fields)).get("/admin/")

    assert (response.status_code == 200) is opens
