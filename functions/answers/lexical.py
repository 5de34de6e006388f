"""Likeness of texts by the words they have in common, without a model and without numpy."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from functions.core.text.terms import terms

NEAREST = 0.7
"""The share of the nearest phrasing in an article's score; the next two have the rest."""


def of_nearest(likeness: Sequence[float]) -> float:
    """Return an article's score from the likenesses of its phrasings, highest first."""
    best, following = likeness[0], likeness[1:3]
    return NEAREST * best + (1 - NEAREST) * (sum(following) / len(following) if following else best)


class Lexical:
    """Phrasings by their terms, weighted by how rare each is (TF-IDF, cosine)."""

    def __init__(self, phrasings: Sequence[str], owners: Sequence[int]) -> None:
        """Keep the terms of phrasings, each of which belongs to the article at `owners`."""
        self._owners = owners
        counts = [Counter(terms(phrasing)) for phrasing in phrasings]
        spread = Counter(term for count in counts for term in count)
        self._rarest = math.log(1 + len(phrasings))
        self._rarity = {term: math.log(1 + len(phrasings) / n) for term, n in spread.items()}
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for phrasing, count in enumerate(counts):
            for term, weight in self._weights(count).items():
                self._postings[term].append((phrasing, weight))

    def scores(self, text: str, without: int = -1) -> dict[int, float]:
        """Score the articles that share terms with a text, from 0 to 1.

        Args:
            without: a phrasing to leave out.
        """
        likeness: dict[int, float] = defaultdict(float)
        for term, weight in self._weights(Counter(terms(text))).items():
            for phrasing, other in self._postings.get(term, ()):
                likeness[phrasing] += weight * other
        likeness.pop(without, None)
        return {owner: of_nearest(values) for owner, values in self._by_column(likeness)}

    def _by_column(self, likeness: Mapping[int, float]) -> Iterator[tuple[int, list[float]]]:
        of: dict[int, list[float]] = defaultdict(list)
        for phrasing, value in likeness.items():
            of[self._owners[phrasing]].append(value)
        for owner, values in of.items():
            yield owner, sorted(values, reverse=True)

    def _weights(self, count: Mapping[str, int]) -> dict[str, float]:
        weights = {
            term: (1 + math.log(n)) * self._rarity.get(term, self._rarest)
            for term, n in count.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {term: weight / length for term, weight in weights.items()}
