"""What the annual report adds to pages of other apps: its end of the thread, search hits, sections that wait."""

import datetime as dt

from django.contrib.postgres.search import SearchVector
from django.db.models import Case, F, TextField, Value, When
from django.db.models.functions import Cast, ExtractYear, Replace
from django.urls import reverse

from psc_portal.annual_report.models import AnnualReport, Mention, Section
from psc_portal.common import registry
from psc_portal.common.templatetags.portal import uk_date


def register():
    registry.thread.register(thread)
    registry.programme.register(programme)
    registry.sources += SOURCES
    registry.news.register(news)
    registry.waiting.register(waiting)


def thread(place, user):
    """Published reports that speak of the place's subject, each at its chapter."""
    if place.kind == "report":
        return []
    mentions = (
        Mention.objects.filter(kind=place.kind, subject_pk=place.pk)
        .filter(snapshot__in=AnnualReport.objects.published().values("snapshot"))
        .select_related("snapshot__report")
        .defer("snapshot__content")
        .order_by("-snapshot__report__year_start")
    )
    return [
        registry.ThreadItem(
            "report", str(mention.snapshot.report), f"{mention.snapshot.report.get_absolute_url()}#{mention.anchor}"
        )
        for mention in mentions
    ]


def programme(user):
    """Every published report: each speaks of the whole programme."""
    for report in AnnualReport.objects.published().order_by("-year_start"):
        note = f"Published {uk_date(report.published_at)}"
        yield registry.Strand("report", report.pk, str(report), report.get_absolute_url(), note, systems=None)


def news(since, limit):
    """Reports that were published."""
    for report in AnnualReport.objects.published().filter(published_at__gte=since).order_by("-published_at")[:limit]:
        yield registry.News(report.published_at, "Report", str(report), report.get_absolute_url())


def _url(key: str) -> str:
    """`key`: the report's first year, then perhaps # and the anchor of a section."""
    year, mark, anchor = key.partition("#")
    return AnnualReport(year_start=dt.date(int(year), 4, 1)).get_absolute_url() + mark + anchor


def _year(path: str, *, later: int = 0):
    return Cast(ExtractYear(path) + later, TextField())


def _title(path: str):
    return registry.joined(Value("Annual report "), _year(path), Value(" to "), _year(path, later=1))


ANCHOR = Case(  # as snapshots.anchor_of says it
    When(kind=Section.Kind.PRIORITY, then=registry.joined(Value("priority-"), "priority__slug")),
    default=Replace("kind", Value("_"), Value("-")),
    output_field=TextField(),
)
SOURCES = [
    registry.Source(
        kind="report",
        many="Annual reports",
        weight=0.5,
        rows=lambda user: AnnualReport.objects.published(),
        key=_year("year_start"),
        url=_url,
        title=_title("year_start"),
        text=Value(""),
        vector=SearchVector(_title("year_start"), weight="A", config="english"),
        changed_at=F("updated_at"),
    ),
    registry.Source(
        kind="report",
        many="Annual reports",
        weight=0.5,
        rows=lambda user: Section.objects.filter(report__in=AnnualReport.objects.published().order_by().values("pk")),
        key=registry.joined(_year("report__year_start"), Value("#"), ANCHOR),
        url=_url,
        title=registry.joined("heading", Value(" ("), _title("report__year_start"), Value(")")),
        text=F("text"),
        vector=SearchVector("heading", weight="A", config="english")
        + SearchVector("text", weight="B", config="english"),
    ),
]


def waiting(user):
    """Sections of mine that are not signed off while their report is being written."""
    sections = Section.objects.filter(
        owner=user, signed_off_at=None, report__status=AnnualReport.Status.EDITING
    ).select_related("report")
    return [
        registry.WaitingItem(
            title=section.heading,
            url=reverse("annual_report:section_edit", args=[section.report.year, section.pk]),
            note=f"Section of the {str(section.report).lower()}: write it and sign it off",
            section="Annual report",
        )
        for section in sections
    ]
