"""What is missing around a priority, in sentences. Plain Python over what its page has read anyway."""

from collections.abc import Iterable

from projects.models import Project
from psc_portal.common.registry import Signal, ThreadStep

OVER = {Project.Status.CLOSED, Project.Status.STOPPED}


def gaps(
    *, stages: Iterable[str], signals: list[Signal], systems: Iterable[str], thread: Iterable[ThreadStep]
) -> list[str]:
    """One sentence for each thing that a reader would look for and not find.

    Args:
        stages: of the projects of the priority that the reader may see.
        signals: of its metrics, those of its projects too.
        systems: names of those in which no organisation takes part in one of its projects.
        thread: the steps around the priority, for calls and pledges.
    """
    empty = {step.kind for step in thread if not step.items}
    return [
        *_about_projects(list(stages), list(systems)),
        *_about_metrics(signals),
        *(["No call has asked for ideas on it yet."] if "call" in empty else []),
        *(["No organisation has named it in its pledges yet."] if "pledge" in empty else []),
    ]


def _about_projects(stages: list[str], systems: list[str]) -> list[str]:
    if not stages:
        return ["No project works on it yet."]
    found = ["No project works on it now: all have closed or stopped."] if set(stages) <= OVER else []
    return found + [f"No organisation in {system} takes part in a project on it." for system in systems]


def _about_metrics(signals: list[Signal]) -> list[str]:
    without = [signal.title for signal in signals if not signal.has_data]
    if not signals:
        return ["No metric shows whether it gets better."]
    if len(without) == len(signals):
        return ["Its metric has no data yet." if len(signals) == 1 else "None of its metrics has data yet."]
    if without:
        return [f"Without data so far: {', '.join(without)}."]
    return []
