"""The real organisations of the East Midlands with their ODS codes, and the priorities of its collaborative.

Sources: ODS open reference data (codes, names, systems); EMAHSN, Impact report: Patient Safety Collaborative
(priorities asked for by partners in 2014/15); the collaborative's programme page (must-do topics).
"""

import datetime as dt
from typing import NamedTuple

from projects import actions
from projects.models import CareSetting as Care
from projects.models import Organisation, Priority
from psc_portal.common import clock

Kind = Organisation.Kind

SYSTEMS = {
    "QJ2": "Derby and Derbyshire",
    "QK1": "Leicester, Leicestershire and Rutland",
    "QJM": "Lincolnshire",
    "QPM": "Northamptonshire",
    "QT1": "Nottingham and Nottinghamshire",
}


class Row(NamedTuple):
    key: str
    name: str
    system: str
    care_settings: list
    kind: Kind = Kind.TRUST
    has_ods_code: bool = True
    serves_all_systems: bool = False
    former_names: list = []


ORGANISATIONS = [
    Row("RFS", "Chesterfield Royal Hospital NHS Foundation Trust", "QJ2", [Care.ACUTE]),
    Row("RTG", "University Hospitals of Derby and Burton NHS Foundation Trust", "QJ2", [Care.ACUTE, Care.MATERNITY]),
    Row("RXM", "Derbyshire Healthcare NHS Foundation Trust", "QJ2", [Care.MENTAL_HEALTH]),
    Row("RY8", "Derbyshire Community Health Services NHS Foundation Trust", "QJ2", [Care.COMMUNITY]),
    Row("RWE", "University Hospitals of Leicester NHS Trust", "QK1", [Care.ACUTE, Care.MATERNITY]),
    Row("RT5", "Leicestershire Partnership NHS Trust", "QK1", [Care.MENTAL_HEALTH, Care.COMMUNITY]),
    Row("RWD", "United Lincolnshire Teaching Hospitals NHS Trust", "QJM", [Care.ACUTE, Care.MATERNITY],
        former_names=["United Lincolnshire Hospitals NHS Trust"]),
    Row("RP7", "Lincolnshire Partnership NHS Foundation Trust", "QJM", [Care.MENTAL_HEALTH]),
    Row("RY5", "Lincolnshire Community Health Services NHS Trust", "QJM", [Care.COMMUNITY]),
    Row("RNQ", "Kettering General Hospital NHS Foundation Trust", "QPM", [Care.ACUTE]),
    Row("RNS", "Northampton General Hospital NHS Trust", "QPM", [Care.ACUTE, Care.MATERNITY]),
    Row("RP1", "Northamptonshire Healthcare NHS Foundation Trust", "QPM", [Care.MENTAL_HEALTH, Care.COMMUNITY]),
    Row("RX1", "Nottingham University Hospitals NHS Trust", "QT1", [Care.ACUTE, Care.MATERNITY]),
    Row("RK5", "Sherwood Forest Hospitals NHS Foundation Trust", "QT1", [Care.ACUTE]),
    Row("RHA", "Nottinghamshire Healthcare NHS Foundation Trust", "QT1", [Care.MENTAL_HEALTH, Care.COMMUNITY]),
    Row("RX9", "East Midlands Ambulance Service NHS Trust", "", [Care.AMBULANCE], serves_all_systems=True),
    Row("NR3", "Nottingham CityCare Partnership CIC", "QT1", [Care.COMMUNITY], Kind.CHARITY),
    Row("NNJ", "DHU Health Care CIC", "QJ2", [Care.GENERAL_PRACTICE], Kind.CHARITY),
    Row("QJ2", "NHS Derby and Derbyshire Integrated Care Board", "QJ2", [Care.WHOLE_SYSTEM], Kind.ICB),
    Row("QK1", "NHS Leicester, Leicestershire and Rutland Integrated Care Board", "QK1", [Care.WHOLE_SYSTEM], Kind.ICB),
    Row("QJM", "NHS Lincolnshire Integrated Care Board", "QJM", [Care.WHOLE_SYSTEM], Kind.ICB),
    Row("QPM", "NHS Northamptonshire Integrated Care Board", "QPM", [Care.WHOLE_SYSTEM], Kind.ICB),
    Row("QT1", "NHS Nottingham and Nottinghamshire Integrated Care Board", "QT1", [Care.WHOLE_SYSTEM], Kind.ICB),
    Row("emahsn", "East Midlands Academic Health Science Network", "", [Care.WHOLE_SYSTEM], Kind.NETWORK, False, True),
    Row("uon", "University of Nottingham", "QT1", [], Kind.UNIVERSITY, False),
    Row("harbour", "Harbourlight Systems Ltd (made-up company)", "QK1", [], Kind.COMPANY, False),
]  # fmt: skip

