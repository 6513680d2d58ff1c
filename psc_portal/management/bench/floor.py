"""The floor: bare Django views, each of the shape of some of ours, under the same middleware and on the same data."""

import csv

from django import forms
from django.core.cache import cache
from django.db import connection
from django.db.models import Avg, Count, Max, Min
from django.http import HttpResponse, StreamingHttpResponse
from django.template import engines

from proposals.models import Proposal

PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title></head><body>'
    "<h1>{{ title }}</h1>%s</body></html>"
)
CARDS = PAGE % (
    "<ul>{% for one in rows %}<li><h2>{{ one.title }}</h2><p>{{ one.reference }}, {{ one.submitted_at }}</p>"
    "<p>{{ one.lay_summary }}</p></li>{% endfor %}</ul>"
)
FORM = PAGE % '<form method="post">{{ form }}<button>Save</button></form>'
REVIEW = PAGE % (
    "{% for answer in answers %}<h2>Question</h2>{{ answer|linebreaks }}{% endfor %}"
    '<form method="post">{{ form }}<button>Save</button></form>'
)
LIST = PAGE % (
    "<table>{% for one in rows %}<tr><td>{{ one.reference }}</td><td>{{ one.title }}</td><td>{{ one.status }}</td>"
    "<td>{{ one.call__title }}</td><td>{{ one.how_many }}</td><td>{{ one.mean }}</td><td>{{ one.lowest }}</td>"
    "<td>{{ one.highest }}</td></tr>{% endfor %}</table>"
)
PIVOT = """
    SELECT p.reference, p.title, u.full_name, r.status, r.total, r.locked_at,
      max(s.value) FILTER (WHERE c.number = 1), max(s.value) FILTER (WHERE c.number = 2),
      max(s.value) FILTER (WHERE c.number = 3), max(s.value) FILTER (WHERE c.number = 4),
      max(s.value) FILTER (WHERE c.number = 5), max(s.value) FILTER (WHERE c.number = 6),
      max(s.reason) FILTER (WHERE c.number = 1), max(s.reason) FILTER (WHERE c.number = 2),
      max(s.reason) FILTER (WHERE c.number = 3), max(s.reason) FILTER (WHERE c.number = 4),
      max(s.reason) FILTER (WHERE c.number = 5), max(s.reason) FILTER (WHERE c.number = 6)
    FROM proposals_review r
    JOIN proposals_proposal p ON p.id = r.proposal_id
    JOIN accounts_user u ON u.id = r.reviewer_id
    LEFT JOIN proposals_score s ON s.review_id = r.id
    LEFT JOIN proposals_criterion c ON c.id = s.criterion_id
    GROUP BY r.id, p.id, u.id ORDER BY p.id, r.id
"""


def _html(template, context):
    return HttpResponse(engines["django"].from_string(template).render({"title": "The floor", **context}))


def _rows():
    return Proposal.objects.exclude(submitted_at=None)


def cards(request):
    """25 cards from one query."""
    rows = _rows().order_by("-submitted_at", "-pk").values("title", "reference", "submitted_at", "lay_summary")
    return _html(CARDS, {"rows": rows[:25]})


def cached(request):
    """The same page, kept in the cache."""
    page = cache.get("floor")
    if page is None:
        page = cards(request).content
        cache.set("floor", page, 600)
    return HttpResponse(page)


class TwelveFields(forms.Form):
    """Twelve fields, as many as a section of the proposal form has."""


for _number in range(1, 13):
    _widget = forms.Textarea if _number % 2 else forms.TextInput
    TwelveFields.base_fields[f"field_{_number}"] = forms.CharField(widget=_widget, help_text="What to write here")


def form(request):
    """12 fields, filled from one row."""
    answers = Proposal.objects.filter(status=Proposal.Status.DRAFT).values_list("answers", flat=True).first() or {}
    texts = list(answers.values())
    return _html(FORM, {"form": TwelveFields(initial={f"field_{number}": texts[number] for number in range(1, 13)})})


class Scores(forms.Form):
    """Six scores with their reasons and a comment, as a reviewer gives them."""

    comment = forms.CharField(widget=forms.Textarea)


_LEVELS = [(str(level), f"{level}: what deserves this score, in one sentence") for level in range(7)]
for _number in range(1, 7):
    Scores.base_fields[f"score_{_number}"] = forms.ChoiceField(choices=_LEVELS, widget=forms.RadioSelect)
    Scores.base_fields[f"reason_{_number}"] = forms.CharField(widget=forms.Textarea)


def review(request):
    """A proposal's answers beside a form for six scores."""
    row = _rows().order_by("pk").values("answers").first() or {"answers": {}}
    answers = [text for text in row["answers"].values() if isinstance(text, str)]
    return _html(REVIEW, {"form": Scores(initial={"score_1": "3"}), "answers": answers})


def listing(request):
    """50 rows with an aggregate."""
    rows = (
        _rows()
        .order_by("-submitted_at", "-pk")
        .annotate(
            how_many=Count("reviews"),
            mean=Avg("reviews__total"),
            lowest=Min("reviews__total"),
            highest=Max("reviews__total"),
        )
    )
    names = ("reference", "title", "status", "call__title", "how_many", "mean", "lowest", "highest")
    return _html(LIST, {"rows": rows.values(*names)[:50]})


class _Echo:
    def write(self, line):
        return line


def export(request):
    """Every review with its six scores and reasons from one pivot query, as CSV."""

    def lines():
        write = csv.writer(_Echo()).writerow
        with connection.cursor() as cursor:
            cursor.execute(PIVOT)
            while rows := cursor.fetchmany(500):
                yield "".join([write(row) for row in rows])

    return StreamingHttpResponse(lines(), content_type="text/csv")
