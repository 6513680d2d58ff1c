"""Markdown written by people, as safe HTML."""

import re

import markdown
import nh3
from django.utils.safestring import SafeString, mark_safe

TAGS = {
    "a", "abbr", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href"}, "th": {"scope"}, "abbr": {"title"}}


def render_markdown(text: str) -> SafeString:
    """HTML of an allow-list of tags, sanitised by nh3. Headings start at level 2, the page has the first."""
    html = markdown.markdown(text or "", extensions=["tables", "sane_lists"])
    html = re.sub(r"<(/?)h([1-5])>", lambda match: f"<{match[1]}h{min(int(match[2]) + 1, 5)}>", html)
    html = html.replace("<th>", '<th scope="col">')
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto", "tel"})
    return mark_safe(clean)  # noqa: S308  the allow-list above is what makes it safe
