"""What answers come to: their values, and what stands in the way of submitting, in sentences."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from proposals.questions.asking import Kind, Question, Section, is_answered, words
from proposals.questions.choices import Choices
from proposals.questions.sections import ADOPTERS, BENEFITS, BUDGET

LARGEST_NUMBER = Decimal("1e9")
BUDGET_YEARS = (1, 2, 3)


@dataclass
class Read:
    """What the answers of some sections come to: values by name, and what stands in the way, by name, as sentences."""

    values: dict = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[dict]] = field(default_factory=dict)


def read(sections: Iterable[Section], answers: Mapping, choices: Choices) -> Read:
    """Read the values out of raw answers, and find what stands in the way of submitting.

    What is not asked, because its condition is not met, has no value and stands in nobody's way.
    """
    found = Read()
    for section in sections:
        for question in section.questions:
            if section.applies(question, answers):
                _read_one(question, answers, choices, found)
            else:
                found.values[question.name] = _nothing(question)
        if section.one_of and not any(is_answered(answers.get(name)) for name in section.one_of):
            found.problems.setdefault(section.one_of[0], section.one_of_problem)
        if section.rows:
            found.rows[section.rows.name] = []
            if section.asks_rows(answers):
                _read_rows(section, answers, choices, found)
        if section.rows is BUDGET and (problem := over_limit(answers, choices.call)):
            found.problems.setdefault("budget-1-asked", problem)
    return found


def _read_rows(section: Section, answers: Mapping, choices: Choices, found: Read) -> None:
    rows = section.rows
    for number in rows.filled(answers) or ([1] if rows.is_required else []):
        row = Read()
        for question in rows.row(number):
            if section.applies(question, answers):
                _read_one(question, answers, choices, row)
            else:
                row.values[question.name] = _nothing(question)
        prefix = f"{rows.name}-{number}-"
        begun, ended = row.values.get(f"{prefix}from"), row.values.get(f"{prefix}to")
        if begun and ended and ended < begun:
            row.problems[f"{prefix}to"] = "The end must not be before the beginning"
        found.problems |= {name: f"{rows.one} {number}: {problem}" for name, problem in row.problems.items()}
        found.rows[rows.name].append({name.removeprefix(prefix): value for name, value in row.values.items()})


def _nothing(question: Question):
    return [] if question.kind in (Kind.CHOICES, Kind.FILE) else None


def _read_one(question: Question, answers: Mapping, choices: Choices, found: Read) -> None:
    raw = answers.get(question.name, "")
    if not is_answered(raw):
        found.values[question.name] = _nothing(question)
        if question.is_required:
            found.problems[question.name] = question.when_empty
        return
    try:
        found.values[question.name] = READERS[question.kind](question, raw, choices)
    except ValueError as problem:
        found.problems[question.name] = str(problem)


def _line(question, raw, choices):
    text = " ".join(raw.split())
    if len(text) > question.at_most:
        raise ValueError(f"{question.label} must be {question.at_most} characters or fewer. It has {len(text)} now.")
    return text


def _text(question, raw, choices):
    if question.word_limit and words(raw) > question.word_limit:
        raise ValueError(
            f"“{question.label}” must be {question.word_limit} words or fewer. It has {words(raw)} now, "
            "and your text is kept."
        )
    return raw.strip()


def _choice(question, raw, choices):
    if raw not in dict(choices.of(question)):
        raise ValueError(f"{question.label}: choose one of the list")
    return raw


def _choices(question, raw, choices):
    listed = dict(choices.of(question))
    raw = [raw] if isinstance(raw, str) else raw
    if any(one not in listed for one in raw):
        raise ValueError(f"{question.label}: choose from the list")
    return raw


def _number(question, raw, choices):
    try:
        value = Decimal(re.sub(r"[\s,]", "", raw))
    except InvalidOperation:
        raise ValueError(f"{question.label} must be a number, like 6.6")
    if not value.is_finite() or abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{question.label} must be a number of at most nine digits")
    if -value.as_tuple().exponent > 4:
        raise ValueError(f"{question.label} must have at most four decimal places")
    return value


def _whole(question, raw, choices):
    text = re.sub(r"[\s,]", "", raw)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ValueError(f"“{question.label}” must be a whole number, like 25")
    return int(text)


def _money(question, raw, choices):
    amount = as_amount(raw)
    if amount is None:
        raise ValueError(f"{question.label} must be an amount, like 12,500 or 99.50")
    return amount


def as_amount(raw: str) -> Decimal | None:
    """Pounds and pence as people type them."""
    text = re.sub(r"[\s,£]", "", raw)
    return Decimal(text) if re.fullmatch(r"\d{1,9}(\.\d{1,2})?", text, re.ASCII) else None


def _date(question, raw, choices):
    parts = re.split(r"[\s/.-]+", raw.strip())
    try:
        day, month, year = (int(part) for part in parts)
        value = dt.date(year, month, day)
    except (ValueError, OverflowError):
        raise ValueError(f"{question.label} must be a real date, like 31 3 2028")
    if not 2000 <= value.year <= 2100:
        raise ValueError(f"{question.label}: the year must have four digits, like 2028")
    return value


def _files(question, raw, choices):
    kept = [file.name for file in raw if not file.is_lost]
    if not kept:
        why = "held a virus" if raw[0].is_infected else "could not be scanned for viruses"
        raise ValueError(f"“{raw[0].name}” {why}, so nobody can read it. Add a clean copy, or take it out.")
    return kept


READERS = {
    Kind.LINE: _line,
    Kind.TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.MONEY: _money,
    Kind.DATE: _date,
    Kind.FILE: _files,
}


# Files ----------------------------------------------------------------------------------------------------------------
def with_files(answers: Mapping, attachments: Iterable) -> dict:
    """The answers, with the files that answer a question under its name."""
    found = dict(answers)
    for attachment in attachments:
        if attachment.question:
            found.setdefault(attachment.question, []).append(attachment)
    return found


# Money ----------------------------------------------------------------------------------------------------------------
def budget_totals(answers: Mapping) -> dict[str, Decimal]:
    """Sums of the budget lines that can be read as money."""
    by_year = budget_by_year(answers)
    return {name: sum((year[name] for year in by_year.values()), Decimal(0)) for name in ("asked", "matched")}


def budget_by_year(answers: Mapping) -> dict[int, dict[str, Decimal]]:
    """The same sums for each year that has a line; a line without a year is of the first."""
    found = {}
    for number in BUDGET.filled(answers):
        line = {one.name.rsplit("-", 1)[1]: answers.get(one.name) or "" for one in BUDGET.row(number)}
        year = int(line["year"]) if line["year"] in map(str, BUDGET_YEARS) else 1
        sums = found.setdefault(year, {"asked": Decimal(0), "matched": Decimal(0)})
        for name in sums:
            sums[name] += as_amount(line[name]) or 0
    return dict(sorted(found.items()))


def over_limit(answers: Mapping, call) -> str:
    """A sentence where the budget asks for more than one proposal can have."""
    asked, most = budget_totals(answers)["asked"], getattr(call, "money_per_project", None)
    if not most or asked <= most:
        return ""
    return (
        f"You ask for {pounds(asked)}. Up to {pounds(most)} is possible: "
        f"take {pounds(asked - most)} out, or move it to what others pay."
    )


def pounds(amount: Decimal) -> str:
    """£12,500, or £99.50."""
    return f"£{amount:,.2f}".removesuffix(".00")


# What a section says about itself -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    section: Section
    problems: dict[str, str]
    is_started: bool

    @property
    def is_complete(self) -> bool:
        return not self.problems and (self.is_started or self.section.is_required)


def progress(
    sections: Iterable[Section], answers: Mapping, choices: Choices, *, has_files: bool = False
) -> list[Progress]:
    return [
        Progress(
            section,
            read([section], answers, choices).problems,
            any(is_answered(answers.get(name)) for name in section.by_name) or (section.slug == "files" and has_files),
        )
        for section in sections
    ]


def advice(section: Section, answers: Mapping) -> list[str]:
    """What would make a section stronger and does not stand in its way."""
    if section.rows is BENEFITS:
        kinds = {answers.get(f"benefit-{number}-kind") for number in BENEFITS.filled(answers)}
        if kinds and "outcome" not in kinds:
            return ["None of your metrics is an outcome yet. Add one that shows whether it helped people."]
        if kinds and "balancing" not in kinds:
            return ["A balancing metric would show whether something else got worse. Reviewers look for one."]
    if (
        section.rows is ADOPTERS
        and not ADOPTERS.filled(answers)
        and any(is_answered(answers.get(name)) for name in section.names())
    ):
        return ["You have not listed an adopter yet. Reviewers look for adopters in several systems."]
    return []
