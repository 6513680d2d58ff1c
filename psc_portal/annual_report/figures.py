"""Every number of a report by name: what it says, how it is worked out, and the rows it rests on.

Made of a snapshot's (or a preview's) data alone, so a figure in a table, in prose, on its trace page and in the data
package is the same one, and can be worked out again from the frozen snapshot.

To give a new list of the snapshot its figures, write a function that takes the data and yields figures, mostly with
`count_of` and `sum_of`, and name it in SOURCES.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from measurement.figures import Point, Reading, number_text, with_unit
from pledges.models import ProgressUpdate
from projects.models import Project

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number (or period, or signal) that the report shows.

    reference: stable and safe in an address, like `calls.funded` or `metric:PU1.latest`.
    value: the number itself; None where it is hidden because of small numbers.
    shown: as the report shows it, with its unit.
    rows: what it rests on, each with the same columns.
    is_listed: offered to writers; values of single periods are not, there are too many.
    """

    reference: str
    label: str
    shown: str
    value: Decimal | float | str | None
    unit: str
    definition: str
    calculation: str
    rows: Sequence[Row] = ()
    is_listed: bool = True

    def __str__(self):
        return self.shown


def all_of(data: dict) -> dict[str, Figure]:
    """Every figure of a snapshot's data, by its reference, in the order of the report."""
    return {figure.reference: figure for source in SOURCES for figure in source(data)}


# Ways to make a figure -----------------------------------------------------------------------------------------------


def count_of(reference: str, label: str, rows: Iterable[Row], *, definition: str, unit: str = "") -> Figure:
    """How many rows there are."""
    rows = list(rows)
    return Figure(reference, label, number_text(len(rows), 0), len(rows), unit, definition, "Rows are counted.", rows)


def sum_of(reference: str, label: str, rows: Iterable[Row], column: str, *, definition: str, unit: str = "") -> Figure:
    """The sum of one column; empty cells add nothing. In pounds where the unit is £."""
    rows = list(rows)
    total = sum((Decimal(str(row[column])) for row in rows if row[column] not in (None, "")), Decimal(0))
    shown = pounds_text(total) if unit == "£" else number_text(total, 0 if total == total.to_integral() else 2)
    return Figure(reference, label, shown, total, unit, definition, f"The column “{column}” is added up.", rows)


def pounds_text(amount: Decimal) -> str:
    return f"£{number_text(amount, 0 if amount == amount.to_integral() else 2)}"


# Programme -----------------------------------------------------------------------------------------------------------


def of_priorities(data) -> Iterator[Figure]:
    rows = [
        {
            "priority": priority["title"],
            "kind": "must-do topic" if priority["is_must_do"] else "local priority",
            "projects": len(priority["projects"]),
            "metrics": len(priority["metrics"]),
        }
        for priority in data["priorities"]
    ]
    yield count_of("priorities.all", "Priorities", rows, definition="Priorities that were current at the data cut.")
    must_do = [row for row in rows if row["kind"] == "must-do topic"]
    yield count_of(
        "priorities.must_do",
        "National must-do topics",
        must_do,
        definition="Priorities that every patient safety collaborative in England works on.",
    )
    titles = {project["slug"]: project for project in data["projects"]}
    metrics = {metric["code"]: metric for metric in data["metrics"]}
    for priority in data["priorities"]:
        name, about = f"priority:{priority['slug']}", priority["title"]
        yield count_of(
            f"{name}.projects",
            f"Projects: {about}",
            map(_project, (titles[slug] for slug in priority["projects"])),
            definition=f"Public projects that work on “{about}”.",
        )
        yield count_of(
            f"{name}.metrics",
            f"Metrics: {about}",
            map(_metric, (metrics[code] for code in priority["metrics"])),
            definition=f"Public metrics that show “{about}”.",
        )


def _project(project) -> Row:
    return {
        "project": project["title"],
        "stage": project["stage_label"],
        "led by": project["lead"],
        "begun this year": "yes" if project["is_new"] else "no",
    }


def of_projects(data) -> Iterator[Figure]:
    projects = data["projects"]
    yield count_of(
        "projects.all",
        "Projects",
        map(_project, projects),
        definition="Public projects that had begun by the data cut, at whatever stage.",
    )
    yield count_of(
        "projects.new",
        "Projects begun this year",
        map(_project, (project for project in projects if project["is_new"])),
        definition="Public projects entered in the portal from 1 April to the data cut.",
    )
    for stage, label in Project.Status.choices:
        yield count_of(
            f"projects.{stage}",
            f"Projects: {label.lower()}",
            map(_project, (project for project in projects if project["stage"] == stage)),
            definition=f"Public projects whose stage at the data cut was “{label}”.",
        )
    parts = {(project["lead"], project["title"]): "leads" for project in projects}
    for project in projects:
        for partner in project["partners"]:
            parts.setdefault((partner, project["title"]), "partner")
    rows = [{"organisation": name, "project": title, "part": part} for (name, title), part in sorted(parts.items())]
    count = len({row["organisation"] for row in rows})
    yield Figure(
        "projects.organisations",
        "Organisations in projects",
        number_text(count, 0),
        count,
        "",
        "Organisations that lead a public project or are partners in one.",
        "Different names in the column “organisation” are counted: each organisation once.",
        rows,
    )


