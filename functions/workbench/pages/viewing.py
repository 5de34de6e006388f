"""Reports of the pages about who has which ticket open."""

from __future__ import annotations

from functions.core.domain.errors import Phrase
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import SEES_TICKETS, require
from functions.core.storage import viewers
from functions.workbench.pages.page import PAGE_HEADERS, WorkbenchPage
from functions.workbench.pages.routing import route

LONGEST_NUMBER = 60
"""Characters of a ticket's number."""


@route("POST")
def view(page: WorkbenchPage) -> HttpResponse:
    """Note what the caller does on a ticket; return who else has it open.

    Fields: `number`, `typing` ("1" while the caller writes), `left` ("1" when the ticket closes).
    """
    require(page.principal, SEES_TICKETS, Phrase("see tickets"))
    number, agent = page.field("number")[:LONGEST_NUMBER], page.principal.agent
    storage, now = page.storage, page.request.now
    if page.field("left"):
        viewers.leave(storage, page.desk, agent.username, number)
        return HttpResponse({"viewers": []}, headers=PAGE_HEADERS)
    attention: viewers.Attention = "typing" if page.field("typing") == "1" else "viewing"
    name = agent.name
    viewer = viewers.Viewer(agent.username, name, number, attention, now)
    viewers.report(storage, page.desk, viewer)
    seen = viewers.viewers(storage, page.desk, now, agent.username)
    return HttpResponse({"viewers": seen.get(number, [])}, headers=PAGE_HEADERS)
