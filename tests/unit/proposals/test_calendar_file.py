import datetime as dt
import re
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from proposals.calendar_file import Event, calendar_file, escaped, folded

LONDON = ZoneInfo("Europe/London")


def parsed(text: str) -> list[dict]:
    """A reader of its own, by RFC 5545: unfold, split at the first colon, undo the escapes."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    events, event = [], None
    for line in text.replace("\r\n ", "").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            event = {}
        elif line == "END:VEVENT":
            events.append(event)
        elif event is not None:
            event[name] = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)
    return events


def test_a_calendar_is_read_back_as_it_was_written():
    event = Event(
        uid="call-1-closes@portal.example",
        summary="Safer care; falls, and more \\ than that: closes",
        start=dt.datetime(2026, 7, 1, 17, tzinfo=LONDON),
        url="https://portal.example/calls/safer/",
        description="First line\nSecond line, with “quotes” and " + "many words " * 30,
        changed_at=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        sequence=2,
    )
    day = Event("d@x", "Decision", dt.date(2026, 12, 31), "https://x.example/", "D", event.changed_at)

    text = calendar_file("Calls, all", [event, day], product="A; B")
    first, second = parsed(text)

    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert (first["UID"], first["SUMMARY"], first["DESCRIPTION"]) == (event.uid, event.summary, event.description)
    assert (first["DTSTART"], first["DTSTAMP"], first["SEQUENCE"]) == ("20260701T160000Z", "20260102T030405Z", "2")
    assert (second["DTSTART;VALUE=DATE"], second["DTEND;VALUE=DATE"]) == ("20261231", "20270101")


@given(st.text(max_size=300))
def test_folding_cuts_no_character_and_can_be_undone(text):
    line = "SUMMARY:" + escaped(text)

    pieces = folded(line).split("\r\n")

    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
    assert all(piece.startswith(" ") for piece in pieces[1:])
