"""The desk `assisted`: what its agents do once a person is needed (C7–C10)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.services.composing import compose
from infra.console.sample_life import SampleLife, SampleNotification
from tests.inprocess import conftest
from tests.inprocess.desk_journey import SimulatedJourney, deployed

pytestmark = pytest.mark.requirement("C7", "C8", "C9", "C10")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DELAYED = "包裹五天没动了，一直没到"


def member(username: str, team: str, **more: object) -> Agent:
    role = {"zg": "supervisor", "zj": "qa"}.get(username.partition("-")[0], "agent")
    about = {"desk": "assisted", "username": username, "role": role, "team": team, "capacity": 5}
    return Agent.model_validate({**about, **more})


ROSTER = (
    member("zh-1", "综合服务组"),
    member("zh-2", "综合服务组", skills=("账务",)),
    member("dd-1", "订单售后组"),
    member("dd-2", "订单售后组"),
    member("wx-1", "维修服务组"),
    member("ts-1", "投诉处理组"),
    member("cc-1", "仓储物流部"),
    member("cw-1", "财务结算部"),
    member("zg-1", "主管组"),
    member("zj-1", "质检组"),
)


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    with deployed("assisted", ROSTER) as found:
        found.contact = "han@example.com"  # mails have the whole text
        yield found


@pytest.fixture(scope="module")
def assisted() -> Playbook:
    return load(conftest.ROOT / "playbooks" / "assisted.yaml")


def at_desk(journey: SimulatedJourney, text: str = DELAYED, **fields: Any) -> None:
    """File a request that the only agent online gets."""
    journey.online("dd-1")
    journey.file(text, **fields)
    assert journey.ticket.handler == "dd-1"


def ahead(hours: int) -> str:
    return (datetime.now(UTC) + hours * HOUR).isoformat()


# ── C7: contact within ten minutes ───────────────────────────────────────────────────────────────


@pytest.mark.requirement("C7", "F3", "G2")
@pytest.mark.parametrize("urgency", ["普通", "紧急", "特急"])
def test_an_agent_makes_contact_within_ten_minutes(journey: SimulatedJourney, urgency: str) -> None:
    """The agent is reminded half-way; the supervisors hear of the breach, once and not before."""
    at_desk(journey, urgency=urgency)
    received = journey.ticket.received_at
    assert journey.due("first_response") == received + 10 * MINUTE
    journey.tick(received + 5 * MINUTE - SECOND)
    assert "deadline_near" not in journey.messages_to("handler")
    journey.tick(received + 5 * MINUTE)
    assert journey.messages_to("handler")[-1] == "deadline_near"
    journey.tick(received + 10 * MINUTE - SECOND)
    assert "response_overdue" not in journey.messages_to("supervisor")
    for late in range(3):
        journey.tick(received + (10 + late) * MINUTE)
    assert journey.messages_to("supervisor").count("response_overdue") == 1
    journey.act("zg-1", "assign", agent="dd-2")
    assert journey.ticket.handler == "dd-2"
    assert journey.messages_to("customer") == ["received", "assigned"]


@pytest.mark.requirement("C7", "C10")
@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("reply", {"text": "您好，正在向承运方核实。"}),
        ("request-info", {"text": "订单号"}),
        ("contact", {"outcome": "客户同意等到明天"}),
        ("plan", {"plan_1": "核实", "plan_1_by": ahead(3), "plan_1_owner": "仓储物流部"}),
    ],
)
def test_any_word_to_the_customer_is_the_contact(
    journey: SimulatedJourney, action: str, fields: dict[str, str]
) -> None:
    at_desk(journey)
    journey.act("dd-1", action, **fields)
    assert journey.timer("first_response")["state"] == "met"
    assert journey.ticket.first_response_at == journey.ticket.updated_at


@pytest.mark.requirement("C7")
def test_customers_are_told_when_the_desk_opens(assisted: Playbook) -> None:
    """The ten minutes count at night too, but nobody is promised a call at half past eleven."""
    shanghai = ZoneInfo("Asia/Shanghai")
    for hour, said in ((11, "10日（周二）11:40前联系您"), (23, "最迟在3月11日（周三）09:00")):
        life = SampleLife(assisted, datetime(2026, 3, 10, hour, 30, tzinfo=shanghai))
        life.receive(DELAYED)
        due = life.ticket.timers["first_response"].due_at
        assert due == life.now + 10 * MINUTE
        (first, *_) = life.shown
        text = _text(assisted, first)
        assert said in text
        assert ("值班主管" in text) == (hour == 23)


def _text(playbook: Playbook, shown: SampleNotification) -> str:
    notification, commit, ticket = shown.notification, shown.commit, shown.ticket
    return compose(notification, commit, ticket, playbook, status_url="https://x").text


@pytest.mark.requirement("C6", "C7")
def test_the_three_urgencies_order_the_queue_and_vips_go_up(journey: SimulatedJourney) -> None:
    journey.file(DELAYED, contact="a@example.com")
    first = journey.number
    journey.file("显示签收了，可我没收到", contact="b@example.com")
    assert journey.ticket.priority == "紧急"
    second = journey.number
    journey.file(DELAYED, urgency="特急", contact="c@example.com")
    third = journey.number
    assert "supervisor_urgent" in journey.messages_to("supervisor")
    waiting = [ticket["number"] for ticket in journey.queue("dd-1", "team")]
    assert waiting == [third, second, first]
    journey.enter("dd-1", DELAYED, customer_id="VIP-7", contact="d@example.com")
    assert (journey.ticket.priority, journey.ticket.customer.customer_class) == ("紧急", "vip")


@pytest.mark.slow
def test_requests_go_to_the_team_that_can_help(journey: SimulatedJourney) -> None:
    journey.online("zh-1", "zh-2", "dd-1", "wx-1", "ts-1")
    for text, type_, handler in (
        ("我的订单到哪一步了", "订单与物流", "dd-1"),
        ("尺码不合适，想换大一号", "退换货与退款", "dd-1"),
        ("一单扣了两次", "支付与发票", "zh-2"),
        ("How do I change my phone number?", "账号与会员", None),
        ("洗衣机不通电", "维修", "wx-1"),
        ("投诉你们客服，什么态度", "投诉", "ts-1"),
        ("你好，在吗", "咨询", None),
    ):
        journey.file(text)
        ticket = journey.ticket
        assert ticket.type == type_, text
        assert ticket.handler == handler or (handler is None and ticket.team == "综合服务组")


def test_danger_and_money_at_risk_come_first(journey: SimulatedJourney) -> None:
    """Advice comes before the number, at once; an upset customer is comforted."""
    journey.online("wx-1", "zh-2", "ts-1")
    journey.file("没有起火，就是插座冒烟", urgency="普通")
    assert (journey.ticket.priority, journey.ticket.handler) == ("特急", "wx-1")
    assert journey.messages_to("customer")[0] == "safety_advice"
    journey.file("银行卡被盗刷了3000元")
    assert (journey.ticket.priority, journey.ticket.handler) == ("特急", "zh-2")
    assert "冻结" in journey.message_text("customer", "received_money")
    journey.file("再不处理我就打12315，太差劲了！！")
    assert (journey.ticket.priority, journey.ticket.mood) == ("特急", "upset")
    assert journey.messages_to("customer") == ["received", "assigned_upset"]
    assert "换作是我也会生气" in journey.view("ts-1")["suggestion"]["text"]


# ── C8: the collaboration request ────────────────────────────────────────────────────────────────


@pytest.mark.requirement("C8")
def test_a_department_is_asked_and_answers_within_24_hours(journey: SimulatedJourney) -> None:
    at_desk(journey, order="ZN-778899")
    journey.act("dd-1", "reply", text="正在核实。")
    wrong = journey.try_action("dd-1", "collaborate", problem="查件", owner="门卫")
    assert wrong.status == 400
    journey.act("dd-1", "collaborate", problem="包裹停滞五天，请查找", owner="仓储物流部")
    assert journey.stored_status == "awaiting_department"
    assert journey.due("collaboration") == journey.ticket.updated_at + 24 * HOUR
    told = journey.message_text("field:owner", "collaboration_request")
    for word in ("包裹停滞五天，请查找", "ZN-778899", DELAYED):
        assert word in told
    assert journey.contact not in told
    assert "仓储物流部" in journey.message_text("customer", "collaboration_started")
    # The time to the solution goes on: the customer was promised it.
    assert journey.timer("resolution")["state"] == "running"
    waiting = journey.queue("cc-1", "tasks")
    assert [task["kind"] for task in waiting[0]["tasks"]] == ["slip"]
    refused = journey.try_action("cw-1", "collaboration-answer", answer="不归我们")
    assert refused.status in {403, 409}
    journey.act("cc-1", "collaboration-answer", answer="包裹已找到，今晚送达")
    assert journey.timer("collaboration")["state"] == "met"
    assert (journey.stored_status, journey.ticket.handler) == ("in_progress", "dd-1")
    assert "今晚送达" in journey.message_text("handler", "collaboration_answered")


@pytest.mark.requirement("C8", "G2")
@pytest.mark.parametrize("hours", [None, 3])
def test_a_late_answer_is_told_to_the_supervisor(
    journey: SimulatedJourney, hours: int | None
) -> None:
    """By the time that was asked for, or 24 hours; a late answer still counts."""
    at_desk(journey)
    wanted = {} if hours is None else {"answer_by": ahead(hours)}
    journey.act("dd-1", "collaborate", problem="查件", owner="仓储物流部", **wanted)
    due = journey.due("collaboration")
    assert due == (datetime.fromisoformat(wanted["answer_by"]) if wanted else due)
    journey.tick(due - SECOND)
    assert journey.messages_to("field:owner") == ["collaboration_request", "collaboration_reminder"]
    assert "collaboration_overdue" not in journey.messages_to("supervisor")
    journey.tick(due)
    assert journey.messages_to("supervisor").count("collaboration_overdue") == 1
    assert "collaboration_overdue" in journey.messages_to("handler")
    assert journey.ticket.handler == "dd-1"
    journey.act("cc-1", "collaboration-answer", answer="已找到")
    assert journey.stored_status == "in_progress"


# ── C9: goodwill ─────────────────────────────────────────────────────────────────────────────────

GOODWILL = {
    "goodwill_kind": "小额补偿",
    "goodwill_amount": "20",
    "goodwill_offer": "20元，24小时内退到您的余额",
    "goodwill_ground": "发货晚了5天，客户两次来询",
}


@pytest.mark.requirement("C9")
def test_goodwill_needs_its_ground_and_a_supervisor(journey: SimulatedJourney) -> None:
    at_desk(journey)
    journey.act("dd-1", "reply", text="正在核实。")
    for left_out in ("goodwill_ground", "goodwill_amount"):
        body = {key: value for key, value in GOODWILL.items() if key != left_out}
        refused = journey.try_action("dd-1", "goodwill", **body)
        assert refused.status == 400
        assert [error["field"] for error in refused.json["errors"]] == [left_out]

    journey.act("dd-1", "goodwill", **GOODWILL)
    assert journey.stored_status == "awaiting_department"
    assert (
        journey.view("zg-1")["pending"]["fields"]["goodwill_ground"] == "发货晚了5天，客户两次来询"
    )
    asked = journey.message_text("supervisor", "goodwill_wanted")
    for word in ("小额补偿 20元", "发货晚了5天", DELAYED):
        assert word in asked
    assert "goodwill" not in journey.messages_to("customer")
    assert journey.try_action("dd-1", "approve", approved=True).status == 403

    journey.act("zg-1", "approve", approved=True)
    assert journey.stored_status == "in_progress"
    told = journey.message_text("customer", "goodwill")
    assert "20元，24小时内退到您的余额" in told
    assert "发货晚了5天" not in told
    assert journey.messages_to("handler")[-1] == "goodwill_approved"
    assert "goodwill_refused" not in journey.messages_to("handler")
    shown = [entry["label"] for entry in journey.status()["timeline"]]
    assert "已为您安排" in shown
    assert "发货晚了5天" not in str(journey.status())


@pytest.mark.requirement("C9")
def test_refused_goodwill_reaches_the_agent_alone(journey: SimulatedJourney) -> None:
    """Express dispatch has no sum, and needs the approval too."""
    at_desk(journey)
    express = {"goodwill_kind": "加急发货", "goodwill_offer": "今天发出", "goodwill_ground": "漏发"}
    journey.act("dd-1", "goodwill", **express)
    assert journey.ticket.pending is not None
    journey.act("zg-1", "approve", approved=False, reason="先按规定补发")
    assert journey.stored_status == "assigned"
    assert "先按规定补发" in journey.message_text("handler", "goodwill_refused")
    assert "goodwill_approved" not in journey.messages_to("handler")
    assert journey.messages_to("customer") == ["received", "assigned"]
    assert "加急发货" not in str(journey.status())


# ── C10: the plan, and the customer's answer ─────────────────────────────────────────────────────


@pytest.mark.requirement("C10")
def test_the_customer_is_told_steps_times_and_who_sees_to_them(journey: SimulatedJourney) -> None:
    at_desk(journey)
    plan = {"plan_1": "向承运方核实", "plan_1_by": ahead(3), "plan_1_owner": "仓储物流部"}
    half = journey.try_action("dd-1", "plan", **plan, plan_2="补发或退款")
    assert half.status == 400
    assert {error["field"] for error in half.json["errors"]} == {"plan_2_by", "plan_2_owner"}
    second = {"plan_2": "补发或退款", "plan_2_by": ahead(26), "plan_2_owner": "订单售后组"}
    journey.act("dd-1", "plan", **plan, **second)
    assert journey.stored_status == "in_progress"
    told = journey.message_text("customer", "plan")
    for word in ("1. ", "前，仓储物流部：向承运方核实", "2. ", "前，订单售后组：补发或退款"):
        assert word in told
    assert "3. " not in told
    (entry,) = (e for e in journey.status()["timeline"] if e["label"] == "处理安排")
    assert len(entry["fields"]) == 6

    # At the time of the first step the agent is asked to tell how it stands: no promise is broken.
    due = journey.due("customer_update")
    assert due == datetime.fromisoformat(plan["plan_1_by"])
    journey.tick(due)
    assert journey.messages_to("handler")[-1] == "plan_due"
    assert journey.timer("customer_update")["state"] == "met"


def resolved(journey: SimulatedJourney) -> None:
    at_desk(journey)
    journey.act("dd-1", "reply", text="已找到包裹。")
    journey.act("dd-1", "resolve", summary="包裹当晚送达")
    assert journey.status()["status_label"] == "待您确认"
    told = journey.message_text("customer", "confirm")
    for word in ("包裹当晚送达", "“确认解决”或“未解决”", "1分=非常不满意，5分=非常满意"):
        assert word in told


@pytest.mark.requirement("C10")
def test_a_confirmed_solution_is_rated_and_archived(journey: SimulatedJourney) -> None:
    resolved(journey)
    journey.prove_contact()
    journey.act_as_customer("messages", text="确认解决")
    assert journey.stored_status == "resolved"
    journey.act_as_customer("survey", score=5)
    assert journey.stored_status == "archived"


@pytest.mark.requirement("C10")
def test_an_unsolved_problem_goes_back_to_the_same_agent(journey: SimulatedJourney) -> None:
    resolved(journey)
    journey.online("dd-2")
    journey.act_as_customer("confirmation", solved=False, reason="还是没到")
    assert (journey.ticket.handler, journey.stored_status) == ("dd-1", "assigned")
    assert journey.messages_to("customer")[-1] == "reopened"
    assert "还是没到" in journey.message_text("supervisor", "supervisor_reopened")
    journey.act("dd-1", "resolve", summary="已补发")
    journey.act_as_customer("messages", text="未解决")
    assert journey.messages_to("customer")[-1] == "ask_reason"


@pytest.mark.requirement("A13", "C10")
@pytest.mark.parametrize("by", ["survey", "messages"])
@pytest.mark.parametrize(("score", "status"), [(4, "archived"), (3, "in_review")])
def test_a_rating_alone_is_an_answer(
    journey: SimulatedJourney, by: str, score: int, status: str
) -> None:
    """Below 4 the QA team calls back; nothing waits for a confirmation as well."""
    resolved(journey)
    journey.act_as_customer(by, **({"score": score} if by == "survey" else {"text": f"{score}分"}))
    assert (journey.stored_status, journey.ticket.score) == (status, score)
    if status == "archived":
        return
    assert "review_requested" in journey.messages_to("qa")
    assert journey.status()["status_label"] == "已解决"
    journey.act("zj-1", "assign", agent="zj-1")
    journey.act("zj-1", "callback", cause="配送太慢")
    assert journey.stored_status == "archived"


@pytest.mark.requirement("C10")
@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("解决了，5分", "archived"),
        ("解决了，但太慢，2分", "in_review"),
        ("2分，还是没收到", "assigned"),
    ],
)
def test_one_message_confirms_and_rates(journey: SimulatedJourney, text: str, status: str) -> None:
    """The answer decides what follows; each consequence comes once."""
    resolved(journey)
    journey.prove_contact()
    journey.act_as_customer("messages", text=text)
    assert journey.stored_status == status
    history = journey.storage.tickets.history("assisted", journey.number)
    names = [event.event for commit in history for event in commit.events]
    for once in ("SurveyAnswered", "ConfirmationGiven"):
        assert names.count(once) == 1
    for ending in ("TicketArchived", "ReviewRequested", "TicketReopened"):
        assert names.count(ending) <= 1


@pytest.mark.requirement("B10", "C10")
def test_a_ticket_is_archived_for_three_years(journey: SimulatedJourney) -> None:
    resolved(journey)
    journey.act_as_customer("confirmation", solved=True)
    journey.act_as_customer("survey", score=5)
    document, tags = journey.archived()
    assert tags["retention-years"] == "3"
    assert document["ticket"]["score"] == 5
