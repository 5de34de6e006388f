"""Links to a ticket's status page (contract, *Links*; A14, A16)."""

from urllib.parse import quote

from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.text.tokens import LinkKind, link_key, short_code


def base_url(playbook: Playbook, public_url: str) -> str:
    """Return the URL that a desk's links begin with: its own, or that of the stage."""
    return playbook.public_url or public_url


def ticket_link(
    playbook: Playbook, public_url: str, root_key: bytes, kind: LinkKind, ticket: Ticket
) -> str:
    """Return the secret link of this kind to a ticket, valid until the contact changes."""
    return base_url(playbook, public_url) + ticket_path(root_key, kind, ticket)


def short_link(playbook: Playbook, public_url: str, root_key: bytes, ticket: Ticket) -> str:
    code = short_code(root_key, ticket.desk, ticket.number, ticket.link_generation)
    return f"{base_url(playbook, public_url)}/t/{code}"


def ticket_path(root_key: bytes, kind: LinkKind, ticket: Ticket) -> str:
    """Return the path and query of that link, which are the same under every name of the stage."""
    key = link_key(root_key, kind, ticket.desk, ticket.number, ticket.link_generation)
    return f"/desks/{ticket.desk}/tickets/{quote(ticket.number)}?key={key}"
