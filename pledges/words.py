"""How words are counted in a statement."""


def word_count(text: str) -> int:
    """Number of words as the counter under the box counts them: what stands between spaces."""
    return len(text.split())
