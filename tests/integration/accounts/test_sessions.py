import datetime as dt

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client

from psc_portal.accounts import sessions
from psc_portal.common import clock, tasks
from psc_portal.common.models import OutboxMessage
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
SECONDS_LEFT, EXTEND = "/accounts/session/seconds-left/", "/accounts/session/extend/"


@pytest.fixture
def at():
    """Do something so many minutes after the log-in."""
    start = clock.now()
    return lambda minutes: clock.at(start + minutes * MINUTE)


@pytest.mark.parametrize("trait", ["staff", "reviewer", "lead"])
@pytest.mark.parametrize(("minutes", "open_still"), [(29, True), (31, False)])
def test_an_idle_session_of_somebody_with_a_role_ends_after_thirty_minutes(trait, minutes, open_still, client_as, at):
    client = client_as(UserFactory(**{trait: True}))
    with at(0):
        client.get("/my/")

    with at(minutes):
        response = client.get("/my/?section=1")

    assert (response.status_code == 200) is open_still
    assert ("_auth_user_id" in client.session) is open_still
    if not open_still:
        assert response.headers["Location"] == "/accounts/login/?next=%2Fmy%2F%3Fsection%3D1"


def test_expired_sessions_are_cleared_by_a_daily_task():
    kept, gone = SessionStore(), SessionStore()
    for session, expires in ((kept, 60), (gone, -60)):
        session["typed"] = "What somebody wrote"
        session.set_expiry(expires)
        session.save()

    tasks.clear_sessions()

    ordered = settings.CELERY_BEAT_SCHEDULE["clear expired sessions"]
    assert [one.pk for one in Session.objects.all()] == [kept.session_key]
    assert (ordered["task"], ordered["schedule"].hour) == (tasks.clear_sessions.name, {3})


def test_other_people_stay_logged_in_for_a_working_day(client_as, at):
    client = client_as(UserFactory())
    with at(0):
        client.get("/my/")

    with at(11 * 60):
        assert client.get("/my/").status_code == 200
    with at(24 * 60):
        assert client.get("/my/").status_code == 302


def test_a_session_of_staff_ends_after_twelve_hours_however_busy(client_as, at):
    client = client_as(UserFactory(staff=True))

    answers = []
    for minutes in range(1, 13 * 60, 20):
        with at(minutes):
            answers.append((minutes, client.get("/my/").status_code))

    assert next(minutes for minutes, status in answers if status == 302) == 12 * 60 + 1
    assert all(status == 200 for minutes, status in answers if minutes < 12 * 60)


def test_asking_how_long_is_left_does_not_make_the_session_longer(client_as, at):
    client = client_as(UserFactory(staff=True))
    with at(0):
        client.get("/my/")

    left = []
    for minutes in (5, 28):
        with at(minutes):
            left.append(client.get(SECONDS_LEFT).json()["seconds_left"])
    with at(31):
        ended = client.get(SECONDS_LEFT)

    assert left == [25 * 60, 2 * 60]
    assert (ended.status_code, ended.json()) == (200, {"seconds_left": 0})
    assert "_auth_user_id" not in client.session


def test_staying_signed_in_makes_the_session_longer_by_post_only(client_as, at):
    client = client_as(UserFactory(staff=True))
    with at(0):
        client.get("/my/")

    with at(29):
        assert client.get(EXTEND).status_code == 405
    with at(29):
        assert client.post(EXTEND).json() == {"seconds_left": 30 * 60}
    with at(58):
        assert client.get("/my/").status_code == 200


def test_nobody_logged_in_has_no_seconds_left():
    assert Client().get(SECONDS_LEFT).json() == {"seconds_left": 0}
    assert Client().post(EXTEND).status_code == 403


def test_the_extension_needs_its_token(client_as):
    client = client_as(UserFactory(staff=True))
    client.handler.enforce_csrf_checks = True

    assert client.post(EXTEND).status_code == 403


def test_what_was_sent_too_late_waits_behind_the_log_in(client_as, at):
    staff = UserFactory(staff=True)
    client = client_as(staff)
    with at(0):
        client.get("/my/")

    with at(45):
        answer = client.post("/admin/accounts/invitation/add/", {"full_name": "Rita", "email": "rita@example.org"})

    assert answer.headers["Location"] == "/accounts/login/?next=%2Faccounts%2Fkept-text%2F"
    assert "_auth_user_id" not in client.session
    assert OutboxMessage.objects.count() == 0


def test_kept_text_is_shown_sent_once_and_thrown_away_on_request(log_in_again, at):
    client, page = log_in_again({"full_name": "Rita <b>", "email": "r@example.org"})

    text = page.content.decode()
    assert "Rita &lt;b&gt;" in text
    assert 'action="/admin/accounts/invitation/add/"' in text

    client.post("/accounts/kept-text/")
    assert client.get("/accounts/kept-text/").headers["Location"] == "/my/"


def test_kept_text_is_gone_once_it_was_sent(log_in_again):
    client, _page = log_in_again({"full_name": "Rita", "email": "rita@example.org"})

    client.post("/admin/accounts/invitation/add/", {"full_name": "Rita", "email": "rita@example.org"})

    assert OutboxMessage.objects.filter(to=["rita@example.org"]).count() == 1
    assert client.get("/accounts/kept-text/").headers["Location"] == "/my/"


def test_another_person_at_the_same_screen_does_not_see_kept_text(log_in_again):
    _client, page = log_in_again({"full_name": "Rita"}, as_somebody_else=True)

    assert page.headers["Location"] == "/my/"


@pytest.mark.parametrize("fields", [{"password1": "three wet umbrellas"}, {}, {"text": "x" * 600_000}])
def test_passwords_empty_forms_and_floods_are_not_kept(fields, client_as, at):
    client = client_as(UserFactory(staff=True))
    with at(0):
        client.get("/my/")

    with at(45):
        answer = client.post("/accounts/kept-text/", fields)

    assert "typed_text" not in client.session
    assert answer.headers["Location"].startswith("/accounts/login/?next=")


def test_what_a_script_sends_by_itself_is_not_kept(client_as, at):
    client = client_as(UserFactory(staff=True))
    with at(0):
        client.get("/my/")

    with at(45):
        client.post("/accounts/kept-text/", {"title": "Autosaved"}, headers={"Sec-Fetch-Mode": "cors"})

    assert "typed_text" not in client.session


@pytest.fixture
def log_in_again(client_as, at):
    """Send a form after the session has ended, log in again on the same browser and open the page that kept it."""

    def do(fields, as_somebody_else=False):
        person = UserFactory(staff=True)
        client = client_as(person)
        with at(0):
            client.get("/my/")
        with at(45):
            client.post("/admin/accounts/invitation/add/", fields)
        back = UserFactory(staff=True) if as_somebody_else else person
        client.force_login(back)
        session = client.session
        session["second_factor_enrolled"] = str(back.pk)
        session.save()
        return client, client.get("/accounts/kept-text/")

    return do


def test_ending_the_sessions_of_a_person_leaves_the_one_named(person, log_in):
    user = person()
    here, elsewhere, third = log_in(user), log_in(user), log_in(person())

    sessions.end_sessions_of(user, but=here.session.session_key)

    assert [client.get("/my/").status_code for client in (here, elsewhere, third)] == [200, 302, 200]


def test_a_busy_session_is_not_written_on_every_request(client_as, at, django_assert_num_queries):
    client = client_as(UserFactory(staff=True))
    with at(0):
        client.get(SECONDS_LEFT)
        client.post(EXTEND)
        with django_assert_num_queries(2):  # the session and the user
            client.get(SECONDS_LEFT)