# Calls ---------------------------------------------------------------------------------------------------------------


def _call(call) -> Row:
    return {
        "call": call["title"],
        "opened": call["opens_at"][:10],
        "closed": call["closes_at"][:10],
        "received": call["received"],
        "eligible": call["eligible"],
        "funded": len(call["funded"]),
    }


def _award(call, award) -> Row:
    return {
        "call": call["title"],
        "project": award["title"],
        "organisation": award["organisation"],
        "pounds": award["amount_pounds"],
    }


RECEIVED = "Proposals submitted by the data cut to calls that were open in the year."
ELIGIBLE = "Proposals received that passed the check for eligibility."
FUNDED = "Proposals whose approval the applicant had been told of by the data cut."
AWARDED = "The amounts awarded to funded proposals."


def of_calls(data) -> Iterator[Figure]:
    rows = [_call(call) for call in data["calls"]]
    awards = [_award(call, award) for call in data["calls"] for award in call["funded"]]
    yield count_of("calls.all", "Calls", rows, definition="Calls for proposals that were open in the year.")
    yield sum_of("calls.received", "Proposals received", rows, "received", definition=RECEIVED)
    yield sum_of("calls.eligible", "Eligible proposals", rows, "eligible", definition=ELIGIBLE)
    yield count_of("calls.funded", "Funded proposals", awards, definition=FUNDED)
    yield sum_of("calls.awarded", "Money awarded", awards, "pounds", definition=AWARDED, unit="£")
    for call, row in zip(data["calls"], rows, strict=True):
        name, title = f"call:{call['slug']}", call["title"]
        mine = [_award(call, award) for award in call["funded"]]
        yield sum_of(f"{name}.received", f"Proposals received: {title}", [row], "received", definition=RECEIVED)
        yield sum_of(f"{name}.eligible", f"Eligible proposals: {title}", [row], "eligible", definition=ELIGIBLE)
        yield count_of(f"{name}.funded", f"Funded proposals: {title}", mine, definition=FUNDED)
        yield sum_of(f"{name}.awarded", f"Money awarded: {title}", mine, "pounds", definition=AWARDED, unit="£")
        for number, award in enumerate(mine, start=1):
            if award["pounds"] is not None:
                yield sum_of(
                    f"{name}.award-{number}",
                    f"Awarded to {award['project']}",
                    [award],
                    "pounds",
                    definition="The amount awarded to this proposal.",
                    unit="£",
                )


# Pledges -------------------------------------------------------------------------------------------------------------


def _statement(pledge, statement) -> Row:
    return {
        "organisation": pledge["organisation"],
        "pledge": statement["pledge"],
        "progress": statement["progress_label"],
        "last news": pledge["updated_on"],
    }


def of_pledges(data) -> Iterator[Figure]:
    pledges = data["pledges"]
    signed = [
        {
            "organisation": pledge["organisation"],
            "published": pledge["published_on"],
            "last news": pledge["updated_on"],
            "news": pledge["freshness_label"],
        }
        for pledge in pledges
    ]
    said = [(_statement(pledge, one), one) for pledge in pledges for one in pledge["statements"]]
    yield count_of(
        "pledges.organisations",
        "Organisations with public pledges",
        signed,
        definition="Organisations whose pledges were public by the data cut.",
    )
    yield count_of(
        "pledges.up_to_date",
        "Organisations that have given news in time",
        [row for row, pledge in zip(signed, pledges, strict=True) if pledge["freshness"] == "current"],
        definition="Organisations with public pledges whose last news was not overdue at the data cut.",
    )
    yield count_of(
        "pledges.all", "Pledges", [row for row, _one in said], definition="Pledges that organisations made in public."
    )
    for progress, label in ProgressUpdate.Progress.choices:
        yield count_of(
            f"pledges.{progress}",
            f"Pledges: {label.lower()}",
            [row for row, one in said if one["progress"] == progress],
            definition=f"Pledges whose last progress by the data cut was “{label}”.",
        )
    for pledge in pledges:
        for progress, label in ProgressUpdate.Progress.choices:
            yield count_of(
                f"pledge:{pledge['slug']}.{progress}",
                f"Pledges of {pledge['organisation']}: {label.lower()}",
                [_statement(pledge, one) for one in pledge["statements"] if one["progress"] == progress],
                definition=f"Pledges of {pledge['organisation']} whose last progress by the data cut was “{label}”.",
            )


# Metrics -------------------------------------------------------------------------------------------------------------


def _metric(metric) -> Row:
    return {
        "code": metric["code"],
        "metric": metric["name"],
        "kind": metric["kind_label"],
        "says": metric["reading"]["variation"]["words"],
    }


def has_data(metric) -> bool:
    return any(point["value"] is not None or point["is_hidden"] for point in metric["reading"]["points"])


