"""A company's own system, for look-ups of the local system: orders and points (C4).

`GET /_deskbell/sample/orders/{order_number}` and `…/members/{member_number}` answer for numbers of
6 to 20 digits, up to four letters before them; what they say follows from the number. A number that
ends in 000 is unknown.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra.deploy.desks import apply, storage_of
from infra.deploy.trail import OperatorTrail

if TYPE_CHECKING:
    from aiohttp import web

    from functions.core.domain.rules import Playbook

PATH = "/_deskbell/sample"
DESK = "assisted"
_OURS = re.compile(rf"^(https://orders\.example\.com/|http://127\.0\.0\.1:\d+{PATH}/)")
"""The beginning of a URL that is the shipped one, or this system's at another port."""

STATES = {
    "order": ("processing", "shipped", "received"),
    "delivery": ("collected", "on-the-way", "delivering", "delivered"),
    "refund": ("requested", "approved", "sent"),
    "repair": ("inspecting", "waiting-for-parts", "repaired"),
}
"""A fact about an order → its states, as this system writes them; the playbook has labels."""


def order(number: str) -> dict[str, Any] | None:
    digits = _digits(number)
    if digits is None:
        return None
    states = {of: {"state": each[digits % len(each)]} for of, each in STATES.items()}
    return {"number": number, **states}


def member(number: str) -> dict[str, Any] | None:
    digits = _digits(number)
    return None if digits is None else {"number": number, "points": {"balance": digits % 5000}}


def _digits(number: str) -> int | None:
    match = re.fullmatch(r"[A-Za-z]{0,4}(\d{6,20})", number, re.ASCII)
    return None if match is None or number.endswith("000") else int(match[1])


def attach(app: web.Application) -> None:
    from aiohttp import web

    async def show(request: web.Request) -> web.Response:
        of = order if request.match_info["kind"] == "orders" else member
        found = of(request.match_info["number"])
        return web.json_response(found or {"error": "unknown"}, status=200 if found else 404)

    app.router.add_get(PATH + "/{kind:orders|members}/{number}", show)


def asking_here(playbook: Playbook, api: str) -> Playbook:
    """Return a playbook that asks this system, except where somebody gave it another URL."""
    assistant = playbook.assistant
    if assistant is None:
        return playbook
    sources = {
        name: source.model_copy(update={"url": _OURS.sub(f"{api}{PATH}/", source.url)})
        for name, source in assistant.sources.items()
    }
    changed = assistant.model_copy(update={"sources": sources})
    return playbook.model_copy(update={"assistant": changed})


def ensure_source(stage: str, http_port: int, now: datetime) -> None:
    """Let the shipped desk ask this system."""
    storage = storage_of(stage)
    if storage.playbooks.version(DESK) is None:
        return
    playbook = storage.playbooks.get(DESK, now)
    changed = asking_here(playbook, f"http://127.0.0.1:{http_port}")
    if changed != playbook:
        apply(OperatorTrail.of(stage), changed, now)
