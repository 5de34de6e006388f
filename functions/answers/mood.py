"""How likely a customer is upset, by examples of what upset and calm customers write (B13, E9).

The same vectors as those of the articles: a ridge layer with two columns. Pure but for the encoder.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from functions.answers.encoder import Encoder
from functions.core.text.terms import has_han

if TYPE_CHECKING:
    from functions.answers.vectors import Dense

_SHARPNESS = 6.0
"""The weight of the lead of a column over the other, learnt from examples that are left out."""

_BREAK = re.compile(r"[,，。.!！?？;；…\n]+")
_SHORTEST, _CLAUSES = 6, 8
"""The characters of the shortest clause that is read on its own, and the most that are."""


class Examples(NamedTuple):
    """What customers write when they are upset, and when they are calm."""

    upset: tuple[str, ...]
    calm: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.upset, *self.calm)

    def with_own(self, upset: Iterable[str], calm: Iterable[str]) -> Examples:
        """Return these examples and a desk's own."""
        return Examples((*self.upset, *upset), (*self.calm, *calm))


@functools.cache
def shipped() -> Examples:
    """Return the examples in both languages that every desk has."""
    read = json.loads(files(__package__).joinpath("mood.json").read_text("utf-8"))
    return Examples(tuple(read["upset"]), tuple(read["calm"]))


def fit(examples: Examples, embed: Encoder) -> Dense:
    """Return the layer over the examples; the first column is that of the upset ones."""
    from functions.answers.vectors import Dense

    texts = examples.texts
    owners = [int(place >= len(examples.upset)) for place in range(len(texts))]
    return Dense.fit(embed(texts), owners, [has_han(text) for text in texts])[0]


def likelihood(layer: Dense, text: str, embed: Encoder) -> float:
    """Return how likely the writer of a text is upset, from 0 to 1.

    By the whole text and each of its first clauses: a bare report often has one that is not calm.
    """
    parts, chinese = [text, *_clauses(text)], has_han(text)
    scores = [layer.scores(layer.likeness(vector, chinese)) for vector in embed(parts)]
    lead = fmean(float(upset - calm) for upset, calm in scores)
    return 1 / (1 + math.exp(-_SHARPNESS * lead))


def _clauses(text: str) -> list[str]:
    clauses = [each for each in _BREAK.split(text) if len(each.strip()) >= _SHORTEST]
    return clauses[:_CLAUSES] if len(clauses) > 1 else []


class Judged(NamedTuple):
    """A sentence with what a supervisor reads in it: is its writer upset?"""

    text: str
    upset: bool


@dataclass(frozen=True)
class MoodFigures:
    """How well upset customers are recognised: shares from 0 to 1, None where nothing was counted.

    `recall` is of the upset, `precision` of those recognised, `false_alarms` of the calm.
    """

    sentences: int
    upset: int
    recall: float | None
    precision: float | None
    false_alarms: float | None


def figures(judged: Sequence[Judged], recognised: Sequence[bool]) -> MoodFigures:
    """Count for which sentences an upset customer was recognised."""
    pairs = [(one.upset, found) for one, found in zip(judged, recognised, strict=True)]
    upset, found, right = (
        sum(upset for upset, _ in pairs),
        sum(found for _, found in pairs),
        sum(upset and found for upset, found in pairs),
    )
    calm = len(pairs) - upset
    return MoodFigures(
        sentences=len(pairs),
        upset=upset,
        recall=right / upset if upset else None,
        precision=right / found if found else None,
        false_alarms=(found - right) / calm if calm else None,
    )
