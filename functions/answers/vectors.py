"""Likeness of texts by their vectors. The one module that needs numpy; imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from functions.answers.lexical import of_nearest

Floats = NDArray[np.float32]
_PENALTY = 0.15
"""The ridge penalty, in units of a phrasing."""
_STORED = "<f2"
"""Half floats: what they lose is far below the difference between two phrasings."""


def _unit(rows: Floats) -> Floats:
    unit: Floats = (rows / np.linalg.norm(rows + 1e-9, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def _kernel(cosines: Floats) -> Floats:
    # Beside the cosine itself this weighs its square, which tells near articles apart.
    return np.exp(cosines - 1)


@dataclass(frozen=True)
class Dense:
    """Phrasings as centred vectors, and a ridge layer over them with one column an article.

    `owners` has the column of each phrasing, in ascending order. The last one is the background's.
    """

    mean: Floats
    phrasings: Floats
    layer: Floats
    owners: NDArray[np.int64]

    @classmethod
    def fit(cls, vectors: Floats, owners: Sequence[int]) -> tuple[Dense, Floats]:
        """Solve the layer in closed form; also return each phrasing's scores without itself.

        Every article weighs the same, however many phrasings it has. The scores without a phrasing
        are exact: they follow from the diagonal of the hat matrix.
        """
        column = np.asarray(owners)
        mean = vectors.mean(axis=0)
        phrasings = _unit(vectors - mean)
        count = np.bincount(column)[column]
        target = np.eye(column[-1] + 1)[column]
        kernel = _kernel(phrasings @ phrasings.T).astype(np.float64)
        penalty = _PENALTY * count * np.mean(1 / count)
        inverse = np.linalg.inv(kernel + np.diag(penalty))
        layer = inverse @ target
        without = target - layer / np.diag(inverse)[:, None]
        dense = cls(mean, phrasings, layer.astype(np.float32), column)
        return dense, without.astype(np.float32)

    def likeness(self, vector: Floats) -> Floats:
        """Return the cosine of a vector, as the encoder returns it, with each phrasing."""
        cosines: Floats = self.phrasings @ _unit(vector - self.mean)
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
        arrays = {"mean": self.mean, "phrasings": self.phrasings, "layer": self.layer}
        return {name: array.astype(_STORED).tobytes() for name, array in arrays.items()}

    @classmethod
    def from_bytes(cls, stored: dict[str, bytes], owners: Sequence[int]) -> Dense:
        """Return what `to_bytes` has written."""
        arrays = {
            name: np.frombuffer(data, _STORED).astype(np.float32) for name, data in stored.items()
        }
        phrasings, layer = (
            arrays[name].reshape(len(owners), -1) for name in ("phrasings", "layer")
        )
        return cls(arrays["mean"], phrasings, layer, np.asarray(owners))
