"""Tasks beside one's own tickets: call-backs, calls, slips, reviews, approvals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.core.domain.errors import PlaybookError
from functions.core.domain.roster import Agent, Role
from functions.core.playbook import load
from functions.core.storage.idempotency import Idempotency
from functions.core.storage.items import ended_task_item, task_item
from infra.console.verification import Verification
from tests import moto_internals
from tests.inprocess import conftest
from tests.inprocess.desk_journey import SimulatedJourney, deployed
from tests.inprocess.test_aftersales import FRIDGE, tomorrow_at

pytestmark = pytest.mark.requirement("A13", "B6", "B8", "D4", "D9", "D13", "E3", "E5")
PHONE = "+8613812345678"
WHY = "需要致电客户"
TEAMS: dict[str, dict[str, str]] = {
    "standard": {"li-1": "技术支持组", "li-2": "技术支持组", "zj-1": "质检组", "zj-2": "质检组"},
    "omnichannel": {"kf-1": "客服专员", "kf-2": "客服专员", "js-1": "技术支持", "cp-1": "产品经理"},
    "rapid": {"kx-1": "快速响应组", "cc-1": "仓储物流部", "cw-1": "财务结算部"},
    "aftersales": {
        "wx-1": "维修工程师组",
        "kf-1": "客服组",
        "kf-2": "客服组",
        "cc-1": "仓储组",
        "zj-1": "质检组",
    },
}
LEADS = {"omnichannel": "客服主管"}


def member(desk: str, username: str, team: str, **more: Any) -> Agent:
    roles: dict[str, Role] = {"zg": "supervisor", "zj": "qa"}
    role = roles.get(username.partition("-")[0], "agent")
    return Agent(desk=desk, username=username, role=role, team=team, capacity=5, **more)


@contextmanager
def desk(name: str, **emails: str) -> Iterator[SimulatedJourney]:
    """A desk with one supervisor; `emails` gives people addresses of their own."""
    people = {**TEAMS[name], "zg-1": LEADS.get(name, "主管组")}
    roster = [
        member(name, who, team, email=emails.get(who.replace("-", "_"), ""), display_name="")
        for who, team in people.items()
    ]
    with deployed(name, roster) as journey:
        yield journey
        assert list(_verification(journey).broken_invariants()) == []


def _verification(journey: SimulatedJourney) -> Verification:
    return Verification(journey.storage, datetime.now(UTC), lambda: None)


def tasks(journey: SimulatedJourney, who: str, queue: str = "tasks") -> list[str]:
    """The kinds of tasks on the tickets in somebody's queue; `-` for a ticket without one."""
    found = journey.queue(who, queue)
    return [kind for t in found for kind in [x["kind"] for x in t["tasks"]] or ["-"]]


def mails() -> list[Any]:
    return moto_internals.sent_mails(conftest.DEPLOYMENT.account, conftest.DEPLOYMENT.region)


def addresses() -> list[str]:
    return [address for mail in mails() for address in mail.destinations]


def opened(journey: SimulatedJourney, who: str, status: int) -> Any:
    answer = journey.try_action(who, "open-contact", reason=WHY)
    assert answer.status == status, answer.text
    return answer.json


