"""A wait outlives a change of handler."""

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


@pytest.mark.requirement("A11", "A12")
def test_thanks_leave_the_question_open(journey: SimulatedJourney) -> None:
    journey.act("li-1", "request-info", text="请问是哪个账号？")
    for text in ("谢谢！", "好的，我晚上看看"):
        journey.act_as_customer("messages", text=text)
        assert journey.stored_status == "awaiting_customer"
    assert journey.messages_to("handler").count("handler_customer_wrote") == 2
    assert journey.timer("resolution")["state"] == "paused"


@pytest.mark.requirement("A13", "B4", "E3")
@pytest.mark.parametrize("status", ["resolved", "in_review", "archived", "closed"])
def test_a_danger_is_acted_on_after_the_end(journey: SimulatedJourney, status: str) -> None:
    """The customer reads what to do, a supervisor is told, and somebody handles it again."""
    if status == "closed":
        journey.act("zg-1", "close", reason="重复")
    else:
        journey.act("li-1", "resolve", summary="已重置密码")
    if status in {"in_review", "archived"}:
        journey.act_as_customer("survey", score=1 if status == "in_review" else 5)
    assert journey.stored_status == status
    journey.act_as_customer("messages", text="手机冒烟了，有焦味")
    assert (journey.stored_status, journey.ticket.priority) == ("assigned", "高")
    assert journey.messages_to("customer")[-1] == "safety_advice"
    assert "supervisor_urgent" in journey.messages_to("supervisor")
    journey.act_as_customer("messages", text="还在冒烟")
    assert journey.messages_to("customer").count("safety_advice") == 1
    assert journey.messages_to("supervisor").count("supervisor_urgent") == 1
