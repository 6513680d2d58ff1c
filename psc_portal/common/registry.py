"""What a lower app's page shows of the apps above it, without importing them.

Each app registers providers in its AppConfig.ready. A provider takes ids and a user, runs at most one query a kind
and returns the plain dataclasses below.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db.models import TextField
from django.db.models.functions import Concat
from django.utils.safestring import SafeString

from psc_portal.common import clock
from psc_portal.common.datasets import Dataset

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


def joined(*pieces) -> Concat:
    """Columns and words as one text, whatever their lengths."""
    return Concat(*pieces, output_field=TextField())


@dataclass(frozen=True)
class Source:
    """Where the search and the sitemap find one kind of thing. Expressions are read from the rows of `rows`.

    Args:
        kind: of the registry's kinds, or one more.
        many: what the filter calls them.
        rows: what this person may see, as a QuerySet.
        key: a text of which `url` makes the address.
        title, text: what a result shows; `said` makes of both what people read.
        vector: the words, weighted; a stored column where there are many rows.
        weight: how much its rank counts: what people look for before what speaks of it.
        changed_at: when the page at the address changed; None where it is only a part of another page.
        priorities, organisations: how a row leads to those that it belongs to, for feeds and digests.
    """

    kind: str
    many: str
    rows: Callable
    key: object
    url: Callable[[str], str]
    title: object
    text: object
    vector: object = "search"
    said: Callable[[str], str] = str
    weight: float = 1.0
    changed_at: object = None
    priorities: str = ""
    organisations: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Signal:
    """What a metric says now, as the person who asks may see it: the sentence and the icons of its chart."""

    metric: int
    title: str
    url: str
    place: str
    latest: str  # the newest value with its unit, or why there is none
    period: str  # of the newest value; empty where there is no value
    sentence: str
    summary: str  # the sentence without the numbers
    icon: SafeString
    words: str
    tone: str  # improvement, concern, neutral or common
    target_icon: SafeString | str = ""
    target_words: str = ""
    is_illustrative: bool = False

    @property
    def has_data(self) -> bool:
        return bool(self.period)


@dataclass(frozen=True)
class Strand:
    """One thing of the whole programme and what it hangs on, for the page that shows all of it."""

    kind: str
    pk: int
    title: str
    url: str
    note: str = ""
    stage: str = ""  # of a project
    priorities: tuple[int, ...] = ()
    projects: tuple[int, ...] = ()
    metrics: tuple[int, ...] = ()
    systems: frozenset[int] | None = frozenset()  # None: all of them
    key: str = ""  # what a filter calls a priority


@dataclass(frozen=True)
class ResultChart:
    """What the main metric of a project shows: a drawing, and the sentence that says it."""

    title: str
    url: str
    svg: SafeString
    sentence: str


@dataclass(frozen=True)
class News:
    """Something that everybody can see since a moment."""

    at: dt.datetime
    what: str  # "New project", "Call opened"
    title: str
    url: str


@dataclass(frozen=True)
class LinkedText:
    """A public text whose links are checked: its page, and its HTML."""

    title: str
    url: str
    html: str


@dataclass(frozen=True)
class Duty:
    """Something that a person looks after, and what becomes of it when they leave.

    `hand_over(to, by=...)` gives it to another person, or refuses in a sentence; `let_go(by=...)` leaves it to staff.
    """

    key: str  # of this duty alone, like "project-12"
    kind: str
    title: str
    url: str
    hand_over: Callable[..., object]
    let_go: Callable[..., object] = lambda *, by: None


@dataclass(frozen=True)
class MergeStep:
    """One thing that a merger of organisations touches: shown to staff before, done by `act(by=...)` with the rest."""

    section: str
    title: str
    what: str  # what becomes of it, in words
    act: Callable[..., object] | None = None  # None: it stays as it is


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
waiting: Registry[Callable[[object], Iterable[WaitingItem]]] = Registry()
cycles: Registry[Callable[[list[int], object], Iterable[CycleMention]]] = Registry()
signals: Registry[Callable[[Place, object], Iterable[Signal]]] = Registry()
news: Registry[Callable[[dt.datetime, int], Iterable[News]]] = Registry()  # since a moment, at most so many
programme: Registry[Callable[[object], Iterable[Strand]]] = Registry()
results: Registry[Callable[[int, object], Iterable[ResultChart]]] = Registry()  # of one project
sources: list[Source] = []  # each app adds its own in AppConfig.ready
datasets: list[Dataset] = []  # open data, in the order of the apps
linked_texts: Registry[Callable[[], Iterable[LinkedText]]] = Registry()
duties: Registry[Callable[[object, int | None], Iterable[Duty]]] = Registry()  # of a user, in one organisation or all
merging: Registry[Callable[..., Iterable[MergeStep]]] = Registry()  # (organisation, into, on)
confidential: set[str] = set()  # models (app_label.model) of which the audit trail shows who did what, not the values


@dataclass(frozen=True)
class ThreadStep:
    """One kind on the thread as a page shows it."""

    kind: str
    one: str
    heading: str
    items: list[ThreadItem]
    is_here: bool


def thread_of(kind: str, pk: int, *, user, known: dict[str, list[int]] | None = None) -> list[ThreadStep]:
    """The thread around one subject, a step for each kind in order. An empty step says so on the page, and the step
    of the subject itself says "you are here" instead of leading to where one is."""
    found = thread.collect(Place(kind, pk, {key: list(ids) for key, ids in (known or {}).items()}), user)
    steps = []
    for step_kind, (one, many) in KINDS.items():
        is_here = step_kind == kind
        items = list({item.url: item for item in found if item.kind == step_kind}.values())
        steps.append(ThreadStep(step_kind, one, many, [] if is_here else items, is_here))
    return steps
