"""The desk `aftersales`, step by step through its guide."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.domain.roster import Agent
from tests.inprocess.desk_journey import SimulatedJourney, deployed

pytestmark = pytest.mark.requirement(
    "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10", "D11", "D12", "D13", "D14", "D17"
)
SECOND = timedelta(seconds=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDGE = {"name": "冰箱", "model": "BX-500", "serial": "SN12345", "purchased_on": "2026-01-05"}


def member(username: str, team: str, **more: object) -> Agent:
    role = "supervisor" if username.startswith("zg-") else "agent"
    about = {"desk": "aftersales", "username": username, "role": role, "team": team, "capacity": 3}
    return Agent.model_validate({**about, **more})


ROSTER = (
    member("wx-1", "维修工程师组", products=("冰箱", "洗衣机")),
    member("wx-2", "维修工程师组", products=("空调",)),
    member("th-1", "退换货组"),
    member("kf-1", "客服组"),
    member("cc-1", "仓储组"),
    member("zg-1", "主管组"),
)


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    with deployed("aftersales", ROSTER) as found:
        yield found


def tomorrow_at(hour: int) -> str:
    """Return a time of tomorrow as an agent writes it."""
    tomorrow = datetime.now(UTC).astimezone(SHANGHAI) + timedelta(days=1)
    return tomorrow.replace(hour=hour, minute=0, second=0, microsecond=0).isoformat()


@pytest.mark.requirement("D1", "D2", "D4", "D17")
def test_the_review_begins_with_what_the_customer_filled_in(journey: SimulatedJourney) -> None:
    """The whole way of a repair is walked on the running system (`tests/e2e`)."""
    journey.online("wx-1", "kf-1")
    journey.file(
        "冰箱不制冷，从昨天开始",
        channel="app",
        product=FRIDGE,
        proof_of_purchase="FP-20260105",
        since="昨天",
        environment="厨房，请联系 13700001111",
        attempted="重启",
    )
    view = journey.view()
    assert (view["since"], view["attempted"]) == ("昨天", "重启")
    assert view["environment"] == "厨房，请联系 137****1111"
    assert journey.messages_to("team:客服组") == ["review_wanted"]
    (complete,) = (step for step in journey.view("kf-1")["steps"] if step["action"] == "complete")
    filled = {field["name"]: field["value"] for field in complete["fields"] if field["value"]}
    assert filled == {
        "product_line": f"{FRIDGE['name']} {FRIDGE['model']}",
        "serial_number": FRIDGE["serial"],
        "purchased_on": FRIDGE["purchased_on"],
        "proof_number": "FP-20260105",
        "symptoms": view["description"],
        "since_when": "昨天",
        "environment": "厨房，请联系 137****1111",
        "already_tried": "重启",
    }


@pytest.mark.requirement("D3", "D9", "D11")
def test_a_return_goes_to_the_warehouse_with_its_order(journey: SimulatedJourney) -> None:
    journey.online("th-1")
    journey.file("想退货，七天无理由", order="DD-1001")
    assert (journey.ticket.type, journey.ticket.handler) == ("退换货", "th-1")
    journey.act("th-1", "accept")
    journey.act(
        "th-1", "return-exchange", return_kind="退货", order_number="DD-1001", goods_state="未拆封"
    )
    assert journey.stored_status == "awaiting_department"
    assert "DD-1001" in journey.message_text("team:仓储组", "warehouse_order")
    assert "退货" in journey.message_text("customer", "with_warehouse")
    journey.tick(journey.due("collaboration") + SECOND)
    assert journey.messages_to("team:仓储组")[-1] == "warehouse_reminder"
    assert journey.try_action("kf-1", "warehouse-done", warehouse_result="已退款").status == 403
    # A refusal says why, and what comes next
    refused = {"warehouse_result": "验收不通过"}
    answer = journey.try_action("cc-1", "warehouse-done", **refused)
    assert [error["field"] for error in answer.json["errors"]] == [
        "rejection_reason",
        "rejection_next_step",
    ]
    more = {"rejection_reason": "缺少配件", "rejection_next_step": "补齐后可再次寄回"}
    journey.act("cc-1", "warehouse-done", **refused, **more)
    assert journey.stored_status == "in_progress"
    told = journey.message_text("customer", "warehouse_done")
    assert all(text in told for text in ("验收不通过", *more.values()))


@pytest.mark.requirement("D3", "D5", "D6")
@pytest.mark.parametrize(
    ("text", "more", "expected", "colour"),
    [
        ("冰箱冒烟了，有焦味", {}, ("维修", "紧急"), "red"),
        ("要求换货，充电器漏电", {"urgency": "低"}, ("维修", "紧急"), "red"),
        ("洗衣机无法开机", {}, ("维修", "较高"), "yellow"),
        ("洗衣机坏了", {"customer_id": "VIP-1"}, ("维修", "较高"), "yellow"),
        ("洗衣机坏了", {}, ("维修", "一般"), "blue"),
        ("洗衣机坏了", {"urgency": "较高"}, ("维修", "较高"), "yellow"),
        ("请问保修期多久", {}, ("咨询", "低"), "green"),
        ("请问保修期多久", {"customer_id": "VIP-1"}, ("咨询", "一般"), "blue"),
    ],
)
def test_the_priority_depends_on_type_text_class_and_urgency(
    journey: SimulatedJourney,
    text: str,
    more: dict[str, Any],
    expected: tuple[str, str],
    colour: str,
) -> None:
    """Anything about safety is 紧急; a VIP's ticket goes up one level."""
    journey.enter("kf-1", text, **more)
    assert (journey.ticket.type, journey.ticket.priority) == expected
    assert journey.playbook.priorities[journey.ticket.priority].colour == colour


