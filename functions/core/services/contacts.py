"""Hash and seal contacts. A ticket shows its contact masked and holds its keyed hash (G4)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from functions.core.domain.commands import CorrectContact
from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.storage.database import Storage
from functions.core.text.contacts import Contact, contact_hash, mask_contact, normalise_contact
from functions.core.text.sms_numbers import SmsObstacle, sms_obstacle
from functions.core.text.tokens import derive

SealContact = Callable[[str, str, bytes], bytes]
"""Encrypts a contact for a ticket: desk, number and document → ciphertext."""


def contact_digest(contact: Contact, desk: str, root_key: bytes) -> str:
    return contact_hash(contact, desk, derive(root_key, "contact"))


def address_digest(address: str, desk: str, root_key: bytes) -> str | None:
    """Return the keyed hash of a written contact, None for text that is not a contact."""
    try:
        contact = normalise_contact(address)
    except ValueError:
        return None
    return contact_digest(contact, desk, root_key)


def contact_document(contact: Contact, name: str = "", message_id: str = "") -> bytes:
    """Return the document to seal for delivery: the contact, its name, and the mail to reply to.

    A Message-ID often names its writer's machine or address, so it is sealed too.
    """
    fields = {
        "contact": contact.address,
        "kind": contact.kind,
        "name": name,
        "message_id": message_id,
    }
    document = {name: value for name, value in fields.items() if value}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


_CHINESE_MOBILE = re.compile(r"\+861[3-9]\d{9}")


def sms_problem(contact: Contact, preferred: str | None, playbook: Playbook) -> SmsObstacle | None:
    """Return why the desk's text messages will not reach a phone, None if they will.

    Nothing is wrong with the number of a customer who wants to be called. A number with the form of
    a Chinese mobile one is not looked up, which keeps cold starts short.
    """
    if contact.kind != "phone" or preferred == "phone":
        return None
    if "CN" in playbook.sms_countries and _CHINESE_MOBILE.fullmatch(contact.address):
        return None
    return sms_obstacle(contact.address, playbook.sms_countries)


@dataclass(frozen=True)
class ContactCorrector:
    storage: Storage
    seal: SealContact
    root_key: bytes

    def correction(self, playbook: Playbook, ticket: Ticket, address: str) -> CorrectContact:
        """Mask, hash and seal a new contact for a ticket.

        Raises:
            InvalidInput: `address` is neither a phone number nor a mail address.
        """
        try:
            contact = normalise_contact(address)
        except ValueError as error:
            wrong = FieldError("contact", error.args[0])
            raise InvalidInput("Some fields are invalid.", (wrong,)) from error
        digest = contact_digest(contact, playbook.desk, self.root_key)
        known = self.storage.contacts.known(playbook.desk, None, digest)
        customer = ticket.customer.model_copy(
            update={
                "contact": mask_contact(contact.address, playbook.fields.contact_style),
                "kind": contact.kind,
                "hash": digest,
                "undeliverable": known.undeliverable,
                "sms_obstacle": sms_problem(contact, ticket.customer.preferred, playbook),
                "class_once_proven": known.customer_class,
            }
        )
        sealed = self.seal(playbook.desk, ticket.number, contact_document(contact))
        return CorrectContact(customer=customer, sealed=sealed)
