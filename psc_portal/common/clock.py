"""The one clock. Everything asks here what time it is, so that the demonstration data can have a history."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from django.utils import timezone

UK = ZoneInfo("Europe/London")
_moment: ContextVar[dt.datetime | None] = ContextVar("moment", default=None)


def now() -> dt.datetime:
    return _moment.get() or timezone.now()


def today() -> dt.date:
    """The date in the United Kingdom."""
    return now().astimezone(UK).date()


@contextmanager
def at(moment: dt.datetime) -> Iterator[None]:
    """Let `now` be `moment`. For seed_demo, tests, and previews of what is still to come."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
