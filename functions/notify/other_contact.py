"""Another contact of a customer whom a chat channel cannot reach now (B8, C1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from functions.core.domain.customers import Identity
from functions.core.domain.ticket import Ticket
from functions.core.services.preparing import TicketOpening
from functions.core.storage.database import Storage
from functions.notify.contact import OpenedContact

_KINDS = {"sms": "phone", "email": "email"}
"""Preferred channel → the kind of contact that it needs."""


class OtherContact(NamedTuple):
    """A contact that was opened, and what people see of it."""

    contact: OpenedContact
    shown: str


def other_contact(
    storage: Storage,
    ticket: Ticket,
    open_contact: Callable[[str, str, bytes | None], OpenedContact],
) -> OtherContact | None:
    """Return another proven contact of a ticket's customer, None if there is none.

    The preferred kind comes first, else mail, which takes any text. A contact is known from the
    code that verified it, or from the newest ticket that came from it.

    Raises:
        SendFailure: it cannot be opened now, or not at all.
    """
    record = storage.customers.of(ticket.desk, ticket.customer.hash)
    first = _KINDS.get(ticket.customer.preferred or "", "email")
    usable = [each for each in record.identities if each.kind in _KINDS.values()] if record else []
    for identity in sorted(usable, key=lambda each: each.kind != first):
        if identity.hash == ticket.customer.hash:
            continue
        kept = storage.contacts.verified(ticket.desk, identity.hash)
        if kept.undeliverable:
            continue
        if kept.sealed is not None:
            opened = open_contact(ticket.desk, identity.hash, kept.sealed)
        else:
            number, sealed = _newest_ticket(storage, ticket.desk, identity)
            if sealed is None:
                continue
            opened = open_contact(ticket.desk, number, sealed)
        # A mail about this ticket answers none of that contact's own.
        return OtherContact(opened.model_copy(update={"message_id": ""}), identity.shown)
    return None


def _newest_ticket(storage: Storage, desk: str, identity: Identity) -> tuple[str, bytes | None]:
    """Return the newest ticket of a contact, and the sealed contact; None if there is none."""
    for number in storage.contacts.tickets(desk, identity.hash, 1):
        ticket = storage.tickets.find(desk, number)
        if ticket is not None and ticket.customer.hash == identity.hash and not ticket.erased:
            return number, TicketOpening(storage, desk, number).sealed_contact(ticket)
    return "", None