@pytest.mark.requirement("A13", "G4")
def test_a_call_back_has_an_assignee_who_is_told_and_can_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """QA, then the reviewer alone; the badly rated handler only if a supervisor insists."""
    with desk("standard", zj_2="zj-2@people.example") as journey:
        journey.online("li-1")
        journey.file("无法登录")
        journey.act("li-1", "resolve", summary="已处理")
        journey.act_as_customer("survey", score=1, comment="态度差")
        assert [tasks(journey, who) for who in ("zj-1", "zj-2", "li-1")] == [
            ["callback"], ["callback"], [],
        ]  # fmt: skip
        opened(journey, "li-1", 403)

        assert tasks(journey, "zj-2", "mine") == []
        refused = journey.try_action("zj-1", "assign", agent="li-1")
        assert (refused.status, "处理过" in refused.json["errors"][0]["message"]) == (400, True)
        assert journey.try_action("zj-1", "assign", agent="li-1", insist=True).status == 403
        journey.act("zg-1", "assign", agent="li-1", insist=True)
        assert tasks(journey, "li-1") == ["callback"]
        journey.act("zj-1", "assign", agent="zj-2")
        assert [tasks(journey, who) for who in ("zj-1", "zj-2", "li-1")] == [[], ["callback"], []]
        assert tasks(journey, "zj-2", "mine") == ["callback"]
        assert addresses()[-1] == "zj-2@people.example"  # QA without an address: the team's mailbox
        assert journey.ticket.tasks[0].due_at == journey.due("review")

        opened(journey, "zj-1", 403)
        answer = opened(journey, "zj-2", 200)
        assert answer["contact"] == PHONE
        shown = datetime.fromisoformat(answer["shown_until"]) - journey.ticket.updated_at
        assert timedelta(seconds=59) < shown <= timedelta(seconds=60)
        (act,) = [x for x in journey.view()["timeline"] if x["event"] == "ContactOpened"]
        assert (act["actor"], act["details"]) == ("zj-2", {"reason": WHY})
        told = [text for text in journey.responses if PHONE in text]
        assert len(told) == 1
        table = boto3.client("dynamodb").scan(TableName=conftest.DEPLOYMENT.table)["Items"]
        assert PHONE not in repr(table)
        with monkeypatch.context() as used:
            used.setattr(Idempotency, "put_once", lambda *_: False)
            opened(journey, "zj-2", 409)

        journey.act("zj-2", "callback", cause="首次响应太慢")
        assert [tasks(journey, who) for who in ("zj-2", "zg-1")] == [[], []]
        opened(journey, "zj-2", 403)


@pytest.mark.requirement("B8")
@pytest.mark.parametrize("name", TEAMS)
@pytest.mark.parametrize("contact", ["010-62345678", "+1 415 555 2671"])
def test_a_customer_whose_number_gets_no_text_messages_is_called(name: str, contact: str) -> None:
    """As one who prefers it; the answer counts, and is as long as it needs, when it is told."""
    with desk(name) as journey:
        journey.file("请问保修期是多久？", contact=contact)
        journey.act("zg-1", "take")
        assert journey.view()["sms"] is None
        journey.act("zg-1", "reply", text="保修期一年。" * 60)
        reply = _reply(journey)
        assert (reply["channel"], reply["delivery"]) == ("phone", "waiting")
        assert "call" in tasks(journey, "zg-1")
        assert journey.status()["first_response_at"] is None
        journey.act("zg-1", "record-call", outcome="客户已了解")
        assert _reply(journey)["delivery"] == "sent"
        assert journey.status()["first_response_at"] is not None


