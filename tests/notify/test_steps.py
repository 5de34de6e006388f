"""Notifications of a desk's own steps, and wording by mood."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import events as e
from functions.core.domain.rules import Message, NotificationRule, Playbook, Step, TimerRule
from functions.core.services.composing import (
    Notification,
    compose,
    notifications_for,
    recipient_team,
)
from functions.core.text.templating import template_variables
from tests.notify.deployment import NOON
from tests.notify.sample_events import LINK, commit, received, ticket

VISIT: dict[str, Any] = {
    "label": {"zh-CN": "预约上门", "en": "Visit agreed"},
    "source": ["in_progress"],
    "fields": {
        "arrives_at": {
            "label": {"zh-CN": "到达", "en": "arrival"},
            "kind": "time",
            "customer_sees": True,
        },
        "reason": {
            "label": {"zh-CN": "原因", "en": "reason"},
            "required": False,
            "customer_sees": True,
        },
    },
}
WAIT: dict[str, Any] = {
    "label": {"zh-CN": "等待到货", "en": "Waiting for parts"},
    "source": ["in_progress"],
    "fields": {
        "parts": {"label": {"zh-CN": "配件", "en": "parts"}, "kind": "list", "customer_sees": True}
    },
}
ON_THE_WAY = e.StepTaken(step="visit", fields={"arrives_at": "2026-03-10T06:00:00+00:00"})
PARTS = e.StepTaken(step="wait", fields={"parts": "压缩机"})


def message(text: str) -> Message:
    return Message.model_validate(
        {key: {"zh-CN": text, "en": text} for key in ("subject", "text", "sms")}
    )


@pytest.fixture
def field_desk(playbook: Playbook) -> Playbook:
    """The desk with two steps, and messages about them."""
    own = {
        "on_the_way": message("工程师已出发，预计{{ arrives_at }}到达"),
        "step": message("{{ step }}|{{ parts }}|{{ reason }}"),
        "calm": message("非常抱歉给您带来不便"),
    }
    return playbook.model_copy(
        update={
            "steps": {"visit": Step.model_validate(VISIT), "wait": Step.model_validate(WAIT)},
            "messages": {**playbook.messages, **own},
            "notifications": (
                NotificationRule(on="step:visit", to="customer", message="on_the_way"),
                NotificationRule(on="StepTaken", to="customer", message="step"),
                NotificationRule(on="ApprovalRequested", to="supervisor", message="step"),
                NotificationRule(on="CallbackRequested", to="team", message="step"),
                NotificationRule(on="CustomerAsked", to="customer", message="step"),
                NotificationRule(on="SecondHandlingStarted", to="customer", message="step"),
            ),
        }
    )


def render(desk: Playbook, event: e.Event, name: str = "step", **changes: Any) -> str:
    notification = Notification(event, "customer", name)
    about = ticket(**changes)
    return compose(notification, commit(event), about, desk, status_url=LINK).text.strip()


@pytest.mark.requirement("D11")
def test_a_rule_for_the_steps_name_precedes_that_for_any_step(field_desk: Playbook) -> None:
    both = commit(ON_THE_WAY, PARTS)
    found = [(n.message, n.timer_or_step) for n in notifications_for(both, ticket(), field_desk)]
    assert found == [("on_the_way", "visit"), ("step", "wait")]


@pytest.mark.requirement("D11")
def test_a_steps_time_is_shown_to_the_minute_in_the_desks_zone(field_desk: Playbook) -> None:
    """工程师已出发，预计14:00到达."""
    assert (
        render(field_desk, ON_THE_WAY, "on_the_way") == "工程师已出发，预计3月10日（周二）14:00到达"
    )


@pytest.mark.requirement("E10")
def test_the_fields_of_earlier_steps_are_available(field_desk: Playbook) -> None:
    """The step's own fields come first."""
    facts = {"parts": "风扇", "arrives_at": "2026-03-11T01:30:00+08:00"}
    assert render(field_desk, PARTS, "on_the_way", facts=facts).endswith("3月11日（周三）01:30到达")
    assert render(field_desk, PARTS, facts=facts) == "等待到货|压缩机|"
    assert render(field_desk, ON_THE_WAY, facts=facts) == "预约上门|风扇|"


def test_a_field_fills_a_variable_of_the_same_name_if_it_is_empty(field_desk: Playbook) -> None:
    event = e.StepTaken(step="visit", fields={"reason": "缺件"})
    assert render(field_desk, event) == "预约上门||缺件"
    again = e.SecondHandlingStarted(reason="没有修好")
    assert render(field_desk, again, facts={"reason": "缺件"}) == "||没有修好"


