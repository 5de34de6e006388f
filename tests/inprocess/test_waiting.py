"""What a ticket waits for outlives a change of handler."""

from __future__ import annotations

import pytest

from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import ROOT, shipped
from tests.inprocess.desk_journey import SimulatedJourney


@pytest.fixture
def journey(simulator: Simulator, storage: Storage) -> SimulatedJourney:
    playbook = shipped(ROOT / "playbooks" / "standard.yaml")
    found = SimulatedJourney(simulator, storage, playbook)
    found.online("li-1")
    found.file("无法登录", contact="han@example.com")
    return found


@pytest.mark.requirement("A8", "A11", "G2")
@pytest.mark.parametrize(
    "moves",
    [[{"agent": "li-2"}], [{"queue": "team"}, {"agent": "li-2"}]],
    ids=["to a colleague", "by the team's queue"],
)
def test_a_question_outlives_a_change_of_handler(
    journey: SimulatedJourney, moves: list[dict[str, str]]
) -> None:
    journey.act("li-1", "request-info", text="请问是哪个账号？")
    asked = {kind: journey.timer(kind) for kind in ("customer_info", "resolution")}
    assert asked["resolution"]["state"] == "paused"
    if len(moves) == 2:
        journey.as_agent("li-1", "PUT", "/me/presence", {"online": False})
    for move in moves:
        journey.act("zg-1", "assign", **move)
        for kind, timer in asked.items():
            assert journey.timer(kind) == timer
        assert journey.view("zg-1")["question"] == "请问是哪个账号？"
    assert (journey.ticket.status, journey.ticket.handler) == ("awaiting_customer", "li-2")
    assert journey.messages_to("customer").count("assigned") == 1  # the team is the same

    journey.tick(journey.due("customer_info"))
    assert journey.messages_to("handler")[-1] == "follow_up"
    journey.act_as_customer("messages", text="是138开头的那个账号")
    assert journey.stored_status == "in_progress"
    assert journey.timer("resolution")["state"] == "running"
    assert journey.timer("customer_info")["state"] == "breached"


@pytest.mark.requirement("A11", "A12")
def test_a_timer_is_met_only_by_what_it_waits_for(journey: SimulatedJourney) -> None:
    journey.act("li-1", "request-info", text="请问是哪个账号？")
    journey.act("li-1", "resolve", summary="已重置密码")
    assert journey.timer("customer_info")["state"] == "cancelled"
    assert journey.timer("resolution")["state"] == "met"
