"""The whole programme as a tree: priorities, and under each what hangs on it. Plain Python over what the apps provide.

Nothing is left out silently: a branch knows how much of each kind it has and how much of it is shown, and what hangs on
no priority has a branch of its own.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from psc_portal.common.registry import Strand

METRICS_OF_A_PROJECT = 10  # shown under it; its own page has them all


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see; an empty one is everything."""

    words: str = ""
    system: int | None = None
    stage: str = ""  # calls, pledges and metrics without a project have none, so they fit none

    def has_words_of(self, strand: Strand) -> bool:
        return all(word in strand.title.lower() for word in self.words.lower().split())

    def fits(self, strand: Strand) -> bool:
        return (
            self.has_words_of(strand)
            and (self.system is None or strand.systems is None or self.system in strand.systems)
            and (not self.stage or strand.stage == self.stage)
        )


EVERYTHING = Asked()


@dataclass
class ProjectBranch:
    project: Strand
    metrics: list[Strand]

    @property
    def shown_metrics(self) -> list[Strand]:
        return self.metrics[:METRICS_OF_A_PROJECT]

    @property
    def more_metrics(self) -> int:
        return len(self.metrics) - len(self.shown_metrics)


@dataclass
class Branch:
    """What hangs on one priority, or with None on none."""

    priority: Strand | None
    calls: list[Strand] = field(default_factory=list)
    projects: list[ProjectBranch] = field(default_factory=list)
    metrics: list[Strand] = field(default_factory=list)
    pledges: list[Strand] = field(default_factory=list)

    @property
    def lists(self) -> list[list]:
        return [self.calls, self.projects, self.metrics, self.pledges]

    @property
    def is_empty(self) -> bool:
        return not any(self.lists)

    @property
    def has_metrics(self) -> bool:
        return bool(self.metrics) or any(branch.metrics for branch in self.projects)

    @property
    def in_words(self) -> str:
        """2 calls, 14 projects, 9 metrics beside those of the projects, pledges of 3 organisations."""
        counted = (
            (self.calls, "{} call{}"),
            (self.projects, "{} project{}"),
            (self.metrics, "{} metric{} beside those of the projects"),
            (self.pledges, "pledges of {} organisation{}"),
        )
        return ", ".join(words.format(len(rows), "s"[: len(rows) != 1]) for rows, words in counted if rows)

    def pages(self, size: int) -> int:
        """How many pages its longest list fills, `size` rows of each kind a page."""
        return max(1, -(-max(map(len, self.lists)) // size))

    def page(self, number: int, size: int) -> "BranchPage":
        part = slice((number - 1) * size, number * size)
        return BranchPage(self, Branch(self.priority, *(rows[part] for rows in self.lists)))


@dataclass
class BranchPage:
    """The part of a branch that one page shows, beside the whole of it."""

    whole: Branch
    shown: Branch

    @property
    def is_cut(self) -> bool:
        return any(len(some) < len(every) for some, every in zip(self.shown.lists, self.whole.lists, strict=True))

    @property
    def metric_pks(self) -> list[int]:
        nested = [metric for branch in self.shown.projects for metric in branch.shown_metrics]
        return [metric.pk for metric in [*self.shown.metrics, *nested]]


@dataclass(frozen=True)
class Programme:
    branches: list[Branch]  # in the order of the priorities
    unplaced: Branch
    reports: list[Strand]


def programme_of(strands: Iterable[Strand], asked: Asked = EVERYTHING) -> Programme:
    """The tree of what fits `asked`.

    A project stands under each of its priorities and brings its metrics. A metric of a priority that its project is not
    under stands there by itself. A pledge hangs on the priorities that it names and on those of the metrics that it is
    measured by. Words that a priority is called by find its whole branch; words of a metric find its project too.
    """
    of = defaultdict(list)
    for strand in strands:
        of[strand.kind].append(strand)
    branches = {priority.pk: Branch(priority) for priority in of["priority"]} | {None: Branch(None)}
    projects = {project.pk: project for project in of["project"]}
    metrics_of = defaultdict(list)
    for metric in of["metric"]:
        for pk in metric.projects:
            metrics_of[pk].append(metric)
    on_metric = {metric.pk: {*metric.priorities, *_priorities_of_projects(metric, projects)} for metric in of["metric"]}
    for call in of["call"]:
        _place(call, call.priorities, "calls", branches, asked)
    for project in of["project"]:
        _place_project(project, metrics_of[project.pk], branches, asked)
    for metric in of["metric"]:
        alone = set(metric.priorities) - _priorities_of_projects(metric, projects)
        if alone or not any(pk in projects for pk in metric.projects):
            _place(metric, alone, "metrics", branches, asked)
    for pledge in of["pledge"]:
        measured = [pk for metric in pledge.metrics for pk in on_metric.get(metric, ())]
        _place(pledge, [*pledge.priorities, *measured], "pledges", branches, asked)
    return Programme([branch for pk, branch in branches.items() if pk is not None], branches[None], of["report"])


def _priorities_of_projects(metric: Strand, projects: dict[int, Strand]) -> set[int]:
    return {pk for project in metric.projects if project in projects for pk in projects[project].priorities}


def _branches_of(priorities: Iterable[int], branches: dict[int | None, Branch]) -> list[Branch]:
    return [branches[pk] for pk in dict.fromkeys(priorities) if pk in branches] or [branches[None]]


def _within(asked: Asked, branch: Branch) -> Asked:
    """What is asked inside a branch: its words are found already where its priority is called by them."""
    is_found = branch.priority is not None and asked.has_words_of(branch.priority)
    return replace(asked, words="") if is_found else asked


def _place(strand: Strand, priorities: Iterable[int], name: str, branches, asked: Asked) -> None:
    for branch in _branches_of(priorities, branches):
        if _within(asked, branch).fits(strand):
            getattr(branch, name).append(strand)


def _place_project(project: Strand, metrics: list[Strand], branches, asked: Asked) -> None:
    for branch in _branches_of(project.priorities, branches):
        here = _within(asked, branch)
        if here.fits(project):
            branch.projects.append(ProjectBranch(project, metrics))
        elif replace(here, words="").fits(project) and (found := [one for one in metrics if here.has_words_of(one)]):
            branch.projects.append(ProjectBranch(project, found))
