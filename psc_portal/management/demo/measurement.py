"""The demonstration's metrics. All values are made up and say so; definitions are for a real collaborative to confirm.

The 14 metrics are proposals of ours for the topics of the programme. Their series hold what real ones hold: shifts,
trends, outliers, missing months, small counts, a rebase, a changed definition, a target that went up, a value left out,
a rare event.
"""

import datetime as dt
from typing import NamedTuple

from django.utils.text import slugify

from measurement import actions, periods
from measurement.actions import NewPoint, Values
from measurement.models import Metric
from psc_portal.common import clock

Kind, Dimension, Direction, Frequency = Metric.Kind, Metric.Dimension, Metric.Direction, Metric.Frequency
Chart = Metric.ChartType
MONTHS = 36
REGION = "region"


class Plan(NamedTuple):
    code: str
    name: str
    kind: Kind
    dimension: Dimension
    priority: str
    direction: Direction
    unit: str
    multiplier: int
    definition: dict
    why: str
    owner: str
    project: str = ""  # its title
    frequency: Frequency = Frequency.MONTH
    target: float | None = None
    target_set_by: str = ""
    people: tuple[bool, bool] = (True, True)  # whether numerator and denominator count people
    is_public: bool = True
    known_limits: str = ""
    chart: Chart = Chart.XMR


def counted(what, numerator="", denominator="", exclusions="", source="", sampling=""):
    return {
        "operational_definition": what,
        "numerator": numerator,
        "denominator": denominator,
        "exclusions": exclusions,
        "source": source,
        "sampling": sampling,
    }


BED_DAYS = "Occupied bed days"
PER_1000 = "per 1,000 occupied bed days"

