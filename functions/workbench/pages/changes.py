"""The poll of the workbench's script: the tickets of the desk that changed since a moment.

No counter is kept for it: notify enters each commit in the desk's feeds anyway, and a poll reads
what is new there (decision 39).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import SEES_TICKETS, require
from functions.core.storage import viewers
from functions.workbench.pages.page import PAGE_HEADERS, WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.shell import cursor_of

OVERLAP = timedelta(seconds=10)
"""The time before the cursor that is read again: an entry is dated before it can be read."""

LONGEST = timedelta(minutes=5)
"""The longest time that a poll reads; a page that slept longer is told that there is more."""

MOST = 10
"""Tickets in one answer."""

MAX_BYTES = 300
"""The size of an answer."""


@route("GET")
def changes(page: WorkbenchPage) -> HttpResponse:
    """Return the tickets that changed since the cursor, and who has which ticket open."""
    require(page.principal, SEES_TICKETS, Phrase("see tickets"))
    now = page.request.now
    since = _since(page.request.query.get("since", ""), now)
    start = max(since, now - LONGEST) - OVERLAP
    desk, storage = page.desk, page.storage
    arrived = storage.journal.newest(desk, start, now, MOST + 1)
    arrived += storage.changes.newest(desk, start, now, MOST + 1)
    tickets: dict[str, int] = {}
    for _, number, version in sorted(arrived, reverse=True):
        tickets[number] = max(version, tickets.get(number, 0))
    seen = viewers.viewers(storage, desk, now, page.principal.username)
    opened = page.request.query.get("open", "")
    body: dict[str, Any] = {
        "cursor": cursor_of(now),
        "tickets": [[number, version] for number, version in tickets.items()][:MOST],
        "more": since < now - LONGEST or len(tickets) > MOST,
        "viewers": dict(sorted(seen.items(), key=lambda entry: entry[0] != opened)),
        "online": page.principal.agent.online,
    }
    return HttpResponse(_shortened(body), headers=PAGE_HEADERS)


def _since(cursor: str, now: datetime) -> datetime:
    """Return the moment of a cursor.

    Raises:
        InvalidInput: it is none.
    """
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(cursor_of(now)))):
        wrong = FieldError("since", "send the cursor of the last answer")
        raise InvalidInput("The cursor does not belong to this list.", (wrong,))
    return min(datetime.fromtimestamp(int(cursor) / 1000, UTC), now)


def _shortened(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not fit: the viewers of the last tickets, then the oldest changes."""
    while _size(body) > MAX_BYTES:
        if len(body["viewers"]) > 1 or (body["viewers"] and not body["tickets"]):
            body["viewers"].popitem()
        elif body["tickets"]:
            body["tickets"].pop()
            body["more"] = True
        else:
            break
    return body


def _size(body: dict[str, Any]) -> int:
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
