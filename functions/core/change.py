"""Carry a command out: load, decide, apply, commit, and once more where somebody was faster."""

from __future__ import annotations

from datetime import datetime

from functions.core import commands as c
from functions.core.errors import Conflict, StaleVersion
from functions.core.events import Commit, Event
from functions.core.lifecycle import apply, decide, queue_rank
from functions.core.playbook import Playbook
from functions.core.store import Marker, Store
from functions.core.ticket import Ticket

TRIES = 6
"""How often a command is decided anew after a conflict before the caller has to try again."""


def change(
    store: Store,
    desk: str,
    number: str,
    command: c.Command,
    playbook: Playbook,
    now: datetime,
    *,
    actor: str,
    expected: int | None = None,
    marker: Marker | None = None,
) -> Ticket:
    """The ticket after `command`; unchanged where the command changes nothing.

    Args:
        expected: the version that the caller saw; an older one is refused.
        marker: the exactly-once marker of the message that the command carries.

    Raises:
        NotFound, ActionNotAllowed, InvalidInput: as `decide` says.
        StaleVersion: the ticket has moved on from `expected`.
        NoPlaceLeft: the chosen handler is full or offline.
        Duplicate: the marker was there already.
        Conflict: others changed the ticket `TRIES` times in a row.
    """
    for tried in range(TRIES):
        ticket = store.load(desk, number)
        if expected is not None and ticket.version != expected:
            raise StaleVersion(
                f"You acted on version {expected}; the ticket is at version {ticket.version}. "
                "Look at it again."
            )
        events = decide(ticket, command, playbook, now)
        if not events:
            return ticket
        try:
            return write(store, ticket, events, command, playbook, now, actor, marker)
        except Conflict:
            if tried == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def write(
    store: Store,
    ticket: Ticket,
    events: tuple[Event, ...],
    command: c.Command,
    playbook: Playbook,
    now: datetime,
    actor: str,
    marker: Marker | None = None,
) -> Ticket:
    """Commit `events`, which were decided on `ticket`, and return the ticket after them."""
    commit = Commit(
        desk=ticket.desk,
        number=ticket.number,
        version=ticket.version + 1,
        at=now,
        actor=actor,
        events=events,
    )
    after = apply(ticket, commit)
    store.commit(
        ticket,
        after,
        events,
        actor=actor,
        rank=queue_rank(after, playbook),
        marker=marker,
        by_hand=isinstance(command, c.Assign) and command.by_hand,
    )
    return after