METRICS = [
    Plan("CUL1", "Teams with a culture survey and a debrief held", Kind.PROCESS, Dimension.LEARNING,
         "safety-culture-and-leadership", Direction.INCREASE, "%", 100,
         counted("Of the teams that finished a safety culture survey in the month, those that held a debrief with all staff within 8 weeks.",
                 "Teams debriefed", "Teams surveyed", "Teams that were dissolved before the debrief", "Programme register"),
         "A survey changes nothing by itself. What the team says and does about it afterwards is what counts.", "lead",
         "Team debriefs after a culture survey", target=80, target_set_by="Programme board", people=(False, False), chart=Chart.P),
    Plan("CUL2", "Staff agreeing that it is safe to speak up", Kind.OUTCOME, Dimension.ANTICIPATION,
         "safety-culture-and-leadership", Direction.INCREASE, "%", 100,
         counted("Answers “agree” or “strongly agree” to “On my team it is safe to speak up about anything that concerns me”.",
                 "Agreeing", "Valid replies", "Teams with fewer than 10 replies", "Staff survey, spring and autumn"),
         "Where people can speak up, harm is seen and stopped earlier.", "lead", frequency=Frequency.HALF_YEAR, chart=Chart.RUN),
    Plan("MEA1", "Priority metrics with data in the last 60 days", Kind.PROCESS, Dimension.LEARNING,
         "measurement", Direction.INCREASE, "%", 100,
         counted("Metrics of this plan that had a new value within 60 days of the last day of the month.",
                 "Metrics up to date", "All live metrics", "Metrics collected twice a year or less", "This portal"),
         "A plan without fresh data is a list of intentions.", "lead", "One page of measures for every ward",
         target=90, target_set_by="Programme board", people=(False, False), chart=Chart.P),
    Plan("OLD1", "Inpatient falls", Kind.OUTCOME, Dimension.PAST_HARM, "older-people", Direction.DECREASE, PER_1000, 1000,
         counted("Every fall of an inpatient that was recorded as an event, with harm or without.", "Falls", BED_DAYS,
                 "Falls in outpatient departments", "Local event records and bed census"),
         "A fall in hospital can end a person’s independence.", "owner", "Falls risk check in the first 24 hours",
         people=(True, False), known_limits="More recording is not more harm. Do not compare organisations by this number.", chart=Chart.U),
    Plan("OLD2", "Falls risk check done within 24 hours of admission", Kind.PROCESS, Dimension.RELIABILITY, "older-people",
         Direction.INCREASE, "%", 100,
         counted("A sample of admissions aged 65 and over in which all six questions of the falls risk check were answered within 24 hours.",
                 "Checks done in time", "Admissions sampled", "Stays shorter than 24 hours", "Ward sample",
                 "20 admissions a week: every fifth in the order of admission"),
         "The check finds what can be changed before the first night.", "owner", "Falls risk check in the first 24 hours",
         target=95, target_set_by="Project team", chart=Chart.P),
    Plan("DEL1", "Delirium screen on admission, aged 65 and over", Kind.PROCESS, Dimension.RELIABILITY, "delirium",
         Direction.INCREASE, "%", 100,
         counted("Emergency admissions aged 65 and over with a recorded delirium screen within 24 hours.", "Screened",
                 "Eligible admissions", "People who could not be screened, with the reason recorded", "Electronic patient record"),
         "Delirium that nobody looks for is treated late.", "lead", "Delirium screen for every admission over 65",
         target=90, target_set_by="Project team", chart=Chart.P),
    Plan("TRA1", "Discharge summary with the practice within 24 hours", Kind.PROCESS, Dimension.RELIABILITY,
         "transition-of-care", Direction.INCREASE, "%", 100,
         counted("Discharges home whose summary reached the general practice within 24 hours.", "Sent in time", "Discharges home",
                 "Deaths and transfers", "Electronic patient record"),
         "What the practice does not know on the first day goes wrong in the first week.", "lead",
         "Discharge summaries that reach the practice in a day", target=85, target_set_by="Project team", chart=Chart.P_PRIME),
    Plan("RES1", "Restrictive interventions", Kind.OUTCOME, Dimension.PAST_HARM, "restraint", Direction.DECREASE, PER_1000, 1000,
         counted("Every physical, chemical or mechanical restraint and every seclusion that was recorded.", "Interventions", BED_DAYS,
                 "", "Local event records"),
         "Restraint harms the person, the staff and the trust between them.", "staff", "Calm rooms on acute mental health wards",
         people=(True, False), chart=Chart.U),
    Plan("RES2", "Staff injuries from assault", Kind.BALANCING, Dimension.PAST_HARM, "restraint", Direction.DECREASE, PER_1000, 1000,
         counted("Injuries of staff by assault that needed first aid or more.", "Injuries", BED_DAYS, "", "Staff event records"),
         "Fewer restraints must not mean that staff are hurt more.", "", "Calm rooms on acute mental health wards",
         people=(True, False), known_limits="Counts are small: read the direction over many months, not single values.", chart=Chart.U),
    Plan("SUI1", "Contact within 72 hours of leaving a mental health ward", Kind.PROCESS, Dimension.RELIABILITY, "suicide",
         Direction.INCREASE, "%", 100,
         counted("Discharges from adult mental health wards followed by a contact with the person, in person or by phone, within 72 hours.",
                 "Followed up", "Discharges", "Transfers to another hospital", "Mental health records"),
         "The first days at home are the most dangerous ones.", "lead", "Contact within 72 hours of leaving a mental health ward",
         target=80, target_set_by="Project team", chart=Chart.P),
    Plan("PU1", "New pressure ulcers, category 2 and above", Kind.OUTCOME, Dimension.PAST_HARM, "pressure-ulcers",
         Direction.DECREASE, PER_1000, 1000,
         counted("Pressure ulcers of category 2 and above that were first seen in the organisation’s own care.", "New ulcers", BED_DAYS,
                 "Ulcers present on admission", "Skin check records"),
         "Most pressure ulcers can be prevented. Each one hurts for weeks.", "owner", "Skin checks at every move",
         target=1.2, target_set_by="Programme board", people=(True, False), chart=Chart.U),
    Plan("PU2", "Days between new category 3 or 4 pressure ulcers", Kind.OUTCOME, Dimension.PAST_HARM, "pressure-ulcers",
         Direction.INCREASE, "days", 1,
         counted("Days from one new pressure ulcer of category 3 or 4 in the region’s participating wards to the next.",
                 source="Skin check records"),
         "Serious ulcers are rare: the time between them says more than a count a month.", "owner", "Skin checks at every move",
         frequency=Frequency.EVENT, people=(False, False), chart=Chart.T),
    Plan("DET1", "NEWS2 complete and escalated in time", Kind.PROCESS, Dimension.OPERATIONS, "safety-culture-and-leadership",
         Direction.INCREASE, "%", 100,
         counted("Observation sets in a weekly sample that were complete, added up rightly and escalated as the score asks.",
                 "Sets that met all three", "Sets sampled", "Paediatric and maternity wards", "Ward sample"),
         "Deterioration that is seen in time can be turned round.", "owner", people=(False, False), is_public=False,
         known_limits="Shared among members only until the samples are large enough to publish.", chart=Chart.P),
    Plan("EXP1", "Carers who felt listened to about safety", Kind.OUTCOME, Dimension.ANTICIPATION, "older-people",
         Direction.INCREASE, "%", 100,
         counted("Carers who answered “always” or “mostly” to “When you had a worry about safety, did staff listen?”", "Yes", "Replies",
                 "Replies without an answer to this question", "Carers’ survey, every 3 months"),
         "Carers see what staff cannot: what changed since yesterday.", "lead", frequency=Frequency.QUARTER, chart=Chart.RUN),
]  # fmt: skip


