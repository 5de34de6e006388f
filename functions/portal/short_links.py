"""Follow the short link of a text message to its ticket (contract, `/t/{code}`)."""

from functions.core.domain.errors import TooManyAttempts
from functions.core.domain.ticket import Ticket
from functions.core.pages.security import page_headers
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.links import ticket_path
from functions.core.storage.database import Storage
from functions.core.text.tokens import is_short_code, source_hash
from functions.portal.access import no_such_ticket

MAX_WRONG = 20
"""Wrong codes from one source in an hour; codes have 64 bits, so guessing one takes longer."""


def redirect(request: Request, storage: Storage, root: bytes, code: str) -> HttpResponse:
    """Redirect to the ticket's page with its secret (302).

    The address is relative, since the API's own is not known here.

    Raises:
        NotFound: the code leads nowhere, or no longer.
        TooManyAttempts: `MAX_WRONG` codes from this source were wrong in this hour.
    """
    attempt = ("t", source_hash(root, request.source), request.now)
    if storage.failed_attempts.count(*attempt) >= MAX_WRONG:
        raise TooManyAttempts("Too many wrong links. Try again in an hour.")
    ticket = _ticket(storage, code)
    if ticket is None:
        storage.failed_attempts.add(*attempt)
        raise no_such_ticket()
    location = f"..{ticket_path(root, 'customer', ticket)}"
    headers = {**page_headers(), "Location": location, "Cache-Control": "no-store"}
    return HttpResponse("", 302, headers, content_type="text/html")


def _ticket(storage: Storage, code: str) -> Ticket | None:
    """Return the ticket that a code leads to, unless its links have ended."""
    link = storage.short_links.get(code) if is_short_code(code) else None
    if link is None:
        return None
    ticket = storage.tickets.find(link.desk, link.number)
    ended = ticket is None or ticket.erased or ticket.link_generation != link.generation
    return None if ended else ticket
