"""How fresh an organisation's progress is, from dates alone."""

from dataclasses import dataclass
from datetime import date, timedelta

CURRENT, DUE, OVERDUE, LAPSED, COMPLETE = "current", "due", "overdue", "lapsed", "complete"
LABELS = {
    CURRENT: "Up to date",
    COMPLETE: "Complete",
    DUE: "Update due",
    OVERDUE: "Update overdue",
    LAPSED: "Lapsed",
}


@dataclass(frozen=True)
class Freshness:
    state: str  # current, due, overdue or lapsed; complete where nothing is left to report
    last: date  # the last dated update, or the day the pledges were published
    due_on: date
    overdue_on: date
    lapsed_on: date
    has_update: bool

    @property
    def label(self) -> str:
        return LABELS[self.state]

    @property
    def needs_update(self) -> bool:
        return self.state in {DUE, OVERDUE, LAPSED}

    def step_to_remind_of(self, today: date, days_before: int) -> str:
        """The step that is reached in `days_before` days or fewer, else the one that has been reached; or nothing.

        So a reminder comes before each step, and late rather than never where the portal stood still.
        """
        if self.state == COMPLETE:
            return ""
        steps = [(DUE, self.due_on), (OVERDUE, self.overdue_on), (LAPSED, self.lapsed_on)]
        reached = [step for step, day in steps if today >= day - timedelta(days=days_before)]
        return reached[-1] if reached else ""


def freshness(
    last: date, today: date, days: dict[str, int], *, has_update: bool = True, is_complete: bool = False
) -> Freshness:
    """Freshness on the day `today`.

    Args:
        last: day of the last dated update; the day of publication where there is none yet.
        today: the day on which the reader asks.
        days: days since `last` from which the state is "due", "overdue" and "lapsed", rising.
        has_update: whether `last` is the day of an update.
        is_complete: whether every pledge is done or stopped, so that no further update is due.
    """
    due_on, overdue_on, lapsed_on = (last + timedelta(days=days[state]) for state in (DUE, OVERDUE, LAPSED))
    if is_complete:
        state = COMPLETE
    elif today >= lapsed_on:
        state = LAPSED
    elif today >= overdue_on:
        state = OVERDUE
    elif today >= due_on:
        state = DUE
    else:
        state = CURRENT
    return Freshness(state, last, due_on, overdue_on, lapsed_on, has_update)
