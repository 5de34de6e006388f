"""Clusters of questions of like meaning (C12, E8). It needs numpy, as `vectors` does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from functions.answers.vectors import Floats

LIKE = 0.45
"""The mean cosine from which two clusters are one. At 0.45 and four members, of thirty articles
that were taken out of a knowledge base 27 came back as clusters, 97 % of whose members belonged to
one article."""
LEAST_MEMBERS = 4


Cluster = tuple[int, ...]
"""The positions of a cluster's texts, the medoid first, then by their likeness to it."""


def clusters(vectors: Floats, like: float = LIKE, least: int = LEAST_MEMBERS) -> list[Cluster]:
    """Group centred vectors of length 1 by average link, the largest cluster first.

    The two most alike clusters become one until none are `like` enough. 2,000 vectors take 10 s.
    """
    groups = [[position] for position in range(len(vectors))]
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    while len(groups) > 1:
        one, other = sorted(np.unravel_index(int(likeness.argmax()), likeness.shape))
        if likeness[one, other] < like:
            break
        sizes = len(groups[one]), len(groups[other])
        merged = np.average(likeness[[one, other]], axis=0, weights=sizes)
        likeness[one, :] = likeness[:, one] = merged
        likeness[other, :] = likeness[:, other] = -1
        likeness[one, one] = -1
        groups[one] += groups[other]
        groups[other] = []
    found = [_ordered(vectors, members) for members in groups if len(members) >= least]
    return sorted(found, key=lambda cluster: (-len(cluster), cluster))


def _ordered(vectors: Floats, members: Sequence[int]) -> Cluster:
    rows = vectors[list(members)]
    medoid = rows[int((rows @ rows.mean(axis=0)).argmax())]
    nearest = np.argsort(-(rows @ medoid), kind="stable")
    return tuple(members[position] for position in nearest.tolist())
