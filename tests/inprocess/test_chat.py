"""Chat channels: messages join the right ticket once, and answers go to the chat."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.exceptions import ClientError

from deskbell.client import ApiResponse
from functions.core.deliver import message
from functions.core.domain.events import CustomerWrote
from functions.core.domain.rules import NotificationRule
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Tickets
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import Call, FakeProvider, SafeWeChat, WeChat
from tests.inprocess.conftest import erase_customer
from tests.inprocess.recording_provider import (
    RecordingProvider,
    asks_for_token,
    recording_provider,
)
from tests.inprocess.test_returns import SUPERVISOR

pytestmark = pytest.mark.requirement("G1", "E10")
DESK = "standard"


@dataclass
class Chat:
    """A person who writes to the standard desk on a channel, through a fake provider."""

    simulator: Simulator
    storage: Storage
    name: str
    provider: FakeProvider
    api: RecordingProvider

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def send(self, call: Call) -> ApiResponse:
        path = call.path(f"/desks/{DESK}/channels/{self.name}")
        headers = {"Content-Type": "application/json", **call.headers}
        return self.simulator.http(call.method, path, call.body or None, headers=headers)

    def write(self, words: str, **more: str) -> ApiResponse:
        return self._call(self.provider.text(words, self.now, **more))

    def _call(self, text: bytes) -> ApiResponse:
        answer = self.send(self.provider.call(text, self.now))
        assert answer.status == 200, answer.text
        return answer

    def write_and_take(self, words: str = "无法登录") -> None:
        """Write a message; an agent takes its ticket. Times of a provider may be whole seconds,
        and only a later message renews the window."""
        self._call(self.provider.text(words, self.now - timedelta(seconds=1)))
        self.simulator.pump()
        self.act("take")

    @property
    def tickets(self) -> list[Ticket]:
        scan = boto3.client("dynamodb").get_paginator("scan")
        pages = scan.paginate(TableName=self.simulator.deployment.table)
        keys = [(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]]
        numbers = sorted(pk.rpartition("#")[2] for pk, sk in keys if sk == "TICKET")
        return [self.storage.tickets.load(DESK, number) for number in numbers]

    @property
    def ticket(self) -> Ticket:
        (found,) = self.tickets
        return found

    @property
    def sent_messages(self) -> list[tuple[str, str]]:
        """The messages sent through the provider: recipient and text."""
        calls = (call for call in self.api.calls if not self.api.file(call[0]))
        bodies = (body for path, _, body in calls if not asks_for_token(path))
        return [self.provider.sent_message(body) for body in bodies]

    def deliveries(self, number: str = "") -> list[Any]:
        return self.storage.deliveries.list(DESK, number or self.ticket.number)

    def replies(self) -> list[Any]:
        return [d for d in self.deliveries() if d.event == "ReplySent"]

    def written(self, number: str = "") -> list[CustomerWrote]:
        """The customer's messages on a ticket."""
        history = self.storage.tickets.history(DESK, number or self.ticket.number)
        return [event for commit in history for event in commit.of(CustomerWrote)]

    def act(self, action: str, *, number: str = "", **body: Any) -> Any:
        """Carry out an agent's action and return its answer."""
        path = f"/agent/desks/{DESK}/tickets/{number or self.ticket.number}/{action}"
        answer = self.simulator.http("POST", path, body, claims=SUPERVISOR)
        assert answer.status == 200, answer.text
        self.simulator.pump()
        return answer.json


def put_secret(simulator: Simulator, name: str, secret: Mapping[str, Any]) -> None:
    boto3.client("ssm").put_parameter(
        Name=simulator.deployment.parameter(f"desks/{DESK}/channels/{name}"),
        Value=json.dumps(secret),
        Type="SecureString",
        Overwrite=True,
    )


FIRST, *OTHERS = (name for name, provider in FAKE_PROVIDERS.items() if not provider.pulled)
"""Providers that send their messages: `make test` runs the first one here, and each one's adapter
in `tests/core`."""


