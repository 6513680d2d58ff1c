"""Public pages are kept whole for visitors who are not logged in, under one number that every public change raises.

A kept page carries no nonce, no token, no message and no name. It is out of date at once when an action changes
something (`changed`), and after `KEPT_FOR` seconds whatever happens, so that what depends on the clock (a call that
opens or closes) shows in time.
"""

import hashlib
from functools import wraps

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers

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


def public_page(view):
    """Keep the page that `view` makes for anonymous visitors, with an ETag so that a second look costs nothing."""

    @wraps(view)
    def kept(request, *args, **kwargs):
        if not _may_be_kept(request):
            response = view(request, *args, **kwargs)
            patch_vary_headers(response, ["Cookie"])
            return response
        key = _key(request)
        page = cache.get(key)
        if page is None:
            response = view(request, *args, **kwargs)
            if hasattr(response, "render"):
                response.render()
            if response.status_code != 200 or response.streaming or response.cookies:
                return response
            page = (
                response.content,
                response["Content-Type"],
                f'"{hashlib.sha256(response.content).hexdigest()[:32]}"',
            )
            cache.set(key, page, KEPT_FOR)
        return _answer(request, *page)

    return kept


def _answer(request, content: bytes, content_type: str, etag: str) -> HttpResponse:
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=0, must-revalidate"
    patch_vary_headers(response, ["Cookie"])
    return response


def _may_be_kept(request) -> bool:
    """Only what every visitor would see: nobody is logged in, no message waits to be shown."""
    return (
        settings.KEEP_PUBLIC_PAGES
        and request.method in {"GET", "HEAD"}
        and not request.COOKIES.keys() & {settings.SESSION_COOKIE_NAME, "messages"}
        and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY
    )


def _key(request) -> str:
    address = hashlib.sha256(request.get_full_path().encode()).hexdigest()
    return f"page:{cache.get_or_set(REVISION, 1, timeout=None)}:{request.get_host()}:{address}"
