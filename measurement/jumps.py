"""Numbers that look as if they were in another unit: a rate in place of a percentage, thousands in place of ones."""

from collections.abc import Iterable
from statistics import median

FACTOR = 80  # a little below 100, so that an ordinary difference does not hide a change of unit
ENOUGH = 4  # values, until one can say what is usual


def usual(numbers: Iterable[float]) -> float | None:
    """The median size of what was stored so far; None where there is too little to say, or where it is 0."""
    sizes = [abs(float(number)) for number in numbers if number is not None]
    return (median(sizes) or None) if len(sizes) >= ENOUGH else None


def how_far(number: float | None, usually: float | None) -> str:
    """By how much a number is too large or too small to be usual, in steps of ten; nothing where it is not."""
    if not number or not usually:
        return ""
    times = abs(float(number)) / usually
    if 1 / FACTOR < times < FACTOR:
        return ""
    word, times = ("larger", times) if times > 1 else ("smaller", 1 / times)
    power = 10
    while power * 10 <= times * 100 / FACTOR:
        power *= 10
    return f"about {power:,} times {word}"
