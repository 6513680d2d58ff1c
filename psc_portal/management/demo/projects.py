"""The demonstration's projects: invented work in every stage, at real organisations (see projects.toml).

Healthcare-associated infection is left without a project, so that a priority on which nothing happens can be seen.
"""

import datetime as dt
import tomllib
from pathlib import Path

from projects import actions
from projects.models import Driver
from projects.readings import LEAD_TEXTS
from psc_portal.common import clock

TEXTS = Path(__file__).with_suffix(".toml")
CYCLE_DAYS = 21
BEGUN_WITH = {"lay_summary", "aim"}
HUDDLES, FALLS, CHARTS = (
    "Safety huddles where everyone may speak first",
    "Falls risk check in the first 24 hours",
    "Reading charts well in board meetings",
)
LEADS = {  # who keeps a page up to date, and as what; the others are kept by programme staff
    HUDDLES: ("owner", "Patient safety analyst"),
    FALLS: ("lead", "Falls prevention lead"),
    CHARTS: ("lead", "Measurement lead"),
}


def make(world):
    for plan in tomllib.loads(TEXTS.read_text())["project"]:
        project = _create(world, plan)
        _live_through(world, project, plan)
        world.projects[project.slug] = project
    _propose_changes(world)


def _propose_changes(world):
    """A change that waits for staff, one that came back, and a diagram that is being drawn."""
    projects = {project.title: project for project in world.projects.values()}
    falls, huddles = projects[FALLS], projects[HUDDLES]
    lead, owner = world.users["lead"], world.users["owner"]
    with clock.at(world.moment(days_ago=6)):
        proposed = actions.propose_texts(
            project=huddles,
            result_in_short="Illustrative: the huddles led to better teamwork on all four wards.",
            by=owner,
        )
    with clock.at(world.moment(days_ago=4)):
        actions.return_change(
            proposed_change=proposed,
            reason="One ward's notes cannot show that the huddles led to better teamwork. Say what people reported, and "
            "that nobody has compared it with other wards.",
            by=world.users["staff"],
        )
    with clock.at(world.moment(days_ago=2)):
        actions.propose_texts(
            project=falls,
            what_did_not_work=f"{falls.what_did_not_work} A bell beside every bed was rung for everything but falls.",
            by=lead,
        )
        boxes = actions.working_diagram(falls, lead)
        acted_on = next(box for box in boxes if box.text == "Risk acted on")
        actions.add_box(
            project=falls,
            level="change_idea",
            text="Night light on the way to the toilet",
            parent=acted_on.key,
            by=lead,
        )


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
        if plan["title"] in LEADS:
            key, role = LEADS[plan["title"]]
            actions.add_project_lead(project=project, user=world.users[key], role=role, by=staff)
        _draw_drivers(project, plan["drivers"], by=staff)
    return project


def _live_through(world, project, plan):
    """What happened since, in the order of its days, each on its day."""
    staff = world.users["staff"]
    events = [(days, actions.change_stage, {"stage": stage}) for stage, days in plan["stages"]]
    if "stopped" in plan:
        days, reason, advice = plan["stopped"]
        stop = {"stage": "stopped", "reason": reason, "reuse_advice": advice}
        events.append((days, actions.change_stage, stop))
    for code, stage, days, note in plan["adoption"]:
        details = {"organisation": world.organisations[code], "stage": stage, "note": note}
        events.append((days, actions.record_adoption, details))
    for cycle in plan.get("cycles", []):
        events.append((cycle.pop("days_ago") - CYCLE_DAYS, _add_cycle, cycle))
    if texts := {name: plan[name] for name in LEAD_TEXTS if name in plan and name not in BEGUN_WITH}:
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