@pytest.fixture(params=["wechat", pytest.param("wechat-safe", marks=pytest.mark.slow)])
def wechat(
    request: pytest.FixtureRequest, simulator: Simulator, storage: Storage
) -> Iterator[Chat]:
    """An official account, plain and encrypted."""
    provider = WeChat() if request.param == "wechat" else SafeWeChat()
    yield from person_on(simulator, storage, "wechat", provider)


@pytest.fixture(params=[FIRST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def chat(request: pytest.FixtureRequest, simulator: Simulator, storage: Storage) -> Iterator[Chat]:
    """A person on each channel."""
    yield from person_on(simulator, storage, request.param, FAKE_PROVIDERS[request.param])


def person_on(
    simulator: Simulator, storage: Storage, name: str, provider: FakeProvider
) -> Iterator[Chat]:
    """Yield a person on a channel whose provider is this process."""
    message.token_cache.cache_clear()
    with recording_provider(provider.accepted()) as api:
        put_secret(simulator, name, {**provider.secret, "api": api.url})
        yield Chat(simulator, storage, name, provider, api)


def reply_of(chat: Chat, answer: ApiResponse) -> dict[str, str]:
    """Return the passive reply in a response, decrypted if the message was encrypted."""
    assert isinstance(chat.provider, WeChat)
    return chat.provider.reply(answer.text)


@pytest.mark.requirement("F5")
def test_wechat_s_url_verification_is_answered(wechat: Chat) -> None:
    assert isinstance(wechat.provider, WeChat)
    call = wechat.provider.check(wechat.now)
    answer = wechat.send(call)
    assert (answer.status, answer.text) == (200, call.query["echostr"])
    assert answer.headers["content-type"].startswith("text/plain")
    forged = replace(call, query={**call.query, "signature": "0" * 40})
    assert wechat.send(forged).status == 401


@pytest.mark.requirement("A1", "A4")
def test_the_response_to_wechat_carries_the_acknowledgement(wechat: Chat) -> None:
    """It is stored as sent, and nothing else is sent for it."""
    reply = reply_of(wechat, wechat.write("无法登录，验证码收不到"))
    ticket = wechat.ticket
    assert reply["ToUserName"] == wechat.provider.user
    assert reply["FromUserName"] == "gh_0123456789ab"
    assert reply["MsgType"] == "text"
    assert ticket.number in reply["Content"]
    assert "?key=" in reply["Content"]
    assert (ticket.channel, ticket.customer.kind) == ("wechat", "message")
    wechat.simulator.pump()
    (told,) = [d for d in wechat.deliveries() if d.event == "TicketReceived"]
    assert (told.state, told.channel) == ("sent", "message")
    assert ticket.number in told.text
    assert "?key=" not in told.text
    assert [words for _, words in wechat.sent_messages if "请求已接收" in words] == []


@pytest.mark.requirement("A4")
def test_other_recipients_are_notified_too(wechat: Chat) -> None:
    playbook = wechat.storage.playbooks.get(DESK, wechat.now)
    team = NotificationRule(on="TicketReceived", to="supervisor", message="received")
    wechat.storage.playbooks.put(
        playbook.model_copy(update={"notifications": (team, *playbook.notifications)}), wechat.now
    )
    wechat.simulator.expire_playbooks()
    wechat.simulator.replace_containers()
    wechat.write("无法登录")
    wechat.simulator.pump()
    told = [d for d in wechat.deliveries() if d.event == "TicketReceived"]
    assert sorted((d.recipient, d.state) for d in told) == [
        ("customer", "sent"),
        ("supervisor", "sent"),
    ]
    assert [words for _, words in wechat.sent_messages if "请求已接收" in words] == []


def test_a_repeated_message_gets_the_same_ticket_and_response(wechat: Chat) -> None:
    """WeChat makes three attempts if it gets no response within five seconds."""
    first = reply_of(wechat, wechat.write("支付失败", id="1001"))
    wechat.simulator.pump()
    for _ in range(2):
        again = reply_of(wechat, wechat.write("支付失败", id="1001"))
        assert again["Content"] == first["Content"]
    assert len(wechat.tickets) == 1


def interrupt_next_request(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Call `act` while the next request is between its read and its write."""
    serial = Tickets.next_serial

    def meanwhile(tickets: Tickets, desk: str, period: str, block: int = 1) -> int:
        monkeypatch.setattr(Tickets, "next_serial", serial)
        act()
        return serial(tickets, desk, period, block)

    monkeypatch.setattr(Tickets, "next_serial", meanwhile)


@pytest.mark.requirement("G1", "E11")
def test_concurrent_repetitions_make_one_ticket(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[ApiResponse] = []
    interrupt_next_request(monkeypatch, lambda: answers.append(chat.write("支付失败", id="1002")))
    answers.append(chat.write("支付失败", id="1002"))
    first, second = (chat.provider.reply_in(answer.text) for answer in answers)
    assert first == second
    assert first == "" or chat.ticket.number in first
    assert len(chat.tickets) == 1


def test_two_messages_at_once_make_one_ticket(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_next_request(monkeypatch, lambda: chat.write("你好", id="1003"))
    chat.write("无法登录", id="1004")
    assert [e.text for e in chat.written()] == ["无法登录"]


def test_the_next_message_joins_the_ticket_once(chat: Chat) -> None:
    chat.write("无法登录", id="2001")
    for _ in range(2):
        answer = chat.write("是手机端", id="2002")
    assert "CS2" not in answer.text
    assert [(e.text, e.channel) for e in chat.written()] == [("是手机端", chat.name)]


@pytest.mark.requirement("G1", "A14")
def test_a_message_after_a_merge_goes_to_the_merge_target(chat: Chat) -> None:
    chat.write("无法登录", id="2003")
    own = chat.ticket.number
    chat.write("退款没到账", user=chat.provider.user[:-4] + "wxyz", id="2004")
    (other,) = (ticket.number for ticket in chat.tickets if ticket.number != own)
    chat.act("merge", number=own, into=other)
    chat.write("还是不行", id="2005")
    assert len(chat.tickets) == 2
    assert [(e.text, e.via, e.stranger) for e in chat.written(other)] == [("还是不行", own, True)]


@pytest.mark.requirement("G4")
def test_another_person_opens_another_ticket(chat: Chat) -> None:
    chat.write("无法登录")
    chat.write("退款没到账", user=chat.provider.user[:-4] + "wxyz")
    assert len(chat.tickets) == 2


@pytest.mark.requirement("B8", "A10", "A12", "E7")
def test_answers_go_to_the_chat(chat: Chat) -> None:
    chat.write_and_take()
    chat.act("reply", text="请点击“忘记密码”重置")
    chat.act("request-info", text="请提供手机型号")
    chat.act("resolve", summary="重置密码后恢复")
    heard = chat.sent_messages
    assert {to for to, _ in heard} == {chat.provider.reply_channel or chat.provider.user}
    said = "\n".join(words for _, words in heard)
    for words in ("请点击“忘记密码”重置", "请提供手机型号", "问题已处理完成", "?key="):
        assert words in said
    assert {d.state for d in chat.deliveries() if d.recipient == "customer"} == {"sent"}
    assert {d.channel for d in chat.deliveries() if d.recipient == "customer"} == {"message"}


def test_a_message_after_the_solution_reopens_the_ticket(chat: Chat) -> None:
    """A message to a closed ticket opens a new one."""
    chat.write_and_take()
    chat.act("resolve", summary="重置密码后恢复")
    chat.write("还是登录不了")
    chat.simulator.pump()
    assert chat.ticket.status in OPEN
    chat.act("close", reason="重复")
    chat.write("想换货")
    assert len(chat.tickets) == 2


@pytest.mark.requirement("E11")
@pytest.mark.requirement("A13", "C5")
def test_a_score_and_thanks_end_the_ticket_and_open_no_other(chat: Chat) -> None:
    chat.write_and_take()
    chat.act("resolve", summary="已重置密码")
    for words, texts in (("5分，谢谢", 1), ("谢谢！", 2)):
        chat.write(words)
        assert (chat.ticket.status, chat.ticket.score) == ("archived", 5)
        assert len(chat.written()) == texts
    assert len(chat.tickets) == 1


def test_a_message_takes_three_calls_to_the_table(chat: Chat) -> None:
    chat.write("你好", user=chat.provider.user[:-4] + "wxyz")  # the playbook is known by now
    for words in ("无法登录", "是手机端"):
        chat.simulator.calls.clear()
        chat.write(words)
        asked = [c.operation for c in chat.simulator.calls if c.service == "dynamodb"]
        assert len(asked) == 3, asked


@pytest.mark.requirement("B10")
def test_an_erased_person_is_not_recognised(chat: Chat) -> None:
    chat.write("无法登录")
    ticket = chat.ticket
    erase_customer(chat.simulator, chat.now, contact=f"{chat.name}:{chat.provider.user}")
    assert chat.storage.tickets.load(DESK, ticket.number).erased
    found = boto3.client("dynamodb").scan(TableName=chat.storage.table.name)["Items"]
    contacts = [item for item in found if item["pk"]["S"].startswith("CONTACT#")]
    assert contacts == []
    chat.write("想换货")
    assert len(chat.tickets) == 2


@pytest.mark.requirement("F5")
def test_an_invalid_signature_is_refused_and_nothing_stored(chat: Chat) -> None:
    call = chat.provider.call(chat.provider.text("你好", chat.now), chat.now)
    forged = [replace(call, query={}, headers={"Content-Type": call.headers["Content-Type"]})]
    if chat.provider.signs_body:
        forged.append(replace(call, body=call.body.replace("你好".encode(), "再见".encode())))
    if chat.provider.signs_time:
        long_ago = chat.now - timedelta(minutes=6)
        forged.append(chat.provider.call(chat.provider.text("你好", long_ago), long_ago))
    for each in forged:
        answer = chat.send(each)
        assert (answer.status, answer.json["status"]) == (401, 401), answer.text
    assert chat.tickets == []
    assert quarantine_causes(chat) == []


@pytest.mark.parametrize("path", ["standard/channels/pigeon", "nowhere/channels/wechat"])
def test_an_unknown_or_unused_channel_is_404(simulator: Simulator, path: str) -> None:
    for method, body in (("GET", None), ("POST", b"<xml/>")):
        answer = simulator.http(
            method, f"/desks/{path}", body, headers={"Content-Type": "text/xml"}
        )
        assert (answer.status, answer.json["status"]) == (404, 404)
    assert simulator.http("GET", "/desks/standard/channels/wechat").status == 404


@pytest.mark.requirement("G3")
def test_an_unreadable_request_is_quarantined_whole(chat: Chat) -> None:
    for body in (b"\xff\xfe nonsense", b"<xml><a>", b"[1, 2"):
        answer = chat.send(chat.provider.call(body, chat.now))
        assert answer.status == 200
    assert chat.tickets == []
    causes = quarantine_causes(chat)
    assert len(causes) == 3
    assert all(cause.startswith(chat.name) for cause in causes)


@dataclass
class QuarantinedRequest:
    """A WeChat message that was quarantined because the desk's key was wrong."""

    chat: Chat
    safe: SafeWeChat
    api: RecordingProvider

    def __post_init__(self) -> None:
        self.simulator = self.chat.simulator
        self.box = quarantine_of(self.simulator.deployment.stage)
        self._sqs = boto3.client("sqs")
        name = f"{self.simulator.deployment.prefix}-mail"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]

    def restore_secret(self) -> None:
        """Set the correct secret of the desk."""
        put_secret(self.simulator, "wechat", {**self.safe.secret, "api": self.api.url})
        aws.parameter_of_minute.cache_clear()

    def delete_secret(self) -> None:
        """Delete the secret of the desk."""
        name = self.simulator.deployment.parameter(f"desks/{DESK}/channels/wechat")
        boto3.client("ssm").delete_parameter(Name=name)
        aws.parameter_of_minute.cache_clear()

    def read(self, body: str) -> None:
        record = {"messageId": "m1", "body": body}
        answer = self.simulator.invoke("intake_mail", {"Records": [record]})
        assert answer == {"batchItemFailures": []}

    def process_replayed(self, times: int = 1) -> None:
        """Process the message that a replay has put into the queue."""
        (found,) = self._sqs.receive_message(QueueUrl=self._queue)["Messages"]
        for _ in range(times):
            self.read(found["Body"])
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=found["ReceiptHandle"])


@pytest.fixture
def quarantined(simulator: Simulator, storage: Storage) -> Iterator[QuarantinedRequest]:
    safe = SafeWeChat()
    put_secret(simulator, "wechat", {**safe.secret, "aes_key": "B" * 43})
    with recording_provider(safe.accepted()) as api:
        chat = Chat(simulator, storage, "wechat", safe, api)
        chat.write("无法登录", id="3001")
        assert chat.tickets == []
        yield QuarantinedRequest(chat, safe, api)


@pytest.mark.requirement("G3")
def test_a_quarantined_request_is_read_again_once(quarantined: QuarantinedRequest) -> None:
    quarantined.restore_secret()
    with quarantined.box.opened() as (waiting,):
        assert (waiting.function, waiting.desk) == ("chat", DESK)
        assert "<Encrypt>" in quarantined.box.text(waiting)
        assert "is queued" in quarantined.box.replay(waiting)
    quarantined.process_replayed(times=2)
    assert quarantined.chat.ticket.channel == "wechat"
    assert quarantine_causes(quarantined.chat) == []


@pytest.mark.requirement("G3")
def test_a_request_that_is_unreadable_again_stays_in_quarantine(
    quarantined: QuarantinedRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        quarantined.box._mail._sqs,
        "send_message",
        lambda **sent: quarantined.read(sent["MessageBody"]),
    )
    with quarantined.box.opened() as (waiting,):
        quarantined.box.replay(waiting)
    assert len(quarantine_causes(quarantined.chat)) == 1


@pytest.mark.requirement("G3")
def test_a_released_request_that_was_dead_lettered_is_replayed(
    quarantined: QuarantinedRequest,
) -> None:
    with quarantined.box.opened() as (waiting,):
        quarantined.box.replay(waiting)
    quarantined.delete_secret()
    quarantined.process_replayed()
    quarantined.restore_secret()
    with quarantined.box.opened() as (dead_letter,):
        assert (dead_letter.function, dead_letter.desk) == ("mail", DESK)
        assert "<Encrypt>" in quarantined.box.text(dead_letter)
        quarantined.box.replay(dead_letter)
    quarantined.process_replayed()
    assert quarantined.chat.ticket.channel == "wechat"
    with quarantined.box.opened() as left:
        assert left == []


@pytest.mark.requirement("G3")
def test_a_request_that_cannot_be_queued_stays_in_quarantine(
    quarantined: QuarantinedRequest, monkeypatch: pytest.MonkeyPatch
) -> None:

    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")

    monkeypatch.setattr(quarantined.box._mail._sqs, "send_message", refused)
    before = quarantine_causes(quarantined.chat)
    with quarantined.box.opened() as (waiting,), pytest.raises(ClientError):
        quarantined.box.replay(waiting)
    assert quarantine_causes(quarantined.chat) == before
    with quarantined.box.opened() as (again,):
        assert (again.id, again.function, again.call) == (waiting.id, "chat", waiting.call)


def test_an_invisible_message_is_accepted(chat: Chat) -> None:
    """The provider would repeat a refused message for ever."""
    for words in (" ", "\u3000\n", "\u200b", "\x1c"):
        chat.write(words)
    assert len(chat.tickets) <= 1  # some providers send no such thing


@pytest.mark.requirement("G1", "G4")
def test_two_messages_without_an_id_in_one_second_are_two(wechat: Chat) -> None:
    """No stored item names the person in place of an id."""
    now = wechat.now
    for words in ("无法登录", "密码也不对", "无法登录"):
        body = re.sub(rb"<MsgId>.*?</MsgId>", b"", wechat.provider.text(words, now))
        assert b"MsgId" not in body
        assert wechat.send(wechat.provider.call(body, now)).status == 200
    assert wechat.ticket.version == 2  # the third is the first one again
    for item in wechat.storage.tickets.items(DESK, wechat.ticket.number):
        item.pop("sealed", None)
        assert wechat.provider.user not in str(item)


def test_two_persons_messages_without_an_id_are_two(simulator: Simulator, storage: Storage) -> None:
    provider = FAKE_PROVIDERS["line"]
    put_secret(simulator, "line", provider.secret)
    events = [
        {
            "type": "message",
            "timestamp": 1_767_225_600_000,
            "source": {"type": "user", "userId": f"U{n}" + "0" * 31},
            "message": {"type": "text", "text": "无法登录"},
        }
        for n in (1, 2)
    ]
    with recording_provider(provider.accepted()) as api:
        chat = Chat(simulator, storage, "line", provider, api)
        for _ in range(2):
            body = json.dumps({"destination": "D", "events": events}).encode()
            assert chat.send(provider.call(body, chat.now)).status == 200
            events = [{**event, "timestamp": None} for event in events]
        assert len({ticket.customer.hash for ticket in chat.tickets}) == 2
        assert [ticket.version for ticket in chat.tickets] == [2, 2]


def quarantine_causes(chat: Chat) -> list[str]:
    """Return the causes in the quarantine."""
    s3, bucket = boto3.client("s3"), chat.simulator.deployment.mail_bucket
    found = s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/").get("Contents", [])
    heads = [s3.head_object(Bucket=bucket, Key=item["Key"]) for item in found]
    return [unquote(head["Metadata"]["cause"]) for head in heads]


@pytest.mark.requirement("G4")
def test_the_form_accepts_no_chat_contact(chat: Chat) -> None:
    chat.write("无法登录")
    contact = f"{chat.name}:{chat.provider.user}"
    body = {"contact": contact, "description": "x", "channel": chat.name}
    answer = chat.simulator.http("POST", f"/desks/{DESK}/tickets", body)
    assert answer.status == 400
    assert [error["field"] for error in answer.json["errors"]] == ["contact"]


@pytest.mark.requirement("G4", "A15")
def test_the_person_s_id_is_stored_sealed_only(chat: Chat) -> None:
    chat.write("无法登录，请回电13912345678")
    chat.simulator.pump()
    ticket = chat.ticket
    assert ticket.customer.contact == "*" * (len(chat.provider.user) - 4) + chat.provider.user[-4:]
    items = chat.storage.tickets.items(DESK, ticket.number)
    for item in items:
        item.pop("sealed", None)
    assert chat.provider.user not in str(items)
    assert "13912345678" not in str(items)


@pytest.mark.requirement("G3", "E11")
def test_a_busy_provider_is_retried_and_a_refusal_dead_lettered(chat: Chat) -> None:
    chat.write_and_take()
    chat.api.answers = [(503, b"busy")]
    chat.act("reply", text="正在处理")
    (waiting,) = chat.replies()
    assert (waiting.state, waiting.next_at is not None) == ("retrying", True)
    chat.api.answers = [chat.provider.refused()]
    chat.act("reply", text="请再试一次")
    (dead_letter,) = [d for d in chat.replies() if d.state == "dead_lettered"]
    assert dead_letter.cause


def test_an_expired_token_is_renewed_once(wechat: Chat) -> None:
    wechat.write_and_take()
    wechat.api.answers = [(200, b'{"errcode":42001,"errmsg":"access_token expired"}')]
    wechat.act("reply", text="请重置密码")
    assert [d.state for d in wechat.replies()] == ["sent"]
    asked = wechat.api.to("stable_token")
    assert [call["force_refresh"] for call in asked] == [False, True]


def test_a_new_secret_takes_effect_within_a_minute(chat: Chat) -> None:
    chat.write("无法登录")
    put_secret(
        chat.simulator, chat.name, {**dict.fromkeys(chat.provider.secret, "another"), "api": "x"}
    )
    aws.parameter_of_minute.cache_clear()  # the next minute
    call = chat.provider.call(chat.provider.text("你好", chat.now), chat.now)
    assert chat.send(call).status == 401


@pytest.mark.requirement("G4")
def test_unmasking_restores_the_text_in_place(chat: Chat) -> None:
    said = "我的电话 13800138000，谢谢"
    chat.write(f"\n  {said}\n")
    answer = chat.act("open-original", message=1, reason="回电")
    assert answer["original"] == {"description": said}
