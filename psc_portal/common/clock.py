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


def time_left(until: dt.datetime, moment: dt.datetime | None = None) -> str:
    """How long until then, in the two largest units: "3 days 4 hours left". static/js/countdown.mjs says the same."""
    seconds = (until - (moment or now())).total_seconds()
    if seconds <= 0:
        return ""
    if seconds < 60:
        return "less than a minute left"
    minutes = int(seconds // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "day"), (hours, "hour")] if days else [(hours, "hour"), (minutes, "minute")]
    shown = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return f"{' '.join(shown)} left"
