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
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
"""One pixel."""
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


def test_a_repair_goes_from_the_form_to_the_call_back(journey: SimulatedJourney) -> None:
    """A visit with parts; the ticket returns to the engineer once."""
    journey.online("wx-1", "wx-2", "kf-1")

    # D1, D2, D17: filed alone, with product and proof; the contact's middle is hidden
    journey.file(
        "冰箱不制冷，从昨天开始，放在厨房，重启过没有用",
        channel="app",
        name="客户甲",
        product=FRIDGE,
        proof_of_purchase="FP-20260105",
        since="昨天",
        environment="厨房，请联系 13700001111",
        attempted="重启",
    )
    view = journey.view()
    assert (view["since"], view["attempted"]) == ("昨天", "重启")
    assert view["environment"] == "厨房，请联系 137****1111"
    assert view["customer"]["contact"] == "138****5678"
    assert view["product"]["model"] == "BX-500"
    assert view["proof_of_purchase"] == "FP-20260105"

    # D3: the type by its words; year, month and serial
    month = datetime.now(UTC).astimezone(SHANGHAI).strftime("%Y%m")
    assert journey.number == f"{month}001"
    assert view["type"] == "维修"

    # D4: an agent reviews and completes it within the hour
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
    assert journey.due("review") - journey.ticket.received_at == timedelta(hours=1)
    journey.act(
        "kf-1",
        "complete",
        product_line="冰箱 BX-500",
        serial_number="SN12345",
        warranty="保修期内",
        symptoms="不制冷",
        since_when="昨天",
        environment="厨房",
        already_tried="重启",
    )
    assert journey.timer("review")["state"] == "met"

    # D5, D6: an ordinary one is blue; D7: the engineer who covers the line
    assert view["priority"] == "一般"
    assert journey.playbook.priorities["一般"].colour == "blue"
    assert (view["team"], view["handler"]) == ("维修工程师组", "wx-1")

    # D8: accepted within 30 minutes, a reminder on the way; then 处理中
    assigned = journey.ticket.assigned_at
    assert assigned is not None
    assert journey.due("acceptance") - assigned == timedelta(minutes=30)
    journey.tick(assigned + timedelta(minutes=15, seconds=1))
    assert journey.messages_to("handler")[-1] == "acceptance_reminder"
    assert journey.status()["status_label"] == "待接单"
    journey.act("wx-1", "accept")
    assert journey.status()["status_label"] == "处理中"
    assert journey.timer("acceptance")["state"] == "met"
    assert journey.timer("first_response")["state"] == "met"

    # D9: a visit, its time agreed; D11: each node tells the customer
    journey.act("wx-1", "judge", way_on="上门服务", judged_by_what="远程无法判断")
    journey.act("wx-1", "visit", arrival=tomorrow_at(14))
    journey.act("wx-1", "depart", arrival=tomorrow_at(14))
    assert "工程师已出发，预计14:00到达" in journey.message_text("customer", "departed")
    photo = journey.upload("wx-1", "现场.png", PNG)
    journey.act("wx-1", "inspected", finding="压缩机启动器损坏", attachments=[photo])
    (shown,) = journey.view("wx-1")["attachments"]
    assert (shown["content_type"], shown["size"]) == ("image/png", len(PNG))
    assert shown["url"]
    program = journey.upload("wx-1", "报告.pdf", b"MZ\x90\x00" + bytes(60))
    refused = journey.try_action("wx-1", "inspected", finding="见附件", attachments=[program])
    assert refused.status == 400
    journey.act("wx-1", "request-parts", parts_requested="压缩机启动器")
    assert "压缩机启动器" in journey.message_text("team:仓储组", "parts_order")

    # D10: waiting for the part; the handling time stands still until it comes
    journey.act("wx-1", "await-parts", expected_at=tomorrow_at(18))
    assert journey.status()["status"] == "awaiting_department"
    assert journey.timer("resolution")["state"] == "paused"
    assert journey.due("collaboration") == datetime.fromisoformat(tomorrow_at(18))
    journey.act("cc-1", "parts-arrived")
    assert journey.timer("resolution")["state"] == "running"
    journey.act(
        "wx-1",
        "repaired",
        work_done="更换压缩机启动器",
        repair_minutes="45",
        parts_used="压缩机启动器",
    )
    nodes = ["visit_arranged", "departed", "inspected", "parts_requested", "parts_awaited"]
    assert [
        m for m in journey.messages_to("customer") if m in {*nodes, "parts_arrived", "repaired"}
    ] == [
        *nodes,
        "parts_arrived",
        "repaired",
    ]

    # D11, D12: the customer sees each node
    labels = [entry["label"] for entry in journey.status()["timeline"]]
    for label in ("工程师已出发", "已上门检测", "配件已申领", "等待到货", "维修完成"):
        assert label in labels

    # D13: 未解决 → back to the same engineer, judged anew
    journey.act("wx-1", "resolve", summary="更换压缩机启动器")
    assert journey.status()["status_label"] == "待客户确认"
    journey.act_as_customer("confirmation", solved=False, reason="还是不制冷")
    assert (journey.stored_status, journey.ticket.handler) == ("assigned", "wx-1")
    assert "还是不制冷" in journey.message_text("supervisor", "supervisor_reopened")
    journey.act("wx-1", "accept")
    journey.act("wx-1", "judge", way_on="远程协助", judged_by_what="温控设置有误")

    # D9, first way: remote help, its steps recorded, then 待客户确认
    journey.act(
        "wx-1", "remote-help", remote_steps="调整温控；观察2小时", remote_result="温控已调好"
    )
    assert journey.status()["status_label"] == "待客户确认"
    assert journey.status()["summary"] == "温控已调好"

    # D12: the engineer is rated; D13: 确认解决 → an agent calls back within the hour
    journey.act_as_customer("survey", score="非常满意")
    journey.act_as_customer("confirmation", solved=True)
    assert journey.status()["status_label"] == "待回访"
    assert journey.messages_to("team:客服组")[-1] == "callback_wanted"
    due = journey.due("callback")
    within = journey.playbook.hours.between(datetime.now(UTC), due)  # nobody is called at midnight
    assert timedelta(minutes=59) < within <= timedelta(hours=1)
    journey.tick(due + SECOND)
    assert "callback_overdue" in journey.messages_to("supervisor")
    journey.act("kf-1", "callback", cause="已恢复制冷", note="客户满意")

    # D14: 已完成; the closing ties repair time, parts and satisfaction together
    assert journey.status()["status_label"] == "已完成"
    document, _ = journey.archived()
    assert document["ticket"]["score"] == 4
    assert document["ticket"]["team"] == "维修工程师组"  # not the one that called back
    facts = document["ticket"]["facts"]
    assert (facts["repair_minutes"], facts["parts_used"]) == ("45", "压缩机启动器")
    assert facts["serial_number"] == "SN12345"
    # D15: not fixed the first time, as the reports will count it
    assert document["ticket"]["resolutions"] == 2
    for secret in ("13812345678", "客户甲"):
        assert secret not in str(document) + "".join(journey.responses)


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


@pytest.mark.requirement("D6", "D7")
def test_a_ticket_without_an_engineer_for_its_line_waits_for_the_supervisor(
    journey: SimulatedJourney,
) -> None:
    """It is 待分派 until a supervisor assigns it."""
    journey.online("wx-2")
    journey.file("冰箱不制冷", product=FRIDGE)
    assert (journey.ticket.queue, journey.ticket.handler) == ("supervisor", None)
    assert journey.status()["status_label"] == "待分派"
    assert "supervisor_dispatch" in journey.messages_to("supervisor")
    journey.act("zg-1", "assign", agent="wx-1")
    assert journey.ticket.handler == "wx-1"


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
