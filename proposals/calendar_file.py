"""Dates as a calendar file (iCalendar, RFC 5545): pure text, nothing of Django."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LINE_OCTETS = 75


@dataclass(frozen=True)
class Event:
    """Something that happens at a moment, or (with a plain date) on a whole day."""

    uid: str  # stays the same for ever: a changed event replaces the earlier one
    summary: str
    start: dt.datetime | dt.date
    url: str
    description: str
    changed_at: dt.datetime
    sequence: int = 0  # how often it was moved


def calendar_file(name: str, events: Iterable[Event], *, product: str) -> str:
    """A whole calendar, lines folded and ended as RFC 5545 wants."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//{escaped(product)}//EN", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(name)}"]
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
    if isinstance(event.start, dt.datetime):
        yield f"DTSTART:{_moment(event.start)}"
        yield f"DTEND:{_moment(event.start)}"
    else:
        yield f"DTSTART;VALUE=DATE:{event.start:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{event.start + dt.timedelta(days=1):%Y%m%d}"
        yield "TRANSP:TRANSPARENT"
    yield f"SUMMARY:{escaped(event.summary)}"
    yield f"DESCRIPTION:{escaped(event.description)}"
    yield f"URL:{event.url}"
    yield "END:VEVENT"


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


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
