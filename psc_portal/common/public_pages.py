"""Public pages are kept whole for visitors who are not logged in, under one number that every public change raises.

A kept page carries no nonce, no token, no message and no name. It is out of date at once when an action changes
something (`changed`), at the next moment that its view knows to change it (`kept_until`: something opens or closes),
and after `KEPT_FOR` seconds whatever happens.
"""

import hashlib
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from psc_portal.common import clock

KEPT_FOR = 60  # seconds, at the latest
REVISION = "public-revision"
LONGEST_QUERY = 300  # characters: longer addresses are made anew each time


def changed() -> None:
    """Something that visitors may see has changed: forget every kept page once this transaction is stored."""
    transaction.on_commit(forget, robust=True)


def forget() -> None:
    """Forget every kept page now."""
    cache.add(REVISION, 1, timeout=None)
    cache.incr(REVISION)


def kept_until(response: HttpResponse, *moments: datetime | None) -> HttpResponse:
    """Say which moments change the page: it is kept no longer than until the first one that is still to come."""
    coming = [moment for moment in moments if moment and moment > clock.now()]
    response.changes_at = min(coming, default=None)
    return response


def kept_with_pages(name: str, make):
    """What many pages show and is dear to work out: kept as long as they are, and an hour at most."""
    key = f"{name}:{_revision()}:{clock.today()}"
    found = cache.get(key) if settings.KEEP_PUBLIC_PAGES else None
    if found is None:
        found = make()
        if settings.KEEP_PUBLIC_PAGES:
            cache.set(key, found, 3600)
    return found


def public_page(view):
    """Keep the page that `view` makes for anonymous visitors, with an ETag so that a second look costs nothing."""

    @wraps(view)
    def kept(request, *args, **kwargs):
        if not _may_be_kept(request):
            response = view(request, *args, **kwargs)
            patch_vary_headers(response, ["Cookie"])
            return response
        answer = _kept_answer(request, lambda: view(request, *args, **kwargs))
        if "ETag" in answer:
            patch_vary_headers(answer, ["Cookie"])
        return answer

    return kept


def open_page(view):
    """Answer everybody as a visitor, logged in or not: what others may keep, frame or fetch never holds more."""

    @wraps(view)
    def answered(request, *args, **kwargs):
        request.user = AnonymousUser()
        return _kept_answer(request, lambda: view(request, *args, **kwargs), is_kept=settings.KEEP_PUBLIC_PAGES)

    answered.sees_no_log_in = True
    return answered


def _kept_answer(request, make, *, is_kept: bool = True) -> HttpResponse:
    """The kept page, or a new one that is then kept; as it is where it is no page to keep (an error, a stream)."""
    key = _key(request) if is_kept and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY else None
    page = cache.get(key) if key else None
    if page is None:
        response = make()
        if hasattr(response, "render"):
            response.render()
        if response.status_code != 200 or response.streaming or response.cookies:
            return response
        page = (
            response.content,
            response["Content-Type"],
            f'"{hashlib.sha256(response.content).hexdigest()[:32]}"',
        )
        if key:
            cache.set(key, page, _seconds_kept(response))
    return _answer(request, *page)


def _seconds_kept(response) -> int:
    """Whole seconds, so never past the moment that changes the page. 0: it is not kept at all."""
    changes_at = getattr(response, "changes_at", None)
    return min(KEPT_FOR, int((changes_at - clock.now()).total_seconds())) if changes_at else KEPT_FOR


def _answer(request, content: bytes, content_type: str, etag: str) -> HttpResponse:
    known = {one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))}
    is_known = bool(known & {etag, "*"})
    response = HttpResponseNotModified() if is_known else HttpResponse(content, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=0, must-revalidate"
    return response


def _may_be_kept(request) -> bool:
    """Only what every visitor would see: nobody is logged in, no message waits to be shown."""
    return (
        settings.KEEP_PUBLIC_PAGES
        and request.method in {"GET", "HEAD"}
        and not request.COOKIES.keys() & {settings.SESSION_COOKIE_NAME, "messages"}
    )


def _revision() -> int:
    return cache.get_or_set(REVISION, 1, timeout=None)


def _key(request) -> str:
    address = hashlib.sha256(request.get_full_path().encode()).hexdigest()
    return f"page:{_revision()}:{request.get_host()}:{address}"
