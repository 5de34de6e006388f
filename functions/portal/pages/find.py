"""The lost link: whoever names number and contact gets the link sent to that contact (H1, G9).

The answer is the same whether they fit or not, and it takes the same time.
"""

from __future__ import annotations

import time

from functions.core.domain import commands as c
from functions.core.domain.errors import ActionNotAllowed, FieldError, TooManyAttempts
from functions.core.domain.ticket import Ticket
from functions.core.pages.forms import read_content
from functions.core.platform.web import HttpResponse
from functions.core.services.command_service import change
from functions.core.services.contacts import address_digest
from functions.core.services.flooding import is_local
from functions.core.text.tokens import same, source_hash
from functions.portal.access import find_ticket
from functions.portal.page import CustomerPage

PATH = "find"

MAX_OF_SOURCE = 10
"""Links that one source may ask for in an hour."""

MAX_OF_TICKET = 3
"""Links that are sent about one ticket in an hour."""

ANSWER_SECONDS = 1.0
"""The least time of an answer: a link that is sent takes no longer than one that is not, even on a
busy table."""


def get(page: CustomerPage) -> HttpResponse:
    """Show the form."""
    values = {"number": page.request.query.get("number", "")[:40], "contact": ""}
    return _form(page, values)


def post(page: CustomerPage) -> HttpResponse:
    """Send the link to the ticket's contact if number and contact fit.

    Raises:
        TooManyAttempts: this source asked for `MAX_OF_SOURCE` links within the hour.
    """
    began = time.monotonic()
    content = read_content(page.request)
    values = {name: content.value(name).strip() for name in ("number", "contact")}
    missing = [
        FieldError(name, page.say("file.required")) for name, text in values.items() if not text
    ]
    if missing:
        return _form(page, values, missing, status=400)
    _require_below_limit(page)
    _send(page, values["number"], values["contact"])
    time.sleep(max(0.0, ANSWER_SECONDS - (time.monotonic() - began)))
    return page.render("find_sent.html", page.say("find.sent.title"))


def _form(
    page: CustomerPage,
    values: dict[str, str],
    errors: list[FieldError] | None = None,
    status: int = 200,
) -> HttpResponse:
    wrong = [(error.field, error.message) for error in errors or ()]
    return page.render("find.html", page.say("find.title"), status, values=values, errors=wrong)


def _require_below_limit(page: CustomerPage) -> None:
    source = page.request.source
    if is_local(source):  # all callers of the local system share one address
        return
    attempt = (page.desk, f"find#{source_hash(page.context.root, source)}", page.now)
    if page.context.storage.failed_attempts.add(*attempt) > MAX_OF_SOURCE:
        raise TooManyAttempts("Too many links were asked for. Try again in an hour.")


def _send(page: CustomerPage, number: str, contact: str) -> None:
    storage, desk = page.context.storage, page.desk
    # People write a number in small letters; both are looked for, whichever there is.
    found = [find_ticket(storage, desk, spelling) for spelling in (number, number.upper())]
    ticket = found[0] or found[1]
    digest = address_digest(contact, page.desk, page.context.root) or ""
    fits = _fits(ticket, digest)
    # Counted for any number: the same calls, whether there is such a ticket or not. With the
    # contact, or strangers could use up what its customer may ask for.
    asked = storage.failed_attempts.add(desk, f"find#{number[:40].upper()}#{digest[:16]}", page.now)
    if ticket is None or not fits or asked > MAX_OF_TICKET:
        return
    try:
        change(
            storage,
            desk,
            ticket.number,
            c.RequestLink(),
            page.playbook,
            page.now,
            actor="customer",
            loaded=ticket,
        )
    except ActionNotAllowed:
        return  # erased meanwhile: it has no links


def _fits(ticket: Ticket | None, digest: str) -> bool:
    """Return whether this is the ticket's contact; the same work for a ticket that is missing."""
    hashed = ticket.customer.hash if ticket is not None and not ticket.erased else "-"
    return same(digest, hashed)
