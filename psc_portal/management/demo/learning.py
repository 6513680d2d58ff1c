"""The demonstration's events, library and offers: to come, past, full with a waiting list, overdue, closed."""

import datetime as dt

from projects import actions
from projects.models import Event, LearningResource, Offer
from psc_portal.common import clock
from psc_portal.content.models import Document

Kind = LearningResource.Kind
MADE_UP = "This is a demonstration: it is made up."


def make(world):
    _hold_events(world)
    _fill_library(world)
    _make_offers(world)


# Events --------------------------------------------------------------------------------------------------------------
def _event(world, *, days, hour=10, hours=2, planned=40, priorities=(), projects=(), **details):
    """An event so many days from today (negative: past), announced `planned` days before it, or lately."""
    starts_at = world.moment(days_ago=-days, hour=hour)
    with clock.at(world.moment(days_ago=max(3, planned - days))):
        event = actions.create_event(
            starts_at=starts_at,
            ends_at=starts_at + dt.timedelta(hours=hours),
            priorities=[world.priorities[slug] for slug in priorities],
            projects=[world.projects[slug] for slug in projects],
            by=world.users["staff"],
            **details,
        )
        return actions.publish_event(event=event, by=world.users["staff"])


def _register(world, event, count, *, days_ago, needs=()):
    for number in range(count):
        with clock.at(world.moment(days_ago=days_ago) + dt.timedelta(minutes=7 * number)):
            actions.register(
                event=event,
                name=f"Demonstration person {number + 1}",
                email=f"person{number + 1}@demo.example",
                organisation="A member organisation" if number % 2 else "",
                comes=event.attendance,
                access_needs=needs[number] if number < len(needs) else "",
            )


def _hold_events(world):
    full = _event(
        world,
        days=18,
        title="Falls: what the first 24 hours change",
        kind=Event.Kind.WORKSHOP,
        summary="Teams that check every new patient show how they began, what failed, and what they would do again.",
        description=f"{MADE_UP}\n\n# What happens\n\n- Three teams show their charts\n- We plan a first test together\n\n"
        "Bring one question from your ward.",
        audience="Ward teams, carers and anyone who works on falls",
        attendance=Event.Attendance.IN_PERSON,
        venue="Community Hall, 1 Example Street",
        venue_access="Step-free from the street. Hearing loop. Two parking spaces for disabled drivers. A quiet room.",
        places=8,
        priorities=["older-people"],
        projects=["falls-risk-check-in-the-first-24-hours"],
    )
    _register(world, full, 11, days_ago=12, needs=["A seat near the hearing loop", "", "Step-free access"])
    _event(
        world,
        days=32,
        hour=12,
        hours=1,
        title="Reading a chart in one hour",
        summary="Online and free of formulas: what common cause and special cause mean, on charts of this website.",
        description=f"{MADE_UP}\n\nNo knowledge of statistics is needed. There are captions.",
        audience="Everyone",
        attendance=Event.Attendance.ONLINE,
        joining_link="https://meetings.example/reading-a-chart",
        priorities=["measurement"],
    )
    _event(
        world,
        days=75,
        hour=9,
        hours=7,
        title="Spring conference of the collaborative",
        kind=Event.Kind.CONFERENCE,
        summary="A day with everyone: what changed, what did not, and what comes next.",
        description=f"{MADE_UP}\n\nThe morning can be followed online.",
        attendance=Event.Attendance.BOTH,
        venue="Conference Centre, 20 Example Road",
        venue_access="Step-free. Lift. Hearing loop. Sign language interpreter in the main hall.",
        joining_link="https://meetings.example/conference",
        places=120,
        registration_closes_at=world.moment(days_ago=-68, hour=17),
    )
    cancelled = _event(
        world,
        days=9,
        title="Visit to a ward that holds safety huddles",
        kind=Event.Kind.NETWORK,
        summary="See a huddle and talk to the team.",
        description=MADE_UP,
        attendance=Event.Attendance.IN_PERSON,
        venue="Example Hospital, Main Entrance",
        places=6,
    )
    _register(world, cancelled, 3, days_ago=6)
    with clock.at(world.moment(days_ago=2)):
        reason = "The ward has an outbreak of infection. We will offer another day."
        actions.cancel_event(event=cancelled, reason=reason, by=world.users["staff"])
    past = _event(
        world,
        days=-50,
        title="Learning together in the care home",
        kind=Event.Kind.LEARNING,
        summary="Care homes and community nurses looked at pressure ulcers together.",
        description=f"{MADE_UP}\n\n# What came of it\n\nTwo homes began to look at skin at every move.",
        attendance=Event.Attendance.IN_PERSON,
        venue="Community Hall, 1 Example Street",
        places=20,
        priorities=["pressure-ulcers"],
    )
    _register(world, past, 9, days_ago=70)
    with clock.at(world.moment(days_ago=1)):
        actions.erase_registrations()


