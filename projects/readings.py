"""What pages and actions read of projects: the driver diagram, and what a lead has proposed."""

from collections.abc import Iterable

from projects import diagram
from projects.models import Adoption, Driver, Organisation, Project, ProposedChange
from projects.spread import Dated, Place

LEAD_TEXTS = ["lay_summary", "aim", "result_in_short", "result", "what_did_not_work", "reuse_advice"]
CLAIMING_TEXTS = ["lay_summary", "result_in_short", "result"]  # where words may claim a cause


def boxes_of(project: Project) -> list[diagram.Box]:
    """The driver diagram that the page shows."""
    rows = project.drivers.all()
    if "drivers" not in getattr(project, "_prefetched_objects_cache", {}):
        rows = rows.prefetch_related("also_serves")
    return [
        diagram.Box(
            key_of(row),
            row.level,
            row.text,
            f"d{row.parent_id}" if row.parent_id else "",
            tuple(f"d{one.pk}" for one in row.also_serves.all()),
        )
        for row in rows
    ]


def key_of(driver: Driver) -> str:
    return f"d{driver.pk}"


def texts_of(project: Project) -> dict[str, str]:
    return {name: getattr(project, name) for name in LEAD_TEXTS}


def open_change(project: Project, kind: str) -> ProposedChange | None:
    return project.proposed_changes.open().filter(kind=kind).first()


def shown_now(proposed_change: ProposedChange):
    """What the page says today where the change would say something else: texts by field, or the boxes."""
    project = proposed_change.project
    if proposed_change.kind == ProposedChange.Kind.TEXTS:
        return texts_of(project)
    return diagram.to_data(boxes_of(project))


def changed_texts(proposed_change: ProposedChange) -> dict[str, str]:
    """The texts that its author changed, as they are to be; what staff changed elsewhere meanwhile stays."""
    before, after = proposed_change.before, proposed_change.after
    return {name: text for name, text in after.items() if before.get(name, "") != text}


def dated(adoptions: Iterable[Adoption]) -> list[Dated]:
    return [Dated(row.organisation_id, row.project_id, row.stage, row.since, row.note) for row in adoptions]


# The spread ----------------------------------------------------------------------------------------------------------
EVERYWHERE, NOWHERE = "All systems", "System not noted"


def places() -> list[Place]:
    """Organisations that could take something up, with the system that they plan their care in; one query."""
    rows = Organisation.objects.that_could_adopt().order_by("name", "pk")
    return [
        Place(pk, name, EVERYWHERE if serves_all else system or NOWHERE, frozenset(care_settings))
        for pk, name, system, serves_all, care_settings in rows.values_list(
            "pk", "name", "system__name", "serves_all_systems", "care_settings"
        )
    ]


def latest_stages(projects) -> list[Dated]:
    """What each organisation does now with each of the projects; one query."""
    rows = Adoption.objects.filter(project__in=projects).order_by("organisation_id", "project_id", "-since", "-pk")
    return dated(rows.distinct("organisation_id", "project_id"))
