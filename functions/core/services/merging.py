"""Tickets that go on under another number: merging, undoing it, and finding what belongs together.

A merged ticket keeps its own record and says where it goes on (`merged`); the ticket that it was
merged into says which ones it carries (`carries`). What was said before stays where it was written
and is shown together; what is said afterwards is written to the survivor, the ticket at the end of
the chain.

Only a ticket that is not merged can take another in, and only one that is not merged can be merged,
each on condition of both versions in one transaction. So the end of a ticket's chain is never below
it, and a cycle cannot come to be, however many merges run at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from functions.core.domain import commands as c
from functions.core.domain.commands.base import allowed
from functions.core.domain.errors import ActionNotAllowed, Forgotten, NotFound
from functions.core.domain.events import TicketMerged
from functions.core.domain.lifecycle import Decided, decide
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.storage.store import Store


def survivor(store: Store, ticket: Ticket) -> Ticket:
    """The ticket under whose number this one goes on: itself where it was not merged."""
    while ticket.merged is not None:
        ticket = store.load(ticket.desk, ticket.merged.into)
    return ticket


def carried(store: Store, ticket: Ticket) -> list[Ticket]:
    """Every ticket that goes on in this one, at whatever distance, the nearest first."""
    found: list[Ticket] = []
    waiting = [(ticket.number, number) for number in ticket.carries]
    while waiting:
        into, number = waiting.pop(0)
        part = store.load(ticket.desk, number)
        if part.merged is not None and part.merged.into == into:  # else it has just left
            found.append(part)
            waiting += [(number, further) for further in part.carries]
    return found


def parts(store: Store, ticket: Ticket, *, deliveries: bool = True) -> list[TicketRecord]:
    """What was said on the tickets that go on in this one."""
    desk = ticket.desk
    return [
        TicketRecord(
            part,
            store.history(desk, part.number, part.version),
            store.deliveries(desk, part.number) if deliveries else (),
        )
        for part in carried(store, ticket)
    ]


def family(store: Store, ticket: Ticket) -> list[Ticket]:
    """All tickets that make one conversation with this one, the survivor first."""
    first = survivor(store, ticket)
    return [first, *carried(store, first)]


def reached(store: Store, ticket: Ticket) -> list[str]:
    """Every ticket in which this one went on at any time: where messages to it may stand."""
    found: list[str] = []
    waiting = [ticket]
    while waiting:
        one = waiting.pop(0)
        for commit in store.history(one.desk, one.number, one.version):
            for event in commit.of(TicketMerged):
                if event.other not in (ticket.number, *found):
                    found.append(event.other)
                    waiting.append(store.load(one.desk, event.other))
    return found


def followed(store: Store, ticket: Ticket, command: c.Command) -> tuple[Ticket, c.Command]:
    """Where a command for a merged ticket belongs: what is said about it goes to its survivor.

    Everything else stays with the ticket, whose status refuses it.

    Raises:
        Forgotten: the customer writes to a ticket whose customer was erased.
    """
    if not isinstance(command, c.CustomerMessage | c.Note):
        return ticket, command
    last = survivor(store, ticket)
    if isinstance(command, c.CustomerMessage):
        if ticket.erased:
            raise Forgotten
        stranger = not same_customer(ticket, last)
        command = replace(command, via=ticket.number, stranger=stranger)
    return last, command


def same_customer(one: Ticket, other: Ticket) -> bool:
    """Whether two tickets were filed under one contact."""
    return one.customer.hash == other.customer.hash


def decide_both(
    store: Store,
    ticket: Ticket,
    command: c.Merge | c.Unmerge,
    playbook: Playbook,
    now: datetime,
) -> tuple[Decided, ...]:
    """What a merge, or its undoing, makes of both tickets.

    Raises:
        NotFound: there is no such other ticket on this desk.
        ActionNotAllowed: either ticket's status speaks against it; the error says where a merged
            one goes on.
    """
    if isinstance(command, c.Merge):
        return _merge(store, ticket, command, playbook, now)
    back = replace(command, handler_stays=_handler_stays(store, ticket))
    events = decide(ticket, back, playbook, now)
    if ticket.merged is None:
        raise AssertionError("a ticket that is not merged is refused before")
    other = store.load(ticket.desk, ticket.merged.into)
    given = decide(other, c.GiveBack(ticket.number, command.reason), playbook, now)
    return Decided(ticket, events, by_person=True), Decided(other, given, by_person=True)


def _merge(
    store: Store, ticket: Ticket, command: c.Merge, playbook: Playbook, now: datetime
) -> tuple[Decided, ...]:
    decide(ticket, command, playbook, now)  # what speaks against it on this side is said first
    try:
        other = store.load(ticket.desk, command.into)
    except NotFound as missing:
        raise NotFound(f"There is no ticket {command.into} on this desk.") from missing
    if other.merged is not None:
        last = survivor(store, other).number
        raise ActionNotAllowed(
            f"{other.number} was merged itself and goes on as {last}: merge into {last}."
            if last != ticket.number
            else f"{other.number} goes on in this very ticket.",
            allowed(ticket),
        )
    same = same_customer(ticket, other)
    taken = c.TakeIn(ticket.number, ticket.status in OPEN, same, command.reason)
    merged = replace(command, same_customer=same)
    return (
        Decided(ticket, decide(ticket, merged, playbook, now)),
        Decided(other, decide(other, taken, playbook, now)),
    )


def _handler_stays(store: Store, ticket: Ticket) -> bool:
    return ticket.handler is None or store.agent(ticket.desk, ticket.handler) is not None
