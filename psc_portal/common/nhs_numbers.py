"""No patient data: text with a valid NHS number is refused when it is submitted or published."""

import re
from collections.abc import Mapping

from psc_portal.common.refusals import ActionRefused

CANDIDATE = re.compile(r"(?<![\d£])\d{3}[ \-.\u00a0]?\d{3}[ \-.\u00a0]?\d{4}(?!\d)")


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits carry a valid check digit.

    Source: NHS Data Dictionary, NHS NUMBER: modulus 11 over the first nine digits with weights 10 to 2; 11 counts as
    0, and a result of 10 is invalid.
    """
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check % 11 == int(digits[9]) and check != 10


def find_nhs_numbers(text: str) -> list[str]:
    """What in the text looks like a valid NHS number, as written. One in eleven ten-digit numbers does."""
    return [found for found in CANDIDATE.findall(text or "") if is_nhs_number(re.sub(r"\D", "", found))]


def refuse_nhs_numbers(texts: Mapping[str, str], *, explained: str = "") -> None:
    """Refuse where one of the texts, keyed by what the person calls the place, holds a valid NHS number.

    `explained` is why it is none: the caller keeps the reason, and its event in the audit trail says that there is one.

    Raises:
        ActionRefused: names the place, not the number.
    """
    places = [place for place, text in texts.items() if find_nhs_numbers(text)]
    if places and not explained.strip():
        raise ActionRefused(
            f"There is what looks like an NHS number in: {', '.join(places)}. "
            "Take it out: the portal must not hold anything that identifies a patient. Your text has been kept."
        )
