"""Replace a contact that mail bounced from, or mark it as deliverable again."""

from datetime import datetime

from functions.core.domain.commands import CorrectContact
from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.services.command_service import change
from functions.core.services.contacts import ContactCorrector
from functions.core.storage.database import Storage

_MAX_TICKETS = 100


def correct_contact(
    corrector: ContactCorrector, playbook: Playbook, ticket: Ticket, address: str
) -> CorrectContact:
    """Return the command that replaces a ticket's contact.

    Raises:
        InvalidInput: `address` is not a contact, or mail bounced from it too.
    """
    command = corrector.correction(playbook, ticket, address)
    if command.customer is not None and command.customer.undeliverable:
        raise InvalidInput(
            "Mail came back from this contact too.",
            (
                FieldError(
                    "contact",
                    Phrase("no mail goes there: {cause}", cause=command.customer.undeliverable),
                ),
            ),
        )
    return command


def mark_deliverable(
    storage: Storage, playbook: Playbook, ticket: Ticket, actor: str, now: datetime
) -> None:
    """Mark a ticket's contact as deliverable, on the customer's other tickets too."""
    desk, digest = ticket.desk, ticket.customer.hash
    storage.contacts.set_undeliverable(desk, digest, None)
    numbers = storage.contacts.tickets(desk, digest, _MAX_TICKETS)
    for other in storage.tickets.load_many(
        desk, [number for number in numbers if number != ticket.number]
    ):
        if other.customer.undeliverable is not None:
            change(storage, desk, other.number, CorrectContact(), playbook, now, actor=actor)
