"""What a proposal asks, section by section, and what counts as an answer.

A draft keeps what was typed exactly as typed, under the names below; nothing typed is ever refused by a save. What
stands in the way of submitting is found here, in sentences, and the values are read here once a draft is submitted.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from projects.models import EVIDENCE_LEVELS, CareSetting, Organisation
from proposals.models import PromisedBenefit

LINE_LENGTH = 200
LARGEST_NUMBER = Decimal("1e9")


class Kind(StrEnum):
    LINE = "line"  # one line of text
    TEXT = "text"  # several lines, with a word limit
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER = "number"
    WHOLE = "whole"  # whole number, 0 or more
    MONEY = "money"  # pounds and pence, 0 or more
    DATE = "date"  # typed as day/month/year


@dataclass(frozen=True)
class Question:
    name: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""
    word_limit: int | None = None
    is_required: bool = True
    choices: str = ""  # the name of a list in `Choices`
    enter: str = ""  # what to do when it is empty; made from the label if left out
    names_people: bool = False  # hidden from reviewers of a blind call
    at_most: int = LINE_LENGTH

    @property
    def when_empty(self) -> str:
        verb = "Select" if self.kind in (Kind.CHOICE, Kind.CHOICES) else "Enter"
        return self.enter or f"{verb} {self.label[0].lower()}{self.label[1:].rstrip('?')}"


@dataclass(frozen=True)
class Rows:
    """A group of questions that can be answered several times, like the lines of a budget."""

    name: str
    one: str  # what a row is called
    questions: tuple[Question, ...]
    at_least: int
    at_most: int

    def question(self, number: int, question: Question) -> Question:
        return replace(question, name=f"{self.name}-{number}-{question.name}")

    def row(self, number: int) -> tuple[Question, ...]:
        return tuple(self.question(number, question) for question in self.questions)

    def is_blank(self, number: int, answers: Mapping) -> bool:
        return not any(is_answered(answers.get(question.name)) for question in self.row(number))

    def filled(self, answers: Mapping) -> list[int]:
        return [number for number in range(1, self.at_most + 1) if not self.is_blank(number, answers)]

    def shown(self, answers: Mapping) -> range:
        """Rows that the form shows: those in use and one more."""
        last = max(self.filled(answers), default=0)
        return range(1, min(max(last + 1, self.at_least), self.at_most) + 1)


@dataclass(frozen=True)
class Section:
    slug: str
    title: str
    intro: str = ""
    questions: tuple[Question, ...] = ()
    rows: Rows | None = None
    criterion: str = ""  # code of the criterion that it speaks to
    one_of: tuple[str, ...] = ()  # at least one of these must be answered
    one_of_problem: str = ""
    is_required: bool = True

    def names(self) -> Iterator[str]:
        """The names of all its answers, every possible row included."""
        yield from (question.name for question in self.questions)
        if self.rows:
            for number in range(1, self.rows.at_most + 1):
                yield from (question.name for question in self.rows.row(number))

    def asked(self, answers: Mapping) -> Iterator[Question]:
        """Its questions as the form shows them."""
        yield from self.questions
        if self.rows:
            for number in self.rows.shown(answers):
                yield from self.rows.row(number)


@dataclass
class Choices:
    """The lists to choose from. Lists that come from the database are read once, when first asked for."""

    call: object
    _read: dict = field(default_factory=dict)

    def of(self, question: Question) -> list[tuple[str, str]]:
        name = question.choices
        if name not in self._read:
            self._read[name] = list(getattr(self, name)())
        return self._read[name]

    def label(self, question: Question, value: str) -> str:
        return dict(self.of(question)).get(value, value)

    def organisations(self):
        rows = Organisation.objects.current().order_by("name").values_list("pk", "name")
        return ((str(pk), name) for pk, name in rows)

    def priorities(self):
        return ((str(priority.pk), priority.title) for priority in self.call.priorities.all())

    def care_settings(self):
        return CareSetting.choices

    def evidence_levels(self):
        return ((str(level), f"Level {level}: {text}") for level, text in EVIDENCE_LEVELS.items())

    def benefit_kinds(self):
        return (
            (PromisedBenefit.Kind.OUTCOME, "Outcome: did it help people?"),
            (PromisedBenefit.Kind.PROCESS, "Process: did we do it?"),
            (PromisedBenefit.Kind.BALANCING, "Balancing: did something else get worse?"),
        )

    def directions(self):
        return PromisedBenefit.Direction.choices


BENEFITS = Rows(
    name="benefit",
    one="Promised benefit",
    at_least=1,
    at_most=6,
    questions=(
        Question("metric_name", "What you will measure", Kind.LINE, "For example, falls on the ward", at_most=120),
        Question("kind", "Kind of metric", Kind.CHOICE, choices="benefit_kinds"),
        Question("unit", "Unit", Kind.LINE, "For example, per 1,000 occupied bed days, or %", at_most=60),
        Question("direction", "Which way is better", Kind.CHOICE, choices="directions"),
        Question("baseline", "Where it is now", Kind.NUMBER, "A number, for example 6.6"),
        Question("aim", "Where you want it to be", Kind.NUMBER, "A number, for example 5"),
        Question("aim_on", "Date to reach it by", Kind.DATE, "For example, 31 3 2028"),
    ),
)
BUDGET = Rows(
    name="budget",
    one="Budget line",
    at_least=3,
    at_most=12,
    questions=(
        Question("description", "What it pays for", Kind.LINE, at_most=LINE_LENGTH),
        Question("asked", "Asked of us, in pounds", Kind.MONEY),
        Question("matched", "From others or in kind, in pounds", Kind.MONEY, is_required=False),
    ),
)
SECTIONS = (
    Section(
        "about",
        "About the proposal",
        questions=(
            Question("title", "Title", Kind.LINE, "Up to 120 characters, without abbreviations", at_most=120),
            Question(
                "lay_summary",
                "Lay summary",
                hint="What you will do and why it matters, in words that anyone understands. "
                "If we fund your proposal, we publish this.",
                word_limit=150,
            ),
            Question(
                "organisation",
                "Lead organisation",
                Kind.CHOICE,
                "Leave it empty if yours is not in the list",
                choices="organisations",
                is_required=False,
                names_people=True,
            ),
            Question(
                "organisation_name",
                "Name of the lead organisation, if it is not in the list",
                Kind.LINE,
                is_required=False,
                names_people=True,
                at_most=160,
            ),
            Question(
                "partners",
                "Partner organisations",
                Kind.CHOICES,
                "Select all that have agreed to take part",
                choices="organisations",
                is_required=False,
                names_people=True,
            ),
            Question(
                "partner_roles",
                "What each partner will do",
                hint="Name here any partner who is not in the list",
                word_limit=150,
                is_required=False,
                names_people=True,
            ),
            Question(
                "care_settings",
                "Where care is given",
                Kind.CHOICES,
                choices="care_settings",
                enter="Select at least one setting of care",
            ),
            Question("problem", "What problem does it solve, and how big is it?", word_limit=200,
                     enter="Describe the problem and its size"),
            Question("innovation", "What is your innovation, and how does it work?", word_limit=250,
                     enter="Describe your innovation"),
        ),
        one_of=("organisation", "organisation_name"),
        one_of_problem="Select the lead organisation, or enter its name",
    ),
    Section(
        "priorities",
        "Who needs it",
        criterion="priorities",
        questions=(
            Question("priorities", "Which priorities does it serve?", Kind.CHOICES, choices="priorities",
                     enter="Select at least one priority"),
            Question(
                "who_asked",
                "Who needs this, and how do you know?",
                hint="Organisations that asked for it or committed people or money; plans that name it",
                word_limit=200,
                enter="Say who needs it and how you know",
            ),
        ),
    ),
    Section(
        "evidence",
        "Evidence that it works",
        criterion="proven",
        questions=(
            Question("evidence_level", "Level of evidence", Kind.CHOICE, choices="evidence_levels",
                     enter="Select the level of evidence"),
            Question("evaluated_where", "Where was it evaluated?", Kind.LINE, "Site and setting", names_people=True,
                     enter="Enter where it was evaluated"),
            Question("evaluated_when", "When?", Kind.LINE, "For example, April 2024 to March 2025",
                     enter="Enter when it was evaluated"),
            Question("evaluated_people", "How many people or cases?", Kind.WHOLE,
                     enter="Enter how many people or cases the evaluation covered"),
            Question("evaluated_result", "What was the result?", word_limit=200, enter="Describe the result"),
            Question("evaluated_harms", "What harms did you look for, and what did you find?", word_limit=150,
                     enter="Say what harms you looked for and what you found"),
            Question("evidence_limits", "What did the evaluation not show?", word_limit=150,
                     enter="Say what the evaluation did not show"),
            Question("evidence_link", "Publication or NICE guidance", Kind.LINE, "Title or web address",
                     is_required=False),
            Question(
                "device_status",
                "If it is a device or digital: its class, marking and clinical safety standard",
                word_limit=100,
                is_required=False,
            ),
        ),
    ),
    Section(
        "spread",
        "How it will spread",
        criterion="spread",
        questions=(
            Question("sites_now", "Sites using it now", Kind.WHOLE, enter="Enter how many sites use it now"),
            Question("sites_in_12_months", "Sites in 12 months", Kind.WHOLE,
                     enter="Enter how many sites in 12 months"),
            Question("sites_in_24_months", "Sites in 24 months", Kind.WHOLE,
                     enter="Enter how many sites in 24 months"),
            Question("adopters", "Who will adopt it?", hint="Name them, with the system they work in", word_limit=200,
                     enter="Name who will adopt it", names_people=True),
            Question("fixed_parts", "What must stay the same, and what may be adapted?", word_limit=150,
                     enter="Say what must stay the same and what may be adapted"),
            Question("pathway_change", "Who must do something different on Monday morning?", word_limit=200,
                     enter="Say who must do something different"),
            Question("after_funding", "How will it go on after the funding?", word_limit=150,
                     enter="Say how it will go on after the funding"),
        ),
    ),
    Section(
        "benefits",
        "Benefits you promise",
        "If we approve your proposal, each of these becomes a metric that you report.",
        criterion="benefits",
        questions=(
            Question("aim", "Your aim", hint="How much, by when, for whom", word_limit=100),
            Question("people_reached", "People reached in a year", Kind.WHOLE,
                     enter="Enter how many people it reaches in a year"),
            Question("value", "Why is it good value?", hint="Savings in money or time; who pays, and who gains",
                     word_limit=200, enter="Say why it is good value"),
        ),
        rows=BENEFITS,
    ),
    Section(
        "budget",
        "Budget",
        "Give the cost line by line. The portal adds it up.",
        criterion="benefits",
        questions=(
            Question("other_funders", "Who else funds it, or has been asked to?", word_limit=100, is_required=False,
                     names_people=True),
        ),
        rows=BUDGET,
    ),
    Section(
        "involvement",
        "Involving people",
        "Either of these can earn full marks. Answer at least one.",
        criterion="involvement",
        questions=(
            Question("involvement", "What changed because of what patients, service users and carers told you?",
                     hint="Their roles, how they are paid and supported", word_limit=200, is_required=False),
            Question(
                "underserved",
                "Which underserved communities will get a better service, and how will you know?",
                hint="For example, ethnic minority communities, people with a learning disability, or the most "
                "deprived fifth of the population",
                word_limit=200,
                is_required=False,
            ),
        ),
        one_of=("involvement", "underserved"),
        one_of_problem="Answer at least one of the two questions",
    ),
    Section(
        "growth",
        "Growth",
        criterion="growth",
        questions=(
            Question("growth", "What growth will it bring to the region?",
                     hint="Jobs, investment, contracts, with their source. If you expect none, say so: this is scored, "
                     "not required.", word_limit=200, enter="Say what growth it will bring, or that you expect none"),
        ),
    ),
    Section(
        "delivery",
        "Delivery and safety",
        questions=(
            Question("milestones", "Milestones", hint="What will be done by when", word_limit=200),
            Question("risks", "Main risks, and what you will do about them", word_limit=150,
                     enter="Describe the main risks"),
            Question("data_and_safety", "How will you protect data and keep people safe?", word_limit=150,
                     enter="Say how you will protect data and keep people safe"),
        ),
    ),
    Section("files", "Files", "You can add letters of support, papers or pictures.", is_required=False),
)  # fmt: skip
BY_SLUG = {section.slug: section for section in SECTIONS}


@dataclass
class Read:
    """What the answers of some sections come to: values by name, and what stands in the way, by name, as sentences."""

    values: dict = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[dict]] = field(default_factory=dict)


def is_answered(raw) -> bool:
    return bool(raw.strip()) if isinstance(raw, str) else bool(raw)


def words(text: str) -> int:
    return len(text.split())


def read(sections: Iterable[Section], answers: Mapping, choices: Choices) -> Read:
    """Read the values out of raw answers, and find what stands in the way of submitting."""
    found = Read()
    for section in sections:
        for question in section.questions:
            _read_one(question, answers, choices, found)
        if section.one_of and not any(is_answered(answers.get(name)) for name in section.one_of):
            found.problems.setdefault(section.one_of[0], section.one_of_problem)
        if section.rows:
            _read_rows(section.rows, answers, choices, found)
    return found


def _read_rows(rows: Rows, answers: Mapping, choices: Choices, found: Read) -> None:
    filled = rows.filled(answers)
    found.rows[rows.name] = []
    for number in filled or [1]:
        row = Read()
        for question in rows.row(number):
            _read_one(question, answers, choices, row)
        found.problems |= {name: f"{rows.one} {number}: {problem}" for name, problem in row.problems.items()}
        prefix = f"{rows.name}-{number}-"
        found.rows[rows.name].append({name.removeprefix(prefix): value for name, value in row.values.items()})


def _read_one(question: Question, answers: Mapping, choices: Choices, found: Read) -> None:
    raw = answers.get(question.name, "")
    if not is_answered(raw):
        found.values[question.name] = [] if question.kind == Kind.CHOICES else None
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
    text = re.sub(r"[\s,£]", "", raw)
    if not re.fullmatch(r"\d{1,9}(\.\d{1,2})?", text, re.ASCII):
        raise ValueError(f"{question.label} must be an amount, like 12,500 or 99.50")
    return Decimal(text)


def _date(question, raw, choices):
    parts = re.split(r"[\s/.-]+", raw.strip())
    try:
        day, month, year = (int(part) for part in parts)
        value = dt.date(year, month, day)
    except ValueError:
        raise ValueError(f"{question.label} must be a real date, like 31 3 2028")
    if not 2000 <= value.year <= 2100:
        raise ValueError(f"{question.label}: the year must have four digits, like 2028")
    return value


READERS = {
    Kind.LINE: _line,
    Kind.TEXT: _text,
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.MONEY: _money,
    Kind.DATE: _date,
}


# What a section says about itself -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    section: Section
    problems: dict[str, str]
    is_started: bool

    @property
    def is_complete(self) -> bool:
        return not self.problems and (self.is_started or self.section.is_required)


def progress(answers: Mapping, choices: Choices, *, has_files: bool = False) -> list[Progress]:
    return [
        Progress(
            section,
            read([section], answers, choices).problems,
            any(is_answered(answers.get(name)) for name in section.names()) or (section.slug == "files" and has_files),
        )
        for section in SECTIONS
    ]


@dataclass(frozen=True)
class Answer:
    """One answered question as a reader sees it."""

    question: Question
    text: str

    @property
    def is_empty(self) -> bool:
        return not self.text


def as_text(question: Question, raw, choices: Choices) -> str:
    if not is_answered(raw):
        return ""
    if question.kind == Kind.CHOICE:
        return choices.label(question, raw)
    if question.kind == Kind.CHOICES:
        return ", ".join(choices.label(question, one) for one in ([raw] if isinstance(raw, str) else raw))
    if question.kind == Kind.MONEY:
        try:
            return pounds(_money(question, raw, choices))
        except ValueError:
            return raw
    if question.kind == Kind.DATE:
        try:
            value = _date(question, raw, choices)
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

    @property
    def headings(self) -> list[str]:
        return [question.label for question in self.section.rows.questions] if self.section.rows else []


def shown(answers: Mapping, choices: Choices, *, blind: bool = False, with_problems: bool = False) -> list[Shown]:
    """Every section with its answers; a blind reader gets none that name people or organisations."""
    result = []
    for section in SECTIONS:
        visible = [question for question in section.questions if not (blind and question.names_people)]
        rows = []
        if section.rows:
            rows = [
                (
                    number,
                    [Answer(one, as_text(one, answers.get(one.name), choices)) for one in section.rows.row(number)],
                )
                for number in section.rows.filled(answers)
            ]
        result.append(
            Shown(
                section,
                [Answer(one, as_text(one, answers.get(one.name), choices)) for one in visible],
                rows,
                read([section], answers, choices).problems if with_problems else {},
            )
        )
    return result


def budget_totals(answers: Mapping) -> dict[str, Decimal]:
    """Sums of the budget lines that can be read as money."""
    totals = {"asked": Decimal(0), "matched": Decimal(0)}
    for number in BUDGET.filled(answers):
        for question in BUDGET.questions[1:]:
            raw = answers.get(BUDGET.question(number, question).name) or ""
            try:
                totals[question.name] += _money(question, raw, None)
            except ValueError:
                continue
    return totals


def pounds(amount: Decimal) -> str:
    """£12,500, or £99.50."""
    return f"£{amount:,.2f}".removesuffix(".00")


def shown_totals(answers: Mapping) -> dict[str, str]:
    return {name: pounds(amount) for name, amount in budget_totals(answers).items()}


def texts(answers: Mapping) -> dict[str, str]:
    """All free text, by the place as the applicant knows it: what is searched for patients' numbers."""
    found = {}
    for section in SECTIONS:
        for question in section.questions:
            if question.kind in (Kind.LINE, Kind.TEXT):
                found[f"{section.title}, “{question.label}”"] = answers.get(question.name) or ""
        if section.rows:
            for number in section.rows.filled(answers):
                for question in section.rows.questions:
                    if question.kind == Kind.LINE:
                        name = section.rows.question(number, question).name
                        found[f"{section.rows.one} {number}, “{question.label}”"] = answers.get(name) or ""
    return found


# Two people, or two tabs, at once -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Clash:
    """One answer that was changed in two places since the same version."""

    name: str
    typed: object
    stored: object


def merge(base: Mapping, stored: Mapping, typed: Mapping) -> tuple[dict, list[Clash]]:
    """Three-way merge, answer by answer: what only one side changed is taken, what both changed clashes."""
    merged, clashes = dict(stored), []
    for name, value in typed.items():
        before, now = base.get(name) or "", stored.get(name) or ""
        if (value or "") in (before, now):
            continue
        if now == before:
            merged[name] = value
        else:
            clashes.append(Clash(name, value, now))
    return merged, clashes
