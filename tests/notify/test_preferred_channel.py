"""The way that a customer prefers (B8), and a deadline that is told every time it returns (E6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import TimerRule
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import MAIL, NOON, PHONE, Post, World, plain, without_mailboxes

TECH = "tech@standard.local"


def answered(world: World, dispatcher: Dispatcher, contact: str, preferred: str | None) -> Any:
    """The delivery of an agent's answer to a customer with this contact and wish."""
    body = {"preferred_channel": preferred} if preferred else {}
    ticket = world.file(contact, **body)
    replied = world.do(
        ticket, c.Assign("技术支持组", "agent-1", by_hand=True), c.Reply("请重置密码")
    )
    dispatcher.process(world.event(replied))
    [delivery] = [d for d in world.deliveries(ticket) if d.event == "ReplySent"]
    return delivery


@pytest.mark.parametrize(
    ("contact", "preferred", "channel", "recorded"),
    [
        (PHONE, None, "sms", ""),
        (PHONE, "sms", "sms", ""),
        (PHONE, "email", "sms", "email"),
        (PHONE, "message", "sms", "message"),
        (PHONE, "phone", "phone", ""),
        (MAIL, "email", "email", ""),
        (MAIL, "sms", "email", "sms"),
        (MAIL, "message", "email", "message"),
        (MAIL, "phone", "email", "phone"),
    ],
)
def test_preferred_way_where_it_can_be_gone(
    world: World,
    dispatcher: Dispatcher,
    post: Post,
    contact: str,
    preferred: str | None,
    channel: str,
    recorded: str,
) -> None:
    """B8: else by what the contact is, and the wish stands on the record."""
    delivery = answered(world, dispatcher, contact, preferred)
    assert (delivery.channel, delivery.preferred, delivery.state) == (channel, recorded, "sent")
    assert post.addresses == [TECH if channel == "phone" else contact]


def test_phone_task(world: World, dispatcher: Dispatcher, post: Post) -> None:
    """B8: the handler's team is asked to call and told what to say; G4: the table keeps neither
    the number nor the customer's secret link."""
    delivery = answered(world, dispatcher, PHONE, "phone")
    assert delivery.recipient == "customer"
    assert delivery.to.endswith("***8000")
    assert "请重置密码" in delivery.text
    assert PHONE not in delivery.model_dump_json()
    message = message_from_bytes(post.sent[0][1], policy=policy.default)
    assert message["Subject"].startswith(f"[{delivery.number}] 请致电客户：")
    assert message["Subject"].count(delivery.number) == 1
    assert message["Auto-Submitted"] == "auto-generated"
    assert "References" not in message
    text = plain(message)
    assert PHONE in text
    assert "请重置密码" in text
    assert "?key=" not in post.sent[0][1].decode()


def test_acknowledgement_goes_at_once(world: World, dispatcher: Dispatcher, post: Post) -> None:
    """A4: nobody has the ticket yet who could call."""
    ticket = world.file(PHONE, preferred_channel="phone")
    dispatcher.process(world.event(ticket))
    [delivery] = world.deliveries(ticket)
    assert (delivery.channel, delivery.preferred) == ("sms", "phone")
    assert post.addresses == [PHONE]


def test_team_that_cannot_be_asked_to_call(
    world: World, dispatcher: Dispatcher, post: Post
) -> None:
    """B8, G3: a customer is not left without the message."""
    world.edit(teams=without_mailboxes(world.playbook))
    world.store._playbooks.clear()
    delivery = answered(world, dispatcher, PHONE, "phone")
    assert (delivery.channel, delivery.preferred) == ("sms", "phone")
    assert post.addresses == [PHONE]


def test_phone_task_is_retried_like_any_message(
    world: World, dispatcher: Dispatcher, post: Post
) -> None:
    """G3."""
    from functions.notify.deliver.failures import Passing

    post.failures = [Passing("SES")]
    delivery = answered(world, dispatcher, PHONE, "phone")
    assert (delivery.state, delivery.channel) == ("retrying", "phone")
    dispatcher.at(NOON + timedelta(minutes=1)).process(world.due(delivery))
    assert post.addresses == [TECH]


def test_customer_hears_every_two_hours_once_each(
    world: World, dispatcher: Dispatcher, post: Post
) -> None:
    """E6: each return of the deadline is one message, however often its record comes."""
    rule = TimerRule.model_validate(
        {
            "start": "TicketReceived",
            "stop": "TicketResolved",
            "within": "2h",
            "on_breach": {
                "tell": [{"to": "customer", "message": "reply"}],
                "repeat_every": "2h",
            },
        }
    )
    world.playbook = world.playbook.model_copy(
        update={"timers": {"customer_update": rule}, "notifications": ()}
    )
    world.edit()
    world.store._playbooks.clear()
    ticket = world.file(MAIL)

    def sweep(at: datetime) -> None:
        late = world.do(ticket, c.Tick(), at=at)
        for _ in range(3):
            dispatcher.at(at).process(world.event(late))

    for hours in (2, 4, 6):
        sweep(NOON + timedelta(hours=hours))
    assert post.addresses == [MAIL, MAIL, MAIL]
    solved = world.do(
        ticket, c.Assign("技术支持组", "agent-1", by_hand=True), c.Resolve("已重置密码")
    )
    after = world.do(ticket, c.Tick(), at=NOON + timedelta(hours=8))
    assert after.version == solved.version


def test_customer_who_is_forgotten_is_not_told(
    world: World, dispatcher: Dispatcher, post: Post
) -> None:
    """B10: nobody knows any more who that was; the team is told, without the person's words."""
    ticket = world.file(MAIL, description="无法登录，我住在一号")
    erased = world.do(
        ticket,
        c.Assign("技术支持组", "agent-1", by_hand=True),
        c.ErasePerson("asked by letter"),
    )
    for version in range(1, erased.version + 1):
        dispatcher.process(world.event(erased, version))
    assert post.addresses == [TECH]
    assert "一号" not in plain(message_from_bytes(post.sent[0][1], policy=policy.default))
    assert [d.recipient for d in world.deliveries(ticket)] == ["handler"]


def test_message_that_waits_for_a_forgotten_customer(
    world: World, dispatcher: Dispatcher, post: Post
) -> None:
    """B10: it is not sent, and rings no alarm."""
    from functions.notify.deliver.failures import Passing

    post.failures = [Passing("SES")]
    delivery = answered(world, dispatcher, MAIL, None)
    ticket = world.store.load(delivery.desk, delivery.number)
    world.do(ticket, c.ErasePerson("asked by letter"))
    dispatcher.at(NOON + timedelta(minutes=1)).process(world.due(delivery))
    [parked] = [d for d in world.deliveries(ticket) if d.id == delivery.id]
    assert (parked.state, parked.cause) == ("parked", "the customer was erased")
    assert (post.sent, post.dead_letters) == ([], [])
