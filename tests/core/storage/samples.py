"""Helpers that make tickets, commits and deliveries in the table."""

from typing import Any

from functions.core.domain import commands as c
from functions.core.domain.delivery import Delivery
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import decide_all, write_all
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Change
from tests.core.sample_desk import NOON, committed, request


def carry_out(
    storage: Storage, ticket: Ticket, command: c.Command, playbook: Playbook, **options: Any
) -> Ticket:
    """Carry a command out on exactly this version of the ticket."""
    decided = decide_all(storage, ticket, command, playbook, NOON)
    return write_all(storage, decided, playbook, NOON, "agent-1", **options)


def assign(handler: str = "agent-1", *, by_hand: bool = False) -> c.Assign:
    return c.Assign("technical", handler, by_person=by_hand)


def file_with(
    storage: Storage, playbook: Playbook, number: str, sealed: bytes | None = None, **options: Any
) -> Ticket:
    """Store a new ticket with further arguments of its commit."""
    events = decide(None, c.Receive(number, request()), playbook, NOON)
    after = apply(None, committed(None, events, NOON, number))
    change = Change(None, after, events, "1", sealed=sealed)
    storage.tickets.commit_all((change,), actor="customer", **options)
    return after


def delivery(**changes: Any) -> Delivery:
    """Return a claimed delivery to the QA team about an assignment of CS1."""
    fields: dict[str, Any] = {
        "desk": "testdesk", "number": "CS1", "version": 2, "event": "TicketAssigned",
        "message": "assigned", "recipient": "team:qa", "channel": "email", "to": "技术支持组",
        "claimed_at": NOON, "at": NOON, "claim": "c1",
        **changes,
    }  # fmt: skip
    return Delivery(**fields)


def item_of(storage: Storage, sort_key: str) -> Any:
    """Return one item of CS1, read consistently."""
    items = storage.tickets.items("testdesk", "CS1", consistent=True)
    [item] = [item for item in items if item["sk"]["S"] == sort_key]
    return item
