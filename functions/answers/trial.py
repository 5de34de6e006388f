"""Trials of a knowledge base with questions whose articles are known."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from functions.answers.encoder import Encoder
from functions.answers.engine import DEFAULTS, Decision, Thresholds, decide
from functions.answers.index import AnswerIndex


class Question(NamedTuple):
    """A question, and the article that answers it; None if no article does."""

    text: str
    article: str | None


class Tried(NamedTuple):
    """A question with the decision about it and how many milliseconds that took."""

    question: Question
    decision: Decision
    ms: float

    @property
    def prediction(self) -> str | None:
        """The article that was answered or offered first."""
        return self.decision.articles[0] if self.decision.articles else None

    @property
    def right(self) -> bool:
        """True if the prediction is the question's article."""
        return self.prediction == self.question.article


@dataclass(frozen=True)
class Figures:
    """The figures of `deskbell answers try`: shares from 0 to 1; None where nothing was counted.

    `at_once`, `offered` and `served` are shares of the questions that have an article,
    `wrong_at_once` of the answers given at once, `false_…` of the questions without an article.
    """

    questions: int
    top1: float | None
    macro_f1: float | None
    at_once: float | None
    wrong_at_once: float | None
    offered: float | None
    served: float | None
    false_answers: float | None
    false_offers: float | None
    p50_ms: float | None


def try_all(
    index: AnswerIndex,
    questions: Iterable[Question],
    embed: Encoder | None,
    thresholds: Thresholds = DEFAULTS,
) -> list[Tried]:
    """Decide about every question, one at a time, as the desk does."""
    tried = []
    for question in questions:
        start = time.perf_counter()
        decision = decide(index, question.text, embed, thresholds)
        tried.append(Tried(question, decision, (time.perf_counter() - start) * 1000))
    return tried


def figures(tried: Sequence[Tried], articles: Sequence[str]) -> Figures:
    """Count what came of questions about these articles."""
    covered = [one for one in tried if one.question.article is not None]
    others = [one for one in tried if one.question.article is None]
    at_once = [one for one in tried if one.decision.kind == "answer"]
    served = [one.question.article in one.decision.articles for one in covered]
    classes = [*articles, *([None] if others else [])]
    return Figures(
        questions=len(tried),
        top1=_share(one.right for one in tried),
        macro_f1=statistics.fmean(_f1(tried, one) for one in classes) if tried else None,
        at_once=_share(one.decision.kind == "answer" for one in covered),
        wrong_at_once=_share(not one.right for one in at_once),
        offered=_share(one.decision.kind == "offer" for one in covered),
        served=_share(served),
        false_answers=_share(one.decision.kind == "answer" for one in others),
        false_offers=_share(one.decision.kind == "offer" for one in others),
        p50_ms=statistics.median(one.ms for one in tried) if tried else None,
    )


def _share(values: Iterable[bool]) -> float | None:
    counted = list(values)
    return sum(counted) / len(counted) if counted else None


def _f1(tried: Sequence[Tried], article: str | None) -> float:
    """Return the harmonic mean of precision and recall; 0 for an article never found."""
    right = sum(one.right and one.prediction == article for one in tried)
    found = sum(one.prediction == article for one in tried)
    asked = sum(one.question.article == article for one in tried)
    return 2 * right / (found + asked) if right else 0.0
