"""Whether an original may be opened, and what it says.

The caller has put the act on record before it asks: who, when, why, which message. That record is
looked at here once more, by the function that holds the right to decrypt, so whoever might call it
otherwise is told nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from functions.core.domain.events import Commit, OriginalOpened
from functions.core.storage.store import IdempotencyRecord, Store
from functions.core.text.unmasking import restored

FRESH = timedelta(minutes=2)
"""How long a recorded act may be used."""

REMEMBERED = timedelta(days=1)
"""How long it is known that an act was used: well beyond `FRESH`."""

Decrypt = Callable[[str, str, bytes], bytes]


class Asked(BaseModel):
    """Who asks to have which act carried out; `act` is the version of its commit."""

    model_config = ConfigDict(extra="forbid")

    desk: str
    number: str
    act: int
    agent: str


class Opened(BaseModel):
    """What was opened, by fields of the message; or why nothing was."""

    model_config = ConfigDict(hide_input_in_errors=True)

    original: dict[str, str] = {}
    refused: str = ""

    def __repr__(self) -> str:
        return f"Opened({self.refused or list(self.original)})"

    __str__ = __repr__


def open_original(asked: Asked, store: Store, decrypt: Decrypt, now: datetime) -> Opened:
    """Open the original that a recorded act is about, once.

    Args:
        decrypt: of a desk's ticket, one sealed piece.
    """
    desk, number = asked.desk, asked.number
    act = store.commit_at(desk, number, asked.act)
    opened = act.of(OriginalOpened) if act else ()
    if act is None or not opened or act.actor != asked.agent:
        return Opened(refused="there is no such act on record")
    if abs(now - act.at) > FRESH:
        return Opened(refused="the recorded act is not fresh any more")
    found = store.original(desk, number, opened[0].message)
    if found is None:
        return Opened(refused="nothing is sealed there")
    used = IdempotencyRecord(desk, "original", f"{number}:{asked.act}", number=number)
    if not store.once(used, now, REMEMBERED):
        return Opened(refused="the recorded act was used before")
    commit, pieces = found
    document = b"".join(decrypt(desk, number, piece) for piece in pieces)
    return Opened(original=restored(document, _shown(commit)))


def _shown(commit: Commit) -> dict[str, Any]:
    """The texts of a commit as they are shown, by their fields."""
    return {
        name: value
        for event in commit.events
        for name, value in event.model_dump(include=_TEXTS).items()
        if isinstance(value, str)
    }


_TEXTS = {"description", "text", "subject", "order", "proof_of_purchase", "reason", "comment"}
