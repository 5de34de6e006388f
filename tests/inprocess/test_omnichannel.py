"""The desk `omnichannel`, step by step through its guide."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from functions.core.domain.roster import Agent
from tests import moto_internals
from tests.inprocess.desk_journey import SimulatedJourney, deployed

pytestmark = pytest.mark.requirement(
    "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B12", "B13"
)
SECOND = timedelta(seconds=1)


def member(username: str, team: str, **more: object) -> Agent:
    role = "supervisor" if username.startswith("zg-") else "agent"
    about = {"desk": "omnichannel", "username": username, "role": role, "team": team, "capacity": 5}
    return Agent.model_validate({**about, **more})


ROSTER = (
    member("kf-1", "客服专员"),
    member("kf-2", "客服专员"),
    member("js-1", "技术支持"),
    member("js-9", "技术支持", level=1),
    member("cp-1", "产品经理"),
    member("zg-1", "客服主管"),
)


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    with deployed("omnichannel", ROSTER) as found:
        yield found


@pytest.mark.requirement("B1", "B2", "B6", "B7", "B9", "B11")
def test_a_late_department_is_reminded_and_a_second_handling_goes_a_level_up(
    journey: SimulatedJourney,
) -> None:
    """The whole way of such a call is walked on the running system (`tests/e2e`)."""
    journey.online("kf-1", "js-1")
    journey.enter("kf-1", "支付异常，扣了20000元，你们太差劲了，气死我了！", customer_id="C-77")
    assert journey.view()["customer"]["contact"] == "138****5678"
    assert journey.view()["received_at"][16] == ":"  # to the minute
    assert "15分钟" in journey.message_text("customer", "received")
    assert journey.messages_to("handler") == ["handler_upset"]

    comfort = {"comfort_measure": "电话安抚", "comfort_note": "致歉", "comfort_result": "已平复"}
    journey.act("js-1", "comfort", **comfort)
    journey.act("js-1", "supplement", supplement="客户使用银行卡支付")
    assert journey.ticket.facts["comfort_result"] == "已平复"
    answer_by = (journey.ticket.received_at + timedelta(minutes=40)).isoformat()
    asked = {"request_to_department": "核对扣款接口", "department_contact": "支付产品"}
    copied = {**asked, "handover_point": "支付渠道对账完成后", "answer_by": answer_by}
    journey.act("js-1", "copy-in", **copied)
    assert journey.ticket.handler == "js-1"
    assert journey.due("collaboration") == datetime.fromisoformat(answer_by)
    journey.act("js-1", "hand-over", handover_state="对账完成", answer_by=answer_by)
    assert journey.stored_status == "awaiting_department"
    journey.tick(journey.due("collaboration") + SECOND)
    assert "department_overdue" in journey.messages_to("handler")
    assert journey.messages_to("team:产品经理")[-1] == "department_reminder"
    journey.act("cp-1", "department-answer", department_answer="重复扣款已确认，原路退回")
    assert journey.stored_status == "in_progress"
    assert journey.messages_to("handler")[-1] == "department_answered"
    steps = [entry["step"] for entry in journey.view()["records"] if entry["step"]]
    assert steps[:3] == ["comfort", "supplement", "copy-in"]

    journey.act("js-1", "resolve", summary="确认重复扣款，已原路退回")
    journey.online("js-9")
    journey.act_as_customer("survey", score="不满意", comment="到账太慢")
    ticket = journey.ticket
    assert (ticket.level, ticket.handler, ticket.former_handlers) == (1, "js-9", ("js-1",))
    reason = {"dissatisfaction_cause": "处理时间过长", "dissatisfaction_detail": "到账太慢"}
    journey.act("js-9", "dissatisfaction", **reason)
    assert journey.ticket.facts["dissatisfaction_cause"] == "处理时间过长"


@pytest.mark.requirement("B1", "B3", "B4", "B5")
def test_each_customer_class_goes_to_its_pool_within_its_time(journey: SimulatedJourney) -> None:
    """The four classes, P1 to P3, and every channel."""
    journey.online("kf-1", "js-1", "zg-1")
    hours = timedelta(hours=1)
    for channel, text, expected, allowed in (
        ("web", "请问退换政策是什么", ("Z", "P3", "客服专员"), 48 * hours),
        ("app", "登录失败，提示错误", ("G", "P2", "技术支持"), 24 * hours),
        ("social", "你们服务态度恶劣", ("T", "P2", "客服主管"), 24 * hours),
        ("web", "我已向12315投诉", ("T", "P1", "客服主管"), hours),
        ("app", "所有用户都无法登录", ("G", "P1", "技术支持"), hours),
        ("web", "建议增加夜间模式", ("T", "P3", "客服主管"), 48 * hours),
    ):
        journey.file(text, channel=channel)
        ticket = journey.ticket
        assert (ticket.type, ticket.priority, ticket.team) == expected, text
        assert ticket.channel == channel
        assert journey.due("resolution") - ticket.received_at == allowed, text
        first = timedelta(minutes=15) if ticket.priority == "P1" else 24 * hours
        assert journey.due("first_response") - ticket.received_at == first, text


@pytest.mark.requirement("B1", "B8")
def test_a_mail_to_the_desk_makes_a_ticket_and_is_answered_by_mail(
    journey: SimulatedJourney,
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "customer@example.com", "support@omnichannel.local"
    mail["Subject"], mail["Message-ID"] = "支付失败", "<1@example.com>"
    mail.set_content("我支付失败了，请处理。")
    journey.simulator.mail(bytes(mail), "support@omnichannel.local")
    journey.simulator.pump()
    (journey.number,) = [ticket["number"] for ticket in journey.queue("zg-1", "all")]
    assert (journey.ticket.type, journey.ticket.channel) == ("G", "mail")
    assert journey.channel_of("received") == "email"


@pytest.mark.requirement("B1")
def test_an_unanswered_urgent_ticket_reaches_the_supervisor_after_15_minutes(
    journey: SimulatedJourney,
) -> None:
    journey.online("js-1")
    journey.file("系统崩溃，全网都打不开")
    due = journey.due("first_response")
    journey.tick(due - SECOND)
    assert "response_overdue" not in journey.messages_to("supervisor")
    journey.tick(due + SECOND)
    assert "response_overdue" in journey.messages_to("supervisor")


@pytest.mark.requirement("B8")
def test_the_customer_gets_the_outcome_by_the_preferred_channel(journey: SimulatedJourney) -> None:
    """A phone task whose outcome is recorded, otherwise an SMS."""
    journey.online("kf-1", "kf-2")
    journey.file("请问会员权益有哪些", preferred_channel="phone")
    handler = journey.ticket.handler or ""
    journey.act(handler, "reply", text="会员享受免运费。")
    assert journey.channel_of("reply") == "phone"
    journey.act(handler, "feedback-given", feedback_channel="电话", feedback_result="客户已知悉")
    assert journey.ticket.facts["feedback_result"] == "客户已知悉"
    journey.file("请问优惠券怎么用", preferred_channel="sms")
    journey.act(journey.ticket.handler or "", "reply", text="结算时选择即可。")
    assert journey.channel_of("reply") == "sms"


@pytest.mark.requirement("B12")
def test_the_desk_opens_its_own_tickets(journey: SimulatedJourney) -> None:
    """The customer hears of the call and is not thanked for a request; no answer is due."""
    journey.online("kf-1")
    journey.enter("kf-1", "续费提醒：会员下月到期", type="D", channel="phone")
    ticket = journey.ticket
    assert (ticket.type, ticket.tags, ticket.team) == ("D", ("D-续费提醒",), "客服专员")
    assert journey.messages_to("customer") == ["proactive"]
    assert "first_response" not in ticket.timers
    assert "续费" in journey.view()["suggestion"]["text"]
    journey.act("kf-1", "proactive-contact", contact_result="已接通", contact_note="同意续费")
    journey.act("kf-1", "resolve", summary="客户同意续费")
    journey.act_as_customer("survey", score="基本满意")
    assert journey.status()["status"] == "archived"


@pytest.mark.requirement("B12", "G4")
def test_a_stranger_cannot_send_words_under_the_desk_s_name(journey: SimulatedJourney) -> None:
    """Only agents open proactive tickets, and no other message repeats what a form contains."""
    bait = "续费提醒：账户异常，请登录 evil.example 验证"
    body = {"contact": "13812345678", "description": bait}
    path = f"/desks/{journey.desk}/tickets"
    refused = journey.http("POST", path, {**body, "type": "D"})
    assert refused.status == 400
    (error,) = refused.json["errors"]
    assert error == {"field": "type", "message": "请填写其中之一：信息咨询、功能故障、投诉建议"}
    journey.file(**{**body, "name": bait, "order": bait})
    assert not [text for _, text in moto_internals.sent_texts() if "evil.example" in text]
    assert moto_internals.sent_texts()


@pytest.mark.requirement("B9")
def test_a_second_handling_without_a_senior_goes_to_the_supervisors(
    journey: SimulatedJourney,
) -> None:
    """Never to the same agent again."""
    journey.online("kf-1", "kf-2")
    journey.file("请问产品政策")
    handler = journey.ticket.handler
    assert handler is not None
    journey.act(handler, "reply", text="请看说明。")
    journey.act(handler, "resolve", summary="已答复")
    journey.act_as_customer("survey", score="不满意", comment="没有回答我的问题")
    assert (journey.ticket.queue, journey.ticket.handler) == ("supervisor", None)
    assert "没有回答我的问题" in journey.message_text("supervisor", "second_handling")
    journey.act("zg-1", "take")
    journey.act("zg-1", "resolve", summary="已逐条答复")
    journey.act_as_customer("survey", score="满意")
    assert journey.status()["status"] == "archived"
