"""Links to a ticket's status page (contract, *Links*; A14, A16)."""

from __future__ import annotations

from urllib.parse import quote

from functions.core.domain.ticket import Ticket
from functions.core.text.tokens import LinkKind, link_key


def ticket_link(public_url: str, root_key: bytes, kind: LinkKind, ticket: Ticket) -> str:
    """Return the secret link of this kind to a ticket, valid until the contact changes."""
    key = link_key(root_key, kind, ticket.desk, ticket.number, ticket.link_generation)
    return f"{public_url}/desks/{ticket.desk}/tickets/{quote(ticket.number)}?key={key}"
