"""Proposals for articles: questions of like meaning that the knowledge base does not answer well,
and those that a desk is asked most often (C12, E8)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from functions.answers.building import background
from functions.answers.clustering import Cluster, clusters
from functions.answers.encoder import Encoder
from functions.answers.index import AnswerIndex
from functions.answers.vectors import Floats, unit
from functions.core.domain.journal import Outcome
from functions.core.domain.proposals import (
    SHOWN,
    UNDECIDED,
    ArticleProposal,
    AskedQuestion,
    Source,
)
from functions.core.text.terms import compared, has_han

MOST = 2000
"""The most questions that are compared, the newest; more would take minutes."""
_LONGEST = 300
"""The characters of a question that are read: as many as a phrasing may have."""
_MAJORITY = 0.6
"""The share of a cluster's questions that have to come nearest to the same article."""


@dataclass(frozen=True)
class Asked:
    """A question of a chat, or a ticket's request."""

    id: str
    text: str
    outcome: Outcome | None = None
    article: str | None = None
    type: str | None = None


def propose(
    asked: Sequence[Asked], source: Source, index: AnswerIndex, embed: Encoder
) -> tuple[ArticleProposal, ...]:
    """Return a proposal for each cluster of questions, the most frequent first."""
    newest = [one for one in asked if _readable(one.text)][-MOST:]
    if not newest:
        return ()
    texts = [one.text[:_LONGEST] for one in newest]
    vectors = embed(texts)
    found = clusters(centred(texts, vectors, embed))[:UNDECIDED]
    return tuple(_proposal(newest, vectors, one, source, index) for one in found)


def served(
    asked: Sequence[Asked], article: str, index: AnswerIndex, embed: Encoder, offer: float
) -> float:
    """Return the share of questions that an article answers, or is offered for, now."""
    from functions.answers.engine import Thresholds, decide

    thresholds = Thresholds(at_once=1.0, offer=offer)
    found = (decide(index, one.text[:_LONGEST], embed, thresholds).articles for one in asked)
    return round(sum(article in articles for articles in found) / len(asked), 4)


def _readable(text: str) -> bool:
    return sum(map(str.isalpha, text)) > 1


def centred(texts: Sequence[str], vectors: Floats, embed: Encoder) -> Floats:
    """Return vectors without what is common to all texts of their language.

    Everyday topics are among them, so that questions about one topic alone still have it.
    """
    everyday = background()
    around = np.concatenate([embed(everyday), vectors])
    chinese = np.asarray([has_han(text) for text in (*everyday, *texts)])
    means = np.stack([around[chinese == language].mean(axis=0) for language in (False, True)])
    return unit(vectors - means[chinese[len(everyday) :].astype(int)])


def _proposal(
    asked: Sequence[Asked], vectors: Floats, cluster: Cluster, source: Source, index: AnswerIndex
) -> ArticleProposal:
    members = [asked[position] for position in cluster]
    votes = Counter(_nearest(asked[each], vectors[each], index) for each in cluster)
    (article, most), *_ = votes.most_common(1)
    return ArticleProposal(
        id=_identity(source, members),
        source=source,
        article=article if most >= _MAJORITY * len(members) else None,
        count=len(members),
        share=round(len(members) / len(asked), 4),
        questions=tuple(_distinct(members)),
        members=tuple(sorted(one.id for one in members)),
        poor=_counted(one.article for one in members if one.outcome == "poor"),
        types=_counted(one.type for one in members),
    )


def _nearest(asked: Asked, vector: Floats, index: AnswerIndex) -> str | None:
    """Return the article that a question comes nearest to.

    None if an everyday topic is nearer, or if the customer has refused or rated that article.
    """
    if asked.outcome == "none" or not index.articles:
        return None
    column = index.candidates(asked.text[:_LONGEST], vector)[0].column
    article = index.articles[column] if column < len(index.articles) else None
    return None if asked.outcome == "poor" and article == asked.article else article


def _counted(names: Iterator[str | None]) -> Mapping[str, int]:
    return dict(Counter(name for name in names if name).most_common())


def _distinct(members: Sequence[Asked]) -> Iterator[AskedQuestion]:
    texts: dict[str, AskedQuestion] = {}
    for one in members:
        question = AskedQuestion(id=one.id, text=one.text[:_LONGEST])
        texts.setdefault(compared(question.text), question)
    yield from list(texts.values())[:SHOWN]


def _identity(source: Source, members: Sequence[Asked]) -> str:
    """Name a proposal by its first member, which the next nights' proposal has, too."""
    first = min(one.id for one in members)
    return hashlib.sha256(f"{source} {first}".encode()).hexdigest()[:12]
