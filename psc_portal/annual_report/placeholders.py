"""Placeholders for figures in a section's Markdown: `{{ calls.funded }}`, `{{ metric:PU1.latest }}`."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from psc_portal.annual_report.figures import Figure

PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
BRACES = re.compile(r"\{\{|\}\}")
MOST_TOLD = 5  # broken ones that a refusal names
LONGEST_COMPARED = 80  # characters: to look for what was meant


@dataclass(frozen=True, slots=True)
class Broken:
    """A placeholder that stands for no figure."""

    written: str
    sentence: str
    nearest: str = ""


def references(text: str) -> list[str]:
    """What a text refers to, as written, in its order."""
    return [match[1].strip() for match in PLACEHOLDER.finditer(text)]


def broken(text: str, figures: Mapping[str, Figure]) -> list[Broken]:
    """What is wrong with the placeholders of a text, each once and in its order."""
    wrong = dict.fromkeys(reference for reference in references(text) if reference not in figures)
    found = [_broken(reference, figures) for reference in wrong]
    if stray := BRACES.search(PLACEHOLDER.sub("", text)):
        found.append(Broken(stray[0], "A placeholder begins with {{ and ends with }}: one of the two is missing."))
    return found


def _broken(reference: str, figures) -> Broken:
    written = f"{{{{ {reference} }}}}"
    if not reference:
        return Broken("{{ }}", "{{ }} names no figure. Write one between the braces, like {{ calls.funded }}.")
    short = written if len(reference) <= LONGEST_COMPARED else f"{{{{ {reference[:LONGEST_COMPARED]}… }}}}"
    metric, dot, _name = reference.partition(".")
    if dot and f"{metric}.points" in figures and figures[f"{metric}.points"].value == 0:
        return Broken(written, f"{short} cannot be filled: {metric.partition(':')[2]} has no value up to the data cut.")
    nearest = _nearest(reference, figures)
    meant = f" Did you mean {{{{ {nearest} }}}}?" if nearest else ""
    return Broken(written, f"{short} is not a figure of this report.{meant}", nearest)


def _nearest(reference: str, figures) -> str:
    folded = {one.casefold(): one for one in reversed(figures)}
    wanted = reference.casefold()[:LONGEST_COMPARED]
    return next((folded[near] for near in difflib.get_close_matches(wanted, folded, n=1, cutoff=0.5)), "")


def replaced(text: str, figures: Mapping[str, Figure], *, by: Callable[[Figure], str] = str) -> str:
    """The text with each figure in the place of its placeholder; a broken one stays as it is written."""

    def figure(match):
        found = figures.get(match[1].strip())
        return match[0] if found is None else by(found)

    return PLACEHOLDER.sub(figure, text)


def used(text: str, figures: Mapping[str, Figure]) -> dict[str, str]:
    """Which figures a text uses, and what each says."""
    return {reference: figures[reference].shown for reference in references(text) if reference in figures}


def refusal(texts: Mapping[str, str], figures: Mapping[str, Figure]) -> str:
    """Why texts (by their headings) cannot be filled with figures; nothing where they can."""
    wrong = [(heading, one) for heading, text in texts.items() for one in broken(text, figures)]
    said = [f"{heading}: {one.sentence}" if len(texts) > 1 else one.sentence for heading, one in wrong[:MOST_TOLD]]
    if len(wrong) > MOST_TOLD:
        said.append(f"{len(wrong) - MOST_TOLD} more are broken.")
    return " ".join(said)
