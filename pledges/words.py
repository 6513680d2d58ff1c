"""How words are counted in a statement."""

import re

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


def word_count(text: str) -> int:
    """Number of words as a reader counts them: "follow-up" and "don't" are one each, a lone dash is none."""
    return len(_WORD.findall(text))
