"""A report on a knowledge base by its own phrasings, each left out of the index in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from functions.answers.index import AnswerIndex
from functions.core.domain.knowledge import ENOUGH_PHRASINGS


@dataclass(frozen=True)
class Confusion:
    """The number of phrasings of one article that find another."""

    asked: str
    found: str
    phrasings: int


@dataclass(frozen=True)
class AnswersReport:
    """The accuracy by leaving one phrasing out at a time, and where it could be better.

    `accuracy` is the share of phrasings that find their article. It is no forecast: customers use
    words that nobody wrote down. `thin` has the phrasings of articles with too few by language;
    these articles are only offered there.
    """

    phrasings: int
    accuracy: float | None
    confusions: tuple[Confusion, ...]
    thin: dict[str, dict[str, int]]


def report(index: AnswerIndex) -> AnswersReport:
    """Report on an index; the most frequent confusions first."""
    pairs = list(zip(index.owners, index.found, strict=False))
    right = sum(owner == found for owner, found in pairs)
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1] and pair[1] >= 0)
    names = index.articles
    return AnswersReport(
        phrasings=len(pairs),
        accuracy=right / len(pairs) if pairs else None,
        confusions=tuple(
            Confusion(names[owner], names[found], n) for (owner, found), n in wrong.most_common()
        ),
        thin=dict(_thin(index)),
    )


def _thin(index: AnswerIndex) -> Iterator[tuple[str, dict[str, int]]]:
    for article, counts in zip(index.articles, index.counts, strict=True):
        few = {
            language: counts.get(language, 0)
            for language in index.languages
            if counts.get(language, 0) < ENOUGH_PHRASINGS
        }
        if few:
            yield article, few
