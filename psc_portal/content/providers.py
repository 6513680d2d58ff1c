"""What the search page and /my/ show of pages, documents and feedback."""

import re

from django.conf import settings
from django.contrib.postgres.search import SearchVector
from django.db.models import F, OuterRef, Subquery, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.text import Truncator

from psc_portal.common.registry import LinkedText, News, Source, WaitingItem, joined
from psc_portal.content.models import Answer, Document, Edition, Feedback, PageVersion
from psc_portal.content.placeholders import filled_in
from psc_portal.content.prose import prose

CUT_PLACEHOLDER = re.compile(r"\{\{[^}]*$|^[^{]*\}\}")  # a snippet may begin or end inside one


def news(since, limit):
    """Answers to what people told us, and editions of documents: one query."""
    answers = (
        Answer.objects.filter(published_at__gte=since)
        .order_by()
        .annotate(what=Value("You said, we did"), slug=Value(""))
        .values_list("what", "you_said", "slug", "published_at")
    )
    editions = (
        Edition.objects.out()
        .filter(document__is_public=True, created_at__gte=since)
        .order_by()
        .annotate(what=Value("Document"))
        .values_list("what", "document__title", "document__slug", "created_at")
    )
    for what, title, slug, at in answers.union(editions, all=True).order_by("-published_at")[:limit]:
        url = reverse("content:document_detail", args=[slug]) if slug else reverse("content:answer_list")
        yield News(at, what, Truncator(title).words(20), url)


def _said(text: str) -> str:
    return CUT_PLACEHOLDER.sub("", filled_in(text))


def _shown_editions(user):
    newest = Edition.objects.out().filter(document=OuterRef("document")).order_by("-number").values("pk")[:1]
    return Edition.objects.filter(document__in=Document.objects.visible_to(user).order_by(), pk=Subquery(newest))


def _document_url(slug: str) -> str:
    return reverse("content:document_detail", args=[slug])


SOURCES = [
    Source(
        kind="page",
        many="Pages",
        rows=lambda user: PageVersion.objects.shown(),
        key=F("page__slug"),
        url=lambda slug: reverse("content:page", args=[slug]),
        title=F("title"),
        text=F("body"),
        said=_said,
        changed_at=F("publish_at"),
    ),
    Source(
        kind="document",
        many="Documents",
        weight=0.7,
        rows=lambda user: Document.objects.visible_to(user),
        key=F("slug"),
        url=_document_url,
        title=F("title"),
        text=F("summary"),
        vector=SearchVector("title", weight="A", config="english") + SearchVector("summary", config="english"),
        changed_at=F("updated_at"),
    ),
    Source(  # the same page by the text of the edition that it shows
        kind="document",
        many="Documents",
        weight=0.7,
        rows=_shown_editions,
        key=F("document__slug"),
        url=_document_url,
        title=F("document__title"),
        text=F("body"),
        said=_said,
    ),
    Source(
        kind="answer",
        many="You said, we did",
        rows=lambda user: Answer.objects.all(),
        key=Cast("pk", TextField()),
        url=lambda pk: f"{reverse('content:answer_list')}#answer-{pk}",
        title=Value("You said, we did"),
        text=joined("you_said", Value(" "), "we_did"),
    ),
]


def waiting(user):
    """Staff: feedback that nobody has dealt with yet."""
    if not user.is_programme_staff:
        return []
    return [
        WaitingItem(
            title=f"Feedback about {feedback.page or settings.COLLABORATIVE['short_name']}",
            url=reverse("admin:content_feedback_change", args=[feedback.pk]),
            note=feedback.get_status_display(),
            section="Feedback",
        )
        for feedback in Feedback.objects.open().order_by("created_at")[:20]
    ]


def linked_texts():
    """The pages as visitors see them now, and the latest editions."""
    for version in PageVersion.objects.shown().select_related("page").defer("search"):
        yield LinkedText(filled_in(version.title), version.page.get_absolute_url(), prose(version.body))
    latest = Edition.objects.out().filter(document__is_public=True).order_by("document_id", "-number")
    for edition in latest.distinct("document_id").select_related("document").defer("search"):
        yield LinkedText(edition.document.title, edition.document.get_absolute_url(), prose(edition.body))
