import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from psc_portal.accounts.models import User


@pytest.mark.parametrize(
    "password",
    [
        "short-one",  # eleven characters or fewer
        "patientsafety1",
        "P4tient-S4fety-Portal",
        "EastMidlands2026",
        "Liverpool2026!",  # a common password with signs round it
        "qwertyuiop12",
        "anna.schmidt.anna",  # from the email address
        "Anna Schmidt 1",  # from the name
    ],
)
def test_passwords_that_are_easy_to_guess_are_refused(password, settings):
    person = User(email="anna.schmidt@example.org", full_name="Anna Schmidt")

    with pytest.raises(ValidationError):
        validate_password(password, person)


@pytest.mark.parametrize(
    "password",
    [
        "three wet umbrellas",
        "correct horse battery staple",
        "zqkvmrtwxhbn",  # no capitals, digits or signs are asked for
        "my-nhs-trust-garden-22",
        "ü" * 6 + "wörterbuch und mehr " * 4,
        "x7" * 60,
    ],
)
def test_long_passwords_of_ones_own_words_are_taken_without_further_rules(password):
    assert validate_password(password, User(email="anna@example.org", full_name="Anna Schmidt")) is None
