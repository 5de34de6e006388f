"""Likeness of texts by their vectors. The one module that needs numpy; imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functions.answers.lexical import of_nearest

Floats = NDArray[np.float32]
_SHARPNESS = 1.5
_PENALTY = 0.2
"""The ridge penalty, in units of a phrasing."""
_STORED = "<f2"
"""Half floats: what they lose is far below the difference between two phrasings."""
_ARRAYS = ("vectors", "means", "layer")


def unit(rows: Floats) -> Floats:
    """Return rows of length 1."""
    scaled: Floats = (rows / np.linalg.norm(rows + 1e-9, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def _kernel(cosines: Floats) -> Floats:
    # Beside the cosine itself this weighs its square, which tells near articles apart.
    weights: Floats = np.exp(_SHARPNESS * (cosines - 1))
    return weights


@dataclass(frozen=True)
class Dense:
    """Phrasings as centred vectors, and a ridge layer over them with one column an article.

    `owners` has the column of each phrasing, in ascending order. The last one is the background's.
    `means` has the mean of English and that of Chinese: texts of one language are nearer to each
    other than their meaning is, and without its mean, a phrasing helps in both languages.
    """

    vectors: Floats
    """The phrasings as the encoder returned them, which the next version's index takes over."""
    means: Floats
    phrasings: Floats
    layer: Floats
    owners: NDArray[np.int64]

    @classmethod
    def fit(
        cls, vectors: Floats, owners: Sequence[int], chinese: Sequence[bool]
    ) -> tuple[Dense, Floats]:
        """Solve the layer in closed form; also return each phrasing's scores without itself.

        Every article weighs the same, however many phrasings it has. The scores without a phrasing
        are exact: they follow from the diagonal of the hat matrix.
        """
        column = np.asarray(owners)
        language = np.asarray(chinese, np.int64)
        # As they are stored, so that an index is the same whether it takes them over or not.
        vectors = vectors.astype(_STORED).astype(np.float32)
        means = _means(vectors, language, column == column[-1])
        phrasings = unit(vectors - means[language])
        count = np.bincount(column)[column]
        target = np.eye(column[-1] + 1)[column]
        kernel = _kernel(phrasings @ phrasings.T).astype(np.float64)
        penalty = _PENALTY * count * np.mean(1 / count)
        inverse = np.linalg.inv(kernel + np.diag(penalty))
        layer = inverse @ target
        without = target - layer / np.diag(inverse)[:, None]
        dense = cls(vectors, means, phrasings, layer.astype(np.float32), column)
        return dense, without.astype(np.float32)

    def likeness(self, vector: Floats, chinese: bool) -> Floats:
        """Return the cosine of a vector, as the encoder returns it, with each phrasing."""
        cosines: Floats = self.phrasings @ unit(vector - self.means[int(chinese)])
        return cosines

    def scores(self, likeness: Floats) -> Floats:
        """Return the layer's score of each column."""
        scores: Floats = _kernel(likeness) @ self.layer
        return scores

    def nearest(self, likeness: Floats, column: int) -> float:
        """Return a column's score by its nearest phrasings."""
        first, end = np.searchsorted(self.owners, (column, column + 1))
        return of_nearest(np.sort(likeness[first:end])[::-1][:3].tolist())

    def to_bytes(self) -> dict[str, bytes]:
        """Return the arrays by name, little-endian."""
        return {name: getattr(self, name).astype(_STORED).tobytes() for name in _ARRAYS}

    @classmethod
    def from_bytes(
        cls, stored: dict[str, bytes], owners: Sequence[int], chinese: Sequence[bool]
    ) -> Dense:
        """Return what `to_bytes` has written."""
        vectors, means, layer = (
            np.frombuffer(stored[name], _STORED).astype(np.float32).reshape(rows, -1)
            for name, rows in zip(_ARRAYS, (len(owners), 2, len(owners)), strict=True)
        )
        phrasings = unit(vectors - means[np.asarray(chinese, np.int64)])
        return cls(vectors, means, phrasings, layer, np.asarray(owners))


def _means(vectors: Floats, language: NDArray[np.int64], everyday: NDArray[np.bool_]) -> Floats:
    """Return the mean of each language.

    Of one in which no article has phrasings, it is estimated by how the languages differ in the
    everyday topics, which are the same in both.
    """
    of = [vectors[language == one] for one in (0, 1)]
    if not (len(of[0]) and len(of[1])):
        return np.stack([vectors.mean(axis=0)] * 2)
    means = np.stack([rows.mean(axis=0) for rows in of])
    topics = np.stack([vectors[everyday & (language == one)].mean(axis=0) for one in (0, 1)])
    for one, other in ((0, 1), (1, 0)):
        if everyday[language == one].all() and not everyday[language == other].all():
            means[one] = topics[one] + means[other] - topics[other]
    return means
