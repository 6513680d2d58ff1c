"""The search itself: one query over every source for what is found and how many of each kind, one for what is shown.

Each source is searched as the visitor may see it, at that moment. Nothing is copied into an index of its own, so
nothing has to be taken out of one when it is hidden, moved or not yet due. docs/adr/0028 says what was weighed.
"""

from dataclasses import dataclass, field

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.db.models.sql import Query
from django.utils.safestring import SafeString

from psc_portal.common import registry
from psc_portal.common.highlight import headline_options, marked
from psc_portal.search.models import Synonym
from psc_portal.search.query import CONFIG, Asked, asked_for, some_words_of
from psc_portal.search.words import better_words

A_PAGE = 20
MOST_OF_A_SOURCE = 1000  # so many are ranked; of a word that is everywhere the order says little anyway
OF_A_SOURCE = """
SELECT '{kind}'::text AS kind, key, ts_rank(words, {asked}) * {weight} AS rank
FROM ({rows}) AS visible(key, words) WHERE words @@ {asked} LIMIT {most}
"""
FOUND = """
WITH found AS MATERIALIZED (SELECT kind, key, max(rank) AS rank FROM ({every}) AS hit GROUP BY kind, key)
SELECT kind, NULL AS key, count(*)::float AS rank FROM found GROUP BY kind
UNION ALL
(SELECT kind, key, rank FROM found WHERE kind = %s OR NOT EXISTS (SELECT FROM found WHERE kind = %s)
 ORDER BY rank DESC, kind, key LIMIT %s OFFSET %s)
"""
SHOWN = """
SELECT {number} AS source, key, ts_headline('{config}', title, {asked}, '{whole}'),
  ts_headline('{config}', text, {asked}, '{part}')
FROM ({rows}) AS visible(key, words, title, text) WHERE key = ANY(%s) AND words @@ {asked}
"""


@dataclass(frozen=True)
class Hit:
    kind: str
    one: str  # what its kind is called
    title: SafeString
    url: str
    snippet: SafeString


@dataclass(frozen=True)
class Found:
    """What a search found."""

    asked: Asked
    counts: dict[str, int] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    kind: str = ""
    instead: str = ""  # the words that were searched for because nothing holds those that were typed
    is_some_words: bool = False  # no row holds all of the words: these hold some

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def shown(self) -> int:
        """How many there are of the chosen kind, or of all."""
        return self.counts.get(self.kind, 0) if self.kind else self.total


def search(text: str, *, user, kind: str = "", page: int = 1) -> Found:
    """What this person may see that holds these words; else with what they may have meant, else with some of them."""
    asked = asked_for(text)
    if asked.expression is None:
        return Found(asked)
    tries = iter([(asked, {})])
    while one := next(tries, None):
        query, said = one
        counts, keys = _find(query, user, kind, page)
        if counts:
            return Found(asked, counts, _hits(keys, query, user), kind if kind in counts else "", **said)
        if not said:
            tries = _other_tries(asked)
    return Found(asked)


def _other_tries(asked: Asked):
    """What may have been meant, then some of the words."""
    likeliest = asked
    for better in better_words(asked.words):
        meant = asked.with_words(better)
        query = asked_for(meant)
        likeliest = query if likeliest is asked else likeliest
        yield query, {"instead": meant}
    yield some_words_of(likeliest), {"is_some_words": True}


def kinds() -> dict[str, str]:
    """Every kind that can be found, with what the filter calls it, in the order of the sources."""
    return {source.kind: source.many for source in registry.sources}


def _find(asked: Asked, user, kind: str, page: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """How many rows of each kind hold the words, and kind and key of those on this page, the best first."""
    query, terms = _as_sql(asked.expression)
    parts, params = [], []
    for source in registry.sources:
        rows, given = _visible(source, user, source.key, source.vector)
        if rows:
            part = OF_A_SOURCE.format(
                kind=source.kind, weight=source.weight, rows=rows, asked=query, most=MOST_OF_A_SOURCE
            )
            parts.append(f"({part})")
            params += [*terms, *given, *terms]
    with connection.cursor() as cursor:
        cursor.execute(
            FOUND.format(every=" UNION ALL ".join(parts)), [*params, kind, kind, A_PAGE, (page - 1) * A_PAGE]
        )
        rows = cursor.fetchall()
    counts = {name: int(rank) for name, key, rank in rows if key is None}
    return counts, [(name, key) for name, key, _rank in rows if key is not None]


def _hits(keys: list[tuple[str, str]], asked: Asked, user) -> list[Hit]:
    """These rows with their titles and the part of their text where the words are, in one query."""
    query, terms = _as_sql(asked.expression)
    by_kind: dict[str, list[str]] = {}
    for kind, key in keys:
        by_kind.setdefault(kind, []).append(key)
    parts, params = [], []
    for number, source in enumerate(registry.sources):
        if source.kind in by_kind:
            rows, given = _visible(source, user, source.key, source.vector, source.title, source.text)
            parts.append(
                SHOWN.format(
                    number=number, rows=rows, asked=query, config=CONFIG, whole=headline_options(is_whole=True),
                    part=headline_options(),
                )
            )  # fmt: skip
            params += [*terms, *terms, *given, by_kind[source.kind], *terms]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        rows = cursor.fetchall()
    best: dict[tuple[str, str], Hit] = {}
    for number, key, title, text in rows:
        source = registry.sources[number]
        title, text = (marked(source.said(words or "")) for words in (title, text))
        place = source.kind, key
        if place not in best or (text and not best[place].snippet):  # found by name and by text: show the text
            best[place] = Hit(source.kind, one_of(source), title, source.url(key), text)
    return [best[place] for place in keys if place in best]


def one_of(source) -> str:
    return registry.KINDS.get(source.kind, (source.kind.replace("_", " ").capitalize(),))[0]


def _visible(source, user, key, vector, *texts) -> tuple[str, list]:
    """What this person may see of a source, as SQL; nothing where that is nothing."""
    columns = {"found_key": Cast(key, TextField()), "found_words": F(vector) if isinstance(vector, str) else vector}
    columns |= {f"found_text_{number}": text for number, text in enumerate(texts)}
    try:
        return source.rows(user).order_by().annotate(**columns).values_list(*columns).query.sql_with_params()
    except EmptyResultSet:
        return "", []


def _as_sql(expression) -> tuple[str, list]:
    compiler = Query(Synonym).get_compiler(connection=connection)
    return compiler.compile(expression.resolve_expression(compiler.query))
