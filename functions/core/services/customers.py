"""Join a customer's identities, and give all contacts of a customer the same class (A5, C1)."""

from collections.abc import Sequence
from datetime import datetime

from functions.core.domain.customers import CustomerRecord, Identity, Proof
from functions.core.domain.ticket import Ticket
from functions.core.services.contacts import contact_digest
from functions.core.storage.database import Storage
from functions.core.text.contacts import Contact, mask_contact
from functions.core.text.masking import mask


def join_customer(
    storage: Storage,
    desk: str,
    identities: Sequence[Identity],
    proof: Proof,
    at: datetime,
    *,
    class_by_id: str | None = None,
) -> None:
    """Join identities that belong to one customer; a class that one contact has holds for all.

    Args:
        class_by_id: the class that the company's own id gives; it holds if no contact has one.

    Raises:
        TryAgain: somebody else joined the same customer meanwhile.
    """
    record = storage.customers.join(desk, identities, proof, at)
    if record is None:
        return
    classes = storage.contacts.classes(desk, record.contacts)
    known = next((name for name in map(classes.get, record.contacts) if name), class_by_id)
    for contact in record.contacts if known else ():
        if contact not in classes:
            storage.contacts.set_class(desk, contact, known)


def set_class(storage: Storage, ticket: Ticket, customer_class: str | None) -> None:
    """Set the class of a ticket's customer, on every contact of theirs."""
    record = storage.customers.of(ticket.desk, ticket.customer.hash)
    for contact in record.contacts if record else (ticket.customer.hash,):
        storage.contacts.set_class(ticket.desk, contact, customer_class)


def contact_identity(contact: Contact, desk: str, root_key: bytes) -> Identity:
    """Return the identity of a contact.

    It is shown with its middle hidden on every desk: of two mailboxes that end alike, a supervisor
    has to tell which was joined, and a customer whether it was typed right.
    """
    return Identity(
        kind=contact.kind,
        hash=contact_digest(contact, desk, root_key),
        shown=mask_contact(contact.address, "middle_four"),
    )


def company_identity(customer_id: str, desk: str, root_key: bytes) -> Identity:
    """Return the identity of a customer in the company's own systems."""
    # No contact's address begins like this, so the two never meet.
    named = Contact("message", f"customer_id:{customer_id}")
    digest = contact_digest(named, desk, root_key)
    return Identity(kind="customer_id", hash=digest, shown=mask(customer_id))


def record_of(storage: Storage, ticket: Ticket, *, assisted: bool) -> CustomerRecord | None:
    """Return the record of a ticket's customer, None if the contact was joined with no other.

    Joins come from codes, which only an assistant sends, and from channels that name the company's
    id; other desks are spared the read.
    """
    if not (assisted or ticket.customer.record or ticket.customer.id):
        return None
    return storage.customers.of(ticket.desk, ticket.customer.hash)
