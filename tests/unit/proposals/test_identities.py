import pytest
from hypothesis import given
from hypothesis import strategies as st

from proposals import identities


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("a@uhl-tr.nhs.uk", "uhl-tr.nhs.uk"),
        ("a@UHL-TR.nhs.uk", "uhl-tr.nhs.uk"),
        ("a@student.le.ac.uk", "student.le.ac.uk"),
        ("a@nhs.net", ""),
        ("a@nhs.uk", ""),
        ("a@gmail.com", ""),
        ("a@example.org", ""),
        ("a@demo.example", ""),
        ("a@localhost", ""),
        ("", ""),
    ],
)
def test_a_shared_domain_is_nobody_s_own(email, domain):
    assert identities.own_domain(email) == domain


def test_domains_within_one_another_are_the_same_but_a_shared_one_above_is_not():
    assert identities.same_domain("student.le.ac.uk", "le.ac.uk")
    assert not identities.same_domain("uhl-tr.nhs.uk", "nuh.nhs.uk")
    assert not identities.same_domain("le.ac.uk", "male.ac.uk")
    assert identities.parents("a.student.le.ac.uk") == ["student.le.ac.uk", "le.ac.uk"]


def test_names_addresses_and_domains_are_hidden_in_a_text_and_nothing_else():
    pattern = identities.hiding(["Harbour Health Ltd", "Ada Lovelace", "Lovelace", "Li"], ["harbour.co.uk"])

    hidden = identities.hide(
        "Ada  Lovelace of HARBOUR-HEALTH LTD (ada@mail.harbour.co.uk, www.harbour.co.uk) met Lovelaces in Li.", pattern
    )

    assert hidden == "[hidden] of [hidden] ([hidden], [hidden]) met Lovelaces in Li."
    assert identities.hide("Nothing to hide", identities.hiding([])) == "Nothing to hide"


def test_where_names_stand_is_told_by_place():
    pattern = identities.hiding(["Lovelace"])

    assert identities.places_named({"Title": "A Lovelace engine", "Aim": "None"}, pattern) == {"Title": ["Lovelace"]}


@given(st.lists(st.text(alphabet="abcdefgh .-", min_size=3, max_size=12), max_size=4), st.text(max_size=80))
def test_hiding_leaves_no_name_behind(names, text):
    pattern = identities.hiding(names)

    hidden = identities.hide(text, pattern)

    assert pattern is None or not pattern.search(hidden.replace(identities.HIDDEN, "\n\n\n\n"))
