"""Passwords: length is asked for by Django's own validator; these refuse what is long and still easy to guess."""

import re

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

CONTEXT_WORDS = {
    "patient", "safety", "collaborative", "portal", "password", "passphrase", "nhs", "health", "hospital",
    "trust", "england", "improvement", "academic", "science", "network", "welcome", "letmein", "admin", "staff",
    "login",
}  # fmt: skip
LOOKALIKES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
LEAST_OF_ONES_OWN = 8  # letters and digits that must be left when the portal's own words are taken away


def _context_words() -> set[str]:
    names = [settings.COLLABORATIVE[key] for key in ("name", "short_name", "region", "network", "network_short")]
    return CONTEXT_WORDS | {word for word in re.findall(r"[a-z]+", " ".join(names).lower()) if len(word) >= 3}


class ContextWordsValidator:
    """Refuses a password made of words that everybody here would try first, such as the portal's own name."""

    def validate(self, password, user=None):
        plain = password.lower().translate(LOOKALIKES)
        for word in sorted(_context_words(), key=len, reverse=True):
            plain = plain.replace(word, " ")
        if len(re.sub(r"[^a-z]", "", plain)) + len(re.sub(r"\D", "", password)) < LEAST_OF_ONES_OWN:
            raise ValidationError(
                "This password is made of words that are easy to guess here. Use other words.", code="password_context"
            )

    def get_help_text(self):
        return "Do not build it from the name of the portal, the region or the NHS."


class CommonCoreValidator(CommonPasswordValidator):
    """Refuses a common password, also with digits or signs put round it ("Liverpool2026!")."""

    def validate(self, password, user=None):
        lowered = password.lower().strip()
        cores = {lowered, re.sub(r"^[\W\d_]+|[\W\d_]+$", "", lowered)}
        if cores & self.passwords:
            raise ValidationError(
                "This password is too common, or a common one with numbers or signs added. Use several words together.",
                code="password_too_common",
            )

    def get_help_text(self):
        return "Do not use a common password, also not with numbers or signs added."