def of_metrics(data) -> Iterator[Figure]:
    known = [metric for metric in data["metrics"] if has_data(metric)]
    yield count_of("metrics.all", "Metrics", map(_metric, data["metrics"]), definition="Metrics that are public.")
    yield count_of(
        "metrics.with_data",
        "Metrics with data",
        map(_metric, known),
        definition="Public metrics with at least one value up to the data cut.",
    )
    signals = {metric["reading"]["variation"]["name"]: metric["reading"]["variation"]["words"] for metric in known}
    for name, words in sorted(signals.items(), key=lambda signal: signal[1]):
        yield count_of(
            f"metrics.{name}",
            f"Metrics: {words.lower()}",
            map(_metric, (metric for metric in known if metric["reading"]["variation"]["name"] == name)),
            definition=f"Public metrics with data whose chart says “{words}” at its newest value.",
        )
    for metric in data["metrics"]:
        yield from of_metric(metric)


def of_metric(metric) -> Iterator[Figure]:
    """The newest value, its period and signal, mean and limits, target, how many values there are, and each of them."""
    reading = Reading.from_json(metric["reading"])
    rows = [_point(point) for point in reading.points]
    known = [row for row, point in zip(rows, reading.points, strict=True) if point.value is not None or point.is_hidden]
    about, definition = f"{metric['code']} {metric['name']}", metric["definition"]

    def figure(name, label, shown, value, calculation, rows, *, unit=reading.unit, is_listed=True):
        reference = f"metric:{metric['code']}.{name}"
        return Figure(
            reference, f"{label}: {about}", shown, value, unit, definition, calculation, rows, is_listed=is_listed
        )

    yield figure(
        "points", "Number of values", str(len(known)), len(known), "Periods with a value are counted.", rows, unit=""
    )
    if (latest := reading.latest) is None:
        return
    newest = [_point(latest)]
    yield figure("latest", "Latest value", reading.latest_text, latest.value, _how(metric), newest)
    yield figure(
        "period", "Latest period", latest.label, latest.label, "The period of the newest value.", newest, unit=""
    )
    words = reading.variation.words
    yield figure("variation", "What the chart says", words, words, _judged(reading), rows, unit="")
    if reading.lines:
        yield from _of_lines(reading, figure, rows)
    if reading.target is not None:
        how = "The target in force at the newest value, as set by the metric's owner."
        yield figure("target", "Target", reading.target_text, reading.target, how, [{"target": reading.target_number}])
    seen = {}
    for point, row in zip(reading.points, rows, strict=True):
        day = point.period_start.isoformat()
        seen[day] = number = seen.get(day, 0) + 1  # events are dated by month: there can be several
        if row in known:
            name = day if number == 1 else f"{day}-{number}"
            shown = "Hidden (small numbers)" if point.is_hidden else with_unit(point.value_text, reading.unit)
            yield figure(name, f"Value for {point.label}", shown, point.value, _how(metric), [row], is_listed=False)


def _of_lines(reading, figure, rows) -> Iterator[Figure]:
    first, last, centre = reading.lines[0], reading.lines[-1], reading.centre_name
    lines = [
        ("baseline", f"Baseline {centre}", first, first.mean, centre),
        ("mean", centre.capitalize(), last, last.mean, centre),
        ("lower", f"Lower {reading.limit_name}", last, last.lower, f"lower {reading.limit_name}"),
        ("upper", f"Upper {reading.limit_name}", last, last.upper, f"upper {reading.limit_name}"),
    ]
    for name, label, line, value, what in lines:
        if value is not None:
            part = rows[line.start : line.stop]
            how = (
                f"The {what} of the {reading.chart_name}, worked out from the published values from {part[0]['period']}"
                f" to {part[-1]['period']}{_rests_on(reading)}."
            )
            yield figure(name, label, with_unit(reading.line_text(value), reading.unit), value, how, part)


def _rests_on(reading) -> str:
    return f"; it rests on {reading.frozen}" if reading.frozen else ""


def _point(point: Point) -> Row:
    return {
        "period": point.label,
        "from": point.period_start.isoformat(),
        "to": point.period_end.isoformat(),
        "numerator": point.numerator_text,
        "denominator": point.denominator_text,
        "value": point.value_text,
        "what it says": point.meaning,
        "provisional": "yes" if point.is_provisional else "",
    }


def _how(metric) -> str:
    """How a value comes about, in words."""
    if metric["denominator"]:
        how = f"Numerator ({metric['numerator']}) ÷ denominator ({metric['denominator']}), in {metric['unit']}."
    elif metric["numerator"]:
        how = f"Counted: {metric['numerator']}."
    else:
        how = "Entered as a value."
    return f"{how} {metric['reading']['published_as']}".strip()


def _judged(reading) -> str:
    return (
        f"Judged on the {reading.chart_name} of the published values by the rules for special-cause variation, at "
        "the newest value."
    )


SOURCES: list[Callable[[dict], Iterable[Figure]]] = [of_priorities, of_projects, of_calls, of_pledges, of_metrics]
