"""Search in a knowledge base by the words that a text and its articles have in common."""

import math
from collections import defaultdict
from functools import lru_cache

from functions.core.domain.knowledge import KnowledgeBase
from functions.core.text.terms import terms

IN_SOLUTION = 0.4
"""The weight of a term that only the solution has; those of title and phrasings count whole."""

FITS, AHEAD = 0.3, 0.1
"""The least score of a match, and its least lead over the next article. Of the shipped knowledge
base's paraphrases, a third of them about nothing that it has, 85 % of the Chinese and 72 % of the
English matches are right: enough for a draft that an agent reads."""


class _Index:
    """The articles that have a term, and how rare each term is."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._postings: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for name, found in base.articles.items():
            article = found.article
            phrasings = (line for lines in article.asked.values() for line in lines)
            asked = {term for text in (*article.title.values(), *phrasings) for term in terms(text)}
            told = {term for text in article.solution.values() for term in terms(text)}
            for term in asked:
                self._postings[term].append((name, 1.0))
            for term in told - asked:
                self._postings[term].append((name, IN_SOLUTION))
        self._articles = len(base.articles)

    def scores(self, text: str) -> dict[str, float]:
        """Score articles by the share of a text's terms that they have, rare ones counting more."""
        scores: dict[str, float] = defaultdict(float)
        most = 0.0
        for term in set(terms(text)):
            found = self._postings.get(term, ())
            rarity = math.log(1 + self._articles / max(len(found), 1))
            most += rarity
            for name, weight in found:
                scores[name] += rarity * weight
        return {name: score / most for name, score in scores.items()}


@lru_cache(maxsize=16)
def _index(base: KnowledgeBase) -> _Index:
    return _Index(base)


def search(base: KnowledgeBase, text: str) -> list[tuple[str, float]]:
    """Return the articles that share terms with a text, best first, with a score from 0 to 1."""
    scores = _index(base).scores(text)
    return sorted(scores.items(), key=lambda found: (-found[1], found[0]))


def best_match(base: KnowledgeBase, text: str) -> str | None:
    """Return the article that a text is about, None if none fits or several do."""
    (name, score), (_, second) = (*search(base, text), ("", 0.0), ("", 0.0))[:2]
    return name if score >= FITS and score - second >= AHEAD else None
