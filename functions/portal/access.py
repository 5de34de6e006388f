"""Who may see a ticket without signing in: its secret link, or the end of its contact (F6, A16).

A wrong proof and a missing ticket are answered alike, after the same work: the table is read, the
key is computed and both proofs are compared whether there is a ticket or not.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from functions.core.domain.errors import NotFound
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.web import Request
from functions.core.storage.store import Store
from functions.core.text.tokens import same, status_key

Proof = Literal["key", "contact"]

SHOWN_OF_CONTACT = 4
"""A15: how many characters of the contact a customer has to know."""

_NUMBER = re.compile(r"[A-Za-z0-9-]{1,40}")


def prove(
    store: Store, playbook: Playbook, root: bytes, request: Request, number: str
) -> tuple[Ticket, Proof]:
    """The ticket that the caller may see, and by which proof: `?key=` or `?contact=`.

    Raises:
        NotFound: there is no such ticket, or the proof does not hold; nothing tells which.
    """
    ticket = _found(store, playbook.desk, number)
    expected = status_key(root, playbook.desk, number)
    by_key = same(request.query.get("key", ""), expected)
    shown = _end(ticket.customer.contact) if ticket is not None else "*" * SHOWN_OF_CONTACT
    # What is hidden even from those who may look proves nothing.
    known = len(shown) == SHOWN_OF_CONTACT and "*" not in shown
    known = known and playbook.fields.status_by_contact
    by_contact = same(_end(request.query.get("contact", "")), shown) and known
    if ticket is not None and by_key:
        return ticket, "key"
    if ticket is not None and by_contact:
        return ticket, "contact"
    raise no_such_ticket()


def prove_by_key(
    store: Store, playbook: Playbook, root: bytes, request: Request, number: str
) -> Ticket:
    """The ticket that the caller may write to; only `?key=` proves that.

    Raises:
        NotFound: as `prove` says.
    """
    ticket, proof = prove(store, playbook, root, request, number)
    if proof != "key":
        raise no_such_ticket()
    return ticket


def no_such_ticket() -> NotFound:
    """The one answer to everything that does not hold."""
    return NotFound("There is no such ticket, or the link is not complete.")


def _found(store: Store, desk: str, number: str) -> Ticket | None:
    # A number of another form is in no table, and too long a key would be an error of DynamoDB's.
    if not _NUMBER.fullmatch(number):
        return None
    try:
        return store.load(desk, number)
    except NotFound:
        return None


def _end(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()[-SHOWN_OF_CONTACT:].casefold()
