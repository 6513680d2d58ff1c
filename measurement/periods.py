"""Periods of the calendar: where one starts and ends, what it is called, what follows it."""

import calendar
import datetime as dt

ONE_DAY = dt.timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


def later(day: dt.date, months: int) -> dt.date:
    """The first of the month that lies so many months after (or before) the month of `day`."""
    month = day.year * 12 + day.month - 1 + months
    return dt.date(month // 12, month % 12 + 1, 1)


def start_of(day: dt.date, frequency: str) -> dt.date:
    """The start of the period that holds `day`. Weeks start on Monday; half-years and years in April."""
    if frequency == "week":
        return day - dt.timedelta(days=day.weekday())
    if frequency == "event":
        return day
    length = MONTHS[frequency]
    return later(day, -((day.month - 4) % length))


def end_of(start: dt.date, frequency: str) -> dt.date:
    """The last day of the period that starts on `start`."""
    return next_start(start, frequency) - ONE_DAY if frequency != "event" else start


def next_start(start: dt.date, frequency: str) -> dt.date:
    if frequency in MONTHS:
        return later(start, MONTHS[frequency])
    return start + dt.timedelta(days=7 if frequency == "week" else 1)


def between(first: dt.date, stop: dt.date, frequency: str) -> list[dt.date]:
    """Starts of the periods that lie wholly between the one of `first` and `stop`: what was left out."""
    starts = []
    if frequency != "event":
        start = next_start(first, frequency)
        while next_start(start, frequency) <= stop:
            starts.append(start)
            start = next_start(start, frequency)
    return starts


def label(start: dt.date, frequency: str) -> str:
    """What people call the period: October 2026, July to September 2026, 2025 to 2026."""
    if frequency == "month":
        return f"{start:%B %Y}"
    if frequency == "week":
        return f"week from {start.day} {start:%B %Y}"
    if frequency == "event":
        return f"{start.day} {start:%B %Y}"
    end = end_of(start, frequency)
    if frequency == "year":
        return f"{start.year}" if start.month == 1 else f"{start:%B %Y} to {end:%B %Y}"
    return f"{start:%B} to {end:%B %Y}" if start.year == end.year else f"{start:%B %Y} to {end:%B %Y}"


def word(frequency: str) -> str:
    """One period, in a sentence: met in some months, missed in others."""
    return {"half_year": "half-year", "event": "case"}.get(frequency, frequency)


def last_day_of_month(day: dt.date) -> dt.date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
