"""What the annual report adds to pages of other apps: its end of the thread, search hits, sections that wait."""

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.urls import reverse

from psc_portal.annual_report.models import AnnualReport, Mention, Section
from psc_portal.annual_report.snapshots import anchor_of
from psc_portal.common import registry
from psc_portal.common.highlight import headline, marked


def register():
    registry.thread.register(thread)
    registry.search.register(search)
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


def search(query, user, limit):
    """Sections of published reports."""
    words = SearchQuery(query, config="english", search_type="websearch")
    vector = SearchVector("heading", weight="A", config="english") + SearchVector("text", weight="B", config="english")
    sections = (
        Section.objects.filter(report__status=AnnualReport.Status.PUBLISHED)
        .select_related("report", "priority")
        .annotate(vector=vector, rank=SearchRank(vector, words))
        .filter(vector=words)
        .annotate(headline=headline("text", words))
        .order_by("-rank", "-report__year_start", "position")[:limit]
    )
    return [
        registry.SearchHit(
            kind="report",
            title=f"{section.heading} ({str(section.report).lower()})",
            url=f"{section.report.get_absolute_url()}#{anchor_of(section)}",
            snippet=marked(section.headline),
            rank=section.rank,
        )
        for section in sections
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
