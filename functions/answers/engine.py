"""The decision about a question: answer it, offer up to three articles, or leave it to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from functions.answers.curve import likelihood
from functions.answers.encoder import Encoder
from functions.answers.index import AnswerIndex
from functions.core.domain.knowledge import ENOUGH_PHRASINGS
from functions.core.text.terms import compared, terms

OFFERED = 3
"""The most articles that are offered."""


@dataclass(frozen=True)
class Thresholds:
    """From which likelihood a desk answers at once, and from which it offers up to three."""

    at_once: float = 0.97
    offer: float = 0.40


DEFAULTS = Thresholds()


@dataclass(frozen=True)
class Decision:
    """The decision about a question.

    `articles` has one id to answer, one to three to offer, best first, and none for a miss. `p` is
    the likelihood that the right one is among them; of a miss, among three that were not offered.
    """

    kind: Literal["answer", "offer", "miss"]
    articles: tuple[str, ...]
    p: float


def decide(
    index: AnswerIndex,
    text: str,
    embed: Encoder | None,
    thresholds: Thresholds = DEFAULTS,
) -> Decision:
    """Decide what to do with a question. Without encoder and vectors, articles are only offered."""
    if next(terms(text), None) is None:
        return Decision("miss", (), 0.0)
    vector = embed([text])[0] if embed is not None and index.dense is not None else None
    candidates = index.candidates(text, vector)
    columns = [one.column for one in candidates if one.column < len(index.articles)][:OFFERED]
    articles = tuple(index.articles[column] for column in columns)
    if vector is not None and columns and index.phrasings_of(columns[0], text) >= ENOUGH_PHRASINGS:
        if index.verbatim.get(compared(text)) == columns[0]:
            return Decision("answer", articles[:1], 1.0)  # the article's own words
        p = likelihood(index, text, candidates, "best")
        if p >= thresholds.at_once:
            return Decision("answer", articles[:1], p)
    p = likelihood(index, text, candidates, "words" if vector is None else "three")
    if p >= thresholds.offer:
        return Decision("offer", articles, p)
    return Decision("miss", (), p)