POSTCODES = {  # of headquarters or the main hospital, where known: they say who is near whom
    "RFS": "S44 5BL", "RTG": "DE22 3NE", "RXM": "DE22 3LZ", "RWE": "LE1 5WW", "RT5": "LE4 8PQ", "RWD": "LN2 5QY",
    "RP7": "LN1 1FS", "RNQ": "NN16 8UZ", "RNS": "NN1 5BD", "RP1": "NN15 7PW", "RX1": "NG7 2UH", "RK5": "NG17 4JL",
    "RHA": "NG3 6AA", "RX9": "NG8 6PY",
}  # fmt: skip

CONSULTATION = "Partners and stakeholders of the collaborative, in the 2014/15 consultation"
EMAHSN_REPORT = "EMAHSN, Impact report: Patient Safety Collaborative"
NHS_ENGLAND = "NHS England credited the collaborative's work on it to partners in the region"


class Topic(NamedTuple):
    slug: str
    title: str
    summary: str
    why_chosen: str
    asked_by: str = CONSULTATION
    source: str = EMAHSN_REPORT
    kind: Priority.Kind = Priority.Kind.LOCAL


MUST_DO = "NHS England: a national must-do topic of every patient safety collaborative"
PROGRAMME_PAGE = "EMAHSN, East Midlands Patient Safety Collaborative (programme page)"

TOPICS = [
    Topic("safety-culture-and-leadership", "Safety culture and leadership",
          "Teams where anyone can speak up, and leaders who listen and act on what they hear.",
          "Care is safer where staff and patients can raise a concern and see something happen because of it.",
          MUST_DO, PROGRAMME_PAGE, Priority.Kind.MUST_DO),
    Topic("measurement", "Measurement",
          "Knowing whether care is getting safer, from data that the people who give the care trust and use.",
          "Without measurement over time nobody can tell an improvement from chance.",
          MUST_DO, PROGRAMME_PAGE, Priority.Kind.MUST_DO),
    Topic("older-people", "Older people",
          "Fewer falls and less harm for older people in hospital, in care homes and at home.",
          "Older people spend the most days in hospital and meet the most avoidable harm there."),
    Topic("suicide", "Suicide prevention",
          "Safer care at the times of highest risk, above all in the days after leaving hospital.",
          "The first days after discharge are the time of highest risk for people in mental health care."),
    Topic("delirium", "Delirium",
          "Spotting sudden confusion early, treating its causes and involving families.",
          "Delirium is common in older inpatients, is often missed and can often be prevented."),
    Topic("restraint", "Restraint",
          "Fewer restrictive interventions, through care that people helped to plan.",
          "Restraint harms patients and staff; wards that plan care with people use less of it."),
    Topic("transition-of-care", "Transition of care",
          "Nothing lost when a person moves between hospital, home, a care home or another team.",
          "Information that arrives late or not at all leads to missed medicines and readmissions."),
    Topic("pressure-ulcers", "Pressure ulcers",
          "Fewer pressure ulcers, in hospital and in the community.",
          "Most pressure ulcers can be avoided; they are painful and slow recovery.", NHS_ENGLAND),
    Topic("healthcare-associated-infection", "Healthcare-associated infection",
          "Fewer infections that people catch while they are being cared for.",
          "Infections caught in care lengthen stays and can be fatal; the basics prevent many of them.", NHS_ENGLAND),
]  # fmt: skip

PRIORITIES_SINCE = dt.date(2014, 10, 14)  # public launch of the programme


def make(world):
    with clock.at(world.moment(days_ago=1300)):
        for code, name in SYSTEMS.items():
            world.systems[code] = actions.create_system(code=code, name=name, by=None)
        for row in ORGANISATIONS:
            world.organisations[row.key] = actions.create_organisation(
                ods_code=row.key if row.has_ods_code else None,
                name=row.name,
                kind=row.kind,
                care_settings=row.care_settings,
                system=world.systems.get(row.system),
                serves_all_systems=row.serves_all_systems,
                former_names=row.former_names,
                postcode=POSTCODES.get(row.key, ""),
                by=None,
            )
        for position, topic in enumerate(TOPICS):
            priority = actions.create_priority(
                title=topic.title,
                kind=topic.kind,
                summary=topic.summary,
                why_chosen=topic.why_chosen,
                asked_by=topic.asked_by,
                source=topic.source,
                from_date=PRIORITIES_SINCE,
                position=position,
                by=None,
            )
            world.priorities[topic.slug] = priority
