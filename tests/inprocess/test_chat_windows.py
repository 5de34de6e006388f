"""A provider's window and count, the customer's other contact, late failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.core.channels.base import (
    Adapter,
    DeliveryReport,
    IncomingMessage,
    OutgoingMessage,
    ProviderRequest,
    Secret,
    adapter,
    parse_object,
)
from functions.core.domain.customers import Identity
from functions.core.platform import clock
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.inprocess.test_chat import DESK, Chat, person_on
from tests.inprocess.test_returns import SUPERVISOR
from tests.moto_internals import sent_mails, sent_texts

pytestmark = pytest.mark.requirement("B8", "E11", "G3")
MAILBOX, PHONE = "wang@example.com", "13800138000"
NOT_SENT = "此条未发送"


@pytest.fixture
def wechat(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """An official account: 48 hours and 5 messages."""
    yield from person_on(simulator, storage, "wechat", FAKE_PROVIDERS["wechat"])


@pytest.fixture
def line(simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A channel without a window."""
    yield from person_on(simulator, storage, "line", FAKE_PROVIDERS["line"])


def later(monkeypatch: pytest.MonkeyPatch, **wait: float) -> None:
    at = datetime.now(UTC) + timedelta(**wait)
    monkeypatch.setattr(clock, "now", lambda: at)


def file_from(chat: Chat, contact: str) -> None:
    """File another ticket from a contact, and join the two as one customer's."""
    (number,) = [ticket.number for ticket in chat.tickets]
    body = {"contact": contact, "description": "发票"}
    answer = chat.simulator.http("POST", f"/desks/{DESK}/tickets", body)
    first = chat.storage.tickets.load(DESK, number).customer
    other = chat.storage.tickets.load(DESK, answer.json["number"]).customer
    identities = [
        Identity(kind=each.kind, hash=each.hash, shown=each.contact) for each in (first, other)
    ]
    chat.storage.customers.join(DESK, identities, "channel", chat.now)
    chat.simulator.pump()


def messages_of(chat: Chat, number: str) -> list[Any]:
    """Return a ticket's replies as agents read them."""
    path = f"/agent/desks/{DESK}/tickets/{number}"
    shown = chat.simulator.http("GET", path, claims=SUPERVISOR).json["messages"]
    return [each for each in shown if each["event"] == "ReplySent"]


