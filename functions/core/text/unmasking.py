"""Originals of masked texts, which are sealed and which only a recorded action opens (G4).

Only the difference is stored: for each text, the part from the first masked character to the last.
An unmasked text costs nothing, and one with a phone number a few bytes. `unseal` puts the part back
into the masked text.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from functions.core.text.masking import mask_but

MARGIN = 400
"""Characters beyond a limit that are read; longer than any number or address that is masked."""

Seal = Callable[[str, str, bytes], tuple[bytes, ...]]
"""Encrypts a document for a desk and ticket number, in one or more chunks."""

Purpose = Literal["original", "outgoing"]
"""The writer of an original: the customer, or an agent to the customer, which `notify` may open
to deliver it as written (G10)."""


@dataclass
class MessageMasker:
    """Masks the texts of a message, by field, and collects the hidden parts.

    The desk's own contacts in `public` stay readable.
    """

    public: tuple[str, ...] = ()
    hidden: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def mask(self, name: str, text: str, limit: int | None = None) -> str:
        """Mask a text and cut it to `limit` characters.

        Of a longer text only the beginning is read. What is masked beside the end of that part may
        be half a number, so the end is not shown.
        """
        read = text if limit is None else text[: limit + 2 * MARGIN]
        masked = mask_but(read, self.public)
        if masked != read:
            self.hidden[name] = _difference(read, masked)
        shown = masked if len(read) == len(text) else masked[:-MARGIN]
        return shown[:limit]

    def document(self) -> bytes | None:
        """Return the hidden parts as a document to seal; None if nothing was hidden."""
        if not self.hidden:
            return None
        return zlib.compress(json.dumps(self.hidden, ensure_ascii=False).encode())


@dataclass
class Original:
    """The hidden parts of a message, sealed once its ticket number is known.

    `sealed_before` are pieces that were sealed with an earlier message of the ticket and belong to
    this one too.
    """

    hiding: MessageMasker
    seal: Seal
    purpose: Purpose = "original"
    sealed_before: tuple[bytes, ...] = ()
    _sealed: dict[tuple[str, str], tuple[bytes, ...]] = field(default_factory=dict)

    def sealed_for(self, desk: str, number: str) -> tuple[bytes, ...]:
        """Return the pieces for a ticket, none if nothing is hidden; a retry gets the same."""
        at = (desk, number)
        if at not in self._sealed:
            document = self.hiding.document()
            self._sealed[at] = self.seal(desk, number, document) if document else ()
        return (*self.sealed_before, *self._sealed[at])


def restored(documents: bytes, shown: Mapping[str, str]) -> dict[str, str]:
    """Restore the original texts.

    Args:
        documents: one or more unsealed documents of a `MessageMasker`, one after the other.
        shown: the masked texts by field; each may be truncated.

    Raises:
        ValueError: the document is no such document.
    """
    try:
        hidden = _parsed(documents)
        return {
            name: shown[name][:start] + words + shown[name][end:]
            for name, (start, end, words) in hidden.items()
            if shown.get(name) and start < len(shown[name])
        }
    except (zlib.error, ValueError, TypeError, AttributeError) as error:
        raise ValueError("the unsealed document is not an original") from error


def _parsed(documents: bytes) -> dict[str, Any]:
    hidden: dict[str, Any] = {}
    while True:
        stream = zlib.decompressobj()
        hidden |= json.loads(stream.decompress(documents))
        documents = stream.unused_data
        if not documents:
            return hidden


def _difference(text: str, masked: str) -> tuple[int, int, str]:
    """Return start and end of the difference in `masked`, and the text that it replaces."""
    most = min(len(text), len(masked))
    start = next((i for i in range(most) if text[i] != masked[i]), most)
    rest = most - start
    same = next((i for i in range(rest) if text[-1 - i] != masked[-1 - i]), rest)
    return start, len(masked) - same, text[start : len(text) - same]
