"""Follows every link of the demonstration, as a visitor and as each kind of user, and looks at each kind of page.

SCREENSHOTS=folder keeps a picture of every page, on a phone and on a desktop.
"""

import os
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from psc_portal.management.demo.people import PASSWORD, PEOPLE
from tests.functional.browsing import DESKTOP, PHONE, overflow

SCREENSHOTS = os.environ.get("SCREENSHOTS")
A_FILE = re.compile(
    r"\.(csv|json|pdf|png|svg|xlsx|docx|zip|ics|xml|woff2|css)$|/(latest|download|export|feed|print|minutes)/?$|/editions/"
)
NOT_FOLLOWED = re.compile(r"^/(accounts/logout|admin/logout|static|healthz|admin/jsi18n|api/v1)")


@pytest.fixture
def look_at(axe):
    """Look at one page in both widths: whole, accessible, nothing wider than the window. Returns what is wrong."""

    def look(page, path: str, who: str) -> list[str]:
        page.set_viewport_size({"width": DESKTOP, "height": 900})
        answer = page.goto(path)
        if answer.status >= 400:
            return [f"{who} {path}: {answer.status}"]
        problems = []
        for width in (DESKTOP, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            if (pixels := overflow(page)) > 0 and not (path.startswith("/admin/") and width == PHONE):
                problems.append(f"{who} {path}: {pixels} px wider than {width}")
            try:
                axe(page, stock_admin=path.startswith("/admin/"))
            except AssertionError as violation:
                problems.append(f"{who} {violation}")
            if SCREENSHOTS:
                name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "home"
                folder = Path(SCREENSHOTS) / who
                folder.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=folder / f"{name[:100]}-{width}.png", full_page=True, timeout=90_000)
        return problems

    return look


def follow_links(page, look_at, *, begin: list[str], who: str, of_each_kind: int, passed_by=None, only="/") -> Counter:
    """Look at pages linked from `begin` on, up to so many of each kind (route). Returns how many of each were seen.

    Of pages whose address matches `passed_by` only the links are followed; `only` says what is followed at all.
    """
    waiting, seen, kinds, problems = list(begin), set(begin), Counter(), []
    while waiting:
        path = waiting.pop(0)
        kinds[kind_of(path)] += 1
        if passed_by and passed_by.match(path):
            page.goto(path)
        else:
            problems += look_at(page, path, who)
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        for link in links:
            parts = urlsplit(link)
            target = parts.path
            if (
                not link.startswith(origin(page))
                or target in seen
                or A_FILE.search(target)
                or NOT_FOLLOWED.match(target)
                or not re.match(only, target)
            ):
                continue
            kind = kind_of(target)
            if kinds[kind] + sum(kind_of(other) == kind for other in waiting) >= of_each_kind:
                continue
            seen.add(target)
            waiting.append(target)
    assert not problems, "\n".join(problems)
    return kinds


def origin(page) -> str:
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}/"


def kind_of(path: str) -> str:
    try:
        return resolve(urlsplit(path).path).route
    except Resolver404:
        return path


def test_every_public_page(visit, look_at):
    kinds = follow_links(visit(), look_at, begin=["/", "/search/?q=falls"], who="visitor", of_each_kind=2)

    for route in ("priorities/<slug:slug>/", "projects/<slug:slug>/", "metrics/<slug:code>/", "calls/<slug:slug>/"):
        assert kinds[route] == 2, kinds
    for route in ("pledges/<slug:slug>/", "documents/<slug:slug>/", "search/", "feedback/", "accounts/login/"):
        assert kinds[route], kinds
    assert any(route.startswith("reports/<") for route in kinds), kinds


SEEN_BY_VISITORS = re.compile(
    r"^/((about|privacy|cookies|accessibility-statement|how-can-we-help|contact|documents|feedback|search|thread)/.*"
    r"|(priorities|projects|metrics|pledges|calls|reports)/|priorities/[^/]+/|reports/[^/]+/|calls/[^/]+/(form/)?|)$"
)
BY_KEY = {person.key: person for person in PEOPLE}
SITE, PROPOSALS, REST_OF_ADMIN = r"/(?!admin/)", r"/admin/proposals/", r"/admin/(?!proposals/)"
WALKS = [  # who, from where, through what: several shorter walks share the work of the two processes
    ("staff", "/my/", SITE),
    ("staff", "/admin/proposals/", PROPOSALS),
    ("staff", "/admin/", REST_OF_ADMIN),
    ("reviewer", "/my/", SITE),
    ("reviewer", "/admin/proposals/", PROPOSALS),
    *((key, "/my/", SITE) for key in ("lead", "innovator", "signatory", "owner")),
]


@pytest.mark.parametrize(("key", "begin", "only"), WALKS)
def test_every_page_of(key, begin, only, visit, look_at, log_in):
    person, page = BY_KEY[key], visit()
    log_in(page, SimpleNamespace(email=person.email, plain_password=PASSWORD, totp_secret=person.totp_secret or None))

    kinds = follow_links(page, look_at, begin=[begin], who=key, of_each_kind=1, passed_by=SEEN_BY_VISITORS, only=only)

    assert len(kinds) > 3, kinds
