import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from psc_portal.common import clock


@dataclass
class World:
    """What the demonstration has made so far; each area adds its own, by the keys that the others use.

    The same seed and the same `today` make the same data: randomness comes from `rng`, time from `moment`.
    """

    today: dt.date
    seed: int = 2014
    rng: random.Random = field(init=False)
    users: dict[str, Any] = field(default_factory=dict)  # "staff", "reviewer", ...: see people.py
    systems: dict[str, Any] = field(default_factory=dict)  # ODS code
    organisations: dict[str, Any] = field(default_factory=dict)  # ODS code, or a short key where it has none
    priorities: dict[str, Any] = field(default_factory=dict)  # slug
    projects: dict[str, Any] = field(default_factory=dict)  # slug
    metrics: dict[str, Any] = field(default_factory=dict)  # code
    calls: dict[str, Any] = field(default_factory=dict)  # slug

    def __post_init__(self):
        self.rng = random.Random(self.seed)

    def date(self, *, days_ago: float = 0) -> dt.date:
        return self.today - dt.timedelta(days=days_ago)

    def moment(self, *, days_ago: float = 0, hour: int = 10) -> dt.datetime:
        """A moment in UK office hours so many days before (or, when negative, after) `today`."""
        day = self.date(days_ago=days_ago)
        return dt.datetime.combine(day, dt.time(hour), tzinfo=clock.UK)
