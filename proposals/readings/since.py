"""What changed between a proposal and the one it began from, for reviewers and staff."""

from dataclasses import dataclass, replace

from proposals import blinding, identities, questions, since_last_time
from proposals.models import Proposal
from psc_portal.common.word_diff import Change, Piece, word_changes


@dataclass(frozen=True)
class ChangedAnswer:
    label: str
    pieces: list[Piece]

    @property
    def is_new(self) -> bool:
        return all(piece.change == Change.ADDED for piece in self.pieces)

    @property
    def is_gone(self) -> bool:
        return all(piece.change == Change.REMOVED for piece in self.pieces)


@dataclass(frozen=True)
class SinceLastTime:
    """The earlier submission against this one: changed answers by section, and advice with what was done about it."""

    earlier: Proposal
    sections: list[tuple[str, list[ChangedAnswer]]]
    unchanged: int  # answers that are the same word for word
    advice: list[tuple[since_last_time.Advice, str, str]]  # with whether it is met, and what was done about it


def since_last_time_of(proposal: Proposal, *, blind: bool = False) -> SinceLastTime | None:
    """None for what did not begin from an earlier proposal. A blind reader gets no answer that names people, of either.

    Earlier scores, reviews and decisions are no part of this.
    """
    if proposal.earlier_id is None:
        return None
    earlier = proposal.earlier
    patterns = [blinding.pattern_of(one) for one in (earlier, proposal)] if blind else []

    def told(text):
        """Names of either proposal's writers are hidden in the texts of both."""
        for pattern in patterns:
            text = identities.hide(text, pattern)
        return text

    before, after = ({key: told(text) for key, text in _texts(one, blind=blind).items()} for one in (earlier, proposal))
    sections: dict[str, list[ChangedAnswer]] = {}
    unchanged = 0
    for key in [*after, *(key for key in before if key not in after)]:
        old, new = before.get(key, ""), after.get(key, "")
        if not old and not new:
            continue
        pieces = word_changes(old, new)
        if all(piece.change == Change.SAME for piece in pieces):
            unchanged += 1
        else:
            title, label = key
            sections.setdefault(title, []).append(ChangedAnswer(label, pieces))
    advice = [
        (replace(one, text=told(one.text)), met, told(answer))
        for one, met, answer in since_last_time.answered(earlier, proposal.answers)
    ]
    return SinceLastTime(earlier, list(sections.items()), unchanged, advice)


def _texts(proposal, *, blind) -> dict[tuple[str, str], str]:
    """Every answer as a reader sees it, by title of its section and label."""
    found = {}
    for one in questions.shown_of(proposal, blind=blind):
        if one.section.slug in (since_last_time.SLUG, "files"):
            continue
        for answer in one.answers:
            found[one.section.title, answer.question.label] = answer.text
        for number, answers in one.rows:
            for answer in answers:
                found[one.section.title, f"{one.section.rows.one} {number}: {answer.question.label}"] = answer.text
    return found
