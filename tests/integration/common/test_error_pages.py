"""Pages for what went wrong: in the same look, with a way on, and the worst of them without a database."""

import pytest
from django.db import DatabaseError
from django.test import Client, RequestFactory
from django.urls import path

from psc_portal.common import errors
from psc_portal.urls import *  # noqa: F403
from psc_portal.urls import urlpatterns as portal_urls


def broken(request):
    raise RuntimeError("broken on purpose")


urlpatterns = [path("broken/", broken), *portal_urls]


@pytest.mark.django_db
def test_a_page_that_is_not_there_offers_ways_on(client):
    answer = client.get("/no-such-page/")

    assert answer.status_code == 404
    for words in ("Page not found", 'href="/search/"', 'href="/contact/"', "nhsuk-header", "Skip to main content"):
        assert words in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        (errors.bad_request, 400, "We did not understand this request"),
        (errors.permission_denied, 403, "You cannot see this page"),
        (errors.page_not_found, 404, "Page not found"),
        (errors.too_many_requests, 429, "Too many tries"),
        (errors.csrf_failure, 403, "Your text is still there"),
    ],
)
def test_each_refusal_says_what_to_do(view, status, words):
    answer = view(RequestFactory().get("/"))

    assert (answer.status_code, words in answer.text) == (status, True)


@pytest.mark.parametrize(("view", "status"), [(errors.server_error, 500), (errors.maintenance, 503)])
def test_the_worst_pages_need_no_database(view, status):
    answer = view(RequestFactory().get("/"))  # no django_db mark: a query would raise

    assert answer.status_code == status
    assert "<h1" in answer.text


@pytest.mark.django_db
def test_an_error_in_a_view_gives_the_page_and_not_the_reason(settings):
    settings.ROOT_URLCONF = __name__
    answer = Client(raise_request_exception=False).get("/broken/")

    assert answer.status_code == 500
    assert "Sorry, there is a problem with the website" in answer.text
    assert "on purpose" not in answer.text


@pytest.mark.django_db
def test_a_form_without_its_security_cookie_is_refused_with_advice():
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "a@example.org"})

    assert answer.status_code == 403
    assert "Go back with your browser" in answer.text


def test_the_maintenance_page_says_when_to_come_back():
    assert errors.maintenance(RequestFactory().get("/"))["Retry-After"] == "600"


def test_pages_survive_a_database_that_is_down(monkeypatch, client):
    def down():
        raise DatabaseError("down")

    monkeypatch.setattr("psc_portal.common.context.is_demonstration", down)

    assert "Sorry" in errors.server_error(RequestFactory().get("/")).text


def test_during_maintenance_every_page_says_so_and_health_is_still_answered(settings):
    settings.MAINTENANCE = True

    client = Client()  # no django_db mark: a query would raise
    answer = client.get("/projects/")

    assert (answer.status_code, "The website is being updated" in answer.text) == (503, True)
    assert client.get("/theme.css").status_code == 200
    assert client.get("/healthz/live").status_code == 200
