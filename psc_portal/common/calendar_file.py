"""Dates as a calendar file (iCalendar, RFC 5545): pure text, nothing of Django."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

LINE_OCTETS = 75
UK = ZoneInfo("Europe/London")
UK_ZONE = [  # since 1996 both changes come on the last Sunday of the month, at 01:00 UTC
    "BEGIN:VTIMEZONE",
    "TZID:Europe/London",
    "BEGIN:DAYLIGHT",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0100",
    "TZNAME:BST",
    "DTSTART:19810329T010000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0000",
    "TZNAME:GMT",
    "DTSTART:19961027T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
]


@dataclass(frozen=True)
class Event:
    """Something that happens at a moment, or (with a plain date) on a whole day.

    With an `end` it is something that people meet for: it is written in UK time, so that it stays at its hour.
    """

    uid: str  # stays the same for ever: a changed event replaces the earlier one
    summary: str
    start: dt.datetime | dt.date
    url: str
    description: str
    changed_at: dt.datetime
    sequence: int = 0  # how often it was moved
    end: dt.datetime | None = None
    location: str = ""
    is_cancelled: bool = False


def calendar_file(name: str, events: Iterable[Event], *, product: str) -> str:
    """A whole calendar, lines folded and ended as RFC 5545 wants."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//{escaped(product)}//EN", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(name)}"]
    events = list(events)
    if any(event.end for event in events):
        lines += UK_ZONE
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _event(event: Event) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"DTSTAMP:{_moment(event.changed_at)}"
    yield f"LAST-MODIFIED:{_moment(event.changed_at)}"
    yield f"SEQUENCE:{event.sequence}"
    if event.end:
        yield f"DTSTART{_in_the_uk(event.start)}"
        yield f"DTEND{_in_the_uk(event.end)}"
    elif isinstance(event.start, dt.datetime):
        yield f"DTSTART:{_moment(event.start)}"
        yield f"DTEND:{_moment(event.start)}"
    else:
        yield f"DTSTART;VALUE=DATE:{event.start:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{event.start + dt.timedelta(days=1):%Y%m%d}"
        yield "TRANSP:TRANSPARENT"
    yield f"SUMMARY:{escaped(event.summary)}"
    yield f"DESCRIPTION:{escaped(event.description)}"
    if event.location:
        yield f"LOCATION:{escaped(event.location)}"
    if event.is_cancelled:
        yield "STATUS:CANCELLED"
    yield f"URL:{event.url}"
    yield "END:VEVENT"


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _in_the_uk(moment: dt.datetime) -> str:
    local = moment.astimezone(UK)
    if local.fold:  # the hour that the clocks repeat in autumn: a local time would mean its first turn
        return f":{_moment(moment)}"
    return f";TZID=Europe/London:{local:%Y%m%dT%H%M%S}"


def escaped(text: str) -> str:
    """Text as a value: backslash, comma, semicolon and line ends are escaped, control characters left out."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(letter for letter in text if letter >= " " and letter != "\x7f")


def folded(line: str) -> str:
    """A line in pieces of at most 75 octets, each further one begun with a blank; no character is cut in two."""
    pieces, piece, size = [], "", 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > LINE_OCTETS - bool(pieces):
            pieces.append(piece)
            piece, size = "", 0
        piece, size = piece + letter, size + octets
    return "\r\n ".join([*pieces, piece])
