"""The form without answers, in words: to read and to print before anyone has an account."""

from collections.abc import Iterable
from dataclasses import dataclass

from proposals.questions.asking import Kind, Question, Rows, Section
from proposals.questions.choices import Choices

DESCRIBED = {"organisations"}  # lists too long to print


@dataclass(frozen=True)
class Blank:
    """A question as the blank form shows it."""

    question: Question
    answer: str  # what kind of answer it takes
    options: tuple[str, ...]
    condition: str  # when it is asked, or nothing

    @property
    def words(self) -> str:
        """What it takes and the hint, without saying the same twice."""
        hint = self.question.hint
        if hint.startswith(self.answer):
            return hint
        return f"{self.answer}. {hint}" if hint else self.answer

    @property
    def lines(self) -> str:
        """How much room the printed form leaves for an answer."""
        if self.options:
            return "none"
        return "many" if self.question.kind == Kind.TEXT else "one"


@dataclass(frozen=True)
class BlankSection:
    section: Section
    questions: list[Blank]
    row_questions: list[Blank]
    rows_condition: str


def blank_form(sections: Iterable[Section], choices: Choices) -> list[BlankSection]:
    return [
        BlankSection(
            section,
            [_blank(section, question, choices) for question in section.questions],
            [_blank(section, question, choices) for question in section.rows.row(1)] if section.rows else [],
            condition_of(section, section.rows, choices) if section.rows else "",
        )
        for section in sections
    ]


def condition_of(section: Section, asked: Question | Rows, choices: Choices) -> str:
    """When something is asked, as a sentence."""
    condition = asked.asked_if
    if condition is None:
        return ""
    above = section.by_name[condition.name]
    labels = [f"“{choices.label(above, answer)}”" for answer in condition.answers]
    text = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"
    return f"Asked only if the answer to “{above.label}” is {text}."


def _blank(section, question, choices) -> Blank:
    is_long = question.choices in DESCRIBED
    options = choices.of(question) if (question.choices or question.options) and not is_long else []
    return Blank(
        question,
        _answer(question, is_long),
        tuple(label for _value, label in options),
        condition_of(section, question, choices),
    )


def _answer(question: Question, is_long: bool) -> str:
    match question.kind:
        case Kind.TEXT:
            return f"Text of up to {question.word_limit} words" if question.word_limit else "Text"
        case Kind.CHOICE:
            return "One of the register" if is_long else "One of these"
        case Kind.CHOICES:
            return "Any of the register" if is_long else "Any of these"
        case Kind.LINE:
            return "One line" if "characters" in question.hint else f"One line of up to {question.at_most} characters"
        case Kind.WHOLE:
            return "A whole number"
        case Kind.FILE:
            return "A file: PDF, Word (DOCX), Excel (XLSX), PNG or JPEG"
    return {Kind.NUMBER: "A number", Kind.MONEY: "An amount in pounds", Kind.DATE: "A date"}[question.kind]
