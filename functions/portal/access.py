"""Access to a ticket without signing in: by a secret link, or by a phone number (F6, A16).

What a link allows depends on what its holder has proven (contract, *Links*).

A wrong proof and a missing ticket get the same response after the same work: in both cases the
table is read, the keys are computed and every proof is compared.
"""

import re
import unicodedata
from typing import Literal, get_args

from functions.core.domain.errors import NotFound, TooManyAttempts
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import Request
from functions.core.storage.database import Storage
from functions.core.text.tokens import LinkKind, link_key, same

Proof = Literal["customer", "submitter", "contact"]

SHOWN_OF_CONTACT = 4
"""The characters at the end of the contact that a customer has to enter (A15)."""

MAX_ATTEMPTS = 5
"""Wrong contacts per ticket and hour. Four digits are 10,000 guesses."""

MAX_NUMBER = 40
_NUMBER = re.compile(rf"[A-Za-z0-9-]{{1,{MAX_NUMBER}}}")


def authorize(
    storage: Storage, playbook: Playbook, root: bytes, request: Request, number: str
) -> tuple[Ticket, Proof]:
    """Return the ticket that the caller may see, and the proof used: `?key=` or `?contact=`.

    An erased ticket has no links.

    Raises:
        NotFound: there is no such ticket, or the proof is wrong; the error is the same.
        TooManyAttempts: `?contact=` was wrong `MAX_ATTEMPTS` times this hour, ticket or not.
    """
    ticket = find_ticket(storage, playbook.desk, number)
    generation = ticket.link_generation if ticket is not None else 1
    key = request.query.get("key", "")
    kinds = [
        kind
        for kind in get_args(LinkKind)
        if same(key, link_key(root, kind, playbook.desk, number, generation))
    ]
    by_contact = _proves_contact(request.query.get("contact", ""), ticket)
    if ticket is not None and kinds and not ticket.erased:
        return ticket, kinds[0]
    if "contact" in request.query and playbook.fields.status_by_contact:
        # Counted before it is answered: else guesses at the same moment would all be the first.
        attempt = (playbook.desk, number[:MAX_NUMBER], request.now)
        if storage.failed_attempts.add(*attempt) > MAX_ATTEMPTS:
            raise TooManyAttempts("Too many wrong attempts. Try again in an hour.")
        if ticket is not None and by_contact:
            storage.failed_attempts.add(*attempt, -1)
            return ticket, "contact"
    raise no_such_ticket()


def _proves_contact(text: str, ticket: Ticket | None) -> bool:
    """Return whether the text ends in the last digits of the customer's phone number (A15)."""
    phone = ticket is not None and ticket.customer.kind == "phone"
    shown = _end(ticket.customer.contact) if ticket is not None else "*" * SHOWN_OF_CONTACT
    # Characters that are masked prove nothing.
    readable = len(shown) == SHOWN_OF_CONTACT and "*" not in shown
    return same(_end(text), shown) and phone and readable


def authorize_by_key(
    storage: Storage, playbook: Playbook, root: bytes, request: Request, number: str
) -> tuple[Ticket, LinkKind]:
    """Return the ticket that the caller may write to, and the kind of link that proves it.

    Raises:
        NotFound: as `authorize` says.
    """
    ticket, proof = authorize(storage, playbook, root, request, number)
    if proof == "contact":
        raise no_such_ticket()
    return ticket, proof


def no_such_ticket() -> NotFound:
    """Return the one error for a missing ticket and for a wrong proof."""
    return NotFound("There is no such request, or the link is not complete.")


def find_ticket(storage: Storage, desk: str, number: str) -> Ticket | None:
    """Return a ticket, None if there is none of that number."""
    # No ticket has a number of another form, and DynamoDB rejects keys that are too long.
    return storage.tickets.find(desk, number) if _NUMBER.fullmatch(number) else None


def _end(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()[-SHOWN_OF_CONTACT:].casefold()