def test_after_the_window_nothing_is_sent_and_the_agent_is_told(
    wechat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    wechat.write_and_take()
    later(monkeypatch, hours=49)
    before = len(wechat.api.calls)
    wechat.act("reply", text="请重置密码")
    assert len(wechat.api.calls) == before
    (reply,) = wechat.replies()
    assert (reply.state, reply.channel) == ("dead_lettered", "message")
    (told,) = messages_of(wechat, wechat.ticket.number)
    assert NOT_SENT in told["reason"]
    later(monkeypatch, hours=0)  # the fake provider signs with the real time
    wechat.write("还在吗")
    wechat.act("reply", text="在的")
    assert [each.state for each in wechat.replies()] == ["dead_lettered", "sent"]


def test_five_messages_follow_one_of_the_customer_and_a_failed_one_does_not_count(
    wechat: Chat,
) -> None:
    wechat.write_and_take()
    wechat.api.answers = [(200, b'{"errcode":40003,"errmsg":"invalid openid"}')]
    for words in ("零", "一", "二", "三", "四", "五", "六"):
        wechat.act("reply", text=words)
    states = [each.state for each in wechat.replies()]
    # The first of the five said who handles the ticket.
    assert states == ["dead_lettered", *["sent"] * 4, *["dead_lettered"] * 2]
    assert len([text for _, text in wechat.sent_messages if "五" in text]) == 0
    wechat.write("谢谢，还有一个问题")
    wechat.act("reply", text="请说")
    assert [each.state for each in wechat.replies()][-1] == "sent"


@pytest.mark.parametrize(("contact", "channel"), [(MAILBOX, "email"), (PHONE, "sms")])
def test_outside_the_window_the_other_contact_gets_the_message(
    wechat: Chat, monkeypatch: pytest.MonkeyPatch, contact: str, channel: str
) -> None:
    wechat.write_and_take()
    number = wechat.ticket.number
    file_from(wechat, contact)
    later(monkeypatch, hours=49)
    wechat.act("reply", number=number, text="请重置密码，谢谢")
    (reply,) = [each for each in wechat.deliveries(number) if each.event == "ReplySent"]
    assert (reply.state, reply.channel) == ("sent", channel)
    assert contact not in reply.model_dump_json()
    (told,) = messages_of(wechat, number)
    assert (told["delivery"], told["channel"]) == ("sent", channel)
    assert "改发" in told["reason"]
    if channel == "email":
        assert MAILBOX in sent_mails()[-1].raw_data
    else:
        assert sent_texts()[-1][0] == "+8613800138000"


LIMITED = [
    name for name, each in FAKE_PROVIDERS.items() if each.closed is not None and not each.pulled
]


@pytest.mark.parametrize("has_other", [True, False])
@pytest.mark.parametrize(
    "name", [LIMITED[0], *(pytest.param(name, marks=pytest.mark.slow) for name in LIMITED[1:])]
)
def test_what_the_provider_itself_refuses_goes_the_same_way(
    simulator: Simulator, storage: Storage, name: str, has_other: bool
) -> None:
    provider = FAKE_PROVIDERS[name]
    assert provider.closed is not None
    for chat in person_on(simulator, storage, name, provider):
        chat.write_and_take()
        number = chat.ticket.number
        if has_other:
            file_from(chat, MAILBOX)
        chat.api.answers = [provider.closed]
        chat.act("reply", number=number, text="请重置密码")
        (reply,) = [each for each in chat.deliveries(number) if each.event == "ReplySent"]
        (told,) = messages_of(chat, number)
        if has_other:
            assert (reply.state, reply.channel) == ("sent", "email")
            assert "改发" in told["reason"]
        else:
            assert (reply.state, reply.channel) == ("dead_lettered", "message")
            assert NOT_SENT in told["reason"]


PARAGRAPH = "请先点击“忘记密码”，再按短信里的说明设置新密码。"


@pytest.mark.requirement("E11")
def test_a_long_reply_goes_out_in_parts_each_counted(wechat: Chat) -> None:
    wechat.write_and_take()
    wechat.act("reply", text=PARAGRAPH * 40)
    parts = [text for _, text in wechat.sent_messages if "忘记密码" in text]
    assert len(parts) == 2
    assert "".join(parts).count(PARAGRAPH) == 40
    # One of five said who handles the ticket, two were the parts: two are left.
    for words in (PARAGRAPH * 60, "一", "二", "三"):
        wechat.act("reply", text=words)
    states = [each.state for each in wechat.replies()]
    assert states == ["sent", "dead_lettered", "sent", "sent", "dead_lettered"]


def test_a_part_that_fails_after_another_is_not_sent_again(wechat: Chat) -> None:
    wechat.write_and_take()
    wechat.api.answers = [(200, wechat.provider.accepted()), (503, b"busy")]
    wechat.act("reply", text=PARAGRAPH * 40)
    (reply,) = wechat.replies()
    assert reply.state == "dead_lettered"
    assert "1 of 2 parts were sent" in str(reply.cause)


def test_a_contact_that_mail_bounced_from_gets_nothing(
    wechat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    wechat.write_and_take()
    number = wechat.ticket.number
    file_from(wechat, MAILBOX)
    (other,) = [ticket for ticket in wechat.tickets if ticket.number != number]
    wechat.storage.contacts.set_undeliverable(DESK, other.customer.hash, "bounce 5.1.1")
    later(monkeypatch, hours=49)
    wechat.act("reply", number=number, text="请重置密码")
    (reply,) = [each for each in wechat.deliveries(number) if each.event == "ReplySent"]
    assert reply.state == "dead_lettered"


def test_whoever_unsubscribes_gets_nothing_more(wechat: Chat) -> None:
    wechat.write_and_take()
    left = (
        f"<xml><ToUserName>gh_0123456789ab</ToUserName>"
        f"<FromUserName>{wechat.provider.user}</FromUserName>"
        f"<CreateTime>{int(wechat.now.timestamp())}</CreateTime>"
        "<MsgType>event</MsgType><Event>unsubscribe</Event></xml>"
    ).encode()
    assert wechat.send(wechat.provider.call(left, wechat.now)).status == 200
    wechat.act("reply", text="您好")
    assert [each.state for each in wechat.replies()] == ["dead_lettered"]


# Reports and sessions, which no channel of these tests has by itself


@pytest.fixture
def reporting(line: Chat, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """A channel that reports failures later, in requests with `failed`."""

    def reports(self: Adapter, request: ProviderRequest, secret: Secret) -> tuple[Any, ...]:
        found = parse_object(request.body).get("failed", [])
        return tuple(DeliveryReport(each, "failed", "the person left") for each in found)

    monkeypatch.setattr(type(line_adapter()), "reports", reports)
    return line


def line_adapter() -> Adapter:
    found = adapter("line")
    assert found is not None
    return found


def report(chat: Chat, *failed: str) -> int:
    body = json.dumps({"events": [], "failed": failed}).encode()
    return chat.send(chat.provider.call(body, chat.now)).status


def answer_with(chat: Chat, *ids: str) -> None:
    chat.api.answers = [
        (200, json.dumps({"sentMessages": [{"id": each}]}).encode()) for each in ids
    ]


def test_a_failure_reported_later_marks_the_message_once(reporting: Chat) -> None:
    reporting.write_and_take()
    answer_with(reporting, "m1", "m2")
    reporting.act("reply", text="一")
    reporting.act("reply", text="二")
    assert report(reporting, "m1", "m1", "unknown") == 200
    first, second = reporting.replies()
    assert (first.state, first.cause) == ("dead_lettered", "reported: the person left")
    assert second.state == "sent"
    assert report(reporting, "m1") == 200
    assert reporting.replies() == [first, second], "a repeated report changes nothing"
    shown = messages_of(reporting, reporting.ticket.number)
    assert ["the person left" in each.get("reason", "") for each in shown] == [True, False]


def test_a_report_before_the_message_is_recorded_waits_for_it(reporting: Chat) -> None:
    reporting.write_and_take()
    assert report(reporting, "m1") == 200
    answer_with(reporting, "m1")
    reporting.act("reply", text="一")
    (reply,) = reporting.replies()
    assert (reply.state, reply.cause) == ("dead_lettered", "reported: the person left")


def test_a_session_is_kept_sealed_until_it_ends(
    line: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    read, send = type(line_adapter()).read, type(line_adapter()).send

    def reading(self: Adapter, request: ProviderRequest, secret: Secret) -> Any:
        until = datetime.now(UTC) + timedelta(minutes=90)
        return tuple(
            IncomingMessage(
                **{**vars(each), "session": "https://s.example/1", "session_until": until}
            )
            for each in read(self, request, secret)
        )

    def sending(self: Any, message: OutgoingMessage, *rest: Any) -> Any:
        used.append(message.session)
        return send(self, message, *rest)

    monkeypatch.setattr(type(line_adapter()), "read", reading)
    monkeypatch.setattr(type(line_adapter()), "send", sending)
    line.write_and_take()
    line.act("reply", text="一")
    assert set(used) == {"https://s.example/1"}
    pages = boto3.client("dynamodb").get_paginator("scan")
    stored = [*pages.paginate(TableName=line.simulator.deployment.table)]
    assert "s.example" not in str(stored)
    later(monkeypatch, hours=2)
    line.act("reply", text="二")
    assert used[-1] == ""
