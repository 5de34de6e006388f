"""The preferred channel of a customer, and notifications of a repeated deadline."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from functions.core.deliver.failures import Passing
from functions.core.domain import commands as c
from functions.core.domain.rules import TimerRule
from functions.notify.dispatch import Dispatcher
from tests.notify.deployment import (
    ASSIGN,
    MAIL,
    NOON,
    PHONE,
    Harness,
    Providers,
    plain,
)

pytestmark = pytest.mark.requirement("B8", "E6")
TECH = "tech@standard.local"


def answered(harness: Harness, dispatcher: Dispatcher, contact: str, preferred: str | None) -> Any:
    """The delivery of an agent's answer to a customer with this contact and wish."""
    body = {"preferred_channel": preferred} if preferred else {}
    ticket = harness.file(contact, **body)
    replied = harness.change(ticket, ASSIGN, c.Reply("请重置密码"))
    dispatcher.process(harness.event_record(replied))
    [delivery] = [d for d in harness.deliveries(ticket) if d.event == "ReplySent"]
    return delivery


@pytest.mark.parametrize(
    ("contact", "preferred", "channel", "recorded"),
    [
        (PHONE, None, "sms", ""), (PHONE, "sms", "sms", ""), (PHONE, "email", "sms", "email"),
        (PHONE, "message", "sms", "message"), (PHONE, "phone", "phone", ""),
        (MAIL, "email", "email", ""), (MAIL, "sms", "email", "sms"),
        (MAIL, "message", "email", "message"), (MAIL, "phone", "email", "phone"),
    ],
)  # fmt: skip
def test_the_preferred_channel_is_used_if_the_contact_allows_it(
    harness: Harness,
    dispatcher: Dispatcher,
    providers: Providers,
    contact: str,
    preferred: str | None,
    channel: str,
    recorded: str,
) -> None:
    """Otherwise the kind of the contact decides, and the preference is recorded."""
    delivery = answered(harness, dispatcher, contact, preferred)
    state = "waiting" if channel == "phone" else "sent"
    assert (delivery.channel, delivery.preferred, delivery.state) == (channel, recorded, state)
    assert providers.addresses == [TECH if channel == "phone" else contact]


@pytest.mark.requirement("B8", "G4")
def test_a_call_to_be_made_has_neither_the_number_nor_the_link(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """A repeated record changes nothing; the handler is notified."""
    delivery = answered(harness, dispatcher, PHONE, "phone")
    assert (delivery.recipient, delivery.to[-4:]) == ("customer", "8000")
    assert "请重置密码" in delivery.text
    assert "http" not in delivery.text
    assert PHONE not in delivery.model_dump_json()
    ticket = harness.storage.tickets.load(delivery.desk, delivery.number)
    assert ticket.calls == (delivery.version,)
    dispatcher.process(harness.event_record(ticket))
    assert providers.addresses == [TECH]
    message = message_from_bytes(providers.sent[0][1], policy=policy.default)
    assert message["Subject"] == f"[{delivery.number}] 请致电客户"
    assert "138" not in plain(message)
    called = harness.change(ticket, c.RecordCall("已告知"))
    dispatcher.process(harness.event_record(called))
    states = [d.state for d in harness.deliveries(ticket) if d.channel == "phone"]
    assert states == ["sent"]


@pytest.mark.requirement("A4")
def test_the_acknowledgement_is_an_sms_even_if_calls_are_preferred(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """No team has the ticket yet."""
    ticket = harness.file(PHONE, preferred_channel="phone")
    dispatcher.process(harness.event_record(ticket))
    [delivery] = harness.deliveries(ticket)
    assert (delivery.channel, delivery.preferred) == ("sms", "phone")
    assert providers.addresses == [PHONE]


def test_each_repetition_of_a_deadline_sends_one_message(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    rule = TimerRule.model_validate(
        {
            "start": "TicketReceived",
            "stop": "TicketResolved",
            "within": "2h",
            "on_breach": {"tell": [{"to": "customer", "message": "reply"}], "repeat_every": "2h"},
        }
    )
    changes = {"timers": {"customer_update": rule}, "notifications": ()}
    harness.use_playbook(harness.playbook.model_copy(update=changes))
    ticket = harness.file(MAIL)

    def sweep(at: datetime) -> None:
        late = harness.change(ticket, c.Tick(), at=at)
        for _ in range(3):
            dispatcher.at(at).process(harness.event_record(late))

    for hours in (2, 4, 6):
        sweep(NOON + timedelta(hours=hours))
    assert providers.addresses == [MAIL, MAIL, MAIL]
    solved = harness.change(ticket, ASSIGN, c.Resolve("已重置密码"))
    after = harness.change(ticket, c.Tick(), at=NOON + timedelta(hours=8))
    assert after.version == solved.version


@pytest.mark.requirement("B10")
def test_an_erased_customer_gets_no_message(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    """The team is notified, without the customer's text."""
    ticket = harness.file(MAIL, description="无法登录，我住在一号")
    erased = harness.change(ticket, ASSIGN, c.ErasePerson("asked by letter"))
    for version in range(1, erased.version + 1):
        dispatcher.process(harness.event_record(erased, version))
    assert providers.addresses == [TECH]
    assert "一号" not in plain(message_from_bytes(providers.sent[0][1], policy=policy.default))
    assert [d.recipient for d in harness.deliveries(ticket)] == ["handler"]


@pytest.mark.requirement("B10")
def test_a_retry_for_an_erased_customer_ends_without_an_alarm(
    harness: Harness, dispatcher: Dispatcher, providers: Providers
) -> None:
    providers.failures = [Passing("SES")]
    delivery = answered(harness, dispatcher, MAIL, None)
    ticket = harness.storage.tickets.load(delivery.desk, delivery.number)
    harness.change(ticket, c.ErasePerson("asked by letter"))
    dispatcher.at(NOON + timedelta(minutes=1)).process(harness.make_due(delivery))
    [delivery] = [d for d in harness.deliveries(ticket) if d.id == delivery.id]
    assert (delivery.state, delivery.cause) == ("dead_lettered", "the customer was erased")
    assert (providers.sent, providers.dead_letters) == ([], [])
