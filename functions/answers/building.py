"""Building of an index when a desk's articles change."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files

from functions.answers.encoder import Encoder
from functions.answers.index import AnswerIndex, Asked
from functions.core.text.terms import folded, has_han

_PRIOR = 2
"""The phrasings that a desk's mean accuracy counts for in the accuracy of an article."""


def build(asked: Asked, embed: Encoder | None) -> AnswerIndex:
    """Build the index of a knowledge base; of its words alone if there is no encoder.

    200 articles of 12 phrasings take 70 s on one processor, most of it in the encoder.
    """
    counts: list[dict[str, int]] = []
    phrasings: list[str] = []
    owners: list[int] = []
    for column, by_language in enumerate(asked.values()):
        texts = {language: _distinct(texts) for language, texts in by_language.items()}
        counts.append({language: len(distinct) for language, distinct in texts.items()})
        phrasings += (text for distinct in texts.values() for text in distinct)
        owners += [column] * (len(phrasings) - len(owners))
    of_articles = len(phrasings)
    phrasings += background()
    owners += [len(asked)] * len(background())
    dense = scores = None
    if embed is not None:
        from functions.answers.vectors import Dense

        dense, scores = Dense.fit(embed(phrasings), owners, [has_han(one) for one in phrasings])
    index = AnswerIndex(tuple(asked), tuple(phrasings), tuple(owners), tuple(counts), dense=dense)
    best = [
        index.best(index.without(one, None if scores is None else scores[one]))
        for one in range(of_articles)
    ]
    return _with_accuracy(index, tuple(one.column if one else -1 for one in best))


def _distinct(texts: Sequence[str]) -> list[str]:
    return list({folded(text).strip(): text for text in texts if text.strip()}.values())


def _with_accuracy(index: AnswerIndex, found: tuple[int, ...]) -> AnswerIndex:
    pairs = list(zip(index.owners, found, strict=False))
    right = Counter(owner for owner, column in pairs if owner == column)
    mean = right.total() / max(len(pairs), 1)

    def smoothed(of: Counter[int]) -> tuple[float, ...]:
        columns = range(len(index.articles))
        return tuple((right[one] + _PRIOR * mean) / (of[one] + _PRIOR) for one in columns)

    accuracy = smoothed(Counter(owner for owner, _ in pairs))
    return replace(index, accuracy=accuracy, precision=smoothed(Counter(found)), found=found)


@functools.cache
def background() -> tuple[str, ...]:
    """Return questions about everyday topics in both languages, which no desk answers."""
    topics = json.loads(files(__package__).joinpath("background.json").read_text("utf-8"))
    return tuple(question for questions in topics.values() for question in questions)
