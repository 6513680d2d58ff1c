"""The PDFs of one snapshot: the report, a board pack of two pages, large print, and one for each priority."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.template.loader import render_to_string

from psc_portal.annual_report import document
from psc_portal.annual_report.models import Rendering, Section

Kind = Rendering.Kind
BOARD_PACK_PAGES = 2
BOARD_PACK_ROWS = (14, 11, 9, 7, 5, 3, 2, 1, 0)  # tried one after the other until everything fits on two pages
BOARD_PACK_TEXT = 60  # words of the forward plan for each row of a list
LARGE_PRINT_CHART = 330  # narrow drawings: on paper their smallest text is then 18 pt


@dataclass(frozen=True)
class Wanted:
    """One PDF that a snapshot gives."""

    kind: Kind
    part: str = ""
    name: str = ""


@dataclass(frozen=True)
class Paper:
    """A document for the renderer. pages: exactly so many, or None."""

    html: str
    stylesheets: tuple[str, ...]
    pages: int | None = None


def wanted(data: dict) -> list[Wanted]:
    """What is made of a snapshot, the report itself first."""
    known = {priority["slug"] for priority in data["priorities"]}
    return [
        Wanted(Kind.REPORT),
        Wanted(Kind.BOARD_PACK),
        Wanted(Kind.LARGE_PRINT),
        *(
            Wanted(Kind.PRIORITY, section["priority"], section["heading"])
            for section in data["sections"]
            if section["priority"] in known
        ),
    ]


def drafts(rendering) -> Iterator[Paper]:
    """Drafts of a rendering's PDF, the fullest first; made of the snapshot alone, so always the same.

    Raises:
        ValueError: the stored snapshot is not the one that was hashed.
    """
    snapshot = rendering.snapshot
    if rendering.kind == Kind.BOARD_PACK:
        for rows in BOARD_PACK_ROWS:
            yield Paper(board_pack_html(snapshot, rows), ("report.css", "board_pack.css"), BOARD_PACK_PAGES)
    elif rendering.kind == Kind.LARGE_PRINT:
        html = document.pdf_html(snapshot, chart_width=LARGE_PRINT_CHART, edition="Large print")
        yield Paper(html, ("report.css", "large_print.css"))
    elif rendering.kind == Kind.PRIORITY:
        yield Paper(priority_html(snapshot, rendering.part), ("report.css", "short.css"))
    else:
        yield Paper(document.pdf_html(snapshot), ("report.css",))


def priority_html(snapshot, slug: str) -> str:
    """One priority's chapter, and how its metrics are defined."""
    data = document.checked(snapshot)
    chapter = next(
        one
        for one in document.chapters(data)
        if one.kind == Section.Kind.PRIORITY and one.filled["priority"]["slug"] == slug
    )
    return _html("pdf/one_priority.html", snapshot, data, chapter=chapter)


def board_pack_html(snapshot, rows: int) -> str:
    """What a board reads: the numbers, what got better or worse, each priority, money and next steps.

    rows: how many lines a list may have; what is left out is counted and stands in the report.
    """
    data = document.checked(snapshot)
    metrics = {metric["code"]: document.with_reading(metric) for metric in data["metrics"]}
    shown = [metric for metric in metrics.values() if metric["reading"].latest]
    plan = next((one["text"] for one in data["sections"] if one["kind"] == Section.Kind.FORWARD_PLAN), "")
    must_do_first = sorted(data["priorities"], key=lambda priority: not priority["is_must_do"])
    return _html(
        "pdf/board_pack.html",
        snapshot,
        data,
        figures=data["figures"],
        better=Listed.of([metric for metric in shown if metric["reading"].variation.tone == "improvement"], rows),
        worse=Listed.of([metric for metric in shown if metric["reading"].variation.tone == "concern"], rows),
        priorities=Listed.of([(one, [metrics[code] for code in one["metrics"]]) for one in must_do_first], rows),
        plan=document.text_under_heading(_first_words(plan, BOARD_PACK_TEXT * (rows or 1) // 4)),
    )


@dataclass(frozen=True)
class Listed:
    """The first lines of a list, and how many more the report has."""

    rows: list
    more: int

    @classmethod
    def of(cls, rows: list, most: int) -> "Listed":
        return cls(rows[:most], max(0, len(rows) - most))


def _first_words(text: str, most: int) -> str:
    """Whole lines of Markdown up to so many words: cut inside a line, a link or a list might break."""
    kept, count = [], 0
    for line in text.splitlines():
        count += len(line.split())
        if count > most:
            break
        kept.append(line)
    return "\n".join(kept)


def _html(template: str, snapshot, data: dict, **context) -> str:
    shared = {"data": document.with_types(data), "sha256": snapshot.sha256, "base": data["portal_url"]}
    return render_to_string(template, shared | context)
