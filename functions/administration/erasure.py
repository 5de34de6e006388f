"""The acts of holds and erasures (B10)."""

from __future__ import annotations

from typing import Any

from functions.administration import retention
from functions.administration.acts import Administration, act
from functions.core.domain.errors import FieldError, InvalidInput, TryAgain, too_long
from functions.core.platform import aws

LONGEST_REASON = 1000


@act("admin")
def hold(administration: Administration, number: str, reason: str) -> None:
    """Keep a ticket's record, and those merged with it, beyond the retention period."""
    _hold(administration, number, reason, held=True)


@act("admin")
def release(administration: Administration, number: str, reason: str) -> None:
    """Let a held record end with its retention period again."""
    _hold(administration, number, reason, held=False)


@act("admin")
def erase(administration: Administration, number: str, reason: str) -> Any:
    """Erase the customer's personal data from a ticket and those merged with it.

    Returns:
        The tickets, and whether the erasure has to be run again, since a message is being sent.

    Raises:
        ActionNotAllowed: one of the tickets is held.
    """
    reason = _checked(reason)
    administration.storage.tickets.load(administration.desk, number)
    administration.trail.record("ticket.erase", administration.desk, number)
    try:
        erased = retention.erase(
            _archive(administration),
            administration.desk,
            number=number,
            reason=reason,
            actor=administration.principal.username,
            now=administration.now,
        )
    except TryAgain:
        return {"numbers": [number], "again": True}
    return {"numbers": list(erased.numbers), "again": False}


def _hold(administration: Administration, number: str, reason: str, *, held: bool) -> None:
    retention.hold(
        _archive(administration),
        administration.desk,
        number,
        held=held,
        reason=_checked(reason),
        actor=administration.principal.username,
        now=administration.now,
    )


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        text = too_long(LONGEST_REASON, len(reason)) if reason else "this field is required"
        raise InvalidInput("Some fields are invalid.", (FieldError("reason", text),))
    return reason


def _archive(administration: Administration) -> retention.Archive:
    deployment, storage = administration.deployment, administration.storage
    return retention.archive_of(deployment, storage, aws.client("s3"))
