"""Words that claim a cause, by evidence level."""

import pytest

from projects.wording import claims_by_place, claims_in, warning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Falls became fewer because of the huddle.", ["because of"]),
        ("Care improved because of the check.", ["improved because of"]),
        ("The check led to fewer falls.", ["led to"]),
        ("It has led directly to fewer falls.", ["has led directly to"]),
        ("The check reduced falls on six wards by a third.", ["reduced falls on six wards by"]),
        ("The huddle has reduced falls.", ["has reduced falls"]),
        ("This proved that huddles work.", ["proved"]),
        ("It resulted in fewer ulcers and saved lives.", ["resulted in", "saved lives"]),
        ("THANKS TO the nurses", ["THANKS TO"]),
        ("A statistically significant fall", ["statistically significant"]),
    ],
)
def test_words_that_claim_a_cause_are_found(text, words):
    assert [claim.words for claim in claims_in(text, 2)] == words


@pytest.mark.parametrize(
    "text",
    [
        "Falls became fewer while the huddles were held.",
        "After the check began there were fewer falls; alongside it the wards changed other things.",
        "The risk score did not lead to action and has not led to fewer falls.",
        "It is not known whether this was because of the check.",
        "Nobody can say that it led to fewer falls.",
        "Waterproof shoes were approved. The cause is being looked for.",
        "",
    ],
)
def test_honest_words_are_left_alone(text):
    assert claims_in(text, 0) == []


@pytest.mark.parametrize(
    ("words", "first_level"),
    [("a significant fall", 3), ("fewer because of it", 4), ("it led to fewer", 4), ("this proves it", 5)],
)
def test_each_claim_is_fine_from_its_level_on(words, first_level):
    assert [bool(claims_in(words, level)) for level in range(6)] == [level < first_level for level in range(6)]


def test_a_stretch_of_text_is_pointed_out_once():
    claims = claims_in("Falls improved because of the huddle.", 1)

    assert [(claim.words, claim.start) for claim in claims] == [("improved because of", 6)]


def test_the_warning_names_the_words_the_level_and_offers_others():
    text = warning(claims_in("It led to fewer falls and proved useful.", 2), 2)

    assert text.startswith("“led to” and “proved” claim more than evidence level 2 carries (level 5 would).")
    assert "“while”, “after” or “alongside”" in text


def test_only_the_texts_with_claims_are_named():
    found = claims_by_place({"Aim": "Fewer falls.", "Result": "The check caused it."}, 3)

    assert list(found) == ["Result"]


def test_a_long_text_is_read_in_a_moment():
    assert claims_in("reduced " + "word " * 20_000, 0) == []
