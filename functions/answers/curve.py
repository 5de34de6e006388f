"""The confidence curves: how likely the best candidates answer a question.

`python -m infra.answers.train` learns its numbers from public questions and writes `curve.json`.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Literal

from functions.answers.index import AnswerIndex, Candidate, Usual
from functions.core.text.terms import has_han

Which = Literal["best", "three", "words"]
"""The outcome that a curve judges: the best article is right, or one of three is; by words alone,
one of three."""
_SHARPNESS = 12.0
"""The weight of a difference in score when candidates share the likelihood."""
_BOUND = 1e-6
_LEAST_BETWEEN = 0.05
PLACED = ("_of_own", "_of_everyday", "_between")
"""The ends of the names of features that place a signal among what is usual in its base."""
_PHRASINGS = 16
_ARTICLES = (8, 150)
"""The range that the curves were learnt from; beyond it, they say the same as at its ends."""


def features(
    index: AnswerIndex, text: str, candidates: Sequence[Candidate], best: Candidate
) -> dict[str, float]:
    """Describe how far the best article stands out, and how well its phrasings find it."""
    others = [one for one in candidates if one is not best] or [Candidate(-1, 0.0, 0.0, 0.0)]
    share = 1 / sum(math.exp(_SHARPNESS * (one.total - best.total)) for one in candidates)
    phrasings = min(index.phrasings_of(best.column, text), _PHRASINGS)
    articles = math.log(min(max(len(index.articles), _ARTICLES[0]), _ARTICLES[1]))
    likely = _log_odds(share)
    signals = index.signals(candidates, best)._asdict()
    usual = zip(signals.items(), index.usual[int(has_han(text))], strict=True)
    return {
        "layer": best.layer,
        "nearest": best.nearest,
        "lexical": best.lexical,
        "layer_margin": best.layer - max(one.layer for one in others),
        "nearest_margin": best.nearest - max(one.nearest for one in others),
        "lexical_margin": best.lexical - max(one.lexical for one in others),
        "lead": signals["lead"],
        "share": likely,
        "accuracy": index.mean_accuracy,
        "own_accuracy": index.accuracy[best.column],
        "own_precision": index.precision[best.column],
        "phrasings": math.log1p(phrasings),
        "articles": articles,
        # Among many articles a middling score says more than among few: strangers fit less often.
        "layer_of_many": best.layer * articles,
        "nearest_of_many": best.nearest * articles,
        "share_of_many": likely * articles,
    } | dict(placed for (name, value), of in usual for placed in _placed(name, value, of))


def _placed(name: str, value: float, usual: Usual) -> Iterator[tuple[str, float]]:
    """Place a signal among those of the base's own phrasings and of everyday topics.

    Scores are lower in a base whose phrasings differ more; how they lie to each other is not.
    """
    by_own = (value - usual.own) / usual.own_spread
    by_everyday = (value - usual.everyday) / usual.everyday_spread
    between = (value - usual.everyday) / max(usual.own - usual.everyday, _LEAST_BETWEEN)
    for kind, place in zip(PLACED, (by_own, by_everyday, between), strict=True):
        yield f"{name}{kind}", place


def likelihood(
    index: AnswerIndex, text: str, candidates: Sequence[Candidate], which: Which
) -> float:
    """Return how likely a text asks for the best article, or for one of the best three."""
    best = index.best(candidates)
    if best is None:
        return 0.0
    weights = curve()[which]
    described = features(index, text, candidates, best)
    score = weights["bias"] + sum(weights[name] * value for name, value in described.items())
    return 1 / (1 + math.exp(-score))


@functools.cache
def curve() -> Mapping[str, Mapping[str, float]]:
    """Return the weight of each feature in each of the curves."""
    read: Mapping[str, Mapping[str, float]] = json.loads(
        files(__package__).joinpath("curve.json").read_text("utf-8")
    )
    return read


def _log_odds(share: float) -> float:
    bounded = min(max(share, _BOUND), 1 - _BOUND)
    return math.log(bounded / (1 - bounded))
