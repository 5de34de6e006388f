"""Carry a command out: load, decide, apply, commit, and once more where somebody was faster."""

from __future__ import annotations

from datetime import datetime

from functions.core import commands as c
from functions.core.errors import Conflict, StaleVersion
from functions.core.events import Commit, Event
from functions.core.lifecycle import apply, decide, queue_rank
from functions.core.playbook import Playbook
from functions.core.store import Marker, Store
from functions.core.ticket import Ticket, next_wake
from functions.core.webhooks import wanted

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
    seen: Ticket | None = None,
    loaded: Ticket | None = None,
    marker: Marker | None = None,
) -> Ticket:
    """The ticket after `command`; unchanged where the command changes nothing.

    Args:
        expected: the version that the caller saw; an older one is refused.
        seen: the ticket that the command was decided on, which saves reading it. If it has changed
            since, the whole decision is the caller's to make anew: `Conflict`.
        loaded: the ticket as the caller has just read it, for the first try.
        marker: the exactly-once marker of the message that the command carries.

    Raises:
        NotFound, ActionNotAllowed, InvalidInput: as `decide` says.
        StaleVersion: the ticket has moved on from `expected`.
        NoPlaceLeft: the chosen handler is full or offline.
        Duplicate: the marker was there already.
        Conflict: others changed the ticket `TRIES` times in a row, or since `seen`.
    """
    tries = TRIES if seen is None else 1
    for tried in range(tries):
        ticket = seen or (loaded if tried == 0 else None) or store.load(desk, number)
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
            if tried == tries - 1:
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
    after = after.model_copy(update={"wakes_at": next_wake(ticket, after)})
    store.commit(
        ticket,
        after,
        events,
        actor=actor,
        rank=queue_rank(after, playbook),
        marker=marker,
        by_hand=_by_hand(command),
        hooked=any(wanted(events, playbook.webhooks)),
    )
    return after


def _by_hand(command: c.Command) -> bool:
    """Whether a person chose the handler, who then need not have a place free."""
    parts = command.commands if isinstance(command, c.Together) else (command,)
    return any(isinstance(part, c.Assign) and part.by_hand for part in parts)
