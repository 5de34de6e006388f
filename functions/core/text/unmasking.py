"""What masking hid of a customer's words: sealed beside the masked text, opened by a recorded act.

Only what differs is kept: of each text the part from the first hidden place to the last, so that a
text in which nothing was hidden costs nothing, and one with a phone number a few bytes. It is put
back into the masked text when `unseal` opens it (G4).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from functions.core.text.masking import mask

Seal = Callable[[str, str, bytes], tuple[bytes, ...]]
"""Encrypts a document for a desk's ticket, in as many pieces as it takes."""


@dataclass
class Hiding:
    """Masks the texts of one message by the names of their fields, and remembers what it hid."""

    hidden: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def mask(self, name: str, text: str) -> str:
        """`text` masked."""
        masked = mask(text)
        if masked != text:
            self.hidden[name] = _difference(text, masked)
        return masked

    def document(self) -> bytes | None:
        """What is to be sealed, None where nothing was hidden."""
        if not self.hidden:
            return None
        return zlib.compress(json.dumps(self.hidden, ensure_ascii=False).encode())


@dataclass
class Original:
    """What was hidden of a message, and how it is sealed once its ticket is known."""

    document: bytes
    seal: Seal
    _sealed: dict[tuple[str, str], tuple[bytes, ...]] = field(default_factory=dict)

    def sealed_for(self, desk: str, number: str) -> tuple[bytes, ...]:
        """The document, encrypted for one ticket; at a second try as at the first."""
        at = (desk, number)
        if at not in self._sealed:
            self._sealed[at] = self.seal(desk, number, self.document)
        return self._sealed[at]


def original(hiding: Hiding, seal: Seal) -> Original | None:
    """What is to be sealed of a message, None where nothing was hidden."""
    document = hiding.document()
    return Original(document, seal) if document else None


def restored(document: bytes, shown: Mapping[str, str]) -> dict[str, str]:
    """The texts as they were written.

    Args:
        document: what was sealed.
        shown: the masked texts by their fields; each may have been cut at its end.

    Raises:
        ValueError: the document is none of `Hiding`.
    """
    try:
        hidden = json.loads(zlib.decompress(document))
        return {
            name: shown[name][:start] + words + shown[name][end:]
            for name, (start, end, words) in hidden.items()
            if shown.get(name) and start < len(shown[name])
        }
    except (zlib.error, TypeError, AttributeError) as error:
        raise ValueError("what was sealed is no original") from error


def _difference(text: str, masked: str) -> tuple[int, int, str]:
    """Where `masked` differs: from, to, and what stands there in `text`."""
    most = min(len(text), len(masked))
    start = next((i for i in range(most) if text[i] != masked[i]), most)
    rest = most - start
    same = next((i for i in range(rest) if text[-1 - i] != masked[-1 - i]), rest)
    return start, len(masked) - same, text[start : len(text) - same]
