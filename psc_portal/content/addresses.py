"""Addresses of this website that may be kept and shown: what a visitor writes about."""

import uuid
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

SECRETS = {"key", "token", "uidb36", "signed"}  # names of what gives whoever knows an address a right
PRIVATE = ("/admin/", "/accounts/", "/my/")


def public_path(text: str) -> str:
    """The path in `text` if it is a page of this website whose address gives nothing away; else empty."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return ""
    path = urlsplit(text).path[:300]
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    tells = any(name in SECRETS or isinstance(value, uuid.UUID) for name, value in match.kwargs.items())
    return "" if tells or path.startswith(PRIVATE) else path


def part_of(path: str) -> str:
    """The part of the website that a path belongs to: "metrics" of /metrics/PU1/."""
    return path.strip("/").split("/")[0]
