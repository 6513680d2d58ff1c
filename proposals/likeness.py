"""How alike texts are, from the words they share: pure Python, for "possible duplicate", never for a decision."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

ALIKE = 0.5  # cosine from which a person should look: found by trying it on the demonstration's texts
RAREST = 10  # two texts are compared when they share one of their rarest words
LONGEST_LIST = 40  # a word in more texts than this says too little to compare all of them


class Pair(NamedTuple):
    one: Hashable
    other: Hashable
    likeness: float  # 0 no word in common, 1 the same words


def alike(
    texts: Mapping[Hashable, Iterable[str]],
    others: Mapping[Hashable, Iterable[str]] | None = None,
    *,
    at_least: float = ALIKE,
) -> list[Pair]:
    """Pairs of texts that are alike, most alike first: within `texts`, or between `texts` and `others`.

    Args:
        texts: the word stems of each, as PostgreSQL's text search gives them.
    Source: cosine of tf-idf vectors, with word present or not and idf = ln(1 + n / df); G. Salton, C. Buckley,
        Term-weighting approaches in automatic text retrieval (1988).
    """
    sets = {("text", key): frozenset(words) for key, words in texts.items()}
    if others is not None:
        sets |= {("other", key): frozenset(words) for key, words in others.items()}
    count = Counter(word for words in sets.values() for word in words)
    weight = {word: math.log(1 + len(sets) / found) ** 2 for word, found in count.items()}
    norm = {key: math.sqrt(sum(weight[word] for word in words)) for key, words in sets.items()}
    pairs = []
    for one, other in _candidates(sets, count):
        if others is not None and one[0] == other[0]:
            continue
        shared = sum(weight[word] for word in sets[one] & sets[other])
        likeness = shared / (norm[one] * norm[other])
        if likeness >= at_least:
            if one[0] == "other":
                one, other = other, one
            pairs.append(Pair(one[1], other[1], round(min(likeness, 1.0), 3)))
    return sorted(pairs, key=lambda pair: (-pair.likeness, str(pair.one), str(pair.other)))


def _candidates(sets, count) -> set[tuple]:
    """Pairs worth comparing: the same words throughout, or a rare word in common."""
    place = {key: number for number, key in enumerate(sets)}
    first_with: dict[frozenset, Hashable] = {}
    lists: dict[str, list] = {}
    found = set()
    for key, words in sets.items():
        if not words:
            continue
        twin = first_with.setdefault(words, key)
        if twin != key:
            found.add((twin, key))
        for word in sorted(words, key=lambda word: (count[word], word))[:RAREST]:
            lists.setdefault(word, []).append(key)
    for keys in lists.values():
        if len(keys) <= LONGEST_LIST:
            found |= {
                (one, other) if place[one] < place[other] else (other, one)
                for number, one in enumerate(keys)
                for other in keys[:number]
            }
    return found
