"""Effects of a desk's steps, recurring deadlines, and unclear requests."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c, events as e
from functions.core.domain.classification import classify
from functions.core.domain.errors import InvalidInput, PlaybookError
from functions.core.domain.lifecycle import apply, decide
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.playbook import load
from functions.core.services.suggesting import suggest
from tests.core.sample_desk import DESK, NOON, both, committed, request


def desk(**changes: Any) -> Playbook:
    statuses = {**DESK["statuses"], "awaiting_department": {"label": both("协同中")}}
    return load({**DESK, "statuses": statuses, **changes})


def ticket_after(playbook: Playbook, *commands: c.Command, at: Any = NOON) -> Ticket:
    """Return an assigned ticket after these commands."""
    opened = request(type="inquiry", priority="medium", description="帮我看看", order="A-1024")
    ticket: Ticket | None = None
    assign = c.Assign("general", "zx-1", by_person=True)
    for command in (c.Receive("CS1", opened), assign, *commands):
        events = decide(ticket, command, playbook, at)
        ticket = apply(ticket, committed(ticket, events, at, "CS1"))
    assert ticket is not None
    return ticket


ESCALATE: dict[str, Any] = {
    "escalate": {
        "label": both("升级"),
        "source": ["assigned", "in_progress"],
        "fields": {"why": {"label": both("原因"), "customer_sees": True}},
        "then": {"priority": "high", "add_tags": "login"},
    },
    "phone": {
        "label": both("电话联系"),
        "source": "assigned",
        "to": "in_progress",
        "responds": True,
        "then": {"priority": "low"},
    },
}
UPDATES = {
    "customer_update": {
        "start": ["step:escalate", "ReplySent"],
        "when": {"tags": "login"},
        "stop": "TicketResolved",
        "within": "2h",
        "appointment": True,
        "on_breach": {"repeat_every": "2h"},
    }
}


@pytest.mark.requirement("E6")
def test_a_step_changes_the_classification_and_its_timers() -> None:
    """An escalated complaint is more urgent, and its update is due."""
    playbook = desk(steps=ESCALATE, timers={**DESK["timers"], **UPDATES})
    assert "customer_update" not in ticket_after(playbook, c.Reply("您好")).timers
    ticket = ticket_after(playbook, c.TakeStep("escalate", {"why": "要求赔偿"}))
    assert (ticket.priority, ticket.tags) == ("high", ("login",))
    assert ticket.timers["customer_update"].due_at == NOON + timedelta(hours=2)
    assert ticket.timers["first_response"].due_at == NOON + timedelta(hours=2)


def test_the_record_has_a_step_s_classification_once() -> None:
    playbook = desk(steps=ESCALATE)
    taken = c.TakeStep("escalate", {"why": "要求赔偿"})
    ticket = ticket_after(playbook)
    first = decide(ticket, taken, playbook, NOON)
    assert [x.rules for x in first if isinstance(x, e.TicketClassified)] == [("step:escalate",)]
    again = decide(ticket_after(playbook, taken), taken, playbook, NOON)
    assert not [x for x in again if isinstance(x, e.TicketClassified)]


@pytest.mark.requirement("E3")
def test_a_step_can_count_as_the_first_response() -> None:
    """Contact by telephone counts like a reply."""
    ticket = ticket_after(desk(steps=ESCALATE), c.TakeStep("phone", {}))
    assert ticket.first_response_at == NOON
    assert (ticket.status, ticket.priority) == ("in_progress", "medium")


@pytest.mark.requirement("E6")
def test_a_recurring_update_repeats_without_a_breach_until_stopped() -> None:
    """Every two hours; a reply restarts the two hours."""
    playbook = desk(steps=ESCALATE, timers=UPDATES)
    ticket = ticket_after(playbook, c.TakeStep("escalate", {"why": "要求赔偿"}))
    for hours in (2, 4):
        now = NOON + timedelta(hours=hours)
        events = decide(ticket, c.Tick(), playbook, now)
        rung = [x for x in events if isinstance(x, e.TimerBreached)]
        assert [(x.kind, x.due_at) for x in rung if x.kind == "customer_update"] == [
            ("customer_update", now)
        ]
        ticket = apply(ticket, committed(ticket, events, now))
        timer = ticket.timers["customer_update"]
        assert (timer.state, timer.due_at) == ("running", now + timedelta(hours=2))
    solved = decide(ticket, c.Resolve("已赔付"), playbook, NOON + timedelta(hours=5))
    (timers,) = (x.timers for x in solved if isinstance(x, e.TimersSet))
    assert timers["customer_update"].state == "met"


def test_an_update_that_does_not_repeat_ends_as_met() -> None:
    rule = {"start": "TicketReceived", "stop": "TicketResolved", "within": "3m"}
    playbook = desk(timers={"satisfaction": {**rule, "appointment": True}})
    ticket = ticket_after(playbook)
    events = decide(ticket, c.Tick(), playbook, NOON + timedelta(minutes=3))
    (timers,) = (x.timers for x in events if isinstance(x, e.TimersSet))
    assert (timers["satisfaction"].state, timers["satisfaction"].wakes_at) == ("met", None)


@pytest.mark.requirement("E6", "E10")
def test_a_reply_is_allowed_while_a_department_works() -> None:
    wait = {"ask": {"label": both("协同"), "source": "assigned", "to": "awaiting_department"}}
    ticket = ticket_after(desk(steps=wait), c.TakeStep("ask", {}), c.Reply("同事正在核实"))
    assert ticket.status == "awaiting_department"
    assert ticket.first_response_at == NOON


@pytest.mark.requirement("E7")
def test_an_unsolved_ticket_can_start_a_second_handling() -> None:
    survey = {**DESK["survey"], "review": {**DESK["survey"]["review"], "then": "second_handling"}}
    playbook = desk(survey=survey)
    ticket = ticket_after(playbook, c.Reply("请重试"), c.Resolve("已重置"))
    events = decide(ticket, c.Confirm(solved=False, reason="还是不行"), playbook, NOON)
    assert [x.event for x in events[:3]] == [
        "ConfirmationGiven", "SecondHandlingStarted", "TicketReopened",
    ]  # fmt: skip
    again = next(x for x in events if isinstance(x, e.TicketReopened))
    assert (again.to, again.reason) == ("senior", "还是不行")


@pytest.mark.requirement("E4", "E10")
def test_the_ticket_has_the_order_number() -> None:
    assert ticket_after(desk()).order == "A-1024"


@pytest.mark.requirement("E2")
@pytest.mark.parametrize(
    ("text", "given", "unclear"),
    [
        ("帮我看看", None, True), ("无法登录", None, False), ("帮我看看", "fault", False),
        ("急", None, False), ("帮我看看，人工", None, False),
    ],
)  # fmt: skip
def test_a_request_without_tag_keyword_rule_or_given_type_is_unclear(
    text: str, given: str | None, unclear: bool
) -> None:
    rules = [{"id": "urgent", "when": {"mentions": "急"}, "then": {"type": "fault"}}]
    asks = {"question": both("是什么问题？"), "ask": "supervisor", "unless_mentions": "人工"}
    found = classify(text, desk(unclear=asks, rules=rules), type_given=given)
    assert found.vague is unclear
    assert (found.asks is not None) is unclear
    assert not classify(text, desk(rules=rules)).vague


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        ({"then": {"priority": "huge"}}, "steps.escalate.then.priority: there is no 'huge'"),
        ({"then": {"add_tags": "none"}}, "steps.escalate.then.add_tags: there is no 'none'"),
        ({"then": {"type": "none"}}, "steps.escalate.then.type: there is no 'none'"),
    ],
)
def test_a_step_that_refers_to_an_unknown_name_is_refused(
    steps: dict[str, Any], place: str
) -> None:
    with pytest.raises(PlaybookError, match=place.replace(".", r"\.")):
        desk(steps={"escalate": {**ESCALATE["escalate"], **steps}})


@pytest.mark.requirement("E5")
def test_a_recipient_from_an_unknown_field_is_refused() -> None:
    told = {"on": "step:escalate", "to": "field:why", "message": "m"}
    messages = {"m": {"subject": both("升级"), "text": both("{{ why }}，订单 {{ order }}")}}
    notifications = [*DESK.get("notifications", ()), told]
    more = {"messages": {**DESK.get("messages", {}), **messages}, "steps": ESCALATE}
    assert desk(notifications=notifications, **more).notifications[-1].to == "field:why"
    with pytest.raises(PlaybookError, match="there is no 'who'"):
        desk(notifications=[{**told, "to": "field:who"}], **more)


@pytest.mark.requirement("E4", "E9")
def test_a_template_part_depends_on_the_customer_s_mood() -> None:
    """An upset customer reads the empathy first."""
    parts = {"empathy": both("您好。"), "solution": both("订单 {{ order }}：{{ why }}")}
    moods = {"upset": {"empathy": both("非常抱歉。")}}
    playbook = desk(steps=ESCALATE, templates=[{"id": "any", "parts": parts, "moods": moods}])
    ticket = ticket_after(playbook, c.TakeStep("escalate", {"why": "要求赔偿"}))
    upset = ticket.model_copy(update={"mood": "upset"})
    assert suggest(ticket, playbook, "", "zh-CN", NOON).text == "您好。\n\n订单 A-1024：要求赔偿"
    assert suggest(upset, playbook, "", "zh-CN", NOON).text == "非常抱歉。\n\n订单 A-1024：要求赔偿"


@pytest.mark.requirement("E5")
@pytest.mark.parametrize(
    ("given", "stored"),
    [("上门", "上门"), ("a visit", "上门"), ("qa", "qa"), ("质检组", "qa"), ("x", None)],
)
def test_a_choice_is_given_by_key_or_label_and_stored_as_its_key(
    given: str, stored: str | None
) -> None:
    """The names of teams have the labels of the teams."""
    choices = {"上门": {"zh-CN": "上门", "en": "A visit"}, "qa": None}
    field = {"label": both("方式"), "kind": "choice", "choices": choices}
    steps = {"go": {"label": both("x"), "source": ["assigned"], "fields": {"way": field}}}
    if stored is not None:
        assert ticket_after(desk(steps=steps), c.TakeStep("go", {"way": given})).facts == {
            "way": stored
        }
        return
    with pytest.raises(InvalidInput) as refused:
        ticket_after(desk(steps=steps), c.TakeStep("go", {"way": given}))
    assert [error.message for error in refused.value.errors] == ["one of: A visit, 质检组"]


@pytest.mark.requirement("E4")
@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("sorry", "抱歉", "templates.0.moods.upset.sorry: there is no 'sorry'"),
        ("solution", "{{ oder }}", "there is no variable 'oder'"),
    ],
)
def test_a_template_part_for_an_unknown_mood_is_refused(part: str, text: str, said: str) -> None:
    moods = {"upset": {part: both(text)}}
    parts = {"solution": both("好的")}
    with pytest.raises(PlaybookError) as caught:
        desk(templates=[{"id": "any", "parts": parts, "moods": moods}])
    assert said in str(caught.value)


@pytest.mark.requirement("D9")
def test_a_step_can_resolve_the_ticket() -> None:
    """Remote help records its steps; the result is the summary."""
    steps = {
        "remote-help": {
            "label": both("远程协助"),
            "source": "assigned",
            "resolves": "result",
            "fields": {"result": {"label": both("结果")}, "how": {"label": both("步骤")}},
        }
    }
    playbook = desk(steps=steps)
    after = ticket_after(playbook, c.TakeStep("remote-help", {"result": "已调好", "how": "重启"}))
    assert (after.status, after.summary, after.resolutions) == ("resolved", "已调好", 1)
    steps["remote-help"]["resolves"] = "outcome"
    with pytest.raises(PlaybookError, match=r"resolves: there is no 'outcome'"):
        desk(steps=steps)


@pytest.mark.requirement("D7")
def test_the_first_matching_rule_names_the_product_line() -> None:
    """The customer's own name of the product stays; a step may name the line too."""
    rules = [
        {"id": "named", "when": {"product": "冰箱"}, "then": {"product": "冰箱"}},
        {"id": "said", "when": {"mentions": "空调"}, "then": {"product": "空调"}},
    ]
    step = {"label": both("改派"), "source": "assigned", "then": {"product": "洗衣机"}}
    playbook = desk(rules=rules, steps={"relabel": step})
    assert classify("空调坏了", playbook).product == "空调"
    assert classify("空调坏了", playbook, product="K-2").product == "K-2 空调"
    assert classify("和空调一起买的", playbook, product="冰箱 B").product == "冰箱 B"
    assert classify("坏了", playbook).product is None
    assert ticket_after(playbook, c.TakeStep("relabel", {})).product == "洗衣机"