@pytest.mark.requirement("B8")
@pytest.mark.parametrize("by", ["record-call", "feedback-given"])
def test_a_customer_who_prefers_calls_is_called(by: str) -> None:
    """Nothing is sent until the call is on record; no mail has the number, the text no link."""
    with desk("omnichannel", kf_1="kf-1@people.example") as journey:
        journey.online("kf-1")
        journey.file("请问会员权益有哪些", preferred_channel="phone")
        assert journey.channel_of("assigned") == "sms"  # nobody is called about that
        assert tasks(journey, "kf-1") == []
        journey.act("kf-1", "reply", text="会员享受免运费。")
        assert tasks(journey, "kf-1") == tasks(journey, "kf-1", "mine") == ["call"]
        assert "record-call" in journey.queue("kf-1", "tasks")[0]["actions"]
        assert tasks(journey, "kf-2") == []
        assert journey.timer("first_response")["state"] == "running"
        assert journey.status()["first_response_at"] is None
        reply = _reply(journey)
        assert (reply["channel"], reply["delivery"]) == ("phone", "waiting")
        spoken = next(d.text for d in journey._deliveries() if d.channel == "phone")
        assert "会员享受免运费。" in spoken
        assert "http" not in spoken
        assert addresses()[-1] == "kf-1@people.example"
        assert not [mail for mail in mails() if "13812345678" in repr(mail.raw_data)]
        opened(journey, "kf-2", 403)
        assert opened(journey, "kf-1", 200)["contact"] == PHONE

        if by == "record-call":
            journey.act("kf-1", by, outcome="无人接听", reached=False)
        else:
            journey.act("kf-1", by, feedback_channel="电话", feedback_result="未接通")
        assert tasks(journey, "kf-1") == ["call"]
        assert _reply(journey)["delivery"] == "waiting"
        journey.act("zg-1", "assign", agent="kf-2")  # the call goes with the ticket
        assert [tasks(journey, who) for who in ("kf-1", "kf-2")] == [[], ["call"]]
        if by == "record-call":
            journey.act("kf-2", by, outcome="客户已了解")
        else:
            journey.act("kf-2", by, feedback_channel="电话", feedback_result="客户已知悉")
        assert tasks(journey, "kf-2") == []
        assert _reply(journey)["delivery"] == "sent"
        assert journey.timer("first_response")["state"] == "met"
        assert journey.status()["first_response_at"] is not None
        assert journey.view()["records"][-1]["event"] == "CallRecorded"
        assert journey.try_action("kf-2", "record-call", outcome="x").status in {403, 409}


@pytest.mark.requirement("B8", "E3", "G4")
@pytest.mark.parametrize(
    ("name", "who", "filed", "before", "after"),
    [
        ("omnichannel", "kf-1", {}, 200, 403),
        ("omnichannel", "kf-1", {"preferred_channel": "phone"}, 200, 200),
        ("omnichannel", "kf-1", {"contact": "han@example.com"}, 403, 403),
        ("rapid", "kx-1", {}, 200, 403),
        ("rapid", "kx-1", {"contact": "han@example.com"}, 403, 403),
        ("standard", "li-1", {}, 403, 403),  # no step of this desk is a call
    ],
)
def test_the_number_is_open_to_whoever_has_to_call(
    name: str, who: str, filed: dict[str, str], before: int, after: int
) -> None:
    """The handler until the first response, later for what waits for a call; nobody for a mail."""
    with desk(name) as journey:
        journey.online(who)
        journey.file("请问发票怎么开？", **filed)
        journey.act("zg-1", "assign", agent=who)
        for status in (before, after):
            opened(journey, who, status)
            assert ("open-contact" in journey.view(who)["actions"]) is (status == 200)
            journey.act(who, "reply", text="请在“我的订单”中申请。")
        if filed.get("preferred_channel"):
            journey.act(who, "record-call", outcome="客户已了解")
            opened(journey, who, 403)


def _reply(journey: SimulatedJourney) -> Any:
    (reply,) = [m for m in journey.view()["messages"] if m["event"] == "ReplySent"]
    return reply


