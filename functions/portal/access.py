"""Access to a ticket without signing in: by its secret link, or by a phone number (F6, A16).

A wrong proof and a missing ticket get the same answer after the same work: whether there is a
ticket or not, the table is read, the key is computed and both proofs are compared.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from functions.core.domain.errors import NotFound, TooManyAttempts
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import Request
from functions.core.storage.database import Storage
from functions.core.text.tokens import same, status_key

Proof = Literal["key", "contact"]

SHOWN_OF_CONTACT = 4
"""Characters of the contact that a customer has to know (A15)."""

MAX_ATTEMPTS = 5
"""Wrong contacts per ticket and hour. Four digits are 10,000 guesses."""

MAX_NUMBER = 40
_NUMBER = re.compile(rf"[A-Za-z0-9-]{{1,{MAX_NUMBER}}}")


def prove(
    storage: Storage, playbook: Playbook, root: bytes, request: Request, number: str
) -> tuple[Ticket, Proof]:
    """Return the ticket that the caller may see, and the proof: `?key=` or `?contact=`.

    Raises:
        NotFound: there is no such ticket, or the proof is wrong; the error is the same.
        TooManyAttempts: `?contact=` was wrong `MAX_ATTEMPTS` times this hour, ticket or not.
    """
    ticket = _load(storage, playbook.desk, number)
    expected = status_key(root, playbook.desk, number)
    by_key = same(request.query.get("key", ""), expected)
    by_contact = _proves_contact(request.query.get("contact", ""), ticket)
    if ticket is not None and by_key:
        return ticket, "key"
    if "contact" in request.query and playbook.fields.status_by_contact:
        attempts, now = storage.failed_attempts, request.now
        if attempts.count(playbook.desk, number[:MAX_NUMBER], now) >= MAX_ATTEMPTS:
            raise TooManyAttempts("Too many wrong attempts. Try again in an hour.")
        if ticket is not None and by_contact:
            return ticket, "contact"
        attempts.add(playbook.desk, number[:MAX_NUMBER], now)
    raise no_such_ticket()


def _proves_contact(given: str, ticket: Ticket | None) -> bool:
    """Whether these are the last characters of the phone number of a ticket's customer (A15)."""
    phone = ticket is not None and ticket.customer.kind == "phone"
    shown = _end(ticket.customer.contact) if ticket is not None else "*" * SHOWN_OF_CONTACT
    # Characters that are masked prove nothing.
    readable = len(shown) == SHOWN_OF_CONTACT and "*" not in shown
    return same(_end(given), shown) and phone and readable


def prove_by_key(
    storage: Storage, playbook: Playbook, root: bytes, request: Request, number: str
) -> Ticket:
    """Return the ticket that the caller may write to; only `?key=` proves that.

    Raises:
        NotFound: as `prove` says.
    """
    ticket, proof = prove(storage, playbook, root, request, number)
    if proof != "key":
        raise no_such_ticket()
    return ticket


def no_such_ticket() -> NotFound:
    """Return the one error for a missing ticket and for a wrong proof."""
    return NotFound("There is no such ticket, or the link is not complete.")


def _load(storage: Storage, desk: str, number: str) -> Ticket | None:
    # No ticket has a number of another form, and DynamoDB rejects keys that are too long.
    if not _NUMBER.fullmatch(number):
        return None
    try:
        return storage.tickets.load(desk, number)
    except NotFound:
        return None


def _end(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()[-SHOWN_OF_CONTACT:].casefold()
