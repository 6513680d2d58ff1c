"""What every mail about an account carries."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings


def portal_address(url: str) -> str:
    """The same path on PORTAL_URL: what a request calls this host is never written into a mail."""
    parts = urlsplit(url)
    return settings.PORTAL_URL + urlunsplit(("", "", parts.path, parts.query, ""))


def mail_context(**values) -> dict:
    return {"collaborative": settings.COLLABORATIVE, "portal_url": settings.PORTAL_URL, **values}
