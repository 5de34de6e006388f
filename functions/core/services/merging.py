"""Merge tickets, undo a merge, and find the tickets that belong together.

A merged ticket keeps its own record and names its merge target (`merged`); the target lists the
tickets merged into it (`carries`). Earlier messages stay on the ticket that they were written to
and are shown together; later messages are written to the ticket at the end of the chain.

Only a ticket that is not merged can be merged or be a merge target, and one transaction checks both
versions. So the end of a chain is never one of the tickets below it, and no number of concurrent
merges makes a cycle.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from functions.core.domain import commands as c
from functions.core.domain.commands.base import allowed
from functions.core.domain.errors import ActionNotAllowed, Forgotten, NotFound, Phrase
from functions.core.domain.events import TicketMerged
from functions.core.domain.lifecycle import Decided, decide
from functions.core.domain.record import TicketRecord
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.storage.database import Storage


def merge_target(storage: Storage, ticket: Ticket) -> Ticket:
    """Return the ticket at the end of the merge chain: `ticket` itself unless it was merged."""
    while ticket.merged is not None:
        ticket = storage.tickets.load(ticket.desk, ticket.merged.into)
    return ticket


def merged_tickets(storage: Storage, ticket: Ticket) -> list[Ticket]:
    """Return the tickets merged into this one, directly or through others, the nearest first."""
    merged: list[Ticket] = []
    pending = [(ticket.number, number) for number in ticket.carries]
    while pending:
        target, number = pending.pop(0)
        child = storage.tickets.load(ticket.desk, number)
        if child.merged is not None and child.merged.into == target:  # else unmerged just now
            merged.append(child)
            pending += [(number, grandchild) for grandchild in child.carries]
    return merged


def merged_records(storage: Storage, ticket: Ticket) -> list[TicketRecord]:
    desk = ticket.desk
    return [
        TicketRecord(
            merged,
            storage.tickets.history(desk, merged.number, merged.version),
            storage.deliveries.list(desk, merged.number),
        )
        for merged in merged_tickets(storage, ticket)
    ]


def merge_group(storage: Storage, ticket: Ticket) -> list[Ticket]:
    """Return the merge target of a ticket and every ticket merged into it, the target first."""
    target = merge_target(storage, ticket)
    return [target, *merged_tickets(storage, target)]


def same_person(ticket: Ticket, merged: Iterable[Ticket]) -> list[Ticket]:
    """Return the tickets that an erasure of this one erases: those of its customer's contact.

    The ticket comes last, so that a second run still finds the others by it.
    """
    others = [part for part in merged if part.customer.hash == ticket.customer.hash]
    return [*(part for part in others if part.number != ticket.number), ticket]


def past_merge_targets(storage: Storage, ticket: Ticket) -> list[str]:
    """Return the numbers of all tickets that this one was ever merged into, directly or not.

    Each may hold messages that were written to this ticket.
    """
    targets: list[str] = []
    pending = [ticket]
    while pending:
        merged = pending.pop(0)
        for commit in storage.tickets.history(merged.desk, merged.number, merged.version):
            for event in commit.of(TicketMerged):
                if event.other not in (ticket.number, *targets):
                    targets.append(event.other)
                    pending.append(storage.tickets.load(merged.desk, event.other))
    return targets


def decide_redirected(
    storage: Storage, ticket: Ticket, command: c.Command, playbook: Playbook, now: datetime
) -> tuple[Ticket, tuple[Decided, ...]] | None:
    """Decide a message or note to a merged ticket on its merge target; None for other commands.

    The proof of a contact that comes with a message stays with the merged ticket.

    Raises:
        Forgotten: the customer writes to a ticket whose customer was erased.
        ActionNotAllowed: as `decide`, for either ticket.
    """
    *proofs, message = command.commands if isinstance(command, c.CommandGroup) else (command,)
    if not isinstance(message, c.CustomerMessage | c.AddFiles | c.Note):
        return None
    target = merge_target(storage, ticket)
    proven = decide(ticket, c.CommandGroup(tuple(proofs)), playbook, now) if proofs else ()
    if isinstance(message, c.CustomerMessage):
        if ticket.erased:
            raise Forgotten
        writer = ticket.changed(contact_proven=True) if proofs else ticket
        stranger = message.by_submitter or not same_customer(writer, target)
        message = replace(message, via=ticket.number, stranger=stranger)
    elif isinstance(message, c.AddFiles):
        if ticket.erased:
            raise Forgotten
        stranger = not same_customer(ticket, target)
        message = replace(message, via=ticket.number, stranger=stranger)
    written = Decided(target, decide(target, message, playbook, now))
    return target, (written, Decided(ticket, proven)) if proven else (written,)


def same_customer(ticket: Ticket, other: Ticket) -> bool:
    """Return whether two tickets have the same contact, and both have proven it."""
    proven = ticket.contact_proven and other.contact_proven
    return proven and ticket.customer.hash == other.customer.hash


def decide_merge(
    storage: Storage,
    ticket: Ticket,
    command: c.Merge | c.Unmerge,
    playbook: Playbook,
    now: datetime,
) -> tuple[Decided, ...]:
    """Decide a merge, or its undoing, for both tickets.

    Raises:
        NotFound: the desk has no such other ticket.
        ActionNotAllowed: the status of either ticket forbids it. If the other ticket was merged
            itself, the error names its merge target.
    """
    if isinstance(command, c.Merge):
        return _decide_merge(storage, ticket, command, playbook, now)
    command = replace(command, handler_stays=_handler_exists(storage, ticket))
    events = decide(ticket, command, playbook, now)
    if ticket.merged is None:
        raise AssertionError("`decide` refuses to unmerge a ticket that is not merged")
    target = storage.tickets.load(ticket.desk, ticket.merged.into)
    released = decide(target, c.ReleaseMerged(ticket.number, command.reason), playbook, now)
    return Decided(ticket, events, by_person=True), Decided(target, released, by_person=True)


def _decide_merge(
    storage: Storage, ticket: Ticket, command: c.Merge, playbook: Playbook, now: datetime
) -> tuple[Decided, ...]:
    decide(ticket, command, playbook, now)  # refusals of this ticket come before those of the other
    try:
        target = storage.tickets.load(ticket.desk, command.into)
    except NotFound as error:
        raise NotFound(
            Phrase("There is no ticket {number} on this desk.", number=command.into)
        ) from error
    if target.merged is not None:
        end = merge_target(storage, target).number
        raise ActionNotAllowed(
            Phrase(
                "{number} was merged into {end}. Merge into {end} instead.",
                number=target.number,
                end=end,
            )
            if end != ticket.number
            else Phrase("{number} was merged into this ticket.", number=target.number),
            allowed(ticket),
        )
    same = same_customer(ticket, target)
    received = c.ReceiveMerged(ticket.number, ticket.status in OPEN, same, command.reason)
    merge = replace(command, same_customer=same)
    return (
        Decided(ticket, decide(ticket, merge, playbook, now)),
        Decided(target, decide(target, received, playbook, now)),
    )


def _handler_exists(storage: Storage, ticket: Ticket) -> bool:
    if ticket.handler is None:
        return True
    handler = storage.roster.get(ticket.desk, ticket.handler)
    return handler is not None and handler.assignable
