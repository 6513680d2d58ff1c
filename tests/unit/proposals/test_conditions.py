"""Questions that are asked only after a certain answer, rows, files, and budgets."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import questions
from proposals.questions import Condition, Kind, Question, Rows, Section

YES_NO = (("yes", "Yes"), ("no", "No"))
FIRST = Question("first", "Is it digital?", Kind.CHOICE, options=YES_NO)
SECOND = Question(
    "second", "Which kinds?", Kind.CHOICES, options=(("a", "A"), ("b", "B")), asked_if=Condition("first", ("yes",))
)
THIRD = Question("third", "Why B?", Kind.TEXT, asked_if=Condition("second", ("b",)))
CHAIN = Section("own", "Own", questions=(FIRST, SECOND, THIRD))
ROW = Rows(
    name="row",
    one="Row",
    at_least=1,
    at_most=3,
    is_required=False,
    asked_if=Condition("first", ("yes",)),
    questions=(
        Question("is_ours", "Is it ours?", Kind.CHOICE, options=YES_NO),
        Question("whose", "Whose is it?", Kind.LINE, asked_if=Condition("is_ours", ("no",)), names_people=True),
    ),
)
WITH_ROWS = Section("rows", "Rows", questions=(FIRST,), rows=ROW)


@pytest.fixture
def choices():
    return questions.Choices(call=None)


def problems(section, answers):
    return set(questions.read([section], answers, questions.Choices(call=None)).problems)


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({}, {"first"}),
        ({"first": "no"}, set()),
        ({"first": "yes"}, {"second"}),
        ({"first": "yes", "second": ["a"]}, set()),
        ({"first": "yes", "second": ["a", "b"]}, {"third"}),
        ({"first": "yes", "second": "b"}, {"third"}),
        ({"first": "no", "second": ["b"]}, set()),
        ({"first": "no", "second": ["nonsense"], "third": "word " * 999}, set()),
    ],
)
def test_only_what_is_asked_stands_in_the_way(answers, missing):
    assert problems(CHAIN, answers) == missing


@given(
    st.fixed_dictionaries(
        {
            "first": st.sampled_from(["", "yes", "no", "other"]),
            "second": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
            "third": st.sampled_from(["", "Because"]),
        }
    )
)
def test_what_does_not_apply_is_neither_read_nor_shown_and_the_rest_is_shown_in_order(answers):
    choices = questions.Choices(call=None)
    applying = [one.name for one in CHAIN.questions if CHAIN.applies(one, answers)]

    found = questions.read([CHAIN], answers, choices)
    (shown,) = questions.shown([CHAIN], answers, choices)

    assert [answer.question.name for answer in shown.answers] == applying
    assert set(found.problems) <= set(applying)
    assert all(not found.values[one.name] for one in CHAIN.questions if one.name not in applying)
    assert set(answers) == set(CHAIN.names())  # whatever applies, everything typed is kept under its name


class Choices(questions.Choices):
    """No organisation, no priority to choose."""

    def __init__(self):
        super().__init__(call=None)

    def organisations(self):
        return ()

    priorities = organisations


@pytest.mark.parametrize(
    ("slug", "either", "other"),
    [("involvement", "involvement", "underserved"), ("about", "organisation_name", "organisation")],
)
def test_of_two_questions_joined_by_or_one_answer_is_enough_and_none_is_not(slug, either, other):
    section = questions.BY_SLUG[slug]
    read = [questions.read([section], answers, Choices()) for answers in ({}, {either: "Said"})]
    found = [one.problems.get(section.one_of[0]) for one in read]

    assert set(section.one_of) == {either, other}
    assert found == [section.one_of_problem, None]


def test_a_condition_inside_a_row_looks_at_the_same_row():
    answers = {"first": "yes", "row-1-is_ours": "yes", "row-2-is_ours": "no"}

    assert problems(WITH_ROWS, answers) == {"row-2-whose"}


def test_rows_whose_condition_is_not_met_are_not_asked_at_all(choices):
    answers = {"first": "no", "row-1-is_ours": "no", "row-1-whose": "A firm's"}

    (shown,) = questions.shown([WITH_ROWS], answers, choices)

    assert (problems(WITH_ROWS, answers), shown.rows) == (set(), [])


def test_a_blind_reader_gets_no_part_of_a_row_that_names_people(choices):
    answers = {"first": "yes", "row-1-is_ours": "no", "row-1-whose": "A firm's"}

    (shown,) = questions.shown([WITH_ROWS], answers, choices, blind=True)

    assert [[answer.question.label for answer in row] for _number, row in shown.rows] == [["Is it ours?"]]


def test_the_tier_is_asked_only_of_what_is_digital_and_evaluations_only_of_what_was_evaluated():
    evidence = questions.BY_SLUG["evidence"]

    def missing(**answers):
        return {name.split("-")[0] for name in problems(evidence, answers)}

    assert missing(evidence_level="0", is_digital="no") == {"evidence_reason"}
    assert missing(evidence_level="1", is_digital="yes") == {"evidence_reason", "digital_tier"}
    assert missing(evidence_level="2", is_digital="yes", digital_tier="C", **{"evaluation-1-where": "Here"}) == {
        "evaluation"
    }


def test_an_evaluation_cannot_end_before_it_begins():
    answers = {"evidence_level": "3", "evaluation-1-from": "2/4/2025", "evaluation-1-to": "1/4/2025"}

    found = questions.read([questions.BY_SLUG["evidence"]], answers, _Labels(call=None))

    assert found.problems["evaluation-1-to"] == "Evaluation 1: The end must not be before the beginning"


def test_files_answer_the_question_whose_name_they_carry(choices):
    letter = Question("letter", "Letter", Kind.FILE, enter="Add the letter")
    section = Section("own", "Own", questions=(letter,))
    files = [
        SimpleNamespace(question="letter", name="letter.pdf", is_lost=False),
        SimpleNamespace(question="", name="other.pdf"),
    ]
    answers = questions.with_files({}, files)

    (shown,) = questions.shown([section], answers, choices)

    assert questions.read([section], {}, choices).problems == {"letter": "Add the letter"}
    assert questions.read([section], answers, choices).problems == {}
    assert (shown.answers[0].text, shown.answers[0].files) == ("letter.pdf", (files[0],))
    assert "letter" not in set(section.names())  # nothing of it is typed


amounts = st.one_of(st.just(""), st.decimals(0, 999999, places=2).map(str), st.sampled_from(["a lot", "-5", "£1,000"]))
lines = st.lists(st.tuples(amounts, amounts, st.sampled_from(["", "1", "2", "3", "9"])), max_size=12)


@given(lines)
def test_the_years_of_a_budget_add_up_to_the_whole(typed):
    answers = {}
    for number, (asked, matched, year) in enumerate(typed, 1):
        answers |= {f"budget-{number}-asked": asked, f"budget-{number}-matched": matched, f"budget-{number}-year": year}

    totals, by_year = questions.budget_totals(answers), questions.budget_by_year(answers)

    for name in ("asked", "matched"):
        assert totals[name] == sum((year[name] for year in by_year.values()), Decimal(0))
    assert questions.budget_table(answers)[-1] == (
        "all", "In all", questions.pounds(totals["asked"]), questions.pounds(totals["matched"])
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "most", "sentence"),
    [
        ("10,000", 10000, ""),
        ("10,000.01", 10000, "You ask for £10,000.01. Up to £10,000 is possible: take £0.01 out"),
        ("10,000.01", None, ""),
    ],
)
def test_a_budget_over_the_limit_is_said_at_once_and_one_at_the_limit_is_fine(asked, most, sentence):
    call = SimpleNamespace(money_per_project=most)
    answers = {"budget-1-description": "All", "budget-1-asked": asked}

    found = questions.read([questions.BY_SLUG["budget"]], answers, questions.Choices(call))

    assert found.problems.get("budget-1-asked", "").startswith(sentence)
    assert bool(found.problems) == bool(sentence)


def test_advice_asks_for_an_outcome_a_balancing_metric_and_adopters_and_blocks_nothing():
    benefits, spread = questions.BY_SLUG["benefits"], questions.BY_SLUG["spread"]

    assert questions.advice(benefits, {}) == []
    assert "an outcome yet" in questions.advice(benefits, {"benefit-1-kind": "process"})[0]
    assert "balancing metric" in questions.advice(benefits, {"benefit-1-kind": "outcome"})[0]
    assert questions.advice(benefits, {"benefit-1-kind": "outcome", "benefit-2-kind": "balancing"}) == []
    assert "not listed an adopter" in questions.advice(spread, {"sites_now": "1"})[0]
    assert questions.advice(spread, {"sites_now": "1", "adopter-1-system": "QT1"}) == []


def test_systems_in_which_adopters_are_listed():
    answers = {"adopter-1-system": "QT1", "adopter-2-system": "outside", "adopter-4-system": "QK1"}

    assert questions.systems_named(answers) == {"QT1", "QK1"}


def test_text_that_is_not_asked_any_more_is_still_searched_for_patients_numbers():
    found = questions.texts([CHAIN], {"first": "no", "third": "Some text"})

    assert found == {"Own, “Why B?” (not asked any more, but kept)": "Some text"}


class _Labels(questions.Choices):
    def of(self, question):
        return [("3", "Level 3")] if question.name == "evidence_level" else []
