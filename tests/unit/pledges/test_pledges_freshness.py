import datetime as dt

import pytest

from pledges.freshness import COMPLETE, CURRENT, DUE, LAPSED, OVERDUE, freshness
from pledges.words import word_count

DAYS = {"due": 150, "overdue": 183, "lapsed": 365}
LAST = dt.date(2026, 1, 1)


@pytest.mark.parametrize(
    ("days_later", "state"),
    [
        (0, CURRENT),
        (149, CURRENT),
        (150, DUE),
        (182, DUE),
        (183, OVERDUE),
        (364, OVERDUE),
        (365, LAPSED),
        (4000, LAPSED),
    ],
)
def test_freshness_changes_on_the_very_day_of_its_threshold(days_later, state):
    found = freshness(LAST, LAST + dt.timedelta(days=days_later), DAYS)

    assert found.state == state


def test_nothing_falls_due_once_every_pledge_is_done_or_stopped():
    found = freshness(LAST, LAST + dt.timedelta(days=4000), DAYS, is_complete=True)

    assert (found.state, found.needs_update) == (COMPLETE, False)


def test_freshness_says_on_which_days_it_changes():
    found = freshness(LAST, LAST, DAYS)

    assert (found.due_on, found.overdue_on, found.lapsed_on) == (
        dt.date(2026, 5, 31),
        dt.date(2026, 7, 3),
        dt.date(2027, 1, 1),
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("  \n ", 0), ("one", 1), ("one two\nthree", 3), ("don't follow-up", 2), ("a\u00a0b", 2)],
)
def test_words_are_counted_as_the_counter_under_the_box_counts_them(text, count):
    assert word_count(text) == count