def test_a_time_that_cannot_be_parsed_is_shown_as_it_is(field_desk: Playbook) -> None:
    event = e.StepTaken(step="visit", fields={"arrives_at": "明天下午"})
    assert "明天下午" in render(field_desk, event, "on_the_way")


@pytest.mark.requirement("C9", "D13", "E2", "B9")
@pytest.mark.parametrize(
    ("event", "recipient", "team"),
    [
        (e.ApprovalRequested(step="visit", fields={"reason": "补偿"}), "supervisor", "主管组"),
        (e.CallbackRequested(team="售后组"), "team", "售后组"),
        (e.CustomerAsked(question="无法登录？", count=1), "customer", None),
        (e.SecondHandlingStarted(reason="不满意"), "customer", None),
    ],
    ids=lambda given: getattr(given, "event", None),
)
def test_events_of_steps_notify_their_recipients(
    field_desk: Playbook, event: e.Event, recipient: str, team: str | None
) -> None:
    [notification] = notifications_for(commit(event), ticket(), field_desk)
    assert notification.recipient == recipient
    if team is not None:
        assert recipient_team(notification, ticket(), field_desk) == team


@pytest.mark.requirement("C9")
def test_an_approval_request_names_the_step_and_its_fields(field_desk: Playbook) -> None:
    event = e.ApprovalRequested(step="visit", fields={"reason": "补偿 200 元"})
    assert render(field_desk, event) == "预约上门||补偿 200 元"


@pytest.mark.requirement("E2")
def test_the_follow_up_question_is_sent_to_the_customer(playbook: Playbook) -> None:
    own = playbook.model_copy(
        update={"messages": {**playbook.messages, "ask": message("{{ question }}")}}
    )
    assert render(own, e.CustomerAsked(question="您是指无法登录？", count=1), "ask") == (
        "您是指无法登录？"
    )


@pytest.mark.requirement("E5")
def test_a_step_states_the_deadline_of_the_timer_it_starts(field_desk: Playbook) -> None:
    timer = TimerRule(start="step:wait", stop="StepTaken", within="1h")
    desk = field_desk.model_copy(
        update={
            "timers": {"customer_info": timer},
            "messages": {**field_desk.messages, "due": message("{{ due_at }}")},
        }
    )
    assert render(desk, PARTS, "due") == "3月11日（周三）12:00"


@pytest.mark.requirement("B13", "E9")
def test_the_wording_depends_on_the_customers_mood(field_desk: Playbook) -> None:
    """The first rule that matches counts."""
    rules = (
        NotificationRule.model_validate(
            {"on": "TicketAssigned", "to": "customer", "message": "calm", "when": {"mood": "upset"}}
        ),
        NotificationRule(on="TicketAssigned", to="customer", message="assigned"),
    )
    desk = field_desk.model_copy(update={"notifications": rules})
    event = e.TicketAssigned(team="售后组", handler="agent-1")
    for mood, wanted in (("upset", "calm"), (None, "assigned")):
        [notification] = notifications_for(commit(event), ticket(mood=mood), desk)
        assert notification.message == wanted


@pytest.mark.requirement("E11", "G1")
def test_the_acknowledgement_does_not_depend_on_the_routers_speed(playbook: Playbook) -> None:
    """A repeated record selects the same message, so it is not sent twice."""
    upset = {"on": "TicketReceived", "to": "customer", "message": "reply"}
    rules = (
        NotificationRule.model_validate({**upset, "when": {"mood": "upset"}}),
        *playbook.notifications,
    )
    desk = playbook.model_copy(update={"notifications": rules})
    found = {
        notifications_for(commit(received(), version=1), ticket(mood=mood), desk)[0].message
        for mood in (None, "upset")
    }
    assert found == {"received"}


@pytest.mark.requirement("E4")
def test_every_field_is_a_template_variable(field_desk: Playbook) -> None:
    """The playbook's check and the renderer know the same names."""
    from functions.core.services.composing import variables

    filled = variables(
        ON_THE_WAY,
        ticket(),
        field_desk,
        "en",
        for_customer=False,
        status_url="",
        description="",
        told_at=NOON,
    )
    assert set(filled) == template_variables(field_desk)


@pytest.mark.requirement("E6")
def test_each_repetition_of_a_breach_notifies_again(playbook: Playbook) -> None:
    due = NOON + timedelta(hours=2)
    first, second = (
        notifications_for(
            commit(e.TimerBreached(kind="resolution", due_at=due, count=n), version=4 + n),
            ticket(),
            playbook,
        )
        for n in (1, 2)
    )
    assert [n.message for n in first] == [n.message for n in second]