@pytest.mark.requirement("D7")
@pytest.mark.parametrize(
    ("text", "product", "handler"),
    [
        ("空调不制冷", None, "wx-2"),
        ("冰箱不制冷", None, "wx-1"),
        ("不制冷", {"name": "空调"}, "wx-2"),
        ("和空调一起买的，不制冷", {"name": "冰箱"}, "wx-1"),
        ("冰箱不制冷", {"model": "BX-500"}, "wx-1"),
        ("the air conditioner is not cooling", None, "wx-2"),
    ],
)
def test_the_product_line_comes_from_the_form_or_the_text(
    journey: SimulatedJourney, text: str, product: dict[str, str] | None, handler: str
) -> None:
    journey.online("wx-1", "wx-2")
    journey.file(text, **({"product": product} if product else {}))
    assert journey.ticket.handler == handler


@pytest.mark.requirement("D7")
def test_an_engineer_at_the_threshold_gets_no_ticket(journey: SimulatedJourney) -> None:
    journey.online("wx-1")
    for _ in range(3):
        journey.file("冰箱不制冷", product=FRIDGE)
        assert journey.ticket.handler == "wx-1"
    journey.file("冰箱不制冷", product=FRIDGE)
    assert (journey.ticket.queue, journey.ticket.handler) == ("supervisor", None)


@pytest.mark.requirement("D8")
def test_an_engineer_who_does_not_accept_is_reported_to_the_supervisor(
    journey: SimulatedJourney,
) -> None:
    """After 30 minutes; a review that nobody does, after an hour."""
    journey.online("wx-1")
    journey.file("冰箱不制冷", product=FRIDGE)
    due = journey.due("acceptance")
    journey.tick(due - SECOND)
    assert "acceptance_overdue" not in journey.messages_to("supervisor")
    journey.tick(due + SECOND)
    assert "acceptance_overdue" in journey.messages_to("supervisor")
    journey.tick(journey.due("review") + SECOND)
    assert "review_overdue" in journey.messages_to("supervisor")


@pytest.mark.requirement("D1", "D4", "D12")
def test_a_call_needs_no_review_and_shows_its_progress_by_number(journey: SimulatedJourney) -> None:
    journey.online("kf-1")
    number = journey.enter("kf-1", "请问上门费怎么收费")
    assert "review" not in journey.ticket.timers
    assert "acceptance" not in journey.ticket.timers
    assert journey.http("GET", f"/desks/aftersales/tickets/{number}?contact=5678").status == 404
    assert journey.status()["status_label"] == "待接单"
    assert re.fullmatch(r"\d{9}", number)


@pytest.mark.requirement("D12")
def test_a_poor_rating_notifies_the_supervisor(journey: SimulatedJourney) -> None:
    journey.online("kf-1")
    journey.enter("kf-1", "请问保修期多久")
    journey.act("kf-1", "resolve", summary="保修一年")
    journey.act_as_customer("survey", score="不满意", comment="等得太久")
    assert "poor_rating" in journey.messages_to("supervisor")
