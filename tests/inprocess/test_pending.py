"""A request in 待确认 waits for an answer to its question."""

from datetime import UTC, datetime

import pytest

from functions.core.storage.database import Storage
from functions.router.routing import Router
from infra.simulator.simulator import Simulator
from tests.inprocess.desk_journey import customer_link

pytestmark = pytest.mark.requirement("A6", "E2", "G1")


def test_only_the_asked_agent_confirms_the_type(simulator: Simulator, storage: Storage) -> None:
    """Neither a repeated record nor more text from the customer confirms it."""
    body = {"contact": "13800138000", "description": "功能异常"}
    answer = simulator.http("POST", "/desks/standard/tickets", body).json
    simulator.pump()
    number = answer["number"]
    before = storage.tickets.load("standard", number)
    assert (before.status, before.asked) == ("pending_confirmation", 0)
    now = datetime.now(UTC)
    router = Router(storage, storage.playbooks.get("standard", now), now)
    (first, *_) = storage.tickets.history("standard", number)
    router.route_new(before, first)
    assert storage.tickets.load("standard", number) == before
    path, _, query = customer_link(simulator, before).partition("?")
    wrote = simulator.http("POST", f"{path}/messages?{query}", {"text": "支付失败，请退款"})
    assert wrote.status == 201, wrote.text
    simulator.pump()
    after = storage.tickets.load("standard", number)
    assert (after.status, after.type) == (before.status, before.type)
    assert after.tags == (*before.tags, "支付失败", "退款")
