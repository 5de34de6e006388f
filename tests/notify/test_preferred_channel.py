"""The way that a customer prefers (B8), and a deadline that is told every time it returns (E6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.rules import TimerRule
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import MAIL, NOON, PHONE, Harness, Providers, plain, without_mailboxes

TECH = "tech@standard.local"


def answered(harness: Harness, dispatcher: Dispatcher, contact: str, preferred: str | None) -> Any:
    """The delivery of an agent's answer to a customer with this contact and wish."""
    body = {"preferred_channel": preferred} if preferred else {}
    ticket = harness.file(contact, **body)
    replied = harness.change(
        ticket, c.Assign("技术支持组", "agent-1", by_hand=True), c.Reply("请重置密码")
    )
    dispatcher.process(harness.event_record(replied))
    [delivery] = [d for d in harness.deliveries(ticket) if d.event == "ReplySent"]
    return delivery


@pytest.mark.requirement("B8")
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
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    contact: str,
    preferred: str | None,
    channel: str,
    recorded: str,
) -> None:
    """Else by what the contact is, and the wish stands on the record."""
    delivery = answered(harness, dispatcher, contact, preferred)
    assert (delivery.channel, delivery.preferred, delivery.state) == (channel, recorded, "sent")
    assert providers.addresses == [TECH if channel == "phone" else contact]


@pytest.mark.requirement("B8")
def test_phone_task(harness: Harness, dispatcher: Dispatcher, providers: Providers) -> None:
    """The handler's team is asked to call and told what to say; G4: the table keeps neither
    the number nor the customer's secret link."""
    delivery = answered(harness, dispatcher, PHONE, "phone")
    assert delivery.recipient == "customer"
    assert delivery.to.endswith("***8000")
    assert "请重置密码" in delivery.text
    assert PHONE not in delivery.model_dump_json()
    message = message_from_bytes(providers.sent[0][1], policy=policy.default)
    assert message["Subject"].startswith(f"[{delivery.number}] 请致电客户：")
    assert message["Subject"].count(delivery.number) == 1
    assert message["Auto-Submitted"] == "auto-generated"
    assert "References" not in message
    text = plain(message)
    assert PHONE in text
    assert "请重置密码" in text
    assert "?key=" not in providers.sent[0][1].decode()


@pytest.mark.requirement("A4")
def test_acknowledgement_goes_at_once(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """Nobody has the ticket yet who could call."""
    ticket = harness.file(PHONE, preferred_channel="phone")
    dispatcher.process(harness.event_record(ticket))
    [delivery] = harness.deliveries(ticket)
    assert (delivery.channel, delivery.preferred) == ("sms", "phone")
    assert providers.addresses == [PHONE]


@pytest.mark.requirement("B8", "G3")
def test_team_that_cannot_be_asked_to_call(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """A customer is not left without the message."""
    harness.change_playbook(teams=without_mailboxes(harness.playbook))
    harness.store._playbooks.clear()
    delivery = answered(harness, dispatcher, PHONE, "phone")
    assert (delivery.channel, delivery.preferred) == ("sms", "phone")
    assert providers.addresses == [PHONE]


@pytest.mark.requirement("G3")
def test_phone_task_is_retried_like_any_message(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    from functions.notify.deliver.failures import Passing

    providers.failures = [Passing("SES")]
    delivery = answered(harness, dispatcher, PHONE, "phone")
    assert (delivery.state, delivery.channel) == ("retrying", "phone")
    dispatcher.at(NOON + timedelta(minutes=1)).process(harness.make_due(delivery))
    assert providers.addresses == [TECH]


@pytest.mark.requirement("E6")
def test_customer_hears_every_two_hours_once_each(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """Each return of the deadline is one message, however often its record comes."""
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
    harness.playbook = harness.playbook.model_copy(
        update={"timers": {"customer_update": rule}, "notifications": ()}
    )
    harness.change_playbook()
    harness.store._playbooks.clear()
    ticket = harness.file(MAIL)

    def sweep(at: datetime) -> None:
        late = harness.change(ticket, c.Tick(), at=at)
        for _ in range(3):
            dispatcher.at(at).process(harness.event_record(late))

    for hours in (2, 4, 6):
        sweep(NOON + timedelta(hours=hours))
    assert providers.addresses == [MAIL, MAIL, MAIL]
    solved = harness.change(
        ticket, c.Assign("技术支持组", "agent-1", by_hand=True), c.Resolve("已重置密码")
    )
    after = harness.change(ticket, c.Tick(), at=NOON + timedelta(hours=8))
    assert after.version == solved.version


@pytest.mark.requirement("B10")
def test_customer_who_is_forgotten_is_not_told(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """Nobody knows any more who that was; the team is told, without the person's words."""
    ticket = harness.file(MAIL, description="无法登录，我住在一号")
    erased = harness.change(
        ticket,
        c.Assign("技术支持组", "agent-1", by_hand=True),
        c.ErasePerson("asked by letter"),
    )
    for version in range(1, erased.version + 1):
        dispatcher.process(harness.event_record(erased, version))
    assert providers.addresses == [TECH]
    assert "一号" not in plain(message_from_bytes(providers.sent[0][1], policy=policy.default))
    assert [d.recipient for d in harness.deliveries(ticket)] == ["handler"]


@pytest.mark.requirement("B10")
def test_message_that_waits_for_a_forgotten_customer(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """It is not sent, and rings no alarm."""
    from functions.notify.deliver.failures import Passing

    providers.failures = [Passing("SES")]
    delivery = answered(harness, dispatcher, MAIL, None)
    ticket = harness.store.load(delivery.desk, delivery.number)
    harness.change(ticket, c.ErasePerson("asked by letter"))
    dispatcher.at(NOON + timedelta(minutes=1)).process(harness.make_due(delivery))
    [parked] = [d for d in harness.deliveries(ticket) if d.id == delivery.id]
    assert (parked.state, parked.cause) == ("parked", "the customer was erased")
    assert (providers.sent, providers.dead_letters) == ([], [])
