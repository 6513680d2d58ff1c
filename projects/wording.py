"""Words that claim more than the evidence carries: pure Python, used where people write about results.

Studies of improvement work are mostly uncontrolled, so that "better after" is rarely "better because of". A claim is
pointed out, never refused: whoever writes may know why it is right here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

CONTROLLED, SEVERAL_TRIALS, TIME_SERIES = 4, 5, 3  # levels of projects.models.EVIDENCE_LEVELS
WHOLE_LINE = "say what you saw and when: “while”, “after” or “alongside”"


@dataclass(frozen=True)
class Rule:
    pattern: re.Pattern
    level: int  # from this evidence level on, the words are fine
    instead: str


@dataclass(frozen=True)
class Claim:
    """Words found in a text, the evidence level that they would need, and what to write in their place."""

    words: str
    start: int
    level: int
    instead: str


def _rule(pattern: str, level: int, instead: str) -> Rule:
    return Rule(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), level, instead)


CHANGED = r"(?:reduced|cut|lowered|halved|decreased|raised|increased|improved|doubled|boosted)"
RULES = [
    _rule(rf"{CHANGED}\s+(?:because of|due to|thanks to|owing to|as a result of)", CONTROLLED, "“after” or “while”"),
    _rule(r"because of|due to|thanks to|owing to|attributable to", CONTROLLED, "“after”, “while” or “alongside”"),
    _rule(r"(?:led|leads|has led|have led)(?:\s+directly)? to", CONTROLLED, "“was followed by” or “came alongside”"),
    _rule(r"result(?:ed|s|ing) in|as a (?:direct )?(?:result|consequence) of", CONTROLLED, "“was followed by”"),
    _rule(r"caus(?:ed|es|ing)|brought about|responsible for", CONTROLLED, "“came alongside”"),
    _rule(rf"{CHANGED}\s+(?!by\b)(?:[\w’'-]+\s+){{1,5}}?by", CONTROLLED, "“became fewer while …”"),
    _rule(r"(?:has|have)\s+(?:reduced|cut|lowered|halved|prevented|saved|improved)\s+\w+", CONTROLLED,
          "“became fewer while …”"),
    _rule(r"prevented|prevents|saved lives|saves lives|averted", CONTROLLED, "“there were fewer … after”"),
    _rule(r"the (?:effect|impact) of", CONTROLLED, "“what changed alongside”"),
    _rule(r"prove[sdn]?|proof that|guarantee[sd]?|demonstrate[sd]? that", SEVERAL_TRIALS, "“suggests”"),
    _rule(r"(?:statistically )?significant(?:ly)?", TIME_SERIES, "the numbers themselves, with their dates"),
]  # fmt: skip
DENIED = re.compile(
    r"\b(?:not|never|no|nor|without|cannot|can’t|can't|didn’t|didn't|doesn’t|doesn't|whether|if|nobody|unclear|unknown)"
    r"(?:\s+[\w’'-]+){0,4}\s*$",
    re.IGNORECASE,
)


def claims_in(text: str, level: int) -> list[Claim]:
    """Words of `text` that need a higher evidence level than `level`, in reading order; each stretch once.

    What is denied or left open ("did not lead to", "whether it was because of") claims nothing.
    """
    found: list[Claim] = []
    for rule in RULES:
        for match in rule.pattern.finditer(text or "") if level < rule.level else ():
            is_covered = any(one.start <= match.start() < one.start + len(one.words) for one in found)
            if not is_covered and not DENIED.search(_sentence_before(text, match.start())):
                found.append(Claim(match[0], match.start(), rule.level, rule.instead))
    return sorted(found, key=lambda one: one.start)


def _sentence_before(text: str, place: int) -> str:
    """The sentence, or the part after a comma, up to `place`."""
    return re.split(r"[.!?;:,\n]", text[max(0, place - 120) : place])[-1]


def claims_by_place(texts: Mapping[str, str], level: int) -> dict[str, list[Claim]]:
    """The claims of several texts, each under its name; texts without one are left out."""
    found = {place: claims_in(text, level) for place, text in texts.items()}
    return {place: claims for place, claims in found.items() if claims}


def warning(claims: list[Claim], level: int) -> str:
    """One sentence for whoever wrote: which words, which level, what to say in their place."""
    words = list(dict.fromkeys(claim.words for claim in claims))
    instead = list(dict.fromkeys(claim.instead for claim in claims))
    needed = max(claim.level for claim in claims)
    return (
        f"{_quoted(words)} {'claims' if len(words) == 1 else 'claim'} more than evidence level {level} carries "
        f"(level {needed} would). Better: {'; or '.join(instead)}. In general, {WHOLE_LINE}."
    )


def _quoted(words: list[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
