"""How long a session lives, and ending sessions from elsewhere."""

from dataclasses import dataclass
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.utils.dateparse import parse_datetime

from psc_portal.common import clock

BEGAN_KEY = "session_began_at"
SEEN_KEY = "session_seen_at"
NOTE_EVERY = timedelta(seconds=15)  # a session row is written at most this often


@dataclass(frozen=True)
class Limits:
    idle: timedelta
    absolute: timedelta


STAFF = Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
OTHERS = Limits(idle=timedelta(hours=12), absolute=timedelta(days=7))


def limits_for(user) -> Limits:
    """Thirty minutes for whoever has a role in the programme: their open screen shows other people's work."""
    return STAFF if user.is_staff or user.is_programme_staff or user.is_reviewer or user.is_lead else OTHERS


def begin(request) -> None:
    request.session[BEGAN_KEY] = request.session[SEEN_KEY] = clock.now().isoformat()


def seconds_left(request) -> int:
    """Seconds until this session ends if nothing is done from now on; zero or less: it has ended."""
    now = clock.now()
    limits = limits_for(request.user)
    began, seen = _moment(request, BEGAN_KEY), _moment(request, SEEN_KEY)
    if began is None or seen is None:  # a session from before these keys were written: it begins now
        return int(limits.idle.total_seconds())
    return int((min(seen + limits.idle, began + limits.absolute) - now).total_seconds())


def has_ended(request) -> bool:
    """Asks who the user is only where it matters: within staff's limits every session is good."""
    now = clock.now()
    began, seen = _moment(request, BEGAN_KEY), _moment(request, SEEN_KEY)
    if began is None or seen is None or (now - seen < STAFF.idle and now - began < STAFF.absolute):
        return False
    return seconds_left(request) <= 0


def note_activity(request, *, now=False) -> None:
    seen = _moment(request, SEEN_KEY)
    if _moment(request, BEGAN_KEY) is None:
        begin(request)
    elif now or seen is None or clock.now() - seen >= NOTE_EVERY:
        request.session[SEEN_KEY] = clock.now().isoformat()


def end_sessions_of(user, *, but=None) -> int:
    """End all sessions of a user, other than the one with key `but`. Returns how many were ended."""
    ended = UserSession.objects.filter(user=user).exclude(session_key=but or "")
    count = 0
    for session in ended:
        session.end()
        count += 1
    return count


def _moment(request, key):
    text = request.session.get(key)
    return parse_datetime(text) if text else None
