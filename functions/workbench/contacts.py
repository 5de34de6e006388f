"""A contact that mail came back from: given anew, or said to work again."""

from __future__ import annotations

from datetime import datetime

from functions.core.domain.commands import CorrectContact
from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.create_ticket import Filing, new_contact
from functions.core.storage.store import Store

_MOST_TICKETS = 100


def corrected(filing: Filing, playbook: Playbook, ticket: Ticket, given: str) -> CorrectContact:
    """The command that gives a ticket another contact.

    Raises:
        InvalidInput: it is no phone number or address, or mail came back from it too.
    """
    command = new_contact(filing, playbook, ticket, given)
    if command.customer is not None and command.customer.undeliverable:
        raise InvalidInput(
            "Mail came back from this contact too.",
            (FieldError("contact", f"no mail goes there: {command.customer.undeliverable}"),),
        )
    return command


def works_again(
    store: Store, playbook: Playbook, ticket: Ticket, actor: str, now: datetime
) -> None:
    """Mail goes to the contact of a ticket again, that about its other tickets too."""
    desk, digest = ticket.desk, ticket.customer.hash
    store.mark_contact(desk, digest, None)
    numbers = store.tickets_of_contact(desk, digest, _MOST_TICKETS)
    for other in store.tickets(desk, [number for number in numbers if number != ticket.number]):
        if other.customer.undeliverable is not None:
            change(store, desk, other.number, CorrectContact(), playbook, now, actor=actor)
