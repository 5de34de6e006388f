"""Building of an index when a desk's articles change."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import compress
from statistics import fmean, pstdev

from functions.answers.encoder import Encoder
from functions.answers.index import AnswerIndex, Asked, Candidate, Signals, Usual
from functions.core.text.terms import folded, has_han

_PRIOR = 2
"""The phrasings that a desk's mean accuracy counts for in the accuracy of an article."""
_FEW = 20
"""With fewer phrasings in a language, those of both say what is usual in it."""
_LEAST_SPREAD = 0.02
_NONE = Signals(0.0, 0.0, 0.0, 0.0)


def build(asked: Asked, embed: Encoder | None) -> AnswerIndex:
    """Build the index of a knowledge base; of its words alone if there is no encoder.

    200 articles of 12 phrasings take 70 s on one processor, most of it in the encoder.
    """
    return build_and_leave_out(asked, embed)[0]


def build_and_leave_out(
    asked: Asked, embed: Encoder | None
) -> tuple[AnswerIndex, list[list[Candidate]]]:
    """Build an index, and find the candidates of each of its phrasings as if it were not there."""
    counts: list[dict[str, int]] = []
    phrasings: list[str] = []
    owners: list[int] = []
    for column, by_language in enumerate(asked.values()):
        texts = {language: _distinct(texts) for language, texts in by_language.items()}
        counts.append({language: len(distinct) for language, distinct in texts.items()})
        phrasings += (text for distinct in texts.values() for text in distinct)
        owners += [column] * (len(phrasings) - len(owners))
    phrasings += background()
    owners += [len(asked)] * len(background())
    dense = scores = None
    if embed is not None:
        from functions.answers.vectors import Dense

        dense, scores = Dense.fit(embed(phrasings), owners, [has_han(one) for one in phrasings])
    index = AnswerIndex(tuple(asked), tuple(phrasings), tuple(owners), tuple(counts), dense=dense)
    left_out = [
        index.without(one, None if scores is None else scores[one]) for one in range(len(phrasings))
    ]
    best = [index.best(candidates) for candidates in left_out]
    found = tuple(one.column if one else -1 for one in best[: -len(background())])
    signals = [
        index.signals(candidates, one) if one else _NONE
        for candidates, one in zip(left_out, best, strict=True)
    ]
    index = replace(_with_accuracy(index, found), usual=tuple(_usual(index, signals)))
    return index, left_out


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


def _usual(index: AnswerIndex, signals: Sequence[Signals]) -> Iterator[tuple[Usual, ...]]:
    """Describe the signals of phrasings that are left out, in English and in Chinese."""
    own, everyday = signals[: -len(background())], signals[-len(background()) :]
    for language in (False, True):
        spoken = [has_han(phrasing) == language for phrasing in index.phrasings]
        spoken_here = [*compress(own, spoken)]
        theirs = compress(everyday, spoken[len(own) :])
        ours = spoken_here if len(spoken_here) >= _FEW else own or [_NONE]
        pairs = zip(_by_signal(ours), _by_signal(theirs), strict=True)
        yield tuple(Usual(*one, *other) for one, other in pairs)


def _by_signal(signals: Iterable[Signals]) -> list[tuple[float, float]]:
    """Return the mean and the spread of each signal."""
    columns = zip(*signals, strict=True)
    return [(fmean(values), pstdev(values) + _LEAST_SPREAD) for values in columns]


@functools.cache
def background() -> tuple[str, ...]:
    """Return questions about everyday topics in both languages, which no desk answers."""
    topics = json.loads(files(__package__).joinpath("background.json").read_text("utf-8"))
    return tuple(question for questions in topics.values() for question in questions)
