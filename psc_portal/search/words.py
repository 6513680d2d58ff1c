"""“Did you mean”: the words of what everybody may read, and which of them is most like one that nobody wrote."""

from difflib import SequenceMatcher
from itertools import product

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Value

from psc_portal.common import registry
from psc_portal.common.public_pages import REVISION

MUST_BE_LIKE = 0.7  # as difflib counts: 0.73 for "ulser" and "ulcers"
SHORTEST = 4  # letters
OTHERS, WAYS = 3, 3  # so many words are weighed for one, and so many ways to put them together are tried
NEAR = """
SELECT asked.word, near.word, near.rows
FROM unnest(%s::text[]) AS asked(word)
CROSS JOIN LATERAL (
  SELECT known.word, known.rows FROM search_searchword AS known
  ORDER BY known.word <-> asked.word, known.word LIMIT 12
) AS near
"""
LEARN = """
INSERT INTO search_searchword (word, rows)
SELECT word, count(*) FROM (
  SELECT unnest(tsvector_to_array(to_tsvector('simple', left(said, 100000)))) AS word FROM ({every}) AS public(said)
) AS words
WHERE word ~ '^[[:alpha:]]{{3,40}}$'
GROUP BY word
"""


def better_words(words: list[str]) -> list[dict[str, str]]:
    """What words that stand nowhere were probably meant to be, the likeliest first. Words without a likely one stay."""
    asked = list({word.casefold() for word in words if len(word) >= SHORTEST})
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(NEAR, [asked])
        rows = cursor.fetchall()
    known = {word for _asked, word, _rows in rows}
    near: dict[str, list[tuple[float, int, str]]] = {}
    for word, other, count in rows:
        likeness = SequenceMatcher(None, word, other).ratio()
        if word not in known and likeness >= MUST_BE_LIKE:
            near.setdefault(word, []).append((likeness, count, other))
    choices = [[(word, *one) for one in sorted(others, reverse=True)[:OTHERS]] for word, others in near.items()]
    ways = sorted(product(*choices), key=lambda way: -sum(likeness for _word, likeness, *_rest in way))
    return [{word: other for word, _likeness, _count, other in way} for way in ways[:WAYS] if way]


@transaction.atomic
def learn_words() -> None:
    """Read the words of everything public anew: what is hidden meanwhile is forgotten."""
    parts = [("SELECT unnest(terms) FROM search_synonym", ())]
    for source in registry.sources:
        said = registry.joined(source.title, Value(" "), source.text)
        rows = source.rows(AnonymousUser()).order_by().annotate(words_said=said).values_list("words_said")
        try:
            parts.append(rows.query.sql_with_params())
        except EmptyResultSet:
            continue
    every = " UNION ALL ".join(f"({sql})" for sql, _params in parts)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('search.learn_words'))")
        cursor.execute("DELETE FROM search_searchword")
        cursor.execute(LEARN.format(every=every), [one for _sql, params in parts for one in params])


def learn_words_if_changed() -> bool:
    """What beat asks for: nothing is read again while nothing public has changed."""
    revision = str(cache.get(REVISION))
    if cache.get("words-learnt") == revision:
        return False
    learn_words()
    cache.set("words-learnt", revision, timeout=86400)
    return True