@pytest.mark.requirement("E3", "E5")
def test_a_slip_is_the_department_s_until_it_answers_even_late() -> None:
    """After an hour it is with a supervisor, who keeps it; the answer still counts and is told."""
    with desk("rapid") as journey:
        journey.online("kx-1")
        journey.file("我的快递到哪了")
        assert opened(journey, "kx-1", 200)["contact"] == PHONE  # the step `contact` is a call
        slip = {"problem": "包裹停滞", "feedback": "一小时内", "owner": "仓储物流部"}
        wanted = (journey.ticket.received_at + timedelta(hours=2)).isoformat()
        journey.act("kx-1", "collaborate", needed_by=wanted, **slip)
        assert [tasks(journey, who) for who in ("cc-1", "cw-1", "kx-1")] == [["slip"], [], []]
        for other in ("cw-1", "kx-1"):
            refused = journey.try_action(other, "collaboration-answer", answer="x")
            assert (refused.status, "被请求" in refused.json["detail"]) == (403, True)
        due = journey.due("collaboration")
        (task,) = journey.queue("cc-1", "tasks")[0]["tasks"]
        assert datetime.fromisoformat(task["due_at"]) == due
        journey.tick(due)
        assert (journey.ticket.queue, tasks(journey, "cc-1")) == ("supervisor", ["slip"])
        journey.act("zg-1", "take")
        journey.act("zg-1", "request-info", text="请问包裹外箱有破损吗？")
        journey.act("cc-1", "collaboration-answer", answer="已联系承运方，明早送达")
        ticket = journey.ticket
        assert (ticket.handler, ticket.status, ticket.slips) == ("zg-1", "awaiting_customer", ())
        assert journey.messages_to("handler")[-1] == "collaboration_answered"
        assert tasks(journey, "cc-1") == []
        assert journey.try_action("cc-1", "collaboration-answer", answer="x").status in {403, 409}


@pytest.mark.requirement("B6")
def test_two_slips_to_one_department_have_one_answer() -> None:
    with desk("omnichannel") as journey:
        journey.online("js-1")
        journey.file("支付失败导致订单取消")
        handler = journey.ticket.handler or ""
        ask = {"request_to_department": "核对", "department_contact": "周经理"}
        journey.act(handler, "copy-in", handover_point="对账后", **ask)
        journey.act(handler, "hand-over", handover_state="对账完成")
        assert tasks(journey, "cp-1") == ["slip"]
        assert journey.try_action(handler, "department-answer", department_answer="x").status == 403
        journey.act("cp-1", "department-answer", department_answer="原路退回")
        assert (journey.ticket.status, tasks(journey, "cp-1")) == ("in_progress", [])


@pytest.mark.requirement("D4", "D9", "D13")
def test_reviews_parts_and_call_backs_of_a_repair_are_found_by_their_teams() -> None:
    with desk("aftersales") as journey:
        journey.file("冰箱不制冷", channel="app", product=FRIDGE)
        assert (tasks(journey, "kf-1"), tasks(journey, "wx-1")) == (["review"], [])
        journey.tick(journey.due("review"))
        assert tasks(journey, "kf-2") == ["review"]  # overdue is not done
        complete = {"product_line": "冰箱", "warranty": "保修期内", "symptoms": "不制冷"}
        journey.act("kf-1", "complete", **complete)
        assert tasks(journey, "kf-1") == []
        journey.act("zg-1", "assign", agent="wx-1")
        journey.act("wx-1", "accept")
        journey.act("wx-1", "await-parts", expected_at=tomorrow_at(18))
        assert (tasks(journey, "cc-1"), tasks(journey, "wx-1")) == (["slip"], [])
        assert journey.try_action("wx-1", "parts-arrived").status == 403
        journey.act("cc-1", "parts-arrived")
        assert journey.messages_to("handler")[-1] == "warehouse_answered"
        assert tasks(journey, "cc-1") == []
        journey.act("wx-1", "resolve", summary="已更换压缩机")
        journey.act_as_customer("confirmation", solved=True)
        assert [tasks(journey, who) for who in ("kf-1", "wx-1")] == [["callback"], []]
        opened(journey, "wx-1", 403)
        assert opened(journey, "kf-2", 200)["contact"] == PHONE
        journey.act("zg-1", "assign", agent="kf-2")
        assert [tasks(journey, who) for who in ("kf-1", "kf-2")] == [[], ["callback"]]
        assert journey.messages_to("reviewer") == ["review_assigned"]
        journey.act("kf-2", "callback", cause="客户满意")
        assert tasks(journey, "kf-2") == []


