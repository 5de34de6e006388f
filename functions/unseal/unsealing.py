"""Open an original against the recorded act of an agent.

The caller records the act first: who, when, why, which message. This function, which holds the
right to decrypt, checks that record again, so a caller without one gets nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from functions.core.domain.events import Commit, OriginalOpened
from functions.core.domain.privacy import free_texts
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.unmasking import restored

ACT_VALIDITY = timedelta(minutes=2)
"""The time in which a recorded act may be used."""

USE_RETENTION = timedelta(days=1)
"""The time for which the use of an act is stored; well beyond `ACT_VALIDITY`."""

Decrypt = Callable[[str, str, str, bytes], bytes]


class UnsealRequest(BaseModel):
    """The agent and the recorded act; `act` is the version of its commit."""

    model_config = ConfigDict(extra="forbid")

    desk: str
    number: str
    act: int
    agent: str


class UnsealResult(BaseModel):
    """The original by the fields of its message, or the reason of a refusal."""

    model_config = ConfigDict(hide_input_in_errors=True)

    original: dict[str, str] = {}
    refused: str = ""

    def __repr__(self) -> str:
        return f"UnsealResult({self.refused or list(self.original)})"

    __str__ = __repr__


def open_original(
    request: UnsealRequest, storage: Storage, decrypt: Decrypt, now: datetime
) -> UnsealResult:
    """Open the original that a recorded act names, once.

    Args:
        decrypt: decrypts one sealed piece of a desk's ticket, for the purpose it was sealed for.
    """
    desk, number = request.desk, request.number
    act = storage.tickets.commit_at(desk, number, request.act)
    opened = act.of(OriginalOpened) if act else ()
    if act is None or not opened or act.actor != request.agent:
        return UnsealResult(refused="there is no such act on record")
    if abs(now - act.at) > ACT_VALIDITY:
        return UnsealResult(refused="the recorded act is not fresh any more")
    sealed = storage.tickets.original(desk, number, opened[0].message)
    if sealed is None or not sealed.pieces:
        return UnsealResult(refused="nothing is sealed there")
    used = IdempotencyRecord(desk, "original", f"{number}:{request.act}", number=number)
    if not storage.idempotency.put_once(used, now, USE_RETENTION):
        return UnsealResult(refused="the recorded act was used before")
    document = b"".join(decrypt(desk, number, sealed.purpose, piece) for piece in sealed.pieces)
    return UnsealResult(original=restored(document, _masked_texts(sealed.commit)))


def _masked_texts(commit: Commit) -> dict[str, str]:
    """Return the masked texts of a commit by their fields, a product's as `product.<field>`."""
    return {path: text for event in commit.events for path, text in free_texts(event).items()}
