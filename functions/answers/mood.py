"""The likelihood that a customer is upset, by examples of upset and calm ones (B13, E9).

Encoder and layer are those of the articles; the layer's columns are the upset, the calm, and
everyday topics. `mood.json` has the examples and `mood.i8` their vectors, which take half a minute
(`python -m infra.answers.moods`).
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from functions.answers.building import background
from functions.answers.encoder import Encoder, remembered
from functions.core.text.terms import has_han

if TYPE_CHECKING:
    from functions.answers.vectors import Dense

VECTORS, SCALE = "mood.i8", 400
"""The file of the examples' vectors, in whole numbers: their components times the scale."""
_SHARPNESS, _EVEN = 6.0, -0.22
"""The rate at which the likelihood rises with the lead of the first column over the others, and
the lead at which it is one half: learnt from examples that are left out and from the
development set."""
_BREAK = re.compile(r"[,，。.!！?？;；…\n]+")
_SHORTEST, _CLAUSES = 6, 8
"""The characters of the shortest clause that is read on its own, and the most that are."""
_LONGEST = 600
"""The characters that are read: the router waits, and who is upset says so early."""


@functools.cache
def examples() -> dict[str, tuple[str, ...]]:
    """Return what customers write who are `upset`, and who are `calm`, in both languages."""
    read = json.loads(files(__package__).joinpath("mood.json").read_text("utf-8"))
    return {"upset": tuple(read["upset"]), "calm": tuple(read["calm"])}


def shipped() -> tuple[str, ...]:
    """Return the texts whose vectors are in `mood.i8`, in their order there."""
    return (*examples()["upset"], *examples()["calm"], *background())


@functools.lru_cache(maxsize=8)
def fit(embed: Encoder, upset: tuple[str, ...] = (), calm: tuple[str, ...] = ()) -> Dense:
    """Return the layer over the examples and a desk's own."""
    import numpy as np

    from functions.answers.vectors import Dense

    stored = np.frombuffer(files(__package__).joinpath(VECTORS).read_bytes(), np.int8)
    vectors = stored.reshape(len(shipped()), -1).astype(np.float32) / SCALE
    known = dict(zip(shipped(), vectors, strict=True))
    columns = (*examples()["upset"], *upset), (*examples()["calm"], *calm), background()
    texts = [text for column in columns for text in column]
    owners = [place for place, column in enumerate(columns) for _ in column]
    return Dense.fit(remembered(embed, known)(texts), owners, [has_han(text) for text in texts])[0]


def likelihood(layer: Dense, text: str, embed: Encoder) -> float:
    """Return how likely the writer of a text is upset, from 0 to 1.

    By the whole text and each of its first clauses: one of many may be all that is not calm.
    """
    text = text[:_LONGEST]
    parts, chinese = [text, *_clauses(text)], has_han(text)
    scores = (layer.scores(layer.likeness(vector, chinese)) for vector in embed(parts))
    lead = fmean(float(upset - calm - everyday) for upset, calm, everyday in scores)
    return 1 / (1 + math.exp(-_SHARPNESS * (lead - _EVEN)))


def _clauses(text: str) -> list[str]:
    clauses = [each for each in _BREAK.split(text) if len(each.strip()) >= _SHORTEST]
    return clauses[:_CLAUSES] if len(clauses) > 1 else []


class Judged(NamedTuple):
    """A sentence with what a supervisor reads in it: is its writer upset?"""

    text: str
    upset: bool


@dataclass(frozen=True)
class MoodFigures:
    """The recognition of upset customers: shares from 0 to 1, None where nothing was counted.

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
    upset, found = sum(upset for upset, _ in pairs), sum(found for _, found in pairs)
    right, calm = sum(upset and found for upset, found in pairs), len(pairs) - upset
    return MoodFigures(
        sentences=len(pairs),
        upset=upset,
        recall=right / upset if upset else None,
        precision=right / found if found else None,
        false_alarms=(found - right) / calm if calm else None,
    )