@pytest.mark.requirement("A13", "D13")
def test_nobody_of_the_team_calls_back_about_their_own_work() -> None:
    with desk("aftersales") as journey:
        journey.online("kf-1")
        journey.file("请问保修期是多久？")
        journey.act("kf-1", "resolve", summary="保修期一年")
        journey.act_as_customer("survey", score="不满意", comment="没有说清楚")
        journey.act_as_customer("confirmation", solved=True)
        assert [tasks(journey, who) for who in ("kf-1", "kf-2")] == [[], ["callback"]]
        assert "callback" not in journey.view("kf-1")["actions"]
        assert journey.try_action("kf-1", "callback", cause="客户满意").status == 403
        opened(journey, "kf-1", 403)
        journey.act("zg-1", "assign", agent="kf-1", insist=True)
        assert [tasks(journey, who) for who in ("kf-1", "kf-2")] == [["callback"], []]
        opened(journey, "kf-1", 200)
        journey.act("kf-1", "callback", cause="已说明")


@pytest.mark.requirement("A8", "C9")
def test_what_concerns_one_person_goes_to_that_person_once() -> None:
    """Without an address of their own: the team's mailbox, with the name."""
    with desk("standard", li_1="li-1@people.example") as journey:
        journey.online("li-1")
        journey.file("无法登录")
        assert addresses()[-1] == "li-1@people.example"
        journey.act("zg-1", "assign", agent="li-2")
        assert addresses()[-1] == "tech@standard.local"
        assert "致 li-2：" in json.dumps(_parts(mails()[-1]), ensure_ascii=False)
        journey.file("系统崩溃，业务全部中断", urgency="高")
        journey.act("zg-1", "take")  # the supervisors' mailbox is the handler's, too
        journey.tick(journey.due("resolution"))
        overdue = [d for d in journey._deliveries() if d.message == "resolution_overdue"]
        assert [d.recipient for d in overdue] == ["handler"]


def _parts(mail: Any) -> list[str]:
    from email import message_from_string, policy

    message: Any = message_from_string(str(mail.raw_data), policy=policy.default)
    return [part.get_content() for part in message.walk() if not part.is_multipart()]


@pytest.mark.requirement("G11")
@pytest.mark.parametrize(
    ("kind", "listed", "problem"),
    [("review", False, "is to be done, but nobody finds it"), ("slip", True, "is done")],
)
def test_verify_finds_tasks_that_are_lost_or_left_over(
    kind: str, listed: bool, problem: str
) -> None:
    with desk("aftersales") as journey:
        journey.file("冰箱不制冷", channel="app", product=FRIDGE)
        table, ticket = journey.storage.table, journey.ticket
        task = ticket.tasks[0].model_copy(update={"kind": kind})
        wrong, right = task_item(ticket, task), ended_task_item(ticket, task)
        if not listed:
            wrong, right = right, wrong
        table.client.put_item(TableName=table.name, Item=wrong)
        found = list(_verification(journey).broken_invariants())
        assert [line.partition(": ")[2] for line in found] == [f"{wrong['sk']['S']}: {problem}"]
        table.client.put_item(TableName=table.name, Item=right)


@pytest.mark.requirement("E5", "D4")
@pytest.mark.parametrize(
    ("at", "value", "problem"),
    [
        (("steps", "collaborate", "asks"), "handler", "expected 'team:' with a team, or 'field:'"),
        (("steps", "collaborate", "asks"), "team:门卫", "there is no '门卫'"),
        (("steps", "collaboration-answer", "answers"), "ask", "there is no 'ask'"),
        (("timers", "collaboration", "task"), "handler", "expected 'team:' with a team"),
        (("timers", "collaboration", "task"), "team:门卫", "there is no '门卫'"),
    ],
)
def test_a_playbook_with_a_slip_to_nobody_is_refused(
    at: tuple[str, str, str], value: str, problem: str
) -> None:
    document = conftest.shipped(conftest.ROOT / "playbooks" / "rapid.yaml").model_dump(mode="json")
    document[at[0]][at[1]][at[2]] = value
    with pytest.raises(PlaybookError, match=problem):
        load(document)
