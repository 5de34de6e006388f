"""Open an original or a contact against the recorded act of an agent, or of an administrator.

The caller records the act first: who, when, why, and which message, or that it is the contact (an
agent has to call, or an administrator exports a desk with its contacts). This function, which holds
the right to decrypt, checks that record again, so a caller without one gets nothing.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from functions.core.domain.events import Commit, ContactOpened, Event, OriginalOpened
from functions.core.domain.privacy import free_texts
from functions.core.platform.aws import contact_context, original_context
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.text.unmasking import restored

ACT_VALIDITY = timedelta(minutes=2)
"""The time in which a recorded act may be used."""

EXPORT_VALIDITY = timedelta(hours=12)
"""The time that the export of a desk may take: it opens the contact of each ticket."""

USE_RETENTION = timedelta(days=1)
"""The time for which the use of an act is stored; well beyond `ACT_VALIDITY`."""

Decrypt = Callable[[Mapping[str, str], bytes], bytes]
"""Decrypts one sealed piece under its encryption context."""


class UnsealRequest(BaseModel):
    """The agent and the recorded act; `act` is the version of its commit.

    `exported_at`: the act is the export of the desk with this time in the audit, `agent` its actor,
    and `act` the version of the commit that sealed a contact.
    """

    model_config = ConfigDict(extra="forbid")

    desk: str
    number: str
    act: int
    agent: str
    exported_at: AwareDatetime | None = None


class UnsealResult(BaseModel):
    """The original by the fields of its message, the `contact`, or the reason of a refusal."""

    model_config = ConfigDict(hide_input_in_errors=True)

    original: dict[str, str] = {}
    refused: str = ""

    def __repr__(self) -> str:
        return f"UnsealResult({self.refused or list(self.original)})"

    __str__ = __repr__


def unseal(
    request: UnsealRequest, storage: Storage, decrypt: Decrypt, now: datetime
) -> UnsealResult:
    desk, number = request.desk, request.number
    if request.exported_at is not None:
        return _for_export(request, request.exported_at, storage, decrypt, now)
    act = storage.tickets.commit_at(desk, number, request.act)
    opened = (*act.of(OriginalOpened), *act.of(ContactOpened)) if act else ()
    if act is None or not opened or act.actor != request.agent:
        return UnsealResult(refused="there is no such act on record")
    if abs(now - act.at) > ACT_VALIDITY:
        return UnsealResult(refused="the recorded act is not fresh any more")
    read = _original if isinstance(opened[0], OriginalOpened) else _contact
    found = read(storage, desk, number, opened[0])
    if found is None:
        return UnsealResult(refused=NOTHING)
    used = IdempotencyRecord(desk, "original", f"{number}:{request.act}", number=number)
    if not storage.idempotency.put_once(used, now, USE_RETENTION):
        return UnsealResult(refused="the recorded act was used before")
    return UnsealResult(original=found(decrypt))


def _for_export(
    request: UnsealRequest, at: datetime, storage: Storage, decrypt: Decrypt, now: datetime
) -> UnsealResult:
    """Open a contact for a recorded export with contacts, as often as it asks."""
    recorded = storage.audit.list(at, at + timedelta(microseconds=1), request.desk)
    acts = [
        each
        for each in recorded
        if each.act == "export.desk" and each.actor == request.agent and each.after.get("contacts")
    ]
    if not acts:
        return UnsealResult(refused="there is no such act on record")
    if abs(now - at) > EXPORT_VALIDITY:
        return UnsealResult(refused="the recorded act is not fresh any more")
    sealed = storage.tickets.sealed_contact(request.desk, request.number, request.act)
    if sealed is None:
        return UnsealResult(refused=NOTHING)
    found = json.loads(decrypt(contact_context(request.desk, request.number), sealed))
    return UnsealResult(original={name: found.get(name, "") for name in _OF_CONTACT})


NOTHING = "nothing is sealed there"
_OF_CONTACT = ("contact", "kind", "name")

Sealed = Callable[[Decrypt], dict[str, str]]
"""Decrypts what was found, by field."""


def _original(storage: Storage, desk: str, number: str, opened: Event) -> Sealed | None:
    sealed = storage.tickets.original(desk, number, getattr(opened, "message", 0))
    if sealed is None or not sealed.pieces:
        return None
    context = original_context(desk, number, sealed.purpose)
    return lambda decrypt: restored(
        b"".join(decrypt(context, piece) for piece in sealed.pieces), _masked_texts(sealed.commit)
    )


def _contact(storage: Storage, desk: str, number: str, opened: Event) -> Sealed | None:
    version = storage.tickets.load(desk, number).sealed_in
    sealed = storage.tickets.sealed_contact(desk, number, version)
    if sealed is None:
        return None
    return lambda decrypt: {
        "contact": json.loads(decrypt(contact_context(desk, number), sealed))["contact"]
    }


def _masked_texts(commit: Commit) -> dict[str, str]:
    """Return the masked texts of a commit by their fields, a product's as `product.<field>`."""
    return {path: text for event in commit.events for path, text in free_texts(event).items()}
