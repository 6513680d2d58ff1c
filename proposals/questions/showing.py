"""Answers as people read them: on the check page, the receipt, the copy, and by reviewers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.db.models import prefetch_related_objects

from proposals import blinding, identities
from proposals.models import Proposal
from proposals.questions import reading
from proposals.questions.asking import Kind, Question, Section, is_answered
from proposals.questions.choices import AGREED, OUTSIDE, Choices
from proposals.questions.sections import ADOPTERS, sections_of


@dataclass(frozen=True)
class Answer:
    """One answered question as a reader sees it."""

    question: Question
    text: str
    files: tuple = ()  # attachments, each with a link

    @property
    def is_empty(self) -> bool:
        return not self.text


def as_text(question: Question, raw, choices: Choices) -> str:
    if not is_answered(raw):
        return question.if_empty
    if question.kind == Kind.CHOICE:
        return choices.label(question, raw)
    if question.kind == Kind.CHOICES:
        return ", ".join(choices.label(question, one) for one in ([raw] if isinstance(raw, str) else raw))
    if question.kind == Kind.FILE:
        return ", ".join(file.name for file in raw)
    if question.kind == Kind.MONEY:
        amount = reading.as_amount(raw)
        return raw if amount is None else reading.pounds(amount)
    if question.kind == Kind.DATE:
        try:
            value = reading._date(question, raw, choices)
        except ValueError:
            return raw
        return f"{value.day} {value:%B %Y}"
    return raw


@dataclass(frozen=True)
class Shown:
    """A section with its answers, for check page, receipt, printable copy and reviewers."""

    section: Section
    answers: list[Answer]
    rows: list[tuple[int, list[Answer]]]
    problems: dict[str, str] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)

    @property
    def headings(self) -> list[str]:
        return [question.label for question in self.section.rows.questions] if self.section.rows else []


def shown(
    sections: Iterable[Section],
    answers: Mapping,
    choices: Choices,
    *,
    blind: bool = False,
    with_problems: bool = False,
) -> list[Shown]:
    """Every section with its answers.

    What was not asked, because its condition is not met, is not shown, whatever was typed there before; a blind reader
    gets no answer that names people or organisations.
    """
    return [_shown(section, answers, choices, blind, with_problems) for section in sections]


def shown_of(proposal, *, attachments: Iterable = (), blind: bool = False, with_problems: bool = False) -> list[Shown]:
    """A proposal with the files that its reader may have. A blind reader finds no name of its writers in any answer."""
    found = shown(
        sections_of(proposal.call, proposal),
        reading.with_files(proposal.answers, attachments),
        Choices(proposal.call, proposal.organisation),
        blind=blind,
        with_problems=with_problems,
    )
    if blind and (pattern := blinding.pattern_of(proposal)):
        for one in found:
            one.answers[:] = [_hidden(answer, pattern) for answer in one.answers]
            one.rows[:] = [(number, [_hidden(answer, pattern) for answer in row]) for number, row in one.rows]
    return found


def names_told(proposal, choices=None) -> dict[str, list[str]]:
    """Where what blind reviewers read names the team or an organisation: by place, the names. They read "[hidden]"."""
    texts, choices = {}, choices or Choices(proposal.call)
    for one in shown(sections_of(proposal.call, proposal), proposal.answers, choices, blind=True):
        for answer in one.answers:
            texts[f"{one.section.title}, “{answer.question.label}”"] = answer.text
        for number, row in one.rows:
            for answer in row:
                texts[f"{one.section.rows.one} {number}, “{answer.question.label}”"] = answer.text
    return blinding.places_that_tell(proposal, texts)


def names_told_by_each(call, proposals: Iterable) -> dict[str, dict[str, list[str]]]:
    """The same for many proposals of a call, by reference; those that name nobody are not in it. Few queries."""
    prefetch_related_objects([call], "questions", "priorities")
    rows = Proposal.objects.filter(pk__in=[one.pk for one in proposals]).order_by("reference").defer("search")
    writers = ("partners", "collaborators__user")
    rows = rows.select_related("applicant", "organisation", "earlier__applicant", "earlier__organisation")
    rows = rows.prefetch_related(
        *writers,
        *(f"earlier__{one}" for one in (*writers, "decisions__letter__comments__criterion", "screenings")),
    )
    choices, found = Choices(call), {}
    for proposal in rows:
        proposal.call = call
        if told := names_told(proposal, choices):
            found[proposal.reference] = told
    return found


def _hidden(answer: Answer, pattern) -> Answer:
    return answer if answer.files else replace(answer, text=identities.hide(answer.text, pattern))


def _shown(section, answers, choices, blind, with_problems):
    def visible(asked):
        return [
            _answer(one, answers, choices)
            for one in asked
            if not (blind and one.names_people) and section.applies(one, answers)
        ]

    retired = [one for one in section.retired if is_answered(answers.get(one.name))]
    numbers = section.rows.filled(answers) if section.asks_rows(answers) else []
    return Shown(
        section,
        visible([*section.questions, *retired]),
        [(number, visible(section.rows.row(number))) for number in numbers],
        reading.read([section], answers, choices).problems if with_problems else {},
        reading.advice(section, answers) if with_problems else [],
    )


def _answer(question, answers, choices) -> Answer:
    raw = answers.get(question.name)
    files = tuple(raw or ()) if question.kind == Kind.FILE else ()
    return Answer(question, as_text(question, raw, choices), files)


def shown_totals(answers: Mapping) -> dict:
    """The sums of the budget as text; with those of each year, where there is more than one."""
    by_year = reading.budget_by_year(answers)
    years = [(year, _as_pounds(sums)) for year, sums in by_year.items()] if len(by_year) > 1 else []
    return _as_pounds(reading.budget_totals(answers)) | {"years": years}


def _as_pounds(sums) -> dict[str, str]:
    return {name: reading.pounds(amount) for name, amount in sums.items()}


def budget_table(answers: Mapping) -> list[tuple[str, str, str, str]]:
    """The sums for each year and in all: (key, label, asked, matched), for a table that a script keeps up to date."""
    by_year = reading.budget_by_year(answers)
    nothing = {"asked": Decimal(0), "matched": Decimal(0)}
    rows = [(str(year), f"Year {year}", by_year.get(year, nothing)) for year in reading.BUDGET_YEARS]
    rows.append(("all", "In all", reading.budget_totals(answers)))
    return [(key, label, reading.pounds(sums["asked"]), reading.pounds(sums["matched"])) for key, label, sums in rows]


def systems_named(answers: Mapping, *, agreed: bool = False) -> set[str]:
    """Codes of the region's systems in which an adopter is listed; with `agreed`, one that has agreed in writing."""
    named = {
        answers.get(f"adopter-{number}-system")
        for number in ADOPTERS.filled(answers)
        if not agreed or answers.get(f"adopter-{number}-stage") == AGREED
    }
    return {code for code in named if code and code != OUTSIDE}


def texts(sections: Iterable[Section], answers: Mapping) -> dict[str, str]:
    """All free text, by the place as the applicant knows it: what is searched for patients' numbers.

    Text of a question that is not asked any more is kept, so it is searched too.
    """
    found = {}
    for section in sections:
        row_of = {}
        if section.rows:
            row_of = {one.name: n for n in section.rows.filled(answers) for one in section.rows.row(n)}
        for name, question in section.by_name.items():
            if question.kind not in (Kind.LINE, Kind.TEXT) or not is_answered(answers.get(name)):
                continue
            place = f"{section.rows.one} {row_of[name]}" if name in row_of else section.title
            hidden = "" if section.applies(question, answers) else " (not asked any more, but kept)"
            found[f"{place}, “{question.label}”{hidden}"] = answers[name]
    return found
