"""The queues of a desk, by views: each shows what is due next first."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core.domain.timers import due_next
from functions.core.platform.web import HttpResponse
from functions.core.text.due_words import PATTERNS, clock_words
from functions.core.text.queue_texts import channel_label
from functions.workbench import calls
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.queue_rows import assignees_of, rows_of
from functions.workbench.queue_views import View, built_in
from functions.workbench.queues import PAGE, QUEUES

if TYPE_CHECKING:
    from functions.core.domain.ticket import Ticket
    from functions.workbench.shapes import ListedTicket

BULK = ("assign", "tag", "priority", "reply", "note", "close")
"""The actions that the page of several tickets offers, in the order of its buttons."""


MOST_ROWS = 4 * PAGE
"""The most rows that are read at once."""


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show a queue; `part=rows` answers with the column, `part=more` with further rows alone."""
    query = page.request.query
    view = View.of(query, page.principal.roles)
    part = query.get("part", "")
    if not page.principal.roles & frozenset().union(*QUEUES.values()):
        # Finance has no queues; the costs are what it works with.
        return page.redirect(page.url("costs"))
    values = read_queue(page, view, query.get("cursor", ""), _wanted_rows(query.get("rows", "")))
    if part == "more":
        return page.render("queue_rows.html", **values)
    values |= column(page, view, newest="views" in query)
    if part == "rows" or page.is_fragment:
        return page.render("queue_part.html", **values)
    return page.render("queue.html", title=_title(page, values), **values)


def _wanted_rows(text: str) -> int:
    """Return the rows that a column shows already, which a script fetches again."""
    return min(int(text), MOST_ROWS) if text.isdecimal() and len(text) < 6 else PAGE


def read_queue(page: WorkbenchPage, view: View, cursor: str, wanted: int = PAGE) -> dict[str, Any]:
    """Read a view: its rows, and what follows from tickets that it leaves out.

    Args:
        cursor: where to go on; "" from the beginning.
        wanted: the rows to read, in pages of `PAGE`.
    """
    seen = _Seen(page)

    def admits(ticket: Ticket) -> bool:
        seen.note(ticket)
        return view.admits(ticket, page.playbook, page.request.now)

    tickets: list[ListedTicket] = []
    following: str | None = cursor
    while following is not None and len(tickets) < wanted:
        asked = {"queue": view.queue, "status": view.status, "cursor": following}
        request = page.calling(**{name: value for name, value in asked.items() if value})
        listed = calls.list_tickets(
            request, page.storage, page.desk, admits, open_only=bool(view.due)
        ).body
        tickets += listed["tickets"]
        following = listed["cursor"]
    now, locale = page.request.now, page.locale
    assignees = assignees_of(page.principal.agent, view.queue)
    rows = rows_of(tickets, page.playbook, now, locale, assignees)
    return {
        "rows": rows,
        "view": view,
        "more": page.url(**view.filters, cursor=following) if following else None,
        "pickable": True,
        "empty": None if rows or cursor else _empty(page, view, seen),
        "due_patterns": PATTERNS[locale],
        "channel": partial(channel_label, locale=locale),
        "shows_handler": view.queue not in {"mine", "unassigned"},
    }


def column(page: WorkbenchPage, view: View, *, newest: bool = False) -> dict[str, Any]:
    """Return what stands around the rows: the views, the filters, the bar for several tickets."""
    principal, playbook = page.principal, page.playbook
    saved = page.storage.saved_views.get(
        page.desk, principal.username, page.request.now, newest=newest
    )
    views = built_in(principal.roles)
    current = next((name for name, each in views.items() if each == view), None)
    own = next((each.id for each in saved if each.filters == view.filters), None)
    return {
        "views": views,
        "saved": saved,
        "current": current,
        "current_saved": None if current else own,
        "queues": [name for name, roles in QUEUES.items() if roles & principal.roles],
        "choices": {
            "status": labels(page, playbook.statuses),
            "type": labels(page, playbook.types),
            "priority": labels(page, playbook.priorities),
            "tag": labels(page, playbook.tags),
        },
        "bulk_actions": BULK,
        "page_size": PAGE,
    }


def labels(page: WorkbenchPage, terms: Any) -> dict[str, str]:
    """Return the labels of a section of the playbook, in the language of the page."""
    return {name: term.label[page.locale] for name, term in terms.items()}


def _title(page: WorkbenchPage, values: dict[str, Any]) -> str | None:
    """Return the name of the view that is shown; the desk's stands beside it."""
    if values["current"]:
        return page.say(f"view.{values['current']}")
    return next((v.name for v in values["saved"] if v.id == values["current_saved"]), None)


class _Seen:
    """The tickets that a read has passed, shown or not: an empty view says what is next."""

    def __init__(self, page: WorkbenchPage) -> None:
        self.page = page
        self.due: datetime | None = None
        self.oldest: Ticket | None = None
        self.waiting = 0

    def note(self, ticket: Ticket) -> None:
        due = due_next(ticket, self.page.playbook)
        if due is not None and (self.due is None or due[1] < self.due):
            self.due = due[1]
        if ticket.handler is None and ticket.queue in {"new", "waiting"}:
            self.waiting += 1
            if self.oldest is None or ticket.received_at < self.oldest.received_at:
                self.oldest = ticket


def _empty(page: WorkbenchPage, view: View, seen: _Seen) -> dict[str, Any]:
    """Say what is next where a view has nothing.

    An empty queue of one's own reads what waits for the team, which the person could take.
    """
    team = page.principal.team
    if view.queue in {"mine", "tasks"} and seen.oldest is None and team:
        waiting = [f"{page.desk}#waiting#{team}"]
        for ticket in page.storage.tickets.queue_page(waiting, None, PAGE)[0]:
            seen.note(ticket)
    now, found = page.request.now, seen.oldest
    return {
        "due": clock_words(seen.due, now, page.playbook.zone, page.locale) if seen.due else None,
        "waiting": seen.waiting,
        "oldest": found.number if found else None,
        "waited": waited(page, now - found.received_at) if found else "",
    }


def waited(page: WorkbenchPage, time: timedelta) -> str:
    """Say how long something has waited."""
    minutes = max(1, int(time.total_seconds() // 60))
    for name, size in (("days", 1440), ("hours", 60)):
        if minutes >= size:
            return page.say(f"waited.{name}", n=minutes // size)
    return page.say("waited.minutes", n=minutes)
