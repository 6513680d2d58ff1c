"""What a question is: its kind, its limits, and when it is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

LINE_LENGTH = 200
CARRIED_OVER = "carried-over"  # beside the answers: what the fit check has put in, by name


class Kind(StrEnum):
    LINE = "line"  # one line of text
    TEXT = "text"  # several lines, with a word limit
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER = "number"
    WHOLE = "whole"  # whole number, 0 or more
    MONEY = "money"  # pounds and pence, 0 or more
    DATE = "date"  # typed as day/month/year
    FILE = "file"  # an attachment that carries the question's name


@dataclass(frozen=True)
class Condition:
    """Asked only while another question of the same section (or row) has one of these answers."""

    name: str
    answers: tuple[str, ...]

    def holds(self, answers: Mapping) -> bool:
        raw = answers.get(self.name) or ""
        return any(one in self.answers for one in ([raw] if isinstance(raw, str) else raw))


@dataclass(frozen=True)
class Question:
    name: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""
    word_limit: int | None = None
    is_required: bool = True
    choices: str = ""  # the name of a list in `Choices`
    options: tuple[tuple[str, str], ...] = ()  # or the list itself
    enter: str = ""  # what to do when it is empty; made from the label if left out
    if_empty: str = ""  # what leaving it empty means, as readers see it
    names_people: bool = False  # hidden from reviewers of a blind call
    at_most: int = LINE_LENGTH
    asked_if: Condition | None = None

    @property
    def when_empty(self) -> str:
        verb = {Kind.CHOICE: "Select", Kind.CHOICES: "Select", Kind.FILE: "Add"}.get(self.kind, "Enter")
        return self.enter or f"{verb} {self.label[0].lower()}{self.label[1:].rstrip('?')}"


@dataclass(frozen=True)
class Rows:
    """A group of questions that can be answered several times, like the lines of a budget."""

    name: str
    one: str  # what a row is called
    questions: tuple[Question, ...]
    at_least: int  # shown from the start
    at_most: int
    is_required: bool = True  # at least one
    asked_if: Condition | None = None  # on a question of the section

    def question(self, number: int, question: Question) -> Question:
        condition = question.asked_if
        if condition and any(condition.name == one.name for one in self.questions):
            condition = replace(condition, name=f"{self.name}-{number}-{condition.name}")
        return replace(question, name=f"{self.name}-{number}-{question.name}", asked_if=condition)

    @cached_property
    def _every_row(self) -> tuple[tuple[Question, ...], ...]:
        numbers = range(1, self.at_most + 1)
        return tuple(tuple(self.question(number, question) for question in self.questions) for number in numbers)

    def row(self, number: int) -> tuple[Question, ...]:
        return self._every_row[number - 1]

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
    retired: tuple[Question, ...] = ()  # asked in earlier forms: shown only where an old draft holds an answer
    criterion: str = ""  # code of the criterion that it speaks to
    one_of: tuple[str, ...] = ()  # at least one of these must be answered
    one_of_problem: str = ""
    is_required: bool = True

    @cached_property
    def by_name(self) -> dict[str, Question]:
        """Everything that it can ask, every possible row included, by name."""
        found = [*self.questions, *self.retired]
        if self.rows:
            for number in range(1, self.rows.at_most + 1):
                found += self.rows.row(number)
        return {question.name: question for question in found}

    def names(self) -> Iterator[str]:
        """The names of all answers that are typed, every possible row included. Files are kept as attachments."""
        return (name for name, question in self.by_name.items() if question.kind != Kind.FILE)

    def asked(self, answers: Mapping) -> Iterator[Question]:
        """Its questions as the form shows them; those with a condition too, since the page reveals them."""
        yield from self.questions
        yield from (one for one in self.retired if is_answered(answers.get(one.name)))
        if self.rows:
            for number in self.rows.shown(answers):
                yield from self.rows.row(number)

    def applies(self, asked: Question | Rows, answers: Mapping) -> bool:
        """Whether its condition is met, and those of the questions that it hangs on."""
        condition = asked.asked_if
        if condition is None:
            return True
        above = self.by_name.get(condition.name)
        return condition.holds(answers) and (above is None or self.applies(above, answers))

    def asks_rows(self, answers: Mapping) -> bool:
        return self.rows is not None and self.applies(self.rows, answers)


def is_answered(raw) -> bool:
    return bool(raw.strip()) if isinstance(raw, str) else bool(raw)


def words(text: str) -> int:
    return len(text.split())


def is_carried_over(name: str, answers: Mapping) -> bool:
    """Whether an answer is still as the fit check has put it in."""
    carried = (answers.get(CARRIED_OVER) or {}).get(name)
    return bool(carried) and answers.get(name) == carried
