"""What somebody typed into the search box as a query for PostgreSQL. Nothing typed is read as its syntax."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.search import SearchQuery
from django.db import connection

CONFIG = "english"
MOST_CHARACTERS = 200
MOST_WORDS = 16
LONGEST_TERM = 4  # words of a synonym
SHORTEST_PREFIX = 4  # letters
TOKEN = re.compile(r'(-?)"([^"]*)"?|(\S+)')
GRAMS = """
SELECT gram.number - 1, synonym.terms
FROM unnest(%s::text[]) WITH ORDINALITY AS gram(words, number)
JOIN search_synonym AS synonym
  ON synonym.stems @> ARRAY[phraseto_tsquery('english', gram.words)::text]
WHERE numnode(phraseto_tsquery('english', gram.words)) > 0
ORDER BY gram.number, synonym.id
"""


@dataclass(frozen=True)
class Piece:
    """A word or phrase of a query, with what means the same."""

    words: str
    is_phrase: bool = False
    is_excluded: bool = False
    others: tuple[str, ...] = ()

    @property
    def expression(self) -> SearchQuery:
        own = SearchQuery(self.words, search_type="phrase" if self.is_phrase else "plain", config=CONFIG)
        same = [SearchQuery(term, search_type="phrase", config=CONFIG) for term in self.others]
        query = reduce(or_, same, own)
        return ~query if self.is_excluded else query


@dataclass(frozen=True)
class Asked:
    """A query: what it finds is in one of `ways`, and in a way in all of its pieces."""

    text: str = ""
    ways: tuple[tuple[Piece, ...], ...] = ()
    expression: object = field(default=None, compare=False)  # None: there is nothing to look for

    @property
    def pieces(self) -> list[Piece]:
        return [piece for way in self.ways for piece in way]

    @property
    def words(self) -> list[str]:
        """The words that were typed outside quotes, for “did you mean”."""
        plain = [piece for piece in self.pieces if not piece.is_phrase and not piece.is_excluded]
        return [word for piece in plain for word in piece.words.split()]

    @property
    def others(self) -> list[str]:
        """What was searched for beside what was typed."""
        return list(dict.fromkeys(term for piece in self.pieces for term in piece.others))

    def with_words(self, better: dict[str, str]) -> str:
        """The text with some words replaced."""
        return " ".join(better.get(word.casefold(), word) for word in self.text.split())


def clean(text: str) -> str:
    """One line of bounded length, without the character that PostgreSQL cannot store."""
    return " ".join(text.replace("\0", " ").encode("utf-8", "ignore").decode()[: MOST_CHARACTERS * 2].split())[
        :MOST_CHARACTERS
    ]


def asked_for(text: str) -> Asked:
    """The query of a text, with the synonyms of its words: at most one SQL query.

    Quotes, OR and a minus sign work as on the web. A phrase in quotes means exactly these words, so synonyms are off.
    """
    text = clean(text)
    ways = [way for way in _ways(text) if any(not piece.is_excluded for piece in way)]
    ways = _with_synonyms(ways)
    expressions = [reduce(and_, (piece.expression for piece in way)) for way in ways]
    return Asked(text, tuple(ways), reduce(or_, expressions) if expressions else None)


def some_words_of(asked: Asked) -> Asked:
    """The same words, of which any is enough, also as the beginning of a longer one."""
    pieces = [replace(piece, is_excluded=False) for piece in asked.pieces if not piece.is_excluded]
    expressions = [piece.expression for piece in pieces]
    expressions += [
        SearchQuery(f"{word.lower()}:*", search_type="raw", config=CONFIG)
        for word in asked.words
        if word.isalnum() and word.isascii() and len(word) >= SHORTEST_PREFIX
    ]
    ways = tuple((piece,) for piece in pieces)
    return Asked(asked.text, ways, reduce(or_, expressions) if expressions else None)


def _ways(text: str) -> list[tuple[Piece, ...]]:
    ways: list[list[Piece]] = [[]]
    count = 0
    for minus, quoted, word in TOKEN.findall(text):
        if count >= MOST_WORDS:
            break
        if word.casefold() == "or":
            ways.append([])
        elif word:
            bare = word.lstrip("-")
            if bare:
                ways[-1].append(Piece(bare, is_excluded=word.startswith("-")))
                count += 1
        elif quoted.strip():
            ways[-1].append(Piece(" ".join(quoted.split()), is_phrase=True, is_excluded=bool(minus)))
            count += len(quoted.split())
    return [tuple(way) for way in ways]


# Synonyms ------------------------------------------------------------------------------------------------------------
def _with_synonyms(ways: list[tuple[Piece, ...]]) -> list[tuple[Piece, ...]]:
    """Runs of plain words that are a term of a synonym become one piece with the other terms; longest runs first."""
    spans = [
        (number, start, length)
        for number, way in enumerate(ways)
        for start in range(len(way))
        for length in range(1, LONGEST_TERM + 1)
        if start + length <= len(way) and all(_is_plain(piece) for piece in way[start : start + length])
    ]
    found = _terms_like([_words(ways[number][start : start + length]) for number, start, length in spans])
    result = []
    for number, way in enumerate(ways):
        known = {(spans[at][1], spans[at][2]): terms for at, terms in found.items() if spans[at][0] == number}
        result.append(_joined(way, known))
    return result


def _joined(way: tuple[Piece, ...], known: dict[tuple[int, int], list[str]]) -> tuple[Piece, ...]:
    pieces, at = [], 0
    while at < len(way):
        length = next((length for length in range(LONGEST_TERM, 0, -1) if (at, length) in known), 0)
        if length:
            words = _words(way[at : at + length])
            others = tuple(term for term in known[at, length] if term.casefold() != words.casefold())
            pieces.append(Piece(words, others=others))
        else:
            pieces.append(way[at])
        at += length or 1
    return tuple(pieces)


def _is_plain(piece: Piece) -> bool:
    return not piece.is_phrase and not piece.is_excluded


def _words(pieces: Iterable[Piece]) -> str:
    return " ".join(piece.words for piece in pieces)


def _terms_like(runs: list[str]) -> dict[int, list[str]]:
    """The terms that stand in one row of the table with each of these runs of words, by the run's number."""
    if not runs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(GRAMS, [runs])
        found: dict[int, list[str]] = {}
        for number, terms in cursor.fetchall():
            known = found.setdefault(number, [])
            known += [term for term in terms if term not in known]
    return found
