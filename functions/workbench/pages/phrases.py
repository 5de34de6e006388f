"""The phrases that the composer offers while an agent types."""

from __future__ import annotations

from functions.core.domain.errors import Phrase
from functions.core.domain.events import TicketReceived
from functions.core.platform.web import HttpResponse
from functions.core.services.phrases import phrases
from functions.core.services.rights import SEES_TICKETS, require
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route

MAX_TYPED = 60
"""Characters that are looked for: the last ones before the cursor."""


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the phrases for `q` on the ticket `number`, as options of a list."""
    require(page.principal, SEES_TICKETS, Phrase("see tickets"))
    query, storage, now = page.request.query, page.storage, page.request.now
    ticket = storage.tickets.load(page.desk, query.get("number", ""))
    first = storage.tickets.commit_at(page.desk, ticket.number, 1)
    received = first.of(TicketReceived) if first else ()
    found = phrases(
        ticket,
        page.playbook,
        storage.knowledge.get(page.desk, now),
        received[0].description if received else "",
        query.get("q", "")[-MAX_TYPED:],
        ticket.locale,
        now,
    )
    return page.render("phrases.html", phrases=found, language=ticket.locale)
