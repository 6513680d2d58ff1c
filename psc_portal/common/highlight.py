"""Search snippets: PostgreSQL marks what was found with two characters that no text has; only then comes HTML."""

from django.contrib.postgres.search import SearchHeadline
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

START, STOP = "\ue000", "\ue001"  # private use: not on any keyboard


def headline(expression, query, *, words: int = 30) -> SearchHeadline:
    """The part of a text where `query` was found, to be shown through `marked`."""
    return SearchHeadline(
        expression,
        query,
        config="english",
        start_sel=START,
        stop_sel=STOP,
        min_words=words // 2,
        max_words=words,
    )


def marked(snippet: str) -> SafeString:
    """The snippet as HTML: everything escaped, what was found in <mark>."""
    html = escape(snippet).replace(START, "<mark>").replace(STOP, "</mark>")
    return mark_safe(html)  # noqa: S308  escaped above
