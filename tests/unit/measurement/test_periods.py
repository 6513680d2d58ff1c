from datetime import date

import pytest

from measurement import periods


@pytest.mark.parametrize(
    ("frequency", "day", "start", "end", "label"),
    [
        ("month", date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29), "February 2024"),
        ("month", date(2025, 12, 31), date(2025, 12, 1), date(2025, 12, 31), "December 2025"),
        ("quarter", date(2025, 3, 31), date(2025, 1, 1), date(2025, 3, 31), "January to March 2025"),
        ("quarter", date(2025, 4, 1), date(2025, 4, 1), date(2025, 6, 30), "April to June 2025"),
        ("half_year", date(2026, 1, 1), date(2025, 10, 1), date(2026, 3, 31), "October 2025 to March 2026"),
        ("year", date(2026, 3, 31), date(2025, 4, 1), date(2026, 3, 31), "April 2025 to March 2026"),
        ("week", date(2026, 1, 4), date(2025, 12, 29), date(2026, 1, 4), "week from 29 December 2025"),
        ("event", date(2026, 1, 4), date(2026, 1, 4), date(2026, 1, 4), "4 January 2026"),
    ],
)
def test_a_day_lies_in_its_period(frequency, day, start, end, label):
    assert periods.start_of(day, frequency) == start
    assert periods.end_of(start, frequency) == end
    assert periods.label(start, frequency) == label


def test_what_was_left_out_between_two_periods():
    assert periods.between(date(2025, 1, 1), date(2025, 4, 1), "month") == [date(2025, 2, 1), date(2025, 3, 1)]
    assert periods.between(date(2025, 1, 1), date(2025, 2, 1), "month") == []
    assert periods.between(date(2025, 1, 1), date(2025, 4, 1), "event") == []
