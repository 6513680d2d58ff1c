import datetime as dt
from unittest.mock import patch

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from psc_portal.common import audit, clock, public_pages
from tests.factories.accounts import UserFactory


@pytest.fixture
def page(settings):
    """A public page that counts how often it is made."""
    settings.KEEP_PUBLIC_PAGES = True
    public_pages.forget()
    made = []

    @public_pages.public_page
    def view(request):
        made.append(request.get_full_path())
        return HttpResponse(f"page {len(made)}")

    view.made = made
    return view


def get(view, path="/priorities/", **headers):
    request = RequestFactory().get(path, headers=headers)
    return view(request)


def test_a_visitor_gets_the_kept_page(page):
    first, second = get(page), get(page)

    assert (first.content, second.content, len(page.made)) == (b"page 1", b"page 1", 1)


def test_another_address_is_another_page(page):
    assert get(page, "/a/?stage=testing").content != get(page, "/a/?stage=closed").content


def test_who_is_logged_in_gets_a_page_of_their_own(page, settings):
    request = RequestFactory().get("/priorities/")
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    get(page)

    assert page(request).content == b"page 2"
    assert get(page).content == b"page 1"


def test_a_second_look_is_answered_with_not_modified(page):
    etag = get(page)["ETag"]

    again = get(page, **{"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db(transaction=True)
def test_an_action_that_changes_something_makes_the_pages_new(page):
    get(page)

    audit.record("try", UserFactory(), by=None)

    assert get(page).content == b"page 2"


def test_without_the_cache_server_the_page_is_still_answered(page, settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}}

    assert get(page).status_code == 200


@pytest.fixture
def open_page(settings):
    settings.KEEP_PUBLIC_PAGES = True
    public_pages.forget()

    @public_pages.open_page
    def view(request):
        return HttpResponse(f"for {request.user}")

    return view


def test_an_open_page_is_made_for_a_visitor_whoever_asks(open_page, settings):
    request = RequestFactory().get("/api/v1/")
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    request.user = UserFactory.build()

    first, second = open_page(request), get(open_page, "/api/v1/")

    assert first.content == second.content == b"for AnonymousUser"
    assert "Vary" not in first
    assert first["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_a_weakened_etag_or_one_of_several_is_known_again(page):
    etag = get(page)["ETag"]

    for known in (f"W/{etag}", f'"other", {etag}', "*"):
        assert get(page, **{"If-None-Match": known}).status_code == 304
    assert get(page, **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(("seconds", "is_kept_still"), [(30.0, [True, False]), (0.4, [False, False])])
def test_a_page_is_made_anew_at_the_moment_that_changes_it(page, seconds, is_kept_still):
    """Something closes in so many seconds: the page is kept until then and not a second longer."""
    now = clock.now()
    kept_for = []

    @public_pages.public_page
    def closing(request):
        past = now - dt.timedelta(hours=1)
        return public_pages.kept_until(HttpResponse("open"), past, None, now + dt.timedelta(seconds=seconds))

    with patch.object(public_pages.cache, "set", lambda key, value, timeout: kept_for.append(timeout)):
        get(closing)

    assert [kept_for[0] > wait for wait in (0, 30)] == is_kept_still
