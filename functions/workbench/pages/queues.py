"""The queues and saved views of a desk."""

from __future__ import annotations

from functions.core.platform.web import HttpResponse
from functions.workbench import calls
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.queues import QUEUES


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show a queue."""
    queue = page.request.query.get("queue", "mine")
    listed = calls.list_tickets(page.calling(queue=queue), page.storage, page.desk).body
    views = [name for name, roles in QUEUES.items() if page.principal.roles & roles]
    return page.render(
        "queue.html", title=page.desk, queue=queue, views=views, tickets=listed["tickets"]
    )
