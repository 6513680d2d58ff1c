from hypothesis import example, given
from hypothesis import strategies as st

from psc_portal.common.word_diff import Change, Piece, word_changes

texts = st.text(st.sampled_from("ab \n"), max_size=30)


def test_changed_words_are_taken_out_and_added_in_reading_order():
    assert word_changes("Falls went down", "Falls went up quickly") == [
        Piece(Change.SAME, "Falls went"),
        Piece(Change.REMOVED, " down"),
        Piece(Change.ADDED, " up quickly"),
    ]


def test_white_space_alone_is_no_change():
    assert word_changes("One  two\n", "One two") == [Piece(Change.SAME, "One two")]


def test_a_new_and_a_removed_text_are_one_piece_each():
    assert word_changes("", "New text") == [Piece(Change.ADDED, "New text")]
    assert word_changes("Old text", "") == [Piece(Change.REMOVED, "Old text")]
    assert word_changes("", "") == []


def test_very_long_texts_are_shown_as_rewritten():
    assert [piece.change for piece in word_changes("a " * 4000, "b " * 4000)] == [Change.REMOVED, Change.ADDED]


@given(texts, texts)
@example("b a", "a")
def test_without_what_was_added_it_reads_as_before_and_without_what_was_removed_as_after(before, after):
    pieces = word_changes(before, after)

    old = "".join(piece.text for piece in pieces if piece.change != Change.ADDED)
    new = "".join(piece.text for piece in pieces if piece.change != Change.REMOVED)
    assert (old.split(), new.split()) == (before.split(), after.split())
