"""The desk's outgoing webhooks: what arrived, tests, messages sent again, secrets (H7)."""

from __future__ import annotations

from typing import Any

from functions.core.domain.errors import InvalidInput, Refused
from functions.core.domain.webhook_message import message_id, webhook_name
from functions.core.platform.web import HttpResponse
from functions.core.text.error_texts import translated
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.pages.ticket_words import Words
from functions.workbench.recent_deliveries import recent_deliveries

KEEP_HOURS = (24, 72, 1, 0)
"""The choices of how long an old secret stays valid, the usual one first."""

SHOWN = 20
"""Messages of an endpoint that are listed."""

MOST_AGAIN = 100
"""Messages that one form sends again."""


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show each endpoint with its last messages."""
    return _page(page)


@route("POST", "{name}")
def act(page: WorkbenchPage, name: str) -> HttpResponse:
    """Send a test, send the failed messages again, or change the secret."""
    action = page.field("action")
    try:
        if action == "test":
            page.administer("webhooks.send_test", name=name)
            return page.redirect(page.url("webhooks", done="tested", name=name))
        if action == "again":
            ids = [each["id"] for each in _messages(page).get(name, []) if each["failed"]]
            sent = page.administer("webhooks.send_again", ids=ids[:MOST_AGAIN])
            return page.redirect(page.url("webhooks", done="resent", name=name, n=str(sent)))
        if action == "rotate":
            secret = page.administer(
                "webhooks.rotate",
                name=name,
                version=_number(page.field("version")),
                keep_hours=_number(page.field("keep_hours")),
            )
            return page.render("webhook_secret.html", title=None, name=name, secret=secret)
        raise InvalidInput("The request cannot be read.")
    except Refused as refused:
        error = translated(refused.detail, page.locale)
        return _page(page, refused.status, error=error)


def _page(page: WorkbenchPage, status: int = 200, error: str = "") -> HttpResponse:
    messages, words = _messages(page), Words(page)
    endpoints: list[dict[str, Any]] = page.administer("webhooks.endpoints")
    for endpoint in endpoints:
        found = messages.get(endpoint["name"], [])
        endpoint["failed"] = sum(each["failed"] for each in found)
        endpoint["messages"] = found[:SHOWN]
    query, note = page.request.query, ""
    named = query.get("name", "") in {endpoint["name"] for endpoint in endpoints}
    if query.get("done") == "tested" and named:
        note = words.t("webhooks.tested", name=query["name"])
    elif query.get("done") == "resent" and query.get("n", "").isdecimal():
        note = words.t("webhooks.resent", n=int(query["n"][:4]))
    return page.render(
        "webhooks.html",
        status,
        title=None,
        endpoints=endpoints,
        error=error,
        note=note,
        keep=KEEP_HOURS,
    )


def _messages(page: WorkbenchPage) -> dict[str, list[dict[str, Any]]]:
    """The messages of a day by endpoint, newest first."""
    words = Words(page)
    found: dict[str, list[dict[str, Any]]] = {}
    for each in recent_deliveries(page.storage, page.desk, page.request.now).deliveries:
        if each.channel == "webhook":
            found.setdefault(webhook_name(each), []).append(
                {
                    "id": message_id(each),
                    "type": each.message,
                    "number": each.number,
                    "at": words.moment(each.at),
                    "state": words.t(f"ticket.delivery.{each.state}"),
                    "failed": each.failed,
                    "cause": (each.cause or "") if each.failed else "",
                }
            )
    return found


def _number(text: str) -> int:
    """Read a number of a form.

    Raises:
        InvalidInput: it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise InvalidInput("The request cannot be read.")
    return int(text)
