"""Public questions, drawn as knowledge bases of many sizes with questions to them."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from functions.answers.encoder import Encoder
from functions.answers.trial import Question

_AMONG = 5
"""The texts among which two phrasings are chosen that are to differ."""
_FEWEST = 3
"""The questions that are left of a label at least, if it has so many texts."""
Pool = Mapping[str | None, Sequence[str]]
"""Texts by label; those of None are out of scope."""


@dataclass(frozen=True)
class Drawn:
    """A knowledge base, and questions that it has not seen."""

    asked: Mapping[str, Mapping[str, Sequence[str]]]
    questions: Sequence[Question]


def read(path: Path) -> Pool:
    """Read a file of `{"text", "label"}` lines."""
    pool: dict[str | None, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            pool[row["label"]].append(row["text"])
    return pool


def halves(pool: Pool) -> tuple[Pool, Pool]:
    """Split each label's texts: one half to learn from, the other to measure with."""
    return (
        {label: texts[0::2] for label, texts in pool.items()},
        {label: texts[1::2] for label, texts in pool.items()},
    )


def first(pool: Pool, texts: int) -> Pool:
    """Keep the first texts of each label, and all that are out of scope."""
    return {label: of[:texts] if label else of for label, of in pool.items()}


def far_apart(texts: Sequence[str], number: int, embed: Encoder) -> list[str]:
    """Choose texts that differ much: next is always the one that is farthest from those chosen."""
    vectors = embed(texts)
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    chosen = [0]
    near = vectors @ vectors[0]
    while len(chosen) < min(number, len(texts)):
        chosen.append(int(near.argmin()))
        near = np.maximum(near, vectors @ vectors[chosen[-1]])
    return [texts[one] for one in chosen]


def draw(
    pool: Pool,
    chance: random.Random,
    *,
    articles: int,
    phrasings: Sequence[int],
    questions: int,
    strangers: float = 0.0,
    language: str = "en",
    apart: Encoder | None = None,
) -> Drawn:
    """Draw labels as articles, some of their texts as phrasings, others as questions.

    Args:
        phrasings: the numbers of phrasings from which each article gets one by chance.
        questions: questions an article.
        strangers: questions of labels that are no article, as a share of the others.
        apart: choose phrasings that differ much, as the articles of a desk have them.
    """
    labels = sorted(label for label in pool if label is not None)
    chance.shuffle(labels)
    asked: dict[str, Mapping[str, Sequence[str]]] = {}
    drawn: list[Question] = []
    for label in labels[:articles]:
        texts = list(pool[label])
        chance.shuffle(texts)
        known = chance.choice(phrasings)
        if apart is not None:
            among = texts[: max(known, min(_AMONG * known // 2, len(texts) - _FEWEST))]
            texts = [*dict.fromkeys([*far_apart(among, known, apart), *texts])]
        asked[label] = {language: texts[:known]}
        drawn += (Question(text, label) for text in texts[known : known + questions])
    rest = [text for label in labels[articles:] for text in pool[label]]
    if strangers:
        rest += pool.get(None, ())
    chosen = chance.sample(rest, min(len(rest), int(strangers * len(drawn))))
    return Drawn(asked, [*drawn, *(Question(text, None) for text in chosen)])