# Library -------------------------------------------------------------------------------------------------------------
def _fill_library(world):
    staff = world.users["staff"]
    with clock.at(world.moment(days_ago=420)):
        topics = {
            name: actions.create_topic(name=name, position=position, by=staff)
            for position, name in enumerate(
                ["Falls", "Pressure ulcers", "Speaking up", "Measurement for improvement", "Involving people"], 1
            )
        }
    brochure = Document.objects.filter(kind=Document.Kind.BROCHURE).first()
    month = world.today.replace(day=1)
    before = (month - dt.timedelta(days=1)).replace(day=1)
    for days_ago, review_in, topic, values in [
        (200, 365, "Falls", {
            "title": "Six questions on the first day", "kind": Kind.TOOL, "priorities": ["older-people"],
            "projects": ["falls-risk-check-in-the-first-24-hours"],
            "summary": "One page to print: what to ask and see when somebody comes to the ward.",
            "body": "- Has the person fallen in the last year?\n- Are glasses, hearing aids and shoes there?\n"
            "- What does the family know?",
        }),
        (400, 365, "Pressure ulcers", {
            "title": "Looking at skin at every move", "kind": Kind.GUIDE, "priorities": ["pressure-ulcers"],
            "summary": "How four teams made the look at the skin a part of every move.",
            "body": "# What helped\n\nOne chart for all, at the end of the bed.\n\n# What did not\n\nA second form.",
        }),
        (90, 540, "Measurement for improvement", {
            "title": "Your first run chart, step by step", "kind": Kind.COURSE, "priorities": ["measurement"],
            "summary": "From ten numbers on paper to a chart that a team understands.",
            "body": "1. Say what you want to know\n2. Write down one number a week\n3. Draw the middle",
        }),
        (150, 365, "Involving people", {
            "title": "A carer joins the team", "kind": Kind.CASE, "document": brochure,
            "summary": "What changed when somebody who cares for her mother came to each meeting.",
            "body": "The team began to plan from the day at home, not from the day on the ward.",
        }),
        ((world.today - before).days, 365, "Speaking up", {
            "title": "The youngest speaks first", "kind": Kind.LESSON, "lesson_month": before,
            "priorities": ["safety-culture-and-leadership"],
            "summary": "On one ward the newest member of the team opens the huddle. More concerns are heard.",
            "body": "**What we learned.** Whoever speaks first sets what others dare to say.",
        }),
        ((world.today - month).days, 365, "Falls", {
            "title": "Most falls at night have the same reason", "kind": Kind.LESSON, "lesson_month": month,
            "priorities": ["older-people"],
            "summary": "People want to go to the toilet and do not want to trouble anyone.",
            "body": "**What we learned.** A plan for the night, made with the person in the evening, helps to ask in time.",
        }),
    ]:  # fmt: skip
        with clock.at(world.moment(days_ago=days_ago)):
            values = values | {
                "priorities": [world.priorities[slug] for slug in values.get("priorities", [])],
                "projects": [world.projects[slug] for slug in values.get("projects", [])],
            }
            actions.create_resource(
                topics=[topics[topic]],
                source=MADE_UP,
                published_on=clock.today(),
                reviewed_on=clock.today(),
                review_due_on=clock.today() + dt.timedelta(days=review_in),
                by=staff,
                **values,
            )


# Offers --------------------------------------------------------------------------------------------------------------
def _make_offers(world):
    staff = world.users["staff"]
    with clock.at(world.moment(days_ago=20)):
        actions.create_offer(
            title="Bursary for a master's degree in improvement",
            summary="Two bursaries that pay half of the fees of a master's degree in quality improvement.",
            audience="Staff of member organisations who work on patient safety",
            body=f"{MADE_UP}\n\nYour organisation gives you the time, we pay half of the fees.",
            how_to_apply="Write one page on what you want to change, and have it signed by your manager. "
            "[Send it to us](/contact/).",
            opens_at=clock.now(),
            closes_at=world.moment(days_ago=-40, hour=17),
            by=staff,
        )
        actions.create_offer(
            title="An hour with an improvement coach",
            kind=Offer.Kind.COACHING,
            summary="Bring a chart, a plan or a problem. We think about it together.",
            audience="Any team in the region",
            body=MADE_UP,
            how_to_apply="[Tell us](/contact/) what it is about and when you have time.",
            opens_at=clock.now(),
            by=staff,
        )
    with clock.at(world.moment(days_ago=300)):
        actions.create_offer(
            title="Course on human factors",
            kind=Offer.Kind.COURSE,
            summary="Two days on why good people make mistakes, and how work can be made safer.",
            audience="Clinical and other staff",
            body=MADE_UP,
            how_to_apply="[Tell us](/contact/) that you want to come.",
            opens_at=clock.now(),
            closes_at=world.moment(days_ago=260, hour=17),
            by=staff,
        )
