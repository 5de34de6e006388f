"""A company's own system, for look-ups of the local system: the states of orders (C4).

`GET /_deskbell/sample/orders/{order_number}` answers for numbers of 6 to 20 digits, up to four
letters before them; each state follows from the number. A number that ends in 000 is unknown.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra.deploy.desks import apply, storage_of
from infra.deploy.trail import Trail

if TYPE_CHECKING:
    from aiohttp import web

PATH = "/_deskbell/sample"
DESK, SOURCE = "assisted", "orders"
_PLACEHOLDER_URL = "https://orders.example.com/"

STATES = {
    "order": ("processing", "shipped", "received"),
    "delivery": ("collected", "on-the-way", "delivering", "delivered"),
    "refund": ("requested", "approved", "sent"),
    "repair": ("inspecting", "waiting-for-parts", "repaired"),
}
"""A fact about an order → its states, as this system writes them; the playbook has labels."""


def order(number: str) -> dict[str, Any] | None:
    match = re.fullmatch(r"[A-Za-z]{0,4}(\d{6,20})", number, re.ASCII)
    if match is None or number.endswith("000"):
        return None
    digits = int(match[1])
    states = {of: {"state": each[digits % len(each)]} for of, each in STATES.items()}
    return {"number": number, **states}


def attach(app: web.Application) -> None:
    from aiohttp import web

    async def show(request: web.Request) -> web.Response:
        found = order(request.match_info["number"])
        return web.json_response(found or {"error": "unknown order"}, status=200 if found else 404)

    app.router.add_get(PATH + "/orders/{number}", show)


def ensure_source(stage: str, http_port: int, now: datetime) -> None:
    """Let the shipped desk ask this source, unless somebody gave it another URL."""
    storage = storage_of(stage)
    if storage.playbooks.version(DESK) is None:
        return
    playbook = storage.playbooks.get(DESK, now)
    assistant = playbook.assistant
    source = assistant.sources.get(SOURCE) if assistant else None
    if assistant is None or source is None or not _is_ours(source.url):
        return
    url = f"http://127.0.0.1:{http_port}{PATH}/orders/{{order_number}}"
    sources = {**assistant.sources, SOURCE: source.model_copy(update={"url": url})}
    changed = assistant.model_copy(update={"sources": sources})
    apply(Trail.of(stage), playbook.model_copy(update={"assistant": changed}), now)


def _is_ours(url: str) -> bool:
    local = url.startswith("http://127.0.0.1:") and PATH in url
    return local or url.startswith(_PLACEHOLDER_URL)
