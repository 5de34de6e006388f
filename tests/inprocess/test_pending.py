"""A request in 待确认 waits for whoever was asked, and for nobody else (A6, E2, G1)."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.core.storage.store import Store
from functions.router.routing import Router
from infra.simulator.simulator import Simulator


def test_only_who_was_asked_takes_it_out_again(loop: Simulator, store: Store) -> None:
    """A6: an agent is to say what it is about. A repeated record of the request, or more of the
    customer's words, do not decide it."""
    body = {"contact": "13800138000", "description": "功能异常"}
    answer = loop.http("POST", "/desks/standard/tickets", body).json
    loop.pump()
    number, link = answer["number"], answer["status_url"].partition("/desks")[2]
    before = store.load("standard", number)
    assert (before.status, before.asked) == ("pending_confirmation", 0)
    now = datetime.now(UTC)
    router = Router(store, store.playbook("standard", now), now)
    (first, *_) = store.history("standard", number)
    router.received(before, first.of("TicketReceived")[0])
    assert store.load("standard", number) == before
    path, _, query = f"/desks{link}".partition("?")
    wrote = loop.http("POST", f"{path}/messages?{query}", {"text": "支付失败，请退款"})
    assert wrote.status == 201, wrote.text
    loop.pump()
    after = store.load("standard", number)
    assert (after.status, after.type, after.tags) == (before.status, before.type, before.tags)
