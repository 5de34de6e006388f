"""The command service: load, decide, apply, commit, and retry after a conflict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from functions.core.domain import commands as c
from functions.core.domain.errors import Conflict, Phrase, StaleVersion
from functions.core.domain.events import Commit
from functions.core.domain.lifecycle import Decided, apply, decide, queue_rank
from functions.core.domain.privacy import Rewrite, rewritten
from functions.core.domain.rules import Playbook
from functions.core.domain.tasks import tasks_of
from functions.core.domain.ticket import Ticket, next_wake
from functions.core.storage.database import Storage
from functions.core.storage.idempotency import IdempotencyRecord
from functions.core.storage.tickets import Change
from functions.core.text.masking import mask_but

if TYPE_CHECKING:
    from functions.core.storage.contacts import Conversation
    from functions.core.text.unmasking import Original

TRIES = 6
"""Decisions made before a conflict reaches the caller."""

Decision = tuple[Ticket, tuple[Decided, ...]]
"""The ticket that a decision is about, and the events for it and for others."""


def change(
    storage: Storage,
    desk: str,
    number: str,
    command: c.Command,
    playbook: Playbook,
    now: datetime,
    *,
    actor: str,
    expected: int | None = None,
    seen: Ticket | None = None,
    loaded: Ticket | None = None,
    idempotency: IdempotencyRecord | None = None,
    original: Original | None = None,
    allowed: Conversation | None = None,
    choosing: bool = False,
) -> Ticket:
    """Carry out a command and return the ticket; unchanged if the command changes nothing.

    Messages and notes on a merged ticket change its merge target, which is then returned.

    Args:
        expected: the version that the caller saw; a newer one is refused.
        seen: the version of the ticket on which the caller decided. If it has changed since, the
            caller must decide again: `Conflict`.
        loaded: the ticket as the caller has just read it, for the first try.
        idempotency: the idempotency record of the message that the command carries.
        original: the original of that message.
        allowed: the conversation of that message, with what its channel now accepts.
        choosing: with `seen`, the caller can choose another handler: `AgentContended`.

    Raises:
        NotFound, ActionNotAllowed, InvalidInput: as `decide`.
        StaleVersion: the ticket is newer than `expected`.
        AgentAtCapacity: the chosen handler is at capacity or offline.
        Duplicate: the idempotency record exists.
        Conflict: others changed the ticket `TRIES` times in a row, or since `seen`.
    """

    def decision(ticket: Ticket) -> Decision:
        require_version(ticket, expected)
        if ticket.merged is not None:
            from functions.core.services.merging import decide_redirected

            redirected = decide_redirected(storage, ticket, command, playbook, now)
            if redirected is not None:
                return redirected
        return ticket, decide_all(storage, ticket, command, playbook, now)

    if seen is not None:
        ticket, decided = decision(seen)
        if not decided:
            return ticket
        return write_all(
            storage, decided, playbook, now, actor, idempotency, original, choosing=choosing
        )
    return retry_on_conflict(
        storage,
        desk,
        number,
        decision,
        playbook,
        now,
        actor=actor,
        loaded=loaded,
        idempotency=idempotency,
        original=original,
        allowed=allowed,
    )


def retry_on_conflict(
    storage: Storage,
    desk: str,
    number: str,
    decision: Callable[[Ticket], Decision],
    playbook: Playbook,
    now: datetime,
    *,
    actor: str,
    loaded: Ticket | None = None,
    idempotency: IdempotencyRecord | None = None,
    original: Original | None = None,
    allowed: Conversation | None = None,
) -> Ticket:
    """Decide on the newest version and commit; decide again after a conflict.

    Raises:
        Conflict: others changed the ticket `TRIES` times in a row.
    """
    for attempt in range(TRIES):
        ticket = (loaded if attempt == 0 else None) or storage.tickets.load(desk, number)
        ticket, decided = decision(ticket)
        if not decided:
            return ticket
        try:
            return write_all(
                storage, decided, playbook, now, actor, idempotency, original, allowed=allowed
            )
        except Conflict:
            if attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def require_version(ticket: Ticket, expected: int | None) -> None:
    """Refuse a caller who acts on an older version.

    Raises:
        StaleVersion: the ticket is newer than `expected`.
    """
    if expected is not None and ticket.version != expected:
        raise StaleVersion(
            Phrase(
                "You acted on version {expected}; the ticket is at version {version}. "
                "Look at it again.",
                expected=expected,
                version=ticket.version,
            )
        )


def decide_all(
    storage: Storage, ticket: Ticket, command: c.Command, playbook: Playbook, now: datetime
) -> tuple[Decided, ...]:
    """Decide a command on its ticket, and on the second ticket of a merge.

    Raises:
        NotFound, ActionNotAllowed, InvalidInput: as `decide`, for either ticket.
    """
    if isinstance(command, c.Merge | c.Unmerge):
        from functions.core.services.merging import decide_merge

        return decide_merge(storage, ticket, command, playbook, now)
    events = decide(ticket, command, playbook, now)
    sealed = command.sealed if isinstance(command, c.CorrectContact) else None
    return (Decided(ticket, events, _is_by_person(command), sealed),) if events else ()


def write_all(
    storage: Storage,
    decided: tuple[Decided, ...],
    playbook: Playbook,
    now: datetime,
    actor: str,
    idempotency: IdempotencyRecord | None = None,
    original: Original | None = None,
    *,
    allowed: Conversation | None = None,
    choosing: bool = False,
) -> Ticket:
    """Commit the decisions on one or several tickets in one transaction; return the first ticket.

    `idempotency` and `original` belong to the first ticket; `allowed` and `choosing` are as for
    `commit_all`.
    """
    changes = [_changed(each, playbook, now, actor) for each in decided]
    if original is not None:
        first = changes[0].after
        sealed = original.sealed_for(first.desk, first.number)
        changes[0] = replace(changes[0], original=sealed, original_purpose=original.purpose)
    storage.tickets.commit_all(
        changes, actor=actor, idempotency=idempotency, allowed=allowed, choosing=choosing
    )
    return changes[0].after


def _changed(decided: Decided, playbook: Playbook, now: datetime, actor: str) -> Change:
    ticket = decided.ticket
    events = tuple(rewritten(event, _masking(playbook)) for event in decided.events)
    commit = Commit(
        desk=ticket.desk,
        number=ticket.number,
        version=ticket.version + 1,
        at=now,
        actor=actor,
        events=events,
    )
    after = apply(ticket, commit)
    after = after.changed(wakes_at=next_wake(ticket, after), tasks=tasks_of(after, playbook))
    return Change(
        ticket,
        after,
        events,
        queue_rank(after, playbook),
        assigned_by_person=decided.by_person,
        sealed=decided.sealed,
    )


def _masking(playbook: Playbook) -> Rewrite:
    """Mask whatever an event declares as free text, also where its caller has not (G4).

    A step's fields are masked by their kinds before: a term of the playbook stays.
    """
    return lambda path, text: (
        text if path.startswith("fields.") else mask_but(text, playbook.public_contacts)
    )


def _is_by_person(command: c.Command) -> bool:
    """Return whether a person chose the handler, whose capacity is then not checked."""
    parts = command.commands if isinstance(command, c.CommandGroup) else (command,)
    return any(isinstance(part, c.Assign | c.Take) and part.by_person for part in parts)
