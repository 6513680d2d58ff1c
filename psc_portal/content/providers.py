"""What the search page and /my/ show of pages, documents and feedback."""

import re

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse

from psc_portal.common.highlight import headline, marked
from psc_portal.common.registry import SearchHit, WaitingItem
from psc_portal.content.models import Answer, Document, Edition, Feedback, PageVersion
from psc_portal.content.placeholders import filled_in

LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)?")  # a snippet may end inside the address
MARKUP = re.compile(r"[#*|`]+|^[->]\s", re.MULTILINE)


def search(query, user, limit):
    """Pages, documents and answers that hold the words; one query for each."""
    terms = SearchQuery(query, config="english", search_type="websearch")

    def found(rows, text, also=None):
        return (
            rows.filter(Q(search=terms) | also if also else Q(search=terms))
            .annotate(rank=SearchRank(F("search"), terms), snippet=headline(text, terms))
            .defer("search")
            .order_by("-rank", "pk")[:limit]
        )

    newest = Edition.objects.out().filter(document=OuterRef("document")).order_by("-number").values("pk")[:1]
    editions = Edition.objects.filter(document__in=Document.objects.visible_to(user), pk=Subquery(newest))
    return [
        *(
            SearchHit(
                "page", filled_in(version.title), version.page.get_absolute_url(), _snippet(version), version.rank
            )
            for version in found(PageVersion.objects.shown().select_related("page"), "body")
        ),
        *(
            SearchHit(
                "document", edition.document.title, edition.document.get_absolute_url(), _snippet(edition), edition.rank
            )
            for edition in found(editions.select_related("document"), "body", also=Q(document__title__icontains=query))
        ),
        *(
            SearchHit(
                "answer",
                "You said, we did",
                f"{reverse('content:answer_list')}#answer-{answer.pk}",
                marked(answer.snippet),
                answer.rank,
            )
            for answer in found(Answer.objects.all(), "we_did")
        ),
    ]


def _snippet(row):
    return marked(MARKUP.sub(" ", LINK.sub(r"\1", filled_in(row.snippet))))


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
