"""The desk's quarantine: mail held back, dead letters, closing that failed (H4)."""

from __future__ import annotations

from typing import Any

from functions.core.domain.errors import InvalidInput, NotFound, Refused
from functions.core.platform.web import HttpResponse
from functions.core.text.error_texts import translated
from functions.core.text.workbench_texts import TEXTS
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_words import Words

NOTES = frozenset({"replayed", "discarded", "gone"})
"""The notices that the list shows after a form."""


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """List what waits, or what was discarded."""
    query = page.request.query
    discarded, after = "discarded" in query, query.get("after", "")
    listed = page.administer("quarantine.entries", after=after, discarded=discarded)
    asked = {"discarded": "1"} if discarded else {}
    return page.render(
        "quarantine.html",
        title=None,
        entries=[_worded(page, entry) for entry in listed["entries"]],
        discarded=discarded,
        after=after,
        following=page.url("quarantine", **asked, after=listed["next"]) if listed["next"] else "",
        note=done if (done := query.get("done", "")) in NOTES else "",
    )


@route("GET", "entry")
def show_entry(page: WorkbenchPage) -> HttpResponse:
    """Show one entry, masked."""
    return _entry(page, page.administer("quarantine.entry", entry_id=_id(page)))


@route("POST", "entry")
def act(page: WorkbenchPage) -> HttpResponse:
    """Show the whole text on record, replay the entry, or discard it."""
    action, entry_id = page.field("action"), page.field("id")
    try:
        if action == "show":
            return _entry(page, page.administer("quarantine.show", entry_id=entry_id))
        if action == "replay":
            page.administer(
                "quarantine.replay",
                entry_id=entry_id,
                even_infected=bool(page.field("even_infected")),
            )
        elif action == "discard":
            page.administer("quarantine.discard", entry_id=entry_id, reason=page.field("reason"))
        else:
            raise InvalidInput("The request cannot be read.")
    except NotFound:
        # A form that was sent twice, or a colleague was faster.
        return page.redirect(page.url("quarantine", done="gone"))
    except Refused as refused:
        return _refused(page, entry_id, refused)
    done = {"replay": "replayed", "discard": "discarded"}[action]
    return page.redirect(page.url("quarantine", done=done))


def _refused(page: WorkbenchPage, entry_id: str, refused: Refused) -> HttpResponse:
    entry = page.administer("quarantine.entry", entry_id=entry_id)
    error = translated(refused.detail, page.locale)
    return _entry(page, entry, refused.status, error=error, fields=page.wrong_fields(refused))


def _entry(
    page: WorkbenchPage,
    entry: dict[str, Any],
    status: int = 200,
    *,
    error: str = "",
    fields: dict[str, str] | None = None,
) -> HttpResponse:
    return page.render(
        "quarantine_entry.html",
        status,
        title=None,
        entry=_worded(page, entry),
        error=error,
        fields=fields or {},
        given=page.field("reason") if page.request.method == "POST" else "",
    )


def _id(page: WorkbenchPage) -> str:
    return page.request.query.get("id", "")


def _worded(page: WorkbenchPage, entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with its kind, cause and time in the reader's language."""
    kind = TEXTS.get(f"quarantine.from.{entry['function']}")
    found = TEXTS.get(f"quarantine.cause.{entry['cause'].partition(':')[0]}")
    cause = found or TEXTS["quarantine.cause."]
    return {
        **entry,
        "kind": kind[page.locale] if kind else entry["function"],
        "cause_words": cause[page.locale],
        "at": Words(page).moment(entry["at"]),
        "url": page.url("quarantine", "entry", id=entry["id"]),
    }
