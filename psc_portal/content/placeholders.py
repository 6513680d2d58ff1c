"""Words in a page's text that each collaborative fills in for itself: {{ collaborative.name }} and its like.

This is plain replacement of a fixed list of names. The text is never a Django template.
"""

import re

from django.conf import settings

from psc_portal.common.refusals import ActionRefused

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]*)\s*\}\}")
_MEANING = re.compile(r"([\\`*_\[\]<>])")  # what Markdown would take for its own


def values() -> dict[str, str]:
    """What each placeholder stands for, by its name."""
    return {
        **{f"collaborative.{name}": value for name, value in settings.COLLABORATIVE.items()},
        "portal.url": settings.PORTAL_URL,
    }


def filled_in(text: str) -> str:
    """Plain text with its placeholders filled in. A name that is not on the list stays as it was typed."""
    known = values()
    return PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), text)


def filled_in_markdown(text: str) -> str:
    """Markdown with its placeholders filled in. A line whose placeholder has no value here is left out."""
    known = values()

    def replaced(match):
        value = known.get(match[1])
        if value is None:
            return match[0]
        return value if value.startswith(("http://", "https://")) or "@" in value else _MEANING.sub(r"\\\1", value)

    empty = {name for name, value in known.items() if not value}
    return "\n".join(
        PLACEHOLDER.sub(replaced, line)
        for line in text.split("\n")
        if not any(match[1] in empty for match in PLACEHOLDER.finditer(line))
    )


def refuse_unknown(text: str) -> None:
    """Refuse a text with a placeholder that nothing fills in.

    Raises:
        ActionRefused: names the first one and those that there are.
    """
    known = values()
    for match in PLACEHOLDER.finditer(text):
        if match[1] not in known:
            names = ", ".join(f"{{{{ {name} }}}}" for name in known)
            raise ActionRefused(f"“{match[0]}” is not a placeholder. There are: {names}.")
