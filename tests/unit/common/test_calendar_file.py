import datetime as dt
import io
import re
from dataclasses import replace
from zoneinfo import ZoneInfo

from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from psc_portal.common.calendar_file import Event, calendar_file, escaped, folded

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


MEETING = Event(
    uid="m@x",
    summary="Meeting",
    start=dt.datetime(2026, 7, 1, 9, tzinfo=LONDON),
    url="https://x.example/",
    description="D",
    changed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
)


def test_the_time_zone_of_a_meeting_is_that_of_the_uk_in_every_hour_of_thirty_years():
    text = calendar_file("Events", [replace(MEETING, end=MEETING.start + dt.timedelta(hours=1))], product="P")
    zone = tz.tzical(io.StringIO(text)).get("Europe/London")

    moment, wrong = dt.datetime(2020, 1, 1), []
    while moment.year < 2050:
        for hour in range(24):
            at = moment.replace(hour=hour)
            is_doubtful = not tz.datetime_exists(at, LONDON) or tz.datetime_ambiguous(at, LONDON)
            if not is_doubtful and at.replace(tzinfo=zone).utcoffset() != at.replace(tzinfo=LONDON).utcoffset():
                wrong.append(at)
        moment += dt.timedelta(days=1 if moment.month in (3, 10) else 7)

    assert wrong == []


def test_a_meeting_in_the_hour_that_the_clocks_repeat_is_given_in_utc():
    second_turn = dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)  # 01:30 GMT, an hour after 01:30 BST

    event = replace(MEETING, start=second_turn, end=second_turn + dt.timedelta(hours=1))
    (read,) = parsed(calendar_file("Events", [event], product="P"))

    assert (read["DTSTART"], read["DTEND;TZID=Europe/London"]) == ("20261025T013000Z", "20261025T023000")
