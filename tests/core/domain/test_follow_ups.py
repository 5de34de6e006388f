"""Later messages are classified like first ones, and read before they act after a resolution."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.lifecycle import decide
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Attachment, Status, Ticket
from functions.core.playbook import load
from functions.core.services.composing import compose, notifications_for
from tests.core.sample_desk import NOON, committed, received, then
from tests.examples import examples


@cache
def desk(name: str) -> Playbook:
    return load(Path(__file__).parents[3] / "playbooks" / f"{name}.yaml")


def opened(name: str, text: str) -> Ticket:
    """Return a ticket in the hands of an agent."""
    playbook = desk(name)
    ticket = received(
        playbook,
        description=text,
        type=playbook.default_type,
        priority=playbook.default_priority,
        type_given=False,
        urgency=None,
    )
    return then(ticket, c.Take(playbook.routing[-1].team, "agent-1"), playbook)


def resolved(name: str) -> Ticket:
    return then(opened(name, "请问怎么用"), c.Resolve("已说明"), desk(name))


def writes(
    ticket: Ticket, name: str, text: str, **message: Any
) -> tuple[Ticket, list[str], list[tuple[str, str]]]:
    """Return the ticket after a message, the names of the events, and who is told what."""
    command = c.CustomerMessage(text, "mail", **message)
    events = decide(ticket, command, desk(name), NOON)
    commit = committed(ticket, events, NOON)
    after = then(ticket, command, desk(name))
    told = [(n.recipient, n.message) for n in notifications_for(commit, after, desk(name))]
    return after, [event.event for event in events if event.event != "TimersSet"], told


RISES = [
    ("aftersales", "现在冒烟了，有焦味", "紧急", "维修", ("customer", "safety_advice")),
    ("rapid", "投诉！我的钱被盗刷了，气死我了", "紧急", "投诉", ("customer", "comfort")),
    ("omnichannel", "我被多扣了两万元，太差劲了", "P1", "G", ("customer", "comfort")),
    ("standard", "我的账号被盗了", "高", "报障", ("supervisor", "supervisor_urgent")),
]


@pytest.mark.requirement("B4", "D5", "E3", "E9")
@pytest.mark.parametrize(("name", "text", "priority", "kind", "message"), RISES)
def test_a_message_raises_an_open_ticket_once(
    name: str, text: str, priority: str, kind: str, message: tuple[str, str]
) -> None:
    """Deadlines follow; supervisors and the customer are told; another type is only proposed."""
    before = opened(name, "请问你们几点上班")
    after, events, told = writes(before, name, text)
    assert events == ["CustomerWrote", "FollowUpClassified", "PriorityChanged"]
    assert (after.priority, after.type, after.proposed_type) == (priority, before.type, kind)
    assert message in told
    assert ("supervisor", "supervisor_urgent") in told
    first, later = (ticket.timers["first_response"].due_at for ticket in (before, after))
    assert first is not None
    assert later is not None
    assert later < first
    again, events, told = writes(after, name, text)
    assert events == ["CustomerWrote"]
    assert told == [("handler", "handler_customer_wrote")]
    assert again.priority == priority


@pytest.mark.requirement("A7", "E3")
def test_an_agent_who_raises_the_priority_causes_the_same() -> None:
    ticket, playbook = opened("rapid", "请问怎么用"), desk("rapid")
    events = decide(ticket, c.SetPriority("紧急"), playbook, NOON)
    after = then(ticket, c.SetPriority("紧急"), playbook)
    (told,) = notifications_for(committed(ticket, events, NOON), after, playbook)
    assert (told.recipient, told.message) == ("supervisor", "supervisor_urgent")
    back = then(after, c.SetPriority("中"), playbook)
    events = decide(back, c.SetPriority("紧急"), playbook, NOON)
    twice = then(back, c.SetPriority("紧急"), playbook)
    assert notifications_for(committed(back, events, NOON), twice, playbook) == ()
    _, _, news = writes(back, "rapid", "支付失败导致订单取消")  # the customer's news is told
    assert ("supervisor", "supervisor_urgent") in news


@pytest.mark.requirement("A6", "E3")
def test_a_message_lowers_nothing_and_an_agents_decision_stays() -> None:
    playbook = desk("omnichannel")
    ticket = then(opened("omnichannel", "支付失败"), c.SetPriority("P3"), playbook)
    after, events, _ = writes(ticket, "omnichannel", "好的，请问还要多久")
    assert (events, after.priority) == (["CustomerWrote"], "P3")
    urgent = opened("rapid", "系统瘫痪")
    after, _, _ = writes(urgent, "rapid", "建议你们增加一个功能")
    assert (after.type, after.priority) == ("技术支持", "紧急")


@pytest.mark.requirement("A6")
def test_a_proposed_type_is_accepted_or_refused() -> None:
    ticket, _, _ = writes(opened("standard", "请问你们几点上班"), "standard", "支付失败了")
    assert ticket.proposed_type == "报障"
    for kind in ("报障", "咨询"):
        after = then(ticket, c.ConfirmType(kind), desk("standard"))
        assert (after.type, after.proposed_type) == (kind, None)
        assert (after.status, after.handler) == ("assigned", "agent-1")


ENDS = examples(__file__)["ends"]


@pytest.mark.requirement("A13", "B9", "C10", "D13", "E7")
@pytest.mark.parametrize(("name", "text", "status", "score", "caused"), ENDS)
def test_a_message_after_a_resolution_is_read_before_it_acts(
    name: str, text: str, status: str, score: int | None, caused: list[str]
) -> None:
    after, events, told = writes(resolved(name), name, text)
    assert (after.status, after.score) == (status, score)
    assert events[: len(caused) + 1] == ["CustomerWrote", *caused]
    assert ("handler", "handler_customer_wrote") in told
    assert caused or len(events) == 1


DANGERS = [
    ("standard", "手机冒烟了，有焦味", "高"), ("standard", "谢谢，又冒烟了", "高"),
    ("standard", "5分，不过账号被盗刷了", "高"), ("rapid", "我的账户被盗刷了两万元", "紧急"),
    ("omnichannel", "充电器起火了", "P1"), ("aftersales", "好的，漏电了", "紧急"),
]  # fmt: skip


@pytest.mark.requirement("A13", "B4", "D5", "E3")
@pytest.mark.parametrize("status", ["solved", "in_review", "archived", "closed"])
@pytest.mark.parametrize(("name", "text", "priority"), DANGERS)
def test_a_danger_reopens_a_ticket_and_alarms_once(
    name: str, text: str, priority: str, status: str
) -> None:
    """However the message begins, and however long ago the ticket ended."""
    before = resolved(name)
    if status != "solved":
        ended = NOON - timedelta(days=60)
        before = before.changed(status=cast(Status, status), archived_at=ended, score=3)
    after, events, told = writes(before, name, text)
    assert (after.status, after.priority) == ("queued", priority)
    assert {"TicketReopened", "FollowUpClassified", "PriorityChanged"} <= set(events)
    assert ("supervisor", "supervisor_urgent") in told
    safety = any("安全隐患" in tag for tag in after.tags)
    assert (("customer", "safety_advice") in told) is safety
    again = then(after, c.Take(after.team or "", "agent-2"), desk(name))
    again = then(again, c.Resolve("再次处理"), desk(name))
    back, events, told = writes(again, name, text)
    assert back.status == "queued"
    assert not {"FollowUpClassified", "PriorityChanged"} & set(events)
    assert ("customer", "safety_advice") not in told


@pytest.mark.requirement("A6", "E3")
def test_a_danger_is_told_while_the_type_is_being_confirmed() -> None:
    playbook = desk("standard")
    new = received(playbook, description="功能异常", type="咨询", priority="中", type_given=False)
    asked = then(new, c.AskConfirmation("技术支持组", "?"), playbook)
    after, _, told = writes(asked, "standard", "现在冒烟了")
    assert (after.status, after.priority) == ("pending_confirmation", "高")
    assert ("supervisor", "supervisor_urgent") in told


WAITS = [
    ("谢谢！", False), ("好的，我晚上看看", False), ("OK, I'll check tonight", False),
    ("收到，稍后发您", False), ("好的，明天上午", True), ("已经好了", True), ("订单号是A123", True),
    ("还是不行", True), ("看看截图", True),
]  # fmt: skip


@pytest.mark.requirement("A11")
@pytest.mark.parametrize(("text", "answers"), WAITS)
def test_only_an_answer_ends_the_wait_for_the_customer(text: str, *, answers: bool) -> None:
    asked = then(opened("standard", "无法登录"), c.RequestInformation("订单号？"), desk("standard"))
    after, events, told = writes(asked, "standard", text)
    assert (after.status == "in_progress") is ("InformationReceived" in events) is answers
    assert ("handler", "handler_customer_wrote") in told
    file = Attachment(name="a.png", content_type="image/png", size=1, key="k")
    shown, _, _ = writes(asked, "standard", text, attachments=(file,))
    assert shown.status == "in_progress"


@pytest.mark.requirement("A13")
def test_thanks_never_erase_a_score_and_a_review_keeps_its_call_back() -> None:
    """QA reads what comes during its review; only a problem that is back reopens the ticket."""
    scored, _, _ = writes(resolved("standard"), "standard", "5分")
    thanked, _, _ = writes(scored, "standard", "谢谢")
    assert (thanked.status, thanked.score) == ("archived", 5)
    review, _, _ = writes(resolved("standard"), "standard", "2分，太慢了")
    kept, _, told = writes(review, "standard", "另外请问发票怎么开")
    assert (kept.status, kept.score) == ("in_review", 2)
    assert ("qa", "handler_customer_wrote") in told
    back, _, _ = writes(kept, "standard", "问题又出现了")
    assert back.status == "queued"


@pytest.mark.requirement("A13", "G3")
@pytest.mark.parametrize(
    "mark", [{"proven": False}, {"by_submitter": True}, {"stranger": True}, {"by_another": "l***"}]
)
def test_only_the_proven_customer_scores_or_confirms(mark: dict[str, Any]) -> None:
    after, events, _ = writes(resolved("standard"), "standard", "5分", **mark)
    assert (after.score, events) == (None, ["CustomerWrote"])
    waiting, _, _ = writes(resolved("aftersales"), "aftersales", "好了", **mark)
    assert waiting.status == "awaiting_confirmation"


@pytest.mark.requirement("B9", "D13", "E7")
@pytest.mark.parametrize("name", ["standard", "omnichannel", "aftersales", "rapid", "assisted"])
def test_a_poor_answer_without_words_leads_to_one_question(name: str) -> None:
    """It replaces the message about the reopening."""
    playbook, ticket = desk(name), resolved(name)
    answer = c.Confirm(solved=False)
    events = decide(ticket, answer, playbook, NOON)
    after = then(ticket, answer, playbook)
    told = notifications_for(committed(ticket, events, NOON), after, playbook)
    assert [n.message for n in told if n.recipient == "customer"] == ["ask_reason"]
    assert after.status == "queued"
    worded = decide(ticket, c.Confirm(solved=False, reason="还在漏水"), playbook, NOON)
    assert not any(isinstance(event, e.ReasonAsked) for event in worded)
    taken = then(after, c.Take(after.team or "", "agent-2"), playbook)
    again = then(taken, c.Resolve("再次处理"), playbook)
    assert "ReasonAsked" not in {x.event for x in decide(again, answer, playbook, NOON)}


@pytest.mark.requirement("A13", "D13")
@pytest.mark.parametrize(("name", "status"), [("standard", "in_review"), ("aftersales", None)])
def test_a_poor_score_promises_no_handling_that_does_not_follow(
    name: str, status: str | None
) -> None:
    """A call-back follows, or the confirmation decides."""
    playbook, ticket = desk(name), resolved(name)
    events = decide(ticket, c.AnswerSurvey(1), playbook, NOON)
    after, commit = then(ticket, c.AnswerSurvey(1), playbook), committed(ticket, events, NOON)
    assert after.status == (status or "awaiting_confirmation")
    (asks,) = (n for n in notifications_for(commit, after, playbook) if n.message == "ask_reason")
    for locale, word, promise in (("zh-CN", "满意", "继续处理"), ("en", "rating", "go on")):
        ticket = after.model_copy(update={"locale": locale})
        found = compose(asks, commit, ticket, playbook, status_url="https://x", short_url="x")
        for text in (found.text, found.sms):
            assert word in text
            assert promise not in text
        assert "解决" not in found.subject


@pytest.mark.requirement("A14")
def test_a_closed_ticket_without_a_handler_reopens_for_what_nobody_would_read() -> None:
    playbook = desk("standard")
    closed = then(received(playbook, description="你好"), c.Close("无效"), playbook)
    assert writes(closed, "standard", "我晚上看看")[0].status == "queued"
    assert writes(closed, "standard", "谢谢")[0].status == "closed"
    merged = closed.changed(status="merged")
    with pytest.raises(ActionNotAllowed):
        writes(merged, "standard", "谢谢")
