"""What a call still needs before it can be published: every check as one line, kept or not, with where to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth import get_user_model

from proposals import scoring
from proposals.models import Call, CallQuestion
from psc_portal.accounts.models import Role
from psc_portal.common import clock
from psc_portal.common.nhs_numbers import find_nhs_numbers
from psc_portal.common.templatetags.portal import uk_date

LEVELS = len(scoring.LEVELS)
LONGEST_CHOICE = 255


@dataclass(frozen=True)
class Check:
    """One line of the checklist.

    Args:
        done: what it says when all is well.
        problem: a sentence that says what to do; empty when all is well.
        place: where it is mended: "edit" with the field's name, "criterion" with its key, "questions" or "reviewers".
        is_warning: the call can be published all the same.
    """

    done: str
    problem: str = ""
    place: str = "edit"
    detail: object = ""
    is_warning: bool = False

    @property
    def is_blocking(self) -> bool:
        return bool(self.problem) and not self.is_warning


def set_up_checks(call: Call) -> list[Check]:
    return [
        *_texts(call),
        *_dates(call),
        *_money(call),
        *_criteria(call),
        _questions(call),
        *_reviewers(call),
    ]


def publication_problems(call: Call) -> list[str]:
    """What stands in the way of publishing a call, as sentences that say what to do."""
    return [check.problem for check in set_up_checks(call) if check.is_blocking]


def _either(problem, done, detail, **more) -> Check:
    return Check(done, problem or "", detail=detail, **more)


def _texts(call) -> Iterator[Check]:
    yield _either(
        not call.about.strip() and "Say what you are looking for.", "It says what you are looking for", "about"
    )
    rules = len(call.eligibility_rules)
    yield _either(
        not rules and "Write the rules of eligibility, one a line: screening asks about each of them.",
        f"It has {rules} rule{'' if rules == 1 else 's'} of eligibility",
        "eligibility",
    )
    priorities = list(call.priorities.all())
    past = [one.title for one in priorities if not one.is_current]
    problem = not priorities and "Choose at least one priority."
    if past:
        problem = f"“{past[0]}” is no longer a priority. Take it off, or choose another one."
    yield _either(problem, f"It is about {len(priorities)} of the priorities", "priorities")
    texts = {"title": call.title, "summary": call.summary, "about": call.about, "eligibility": call.eligibility}
    found = next((name for name, text in texts.items() if find_nhs_numbers(text)), "")
    yield _either(
        found and "There is what looks like an NHS number in the text. Take it out.",
        "Its text holds nothing that looks like an NHS number",
        found or "about",
    )


def _dates(call) -> Iterator[Check]:
    closes_on = call.accepts_until.astimezone(clock.UK).date()
    yield _either(
        call.opens_at <= clock.now()
        and "Choose an opening time that is still to come: weights are published before a call opens.",
        "It opens in the future",
        "opens_at",
    )
    yield _either(
        call.closes_at <= call.opens_at and "Choose a closing time that is later than the opening time.",
        "It closes after it opens",
        "closes_at",
    )
    yield _either(
        call.closes_at.astimezone(clock.UK).weekday() >= 5
        and "It closes at a weekend, when nobody can help applicants. A working day is better.",
        "It closes on a working day",
        "closes_at",
        is_warning=True,
    )
    yield _either(
        call.decision_on <= closes_on and "Choose a decision date that is later than the closing date.",
        "The decision is promised for a day after closing",
        "decision_on",
    )
    due = call.reviews_due_on
    problem = ""
    if due is None:
        problem = "Say when reviews are due, so that reviewers know and can be reminded."
    elif not closes_on < due < call.decision_on:
        problem = (
            f"Choose a day for the reviews that is after closing ({uk_date(closes_on)}) and before the decision "
            f"({uk_date(call.decision_on)})."
        )
    yield _either(problem, "Reviews are due between closing and decision", "reviews_due_on", is_warning=due is None)


def _money(call) -> Iterator[Check]:
    yield _either(
        call.money_total <= 0 and "Say how much money there is in all.", "The money in all is set", "money_total"
    )
    yield _either(
        (call.money_per_project or 0) > call.money_total and "One proposal cannot ask for more than there is in all.",
        "One proposal cannot ask for more than there is in all",
        "money_per_project",
    )


def _criteria(call) -> Iterator[Check]:
    yield _either(
        scoring.weights_problem(weight.weight for weight in call.weights.all()),
        f"The weights add to {scoring.WEIGHTS_ADD_TO}",
        "weight_1",
    )
    short = [
        criterion
        for criterion in call.criterion_set.criteria.prefetch_related("levels")
        if len([level for level in criterion.levels.all() if level.text.strip()]) != LEVELS
    ]
    for criterion in short:
        yield Check("", f"Describe all {LEVELS} levels of “{criterion.title}”.", "criterion", criterion.pk)
    if not short:
        yield Check(f"All {LEVELS} levels of each criterion are described", place="criterion")


def _questions(call) -> Check:
    questions = list(call.questions.all())
    problems = question_problems(questions)
    if problems:
        return Check("", " ".join(problems), "questions")
    if not questions:
        return Check("It asks no questions of its own beside the common ones", place="questions")
    return Check(
        f"Its {len(questions)} own question{'s' if len(questions) > 1 else ''} can be asked", place="questions"
    )


def question_problems(questions) -> list[str]:
    """What is wrong with a call's own questions, in their order."""
    Kind = CallQuestion.Kind
    problems, seen, texts = [], {}, set()
    for question in sorted(questions, key=lambda one: one.position):
        name = f"Question {question.position}"
        text = question.text.strip()
        if not text:
            problems.append(f"{name} has no text.")
        elif text.lower() in texts:
            problems.append(f"{name}, “{text}”, is asked twice.")
        texts.add(text.lower())
        if question.kind in (Kind.CHOICE, Kind.CHOICES) and len({str(one).strip() for one in question.choices}) < 2:
            problems.append(f"{name}, “{text}”, needs at least two answers to choose from.")
        if question.shown_if_id:
            problems += _condition_problems(name, question, seen.get(question.shown_if_id))
        seen[question.pk] = question
    return problems


