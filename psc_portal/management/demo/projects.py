"""The demonstration's projects: invented work in every stage, at real organisations (see projects.toml).

Healthcare-associated infection is left without a project, so that a priority on which nothing happens can be seen.
"""

import datetime as dt
import tomllib
from pathlib import Path

from projects import actions
from projects.models import Driver
from psc_portal.common import clock

TEXTS = Path(__file__).with_suffix(".toml")
CYCLE_DAYS = 21
LEADS = {  # who keeps a page up to date; the others are kept by programme staff
    "Safety huddles where everyone may speak first": "owner",
    "Falls risk check in the first 24 hours": "lead",
    "Reading charts well in board meetings": "lead",
}


def make(world):
    for plan in tomllib.loads(TEXTS.read_text())["project"]:
        project = _create(world, plan)
        _live_through(world, project, plan)
        world.projects[project.slug] = project


def _create(world, plan):
    staff, organisations = world.users["staff"], world.organisations
    with clock.at(world.moment(days_ago=plan["started"])):
        project = actions.create_project(
            title=plan["title"],
            lay_summary=plan["lay_summary"].strip(),
            aim=plan["aim"],
            priorities=[world.priorities[slug] for slug in plan["priorities"]],
            lead_organisation=organisations[plan["lead"]],
            partners=[organisations[code] for code in plan["partners"]],
            care_settings=plan["settings"],
            evidence_level=plan["evidence"],
            is_public=plan.get("public", True),
            by=staff,
        )
        if key := LEADS.get(plan["title"]):
            actions.add_project_lead(project=project, user=world.users[key], by=staff)
        _draw_drivers(project, plan["drivers"], by=staff)
    return project


def _live_through(world, project, plan):
    """What happened since, in the order of its days, each on its day."""
    staff = world.users["staff"]
    events = [(days, actions.change_stage, {"stage": stage}) for stage, days in plan["stages"]]
    if "stopped" in plan:
        days, reason = plan["stopped"]
        events.append((days, actions.change_stage, {"stage": "stopped", "reason": reason}))
    for code, stage, days, note in plan["adoption"]:
        details = {"organisation": world.organisations[code], "stage": stage, "note": note}
        events.append((days, actions.record_adoption, details))
    for cycle in plan.get("cycles", []):
        events.append((cycle.pop("days_ago") - CYCLE_DAYS, _add_cycle, cycle))
    if texts := {name: plan[name] for name in ["result", "what_did_not_work"] if name in plan}:
        events.append((plan.get("stopped", [30])[0], actions.edit_project, texts))
    for days, action, details in sorted(events, key=lambda event: -event[0]):
        with clock.at(world.moment(days_ago=days)):
            action(project=project, by=staff, **details)


def _add_cycle(*, project, by, **texts):
    ends_on = clock.today()
    starts_on = ends_on - dt.timedelta(days=CYCLE_DAYS)
    actions.add_pdsa_cycle(project=project, starts_on=starts_on, ends_on=ends_on, by=by, **texts)


def _draw_drivers(project, rows, *, by):
    """Each row names a primary driver, one under it and a change idea; a name that came before is the same box."""
    boxes = {}
    for row in rows:
        parent = None
        for level, text in zip(Driver.Level.values, row, strict=True):
            if text not in boxes:
                boxes[text] = actions.add_driver(
                    project=project, level=level, text=text, parent=parent, position=len(boxes), by=by
                )
            parent = boxes[text]
