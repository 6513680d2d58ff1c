"""What a lower app's page shows of the apps above it, without importing them.

Each app registers providers in its AppConfig.ready. A provider takes ids and a user, runs at most one query a kind
and returns the plain dataclasses below.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from psc_portal.common import clock

KINDS = {  # the golden thread, in its order: kind -> (one, many)
    "priority": ("Priority", "Priorities"),
    "call": ("Call", "Calls for proposals"),
    "proposal": ("Proposal", "Proposals"),
    "project": ("Project", "Projects"),
    "metric": ("Metric", "Metrics"),
    "pledge": ("Pledge", "Pledges"),
    "report": ("Annual report", "Annual reports"),
}


@dataclass(frozen=True)
class Place:
    """Where a page hangs on the thread: its own subject, and the ids of other kinds that it knows already."""

    kind: str
    pk: int
    known: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadItem:
    kind: str
    title: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class SearchHit:
    kind: str
    title: str
    url: str
    snippet: SafeString | str = ""
    rank: float = 0.0


@dataclass(frozen=True)
class WaitingItem:
    """Something that waits for this person on /my/. A section may lead to a page for all that stands in it."""

    title: str
    url: str
    note: str = ""
    due: dt.date | None = None
    section: str = ""
    section_url: str = ""
    section_link: str = ""

    @property
    def days_late(self) -> int:
        return max(0, (clock.today() - self.due).days) if self.due else 0


@dataclass(frozen=True)
class CycleMention:
    """Where a plan-do-study-act cycle is marked: the chart of a metric."""

    cycle: int
    title: str
    url: str


class Registry[Provider: Callable[..., Iterable]]:
    def __init__(self):
        self._providers: list[Provider] = []

    def register(self, provider: Provider) -> Provider:
        if provider not in self._providers:
            self._providers.append(provider)
        return provider

    def collect(self, *args, **kwargs) -> list:
        return [item for provider in self._providers for item in provider(*args, **kwargs)]


thread: Registry[Callable[[Place, object], Iterable[ThreadItem]]] = Registry()
search: Registry[Callable[..., Iterable[SearchHit]]] = Registry()
waiting: Registry[Callable[[object], Iterable[WaitingItem]]] = Registry()
cycles: Registry[Callable[[list[int], object], Iterable[CycleMention]]] = Registry()
confidential: set[str] = set()  # models (app_label.model) of which the audit trail shows who did what, not the values


@dataclass(frozen=True)
class ThreadStep:
    """One kind on the thread as a page shows it."""

    kind: str
    heading: str
    items: list[ThreadItem]
    is_here: bool


def thread_of(kind: str, pk: int, *, user, known: dict[str, list[int]] | None = None) -> list[ThreadStep]:
    """The thread around one subject, a step for each kind in order; an empty step says so on the page."""
    found = thread.collect(Place(kind, pk, {key: list(ids) for key, ids in (known or {}).items()}), user)
    steps = []
    for step_kind, (_one, many) in KINDS.items():
        items = list({item.url: item for item in found if item.kind == step_kind}.values())
        steps.append(ThreadStep(step_kind, many, items, is_here=step_kind == kind))
    return steps