def make(world):
    for plan in METRICS:
        with clock.at(world.moment(days_ago=1150)):
            world.metrics[plan.code] = _add(world, plan)
    _fill(world)
    _explain(world)


def _add(world, plan: Plan) -> Metric:
    metric = actions.create_metric(
        code=plan.code,
        name=plan.name,
        kind=plan.kind,
        dimension=plan.dimension,
        direction=plan.direction,
        unit=plan.unit,
        multiplier=plan.multiplier,
        frequency=plan.frequency,
        priority=world.priorities[plan.priority],
        project=world.projects.get(slugify(plan.project)) if plan.project else None,
        target=plan.target,
        target_from=_months(world)[0] if plan.target is not None else None,
        target_set_by=plan.target_set_by,
        definition=plan.definition,
        series_of=[],
        is_public=plan.is_public,
        numerator_counts_people=plan.people[0],
        denominator_counts_people=plan.people[1],
        why_it_matters=plan.why,
        known_limits=plan.known_limits,
        chart_type=plan.chart,
        is_illustrative=True,
        by=world.users["staff"],
    )
    if plan.owner:
        deputy = world.users["staff"] if plan.owner != "staff" else world.users["lead"]
        actions.set_owner(metric=metric, user=world.users[plan.owner], deputy=deputy, by=world.users["staff"])
    return metric


# Values --------------------------------------------------------------------------------------------------------------


def _months(world) -> list[dt.date]:
    """Starts of the last 36 months that are over."""
    first = periods.later(world.today.replace(day=1), -MONTHS)
    return [periods.later(first, month) for month in range(MONTHS)]


def _starts(world, frequency) -> list[dt.date]:
    months = _months(world)
    if frequency == Frequency.MONTH:
        return months
    starts = sorted({periods.start_of(month, frequency) for month in months})
    return [start for start in starts if start >= months[0] and periods.end_of(start, frequency) < world.today]


