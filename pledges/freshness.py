"""How fresh an organisation's progress is, from dates alone."""

from dataclasses import dataclass
from datetime import date, timedelta

CURRENT, DUE, OVERDUE, LAPSED = "current", "due", "overdue", "lapsed"


@dataclass(frozen=True)
class Freshness:
    state: str  # current, due, overdue or lapsed
    last: date  # the last dated update, or the day the pledges were published
    due_on: date
    overdue_on: date
    lapsed_on: date
    has_update: bool

    @property
    def label(self) -> str:
        return {CURRENT: "Up to date", DUE: "Update due", OVERDUE: "Update overdue", LAPSED: "Lapsed"}[self.state]


def freshness(last: date, today: date, days: dict[str, int], *, has_update: bool = True) -> Freshness:
    """Freshness on the day `today`.

    Args:
        last: day of the last dated update; the day of publication where there is none yet.
        today: the day on which the reader asks.
        days: days since `last` from which the state is "due", "overdue" and "lapsed", rising.
        has_update: whether `last` is the day of an update.
    """
    due_on, overdue_on, lapsed_on = (last + timedelta(days=days[state]) for state in (DUE, OVERDUE, LAPSED))
    if today >= lapsed_on:
        state = LAPSED
    elif today >= overdue_on:
        state = OVERDUE
    elif today >= due_on:
        state = DUE
    else:
        state = CURRENT
    return Freshness(state, last, due_on, overdue_on, lapsed_on, has_update)
