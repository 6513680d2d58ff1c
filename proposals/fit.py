"""Whether an idea fits a call, by the six criteria: an honest first look that costs two minutes.

It does not score. It says "not yet" for what reviewers could not give a good score today, and what to do about it.
Growth is scored and not required, so it never counts against an idea.
"""

from collections.abc import Callable
from dataclasses import dataclass

EVALUATED_FROM = 2  # below this level of evidence nothing has been evaluated in a setting of care


@dataclass(frozen=True)
class Idea:
    """What a visitor says about an idea."""

    priorities: int  # how many of the call's priorities it serves
    asked_by: str  # "several" organisations, "one" or "nobody"
    evidence_level: int  # 0 to 5
    adopters: str  # somebody has "agreed", is "interested", or "nobody"
    aim: str  # "measured" (aim and starting figure), "aim" (no starting figure yet) or "none"
    involves_people: bool
    serves_underserved: bool


@dataclass(frozen=True)
class Finding:
    """A criterion that is weak, or could be stronger, and what to do."""

    criterion: str  # its code
    because: str  # continues "not yet, because"
    to_do: str


@dataclass(frozen=True)
class Rule:
    applies: Callable[[Idea], bool]
    finding: Finding


NOT_YET = (
    Rule(
        lambda idea: idea.priorities < 1,
        Finding(
            "priorities",
            "it serves none of the priorities of this call",
            "Look at the other calls, or tell us about your idea: we know who in the region works on what.",
        ),
    ),
    Rule(
        lambda idea: idea.evidence_level < EVALUATED_FROM,
        Finding(
            "proven",
            "it has not been evaluated in at least one setting of care",
            "Try it in one place first, with figures from before and after. We can put you in touch with teams that "
            "test ideas, and help you to plan the measurement.",
        ),
    ),
    Rule(
        lambda idea: idea.adopters == "nobody",
        Finding(
            "spread",
            "nobody has said yet that they would adopt it",
            "Talk to one or two organisations that would use it next. We can introduce you.",
        ),
    ),
    Rule(
        lambda idea: idea.aim == "none",
        Finding(
            "benefits",
            "there is no aim yet with a number and a date",
            "Write down how much better, for whom and by when, and which figure shows it.",
        ),
    ),
    Rule(
        lambda idea: not (idea.involves_people or idea.serves_underserved),
        Finding(
            "involvement",
            "no patients, service users or carers have shaped it, and it does not improve a service for an underserved "
            "community",
            "One of the two is enough. Ask people who use the service what they would change. We can help you to find "
            "them.",
        ),
    ),
)
STRONGER = (
    Rule(
        lambda idea: idea.priorities >= 1 and idea.asked_by != "several",
        Finding(
            "priorities",
            "few organisations have asked for it",
            "Name who needs it and how you know. Top scores go to ideas that two or more organisations commit to.",
        ),
    ),
    Rule(
        lambda idea: idea.evidence_level == EVALUATED_FROM,
        Finding(
            "proven",
            "the evidence is from before and after at one site",
            "Show the months before the change too, so that a trend can be told from an effect.",
        ),
    ),
    Rule(
        lambda idea: idea.adopters == "interested",
        Finding(
            "spread", "interest is not yet agreement", "Ask those who are interested for a date and a name in writing."
        ),
    ),
    Rule(
        lambda idea: idea.aim == "aim",
        Finding("benefits", "the starting figure is missing", "Collect a few weeks of data before you apply."),
    ),
)


def not_yet(idea: Idea) -> list[Finding]:
    """Why the idea does not fit yet, in the order of the criteria; nothing if it is likely to fit."""
    return [rule.finding for rule in NOT_YET if rule.applies(idea)]


def could_be_stronger(idea: Idea) -> list[Finding]:
    """What is enough and could be better."""
    return [rule.finding for rule in STRONGER if rule.applies(idea)]