class Shape(NamedTuple):
    """How a series goes: its size, its level, and what happens to it on the way. Months count from 0."""

    place: str
    size: tuple[int, int]  # smallest and largest denominator
    level: float  # numerator / denominator
    steps: dict[int, float] = {}  # from this month on, this level
    slope: float = 0.0  # added each month
    outliers: dict[int, float] = {}  # in this month, this level
    missing: frozenset[int] = frozenset()


SHAPES = {
    "CUL1": [Shape(REGION, (18, 34), 0.42, {21: 0.68})],
    "CUL2": [Shape(REGION, (880, 1240), 0.66, slope=0.002)],
    "MEA1": [Shape(REGION, (13, 14), 0.55, {14: 0.8, 27: 0.93})],
    "OLD1": [
        Shape("RFS", (14000, 16500), 0.0068),
        Shape("RK5", (18000, 21000), 0.0066, {20: 0.0053}),
        Shape("RX1", (41000, 46000), 0.0062, outliers={9: 0.0088}),
        Shape("RTG", (36000, 41000), 0.0059),
    ],
    "OLD2": [
        Shape("RK5", (76, 92), 0.54, {18: 0.74, 27: 0.86}),
        Shape("RFS", (74, 90), 0.48, {26: 0.7}),
    ],
    "DEL1": [Shape("RTG", (380, 470), 0.37, {19: 0.71})],
    "TRA1": [
        Shape("RNQ", (1900, 2300), 0.71, slope=0.003, outliers={24: 0.38}),
        Shape("RNS", (2300, 2700), 0.77),
    ],
    "RES1": [
        Shape("RXM", (7600, 8400), 0.0131, {22: 0.0092}),
        Shape("RHA", (11800, 13000), 0.0108, missing=frozenset({15, 16, 17})),
    ],
    "RES2": [Shape("RXM", (7600, 8400), 0.0013, {27: 0.0026})],
    "SUI1": [
        Shape("RHA", (150, 190), 0.79, {17: 0.9}),
        Shape("RT5", (110, 140), 0.82),
        Shape("RP1", (90, 120), 0.84, outliers={31: 0.6}),
    ],
    "PU1": [
        Shape("RFS", (14000, 16500), 0.0021, {23: 0.0013}),
        Shape("RY8", (8200, 9400), 0.0024, {20: 0.0012}, outliers={11: 0.0052}),
        Shape("RY5", (6900, 7800), 0.0019),
    ],
    "DET1": [Shape("RFS", (180, 220), 0.81, slope=-0.004), Shape("RWE", (380, 420), 0.86)],
    "EXP1": [Shape(REGION, (95, 140), 0.62, slope=0.004)],
}  # fmt: skip
IN_REGION = {"OLD1", "SUI1", "PU1"}  # the region's series is the sum of these organisations
LATE = {("PU1", "RFS"): 1, ("PU1", "RY5"): 1, ("OLD2", "RFS"): 2, ("MEA1", REGION): 1}  # so many newest months are due
PROVISIONAL = {"OLD1", "TRA1"}  # the newest value may still change


def _level(shape: Shape, month: int) -> float:
    if month in shape.outliers:
        return shape.outliers[month]
    level = shape.level
    for since, stepped in shape.steps.items():
        if month >= since:
            level = stepped
    return min(0.99, max(0.0002, level + shape.slope * month))


def _draw(world, shape: Shape, month: int) -> tuple[int, int]:
    denominator = world.rng.randint(*shape.size)
    return world.rng.binomialvariate(denominator, _level(shape, month)), denominator


def _fill(world):
    for code, shapes in SHAPES.items():
        metric = world.metrics[code]
        starts = _starts(world, metric.frequency)
        drawn = {
            shape.place: {start: _draw(world, shape, _month_of(starts, start, metric)) for start in starts}
            for shape in shapes
        }
        for shape in shapes:
            for month in shape.missing:
                del drawn[shape.place][starts[month]]
        if code in IN_REGION:
            drawn = {REGION: _sum(drawn, starts), **drawn}
        for place, values in drawn.items():
            months_late = LATE.get((code, place), 0)
            if place == REGION and code in {late for late, _ in LATE}:
                months_late = 1
            for start in starts[len(starts) - months_late :]:
                del values[start]
        _store(world, metric, drawn)
    _fill_days_between(world)


