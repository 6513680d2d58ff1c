"""Whether this installation holds demonstration data."""

import time

from psc_portal.common.models import DemonstrationMark

SENTENCE = "Demonstration data: organisations are real, everything said about them here is made up."
_answer: tuple[float, bool] = (-60.0, False)


def is_demonstration() -> bool:
    """Asks the database at most every ten seconds: every page needs the answer."""
    global _answer
    asked_at, answer = _answer
    if time.monotonic() - asked_at > 10:
        answer = DemonstrationMark.objects.exists()
        _answer = (time.monotonic(), answer)
    return answer


def mark() -> None:
    DemonstrationMark.objects.get_or_create(pk=1)
    forget()


def forget() -> None:
    """Ask the database again next time."""
    global _answer
    _answer = (-60.0, False)
