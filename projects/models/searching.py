"""Full-text search over stored vectors."""

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import models
from django.db.models import F, Func, TextField

from psc_portal.common.highlight import headline


class JoinedWords(Func):
    """A list of texts as one text; PostgreSQL's own array_to_string may not stand in a generated column."""

    function = "projects_joined_words"
    output_field = TextField()


class Searchable(models.QuerySet):
    """Rows with a stored, indexed `search` vector."""

    def matching(self, text: str):
        """Rows in which the words of `text` occur, with `rank`. Quotes, OR and a minus sign work as on the web."""
        query = self._search_query(text)
        return self.filter(search=query).annotate(rank=SearchRank(F("search"), query))

    def with_headlines(self, text: str, **expressions):
        """Each keyword becomes the part of its expression where `text` was found, to be shown through `marked`."""
        query = self._search_query(text)
        return self.annotate(**{name: headline(expression, query) for name, expression in expressions.items()})

    @staticmethod
    def _search_query(text: str) -> SearchQuery:
        return SearchQuery(text.replace("\0", " ")[:200], search_type="websearch", config="english")


class SearchableManager(models.Manager):
    """Leaves the vector in the database: only PostgreSQL reads it."""

    def get_queryset(self):
        return super().get_queryset().defer("search")