def _month_of(starts, start, metric) -> int:
    """How many months into the three years a period starts, whichever length it has."""
    first = starts[0]
    return (start.year - first.year) * 12 + start.month - first.month


def _sum(drawn, starts) -> dict:
    return {start: tuple(map(sum, zip(*(values[start] for values in drawn.values()), strict=True))) for start in starts}


def _store(world, metric, drawn):
    """As teams do it: the back data in one go, then what came since."""
    staff = world.users["staff"]
    series = {}
    with clock.at(world.moment(days_ago=1149)):
        for place in drawn:
            organisation = None if place == REGION else world.organisations[place]
            series[place] = actions.open_series(metric=metric, organisation=organisation, by=staff)
    rows = []
    for place, values in drawn.items():
        newest = max(values)
        for start, (numerator, denominator) in values.items():
            is_provisional = metric.code in PROVISIONAL and start == newest
            rows.append(
                NewPoint(
                    series[place],
                    start,
                    Values(actions.decimal(numerator), actions.decimal(denominator), is_provisional=is_provisional),
                )
            )
    split = world.date(days_ago=180)
    for name, days_ago, wanted in (
        ("Back data.csv", 180, lambda row: periods.end_of(row.period_start, metric.frequency) < split),
        ("Last half-year.csv", 3, lambda row: periods.end_of(row.period_start, metric.frequency) >= split),
    ):
        chosen = [row for row in rows if wanted(row)]
        if chosen:
            with clock.at(world.moment(days_ago=days_ago)):
                actions.store_points(metric=metric, rows=chosen, name=name, by=staff)


def _fill_days_between(world):
    """A rare event: one row each time it happens, with the days since the one before."""
    metric = world.metrics["PU2"]
    with clock.at(world.moment(days_ago=1149)):
        series = actions.open_series(metric=metric, organisation=None, by=world.users["staff"])
    day, rows = _months(world)[0], []
    while True:
        days = max(1, round(world.rng.expovariate(1 / (22 if len(rows) < 26 else 48))))
        day += dt.timedelta(days=days)
        if day >= world.today:
            break
        rows.append(NewPoint(series, day, Values(value=actions.decimal(days))))
    with clock.at(world.moment(days_ago=2)):
        actions.store_points(metric=metric, rows=rows, name="Serious ulcers.csv", by=world.users["staff"])


# What happened -------------------------------------------------------------------------------------------------------


def _explain(world):
    """Annotations, a rebase, a changed definition and a correction."""
    months = _months(world)
    for code, place, month, kind, text in [
        ("CUL1", None, 21, "intervention", "Facilitators from outside the team offered to every team"),
        ("OLD1", None, 9, "outside_event", "Norovirus: several wards closed and staff moved"),
        ("OLD2", "RK5", 18, "pdsa", "Six questions in place of a score, on one ward"),
        ("OLD2", "RK5", 27, "intervention", "Six questions on all wards"),
        ("DEL1", None, 19, "intervention", "The screen became part of the admission form"),
        ("TRA1", "RNQ", 24, "data_quality", "The link to practices was down for two weeks"),
        ("RES1", "RHA", 15, "data_quality", "Three months lost in the change of the record system"),
        ("RES1", "RXM", 22, "intervention", "First calm room opened"),
        ("SUI1", "RHA", 17, "intervention", "A named caller for weekends"),
        ("SUI1", "RP1", 31, "outside_event", "Two of three callers off sick"),
        ("PU1", None, 20, "intervention", "Skin checks at every move, first wards"),
        ("PU1", "RY8", 11, "outside_event", "Mattress supplier changed"),
    ]:
        metric = world.metrics[code]
        series = None if place is None else metric.series.get(organisation=world.organisations[place])
        with clock.at(world.moment(days_ago=4)):
            actions.annotate(
                metric=metric,
                series=series,
                date=months[month] + dt.timedelta(days=9),
                kind=kind,
                text=text,
                pdsa_cycle=metric.project.pdsa_cycles.first() if kind == "pdsa" and metric.project else None,
                by=world.users["staff"],
            )
    with clock.at(world.moment(days_ago=3)):
        actions.rebase(
            series=world.metrics["DEL1"].series.get(),
            from_date=months[19],
            reason="The screen has been part of the admission form since then, and the new level has lasted for over a year",
            by=world.users["lead"],
        )
    with clock.at(world.moment(days_ago=2)):
        _define_again(world, months)
        _correct(world, months)
        _plan(world, months)
        _say_what_is_missing(world, months)


