"""Search snippets: PostgreSQL marks what was found with two characters that no text has; only then comes HTML."""

import re

from django.contrib.postgres.search import SearchHeadline
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

START, STOP = "\ue000", "\ue001"  # private use: not on any keyboard


WORDS = 30  # of a snippet


def headline(expression, query) -> SearchHeadline:
    """The part of a text where `query` was found, to be shown through `marked`."""
    return SearchHeadline(
        expression, query, config="english", start_sel=START, stop_sel=STOP, min_words=WORDS // 2, max_words=WORDS
    )


def headline_options(*, is_whole: bool = False) -> str:
    """The same for SQL of one's own; `is_whole` marks what was found in all of a short text."""
    length = "HighlightAll=true" if is_whole else f"MinWords={WORDS // 2},MaxWords={WORDS}"
    return f"StartSel={START},StopSel={STOP},{length}"


def without_markdown(snippet: str) -> str:
    """Words only: a snippet of a Markdown text may begin or end inside a table, a link or a heading."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", snippet)
    words = re.sub(r"(?m)^\s*(#+|[-*>]|\d+\.)\s+|\*\*|`", "", words)
    words = re.sub(r"\s*\|[\s|:-]*", ", ", words)
    return re.sub(r"\s+", " ", words).strip(" ,")


def marked(snippet: str) -> SafeString:
    """The snippet as HTML: everything escaped, what was found in <mark>."""
    html = escape(without_markdown(snippet)).replace(START, "<mark>").replace(STOP, "</mark>")
    return mark_safe(html)  # noqa: S308  escaped above