def _condition_problems(name, question, earlier) -> Iterator[str]:
    if earlier is None:
        yield f"{name} depends on a question that does not come before it. Change the order or the condition."
        return
    answers = {
        CallQuestion.Kind.YES_NO: ["yes", "no"],
        CallQuestion.Kind.CHOICE: earlier.choices,
        CallQuestion.Kind.CHOICES: earlier.choices,
    }.get(earlier.kind)
    wanted = question.shown_if_answer.strip()
    if answers is None:
        yield f"{name} can only depend on a question with answers to choose from."
    elif wanted.lower() not in [str(one).strip().lower() for one in answers]:
        yield f"{name} is shown for the answer “{wanted}”, which question {earlier.position} does not offer."


def _reviewers(call) -> Iterator[Check]:
    yield _either(
        call.lay_reviews_wanted > call.reviews_wanted and "There cannot be more lay reviews than reviews.",
        "No more lay reviews are wanted than reviews",
        "lay_reviews_wanted",
    )
    yield _either(
        call.lay_reviews_wanted == 0
        and "No review by a lay reviewer is wanted, so nobody speaks for patients and the public. Ask for at least "
        "one of each proposal, unless you have a reason.",
        f"It wants {call.reviews_in_words}",
        "lay_reviews_wanted",
        is_warning=True,
    )
    are_lay = list(get_user_model().objects.with_role(Role.REVIEWER).values_list("is_lay", flat=True))
    wanted, lay_wanted = call.reviews_wanted, call.lay_reviews_wanted
    yield _either(
        len(are_lay) < wanted
        and f"There are {len(are_lay)} reviewers, and each proposal needs {wanted}. "
        "Invite some before the call closes.",
        f"There are {len(are_lay)} reviewers for {wanted} reviews of each proposal",
        "",
        place="reviewers",
        is_warning=True,
    )
    yield _either(
        sum(are_lay) < lay_wanted
        and f"There are {sum(are_lay)} lay reviewers, and each proposal needs {lay_wanted}. "
        "Invite some before the call closes.",
        f"There are {sum(are_lay)} lay reviewers for {lay_wanted} lay reviews of each proposal",
        "",
        place="reviewers",
        is_warning=True,
    )