def _define_again(world, months):
    metric = world.metrics["TRA1"]
    newest = metric.version
    actions.define_metric(
        metric=metric,
        valid_from=months[12],
        reason="Practices asked for the time of arrival, not the time of sending",
        operational_definition="Discharges home whose summary was in the practice’s inbox within 24 hours.",
        numerator=newest.numerator,
        denominator=newest.denominator,
        exclusions=newest.exclusions,
        source=newest.source,
        sampling=newest.sampling,
        by=world.users["staff"],
    )


def _plan(world, months):
    """A target that went up, a planned way, a value left out, and more of a definition record."""
    lead, owner = world.users["lead"], world.users["owner"]
    actions.set_target(
        metric=world.metrics["SUI1"],
        value=90,
        from_date=months[24],
        set_by="Programme board",
        reason="Eight in ten had become the rule",
        by=lead,
    )
    actions.set_trajectory(
        series=world.metrics["DEL1"].series.get(),
        steps=[(months[19], actions.decimal(60)), (periods.later(months[-1], 6), actions.decimal(90))],
        reason="Improvement plan of the admission units",
        by=lead,
    )
    actions.exclude_point(
        series=world.metrics["TRA1"].series.get(organisation=world.organisations["RNQ"]),
        period_start=months[24],
        reason="The link to practices was down for two weeks: summaries were sent, and not received",
        by=lead,
    )
    actions.describe_metric(
        metric=world.metrics["OLD2"],
        collector="Ward clerks; the falls team checks one sheet in ten",
        stratified_by="Organisation",
        baseline_from=months[0],
        baseline_to=months[18] - dt.timedelta(days=1),
        days_until_final=60,
        by=owner,
    )


def _say_what_is_missing(world, months):
    for what, why, plan, by_whom, priority, dimension in [
        (
            "Psychological harm, as patients and families feel it",
            "No questionnaire has been found that people find bearable so soon after harm.",
            "Try two short questionnaires with the patients’ panel, and publish what was learned even if neither works.",
            "Patients’ panel and programme team",
            None,
            Dimension.PAST_HARM,
        ),
        (
            "How often staff act on a worry before anything happens",
            "Worries are told at handover and written down nowhere.",
            "Nothing yet. The topic is on the list of the next call for proposals.",
            "Programme board",
            "safety-culture-and-leadership",
            Dimension.OPERATIONS,
        ),
    ]:
        actions.add_not_yet_measured(
            what=what,
            why=why,
            plan=plan,
            by_whom=by_whom,
            since=months[12],
            priority=world.priorities[priority] if priority else None,
            dimension=dimension,
            by=world.users["lead"],
        )


def _correct(world, months):
    series = world.metrics["OLD2"].series.get(organisation=world.organisations["RFS"])
    point = series.points.current().get(period_start=months[-3])
    actions.enter_point(
        series=series,
        period_start=point.period_start,
        numerator=point.numerator - 3,
        denominator=point.denominator,
        reason="Three checks had been counted twice",
        by=world.users["owner"],
    )
