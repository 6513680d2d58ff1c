import datetime as dt
from decimal import Decimal

import pytest

from proposals import questions
from proposals.questions import Kind, Question

NO_CHOICES = questions.Choices(call=None)


def read_one(kind, raw, **kwargs):
    found = questions.Read()
    questions.reading._read_one(Question("answer", "Your answer", kind, **kwargs), {"answer": raw}, NO_CHOICES, found)
    return found.problems.get("answer"), found.values.get("answer")


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (Kind.MONEY, "£12,500", Decimal(12500)),
        (Kind.MONEY, "99.50", Decimal("99.50")),
        (Kind.NUMBER, " 6.6 ", Decimal("6.6")),
        (Kind.NUMBER, "-3", Decimal(-3)),
        (Kind.WHOLE, "1,200", 1200),
        (Kind.DATE, "31/3/2028", dt.date(2028, 3, 31)),
        (Kind.DATE, "29/2/2028", dt.date(2028, 2, 29)),
        (Kind.LINE, "  two\twords ", "two words"),
    ],
)
def test_what_people_type_is_read(kind, typed, value):
    assert read_one(kind, typed) == (None, value)


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        (Kind.MONEY, "12.345", "must be an amount"),
        (Kind.MONEY, "-5", "must be an amount"),
        (Kind.MONEY, "1e5", "must be an amount"),
        (Kind.MONEY, "٣", "must be an amount"),
        (Kind.NUMBER, "NaN", "must be a number"),
        (Kind.NUMBER, "1e99", "must be a number"),
        (Kind.NUMBER, "0.12345", "four decimal places"),
        (Kind.WHOLE, "2.5", "whole number"),
        (Kind.DATE, "31/2/2028", "real date"),
        (Kind.DATE, "31/3/20280000000", "real date"),
        (Kind.DATE, "2028", "real date"),
        (Kind.DATE, "1/1/28", "four digits"),
        (Kind.LINE, "x" * 201, "200 characters or fewer. It has 201"),
        (Kind.TEXT, "", "Enter your answer"),
        (Kind.TEXT, " \n ", "Enter your answer"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(kind, typed, sentence):
    assert sentence in read_one(kind, typed)[0]


def test_a_text_of_exactly_its_limit_is_fine_and_one_word_more_is_not():
    assert read_one(Kind.TEXT, "word " * 5, word_limit=5)[0] is None
    assert "It has 6 now" in read_one(Kind.TEXT, "word " * 6, word_limit=5)[0]


def test_names_of_answers_are_unique():
    names = [name for section in questions.SECTIONS for name in section.by_name]

    assert len(names) == len(set(names))


def test_the_blank_form_says_nothing_twice_of_a_question():
    words = {
        one.question.name: one.words
        for section in questions.blank_form(questions.SECTIONS, NO_CHOICES_BUT_LABELS)
        for one in (*section.questions, *section.row_questions)
    }

    assert words["title"] == "One line. Up to 120 characters, without abbreviations"
    assert words["benefit-1-aim"] == "A number, for example 5"
    assert words["benefit-1-unit"].startswith("One line of up to 60 characters. For example")
    assert words["problem"] == "Text of up to 200 words"


def test_budget_lines_add_up_and_skip_what_is_no_money():
    lines = {
        "budget-1-asked": "12,500",
        "budget-1-description": "Nurses",
        "budget-2-asked": "a lot",
        "budget-3-matched": "0.50",
    }

    assert questions.shown_totals(lines) == {"asked": "£12,500", "matched": "£0.50", "years": []}


def test_budget_lines_of_several_years_add_up_by_year_too():
    lines = {"budget-1-asked": "100", "budget-2-asked": "50", "budget-2-year": "3", "budget-3-matched": "7"}

    assert questions.shown_totals(lines)["years"] == [
        (1, {"asked": "£100", "matched": "£7"}), (3, {"asked": "£50", "matched": "£0"}),
    ]  # fmt: skip


def test_a_blind_reader_gets_no_answer_that_names_people():
    named = {"organisation_name": "Harbour Ltd", "partner_roles": "Ada builds it", "title": "A title"}

    texts = [
        answer.text
        for one in questions.shown(questions.SECTIONS, named, NO_CHOICES_BUT_LABELS, blind=True)
        for answer in one.answers
    ]

    assert [text for text in texts if text] == ["A title"]


class _Labels(questions.Choices):
    def of(self, question):
        return []


NO_CHOICES_BUT_LABELS = _Labels(call=None)
