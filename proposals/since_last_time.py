"""What a resubmission says of the proposal it began from: a section of its form, made of the advice of last time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from proposals.models import Proposal
from proposals.questions.asking import Kind, Question, Section, is_answered

SLUG = "since-last-time"
WORD_LIMIT = 150
MET = (("met", "Met"), ("partly", "Partly met"), ("not_met", "Not met"))


@dataclass(frozen=True)
class Advice:
    """One piece of advice that the team was given, and the name of the answer that says what they did about it."""

    name: str
    heading: str
    text: str

    @property
    def met(self) -> str:
        """Name of the answer that says whether they have met it."""
        return f"{self.name}-met"


def advice_on(earlier: Proposal) -> list[Advice]:
    """What the team of `earlier` has been told: released feedback by criterion, or why it was not eligible.

    Never a score, and nothing of a letter that is not released.
    """
    return list(_advice(earlier))


def _advice(earlier) -> Iterator[Advice]:
    decision = earlier.released_decision
    if decision:
        prefetch_related_objects([decision.letter], "comments__criterion")
        for comment in decision.letter.comments.all():
            if comment.text:
                yield Advice(f"since-{comment.criterion.code}", comment.criterion.title, comment.text)
        if decision.letter.next_time:
            yield Advice("since-next-time", "What would change the result", decision.letter.next_time)
    elif earlier.status == Proposal.Status.INELIGIBLE:
        for screening in [*earlier.screenings.all()][-1:]:
            yield Advice("since-eligibility", "Why it was not eligible", screening.explanation)


def section_for(proposal: Proposal) -> Section | None:
    """The section “What changed since last time”; only a resubmission has it."""
    if proposal is None or proposal.earlier_id is None:
        return None
    advice = advice_on(proposal.earlier)
    asked = tuple(question for one in advice for question in _questions_about(one))
    if not asked:
        asked = (Question("since-changed", "What have you changed since last time?", word_limit=WORD_LIMIT,
                          enter="Say what you have changed since last time"),)  # fmt: skip
    return Section(
        SLUG,
        "What changed since last time",
        "Reviewers read this beside what you changed and the advice you were given. They do not see earlier scores.",
        questions=asked,
    )


def _questions_about(advice) -> Iterator[Question]:
    yield Question(
        advice.met,
        f"{advice.heading}: have you met this advice?",
        Kind.CHOICE,
        hint=f"We told you: {advice.text}",
        options=MET,
        enter=f"Say whether you have met the advice on: {advice.heading}",
    )
    yield Question(
        advice.name,
        f"{advice.heading}: what did you do about it?",
        word_limit=WORD_LIMIT,
        enter=f"Say what you did about: {advice.heading}",
    )


def answered(earlier: Proposal, answers: Mapping) -> list[tuple[Advice, str, str]]:
    """Each piece of advice: whether the team says it is met, and what they say they did about it."""
    found = [(one, dict(MET).get(answers.get(one.met), ""), answers.get(one.name) or "") for one in advice_on(earlier)]
    if is_answered(answers.get("since-changed")):
        found.append((Advice("since-changed", "What has changed", ""), "", answers["since-changed"]))
    return found
