"""Search over all of a desk's tickets, with the text that was found."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import InvalidInput
from functions.core.platform.web import HttpResponse
from functions.core.text.due_words import PATTERNS
from functions.core.text.queue_texts import channel_label
from functions.core.text.terms import folded
from functions.workbench import calls
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.queues import labels
from functions.workbench.pages.routing import route
from functions.workbench.queue_rows import search_rows

if TYPE_CHECKING:
    from functions.workbench.shapes import ListedTicket

PARAMETERS = ("q", "status", "tag", "from", "to")


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show what a search finds; without words or filters, only its form."""
    query = page.request.query
    asked = {name: query.get(name, "").strip() for name in PARAMETERS}
    given = {name: value for name, value in asked.items() if value}
    values: dict[str, Any] = {
        "asked": asked,
        "given": given,
        "errors": {},
        "rows": [],
        "more": None,
        "pickable": False,
        "shows_handler": True,
        "due_patterns": PATTERNS[page.locale],
        "channel": partial(channel_label, locale=page.locale),
        "statuses": labels(page, page.playbook.statuses),
        "tags": labels(page, page.playbook.tags),
    }
    if given.keys() - {"status"}:
        try:
            values |= _found(page, given, query.get("cursor", ""))
        except InvalidInput as refused:
            values["errors"] = page.wrong_fields(refused)
    elif given:
        # A status alone is a queue of the API; searched for from the first day, it is a search.
        values |= _found(page, given | {"from": "2000-01-01"}, query.get("cursor", ""))
    if query.get("part") == "more":
        return page.render("queue_rows.html", **values)
    return page.render("search.html", 400 if values["errors"] else 200, title=None, **values)


def _found(page: WorkbenchPage, given: dict[str, str], cursor: str) -> dict[str, Any]:
    asked = given | ({"cursor": cursor} if cursor else {})
    listed = calls.list_tickets(page.calling(**asked), page.storage, page.desk).body
    rows = search_rows(listed["tickets"], page.playbook, page.request.now, page.locale)
    words, next_page = given.get("q", ""), listed["cursor"]
    return {
        "rows": [replace(row, found=marked(_text(row.ticket), words)) for row in rows],
        "more": page.url("search", **given, cursor=next_page) if next_page else None,
    }


def _text(ticket: ListedTicket) -> str | None:
    """Return the text that was found, without the number that it begins with; a row has that."""
    found = ticket["found"]
    return found and found.removeprefix(f"{folded(ticket['number'])} ")


def marked(text: str | None, query: str) -> list[tuple[str, bool]]:
    """Return a text in pieces, each with whether it was looked for."""
    words = [re.escape(word) for word in folded(query).split()]
    if not text or not words:
        return [(text, False)] if text else []
    # The text is folded as the query is; the longer of two words that begin alike is marked whole.
    either = "|".join(sorted(words, key=len, reverse=True))
    pieces = re.split(f"({either})", text)
    return [(piece, n % 2 == 1) for n, piece in enumerate(pieces) if piece]
