"""A snapshot as a document: the same chapters, in the same order, for the page and for the PDF."""

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from measurement import charts
from measurement.figures import Reading
from psc_portal.annual_report.models import Section
from psc_portal.common.markdown import render_markdown

CHAPTER_LEVEL = 2


@dataclass(frozen=True)
class Chapter:
    """One section of the report, with its text as HTML and what the portal puts beside it."""

    anchor: str
    heading: str
    kind: str
    html: SafeString
    template: str
    filled: dict = field(default_factory=dict)

    @property
    def alone(self) -> list["Chapter"]:
        return [self]

    @property
    def is_filled(self) -> bool:
        """Long enough to begin on a page of its own."""
        return bool(self.filled) and self.kind not in {Section.Kind.GLOSSARY, Section.Kind.CONTACTS}


def chapters(data: dict, *, chart_width: int = charts.WIDTH) -> list[Chapter]:
    """The chapters of a snapshot's (or a preview's) data, in order."""
    data = with_types(data)
    metrics = {metric["code"]: with_reading(metric, chart_width=chart_width) for metric in data["metrics"]}
    projects = {project["slug"]: project for project in data["projects"]}
    priorities = {priority["slug"]: priority for priority in data["priorities"]}
    filled = {
        Section.Kind.YEAR_IN_NUMBERS: {"figures": data["figures"], "cut_on": data["data_cut_on"]},
        Section.Kind.PLEDGES: {
            "pledges": data["pledges"],
            "figures": data["figures"],
            "cut_on": data["data_cut_on"],
            "kept": with_progress(data["pledges"], "done"),
            "stopped": with_progress(data["pledges"], "stopped"),
        },
        Section.Kind.CALLS: {"calls": data["calls"], "figures": data["figures"], "projects": projects},
        Section.Kind.METRICS: {
            "metrics": [metric for metric in metrics.values() if metric["reading"].latest],
            "silent": [metric for metric in metrics.values() if not metric["reading"].latest],
            "loose": loose(data, metrics),
            "priorities": priorities,
        },
        Section.Kind.GLOSSARY: {"glossary": data["glossary"]},
        Section.Kind.CONTACTS: {"collaborative": data["collaborative"], "portal_url": data["portal_url"]},
    }
    result = []
    told = {}  # project -> the chapter that tells of it: one that serves two priorities is told once
    for section in data["sections"]:
        kind = section["kind"]
        if kind == Section.Kind.PRIORITY:
            if (priority := priorities.get(section["priority"])) is None:
                continue
            beside = priority_chapter(priority, section, projects, metrics, told)
        else:
            beside = filled.get(kind, {})
        result.append(
            Chapter(
                anchor=section["anchor"],
                heading=section["heading"],
                kind=kind,
                html=text_under_heading(section["text"]),
                template=f"annual_report/chapters/{kind}.html" if beside else "annual_report/chapters/text.html",
                filled=beside,
            )
        )
    return result


def priority_chapter(priority, section, projects, metrics, told) -> dict:
    mine = [projects[slug] for slug in priority["projects"]]
    elsewhere = [(project, told[project["slug"]]) for project in mine if project["slug"] in told]
    here = [project for project in mine if project["slug"] not in told]
    told |= {project["slug"]: section for project in here}
    return {
        "priority": priority,
        "projects": here,
        "elsewhere": elsewhere,
        "metrics": [metrics[code] for code in priority["metrics"]],
    }


def with_progress(pledges, progress) -> list[tuple]:
    return [(pledge, said) for pledge in pledges for said in pledge["statements"] if said["progress"] == progress]


def loose(data, metrics) -> list[dict]:
    """Metrics with data that no chapter of a priority shows: their charts stand in the appendix."""
    chapters_of = {section["priority"] for section in data["sections"] if section["priority"]}
    shown = {code for row in data["priorities"] if row["slug"] in chapters_of for code in row["metrics"]}
    return [metric for code, metric in metrics.items() if code not in shown and metric["reading"].latest]


def with_reading(metric: dict, *, chart_width: int = charts.WIDTH) -> dict:
    reading = Reading.from_json(metric["reading"])
    has_data = reading.latest is not None
    return {
        **metric,
        "reading": reading,
        "chart": charts.chart_svg(reading, width=chart_width) if has_data else "",
        "rows": [row_of(reading, point) for point in reading.points] if has_data else [],
    }


def row_of(reading, point) -> dict:
    """One line of the table beside a chart."""
    has_limits = point.lower is not None and point.upper is not None
    return {
        "label": point.label,
        "value": point.value_text or "Missing",
        "mean": reading.line_text(point.mean) if point.mean is not None else "",
        "limits": f"{reading.line_text(point.lower)} to {reading.line_text(point.upper)}" if has_limits else "",
        "meaning": point.meaning,
    }


def with_types(value, name=""):
    """The same nested value with dates for the strings under `..._on`, moments (`..._at`) and money (`..._pounds`)."""
    if isinstance(value, dict):
        if name == "reading":
            return value  # it has its own way back
        return {key: with_types(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_types(inner) for inner in value]
    if isinstance(value, str) and name.endswith("_pounds"):
        return Decimal(value)
    if isinstance(value, str) and name.endswith("_on"):
        return dt.date.fromisoformat(value)
    if isinstance(value, str) and name.endswith("_at"):
        return dt.datetime.fromisoformat(value)
    return value


HEADING = re.compile(r"<(/?)h([2-6])>")


def text_under_heading(markdown: str) -> SafeString:
    """A section's Markdown as HTML whose headings come under the chapter's and skip no level.

    A skipped level is a failure in PDF/UA, and people do begin with ###.
    """
    levels = []  # (as written, as shown) of the headings that enclose the current place

    def shifted(match):
        closing, level = match[1], int(match[2])
        if not closing:
            while levels and levels[-1][0] >= level:
                levels.pop()
            levels.append((level, min((levels[-1][1] if levels else CHAPTER_LEVEL) + 1, 6)))
        return f"<{closing}h{levels[-1][1]}>"

    html = HEADING.sub(shifted, render_markdown(markdown))
    html = re.sub(r"<(h[3-6])>\s*</\1>", "", html)  # an empty heading is a heading for screen readers
    return mark_safe(html)  # noqa: S308  sanitised by render_markdown, only numbers of headings changed


def pdf_html(snapshot, *, chart_width: int = charts.WIDTH, edition: str = "") -> str:
    """The document that becomes the PDF: made of the snapshot alone, so the same snapshot gives the same bytes.

    Raises:
        ValueError: the stored snapshot is not the one that was hashed.
    """
    data = checked(snapshot)
    return render_to_string(
        "pdf/annual_report.html",
        {
            "data": with_types(data),
            "chapters": chapters(data, chart_width=chart_width),
            "sha256": snapshot.sha256,
            "base": data["portal_url"],
            "edition": edition,
        },
    )


def checked(snapshot) -> dict:
    """A snapshot's data.

    Raises:
        ValueError: the stored snapshot is not the one that was hashed.
    """
    if not snapshot.is_intact():
        raise ValueError(f"snapshot {snapshot.pk} does not have the hash it was stored with")
    return snapshot.data
