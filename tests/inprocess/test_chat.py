"""Chat channels, in and out: once, in the right ticket, answered where it was asked (G1, E10)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.core.domain.commands import Close
from functions.core.domain.rules import Notification
from functions.core.domain.ticket import OPEN, Ticket
from functions.core.platform import aws
from functions.core.services.command_service import change
from functions.core.storage.store import Store
from functions.notify.deliver import message
from infra.console.quarantine import Quarantine
from infra.simulator.simulator import ApiResponse, Simulator
from tests.core.channels.provider_requests import SIDES, Call, SafeWeChat, Side, WeChat
from tests.inprocess.conftest import forget
from tests.inprocess.recording_provider import Provider, provider
from tests.inprocess.test_returns import SUPERVISOR

DESK = "standard"


class Chat:
    """Somebody who writes to the standard desk on a channel, and the provider in between."""

    def __init__(self, loop: Simulator, store: Store, name: str, side: Side, api: Provider) -> None:
        self.loop, self.store, self.name, self.side, self.api = loop, store, name, side, api

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def send(self, call: Call) -> ApiResponse:
        path = call.path(f"/desks/{DESK}/channels/{self.name}")
        headers = {"Content-Type": "application/json", **call.headers}
        return self.loop.http(call.method, path, call.body or None, headers=headers)

    def writes(self, words: str, **more: str) -> ApiResponse:
        answer = self.send(self.side.call(self.side.text(words, self.now, **more), self.now))
        assert answer.status == 200, answer.text
        return answer

    @property
    def tickets(self) -> list[Ticket]:
        pages = (
            boto3.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.loop.deployment.table)
        )
        found = [item for page in pages for item in page["Items"] if item["sk"]["S"] == "TICKET"]
        return [
            self.store.load(DESK, number)
            for number in sorted(item["pk"]["S"].rpartition("#")[2] for item in found)
        ]

    @property
    def ticket(self) -> Ticket:
        (found,) = self.tickets
        return found

    @property
    def heard(self) -> list[tuple[str, str]]:
        """What the provider was asked to deliver: to whom, which words."""
        return [self.side.said(body) for _, _, body in self.api.calls if _is_message(body)]

    def deliveries(self, number: str = "") -> list[Any]:
        return self.store.deliveries(DESK, number or self.ticket.number)

    def acts(self, action: str, **body: Any) -> None:
        path = f"/agent/desks/{DESK}/tickets/{self.ticket.number}/{action}"
        claims = {"cognito:username": "zg-1", "cognito:groups": f"{DESK}:supervisor"}
        answer = self.loop.http("POST", path, body, claims=claims)
        assert answer.status == 200, answer.text
        self.loop.pump()


def _is_message(body: Any) -> bool:
    return isinstance(body, dict) and body.get("grant_type") is None


def put_secret(loop: Simulator, name: str, secret: dict[str, Any]) -> None:
    boto3.client("ssm").put_parameter(
        Name=loop.deployment.parameter(f"desks/{DESK}/channels/{name}"),
        Value=json.dumps(secret),
        Type="SecureString",
        Overwrite=True,
    )


@pytest.fixture(params=["wechat", "wechat-safe"])
def wechat(request: pytest.FixtureRequest, loop: Simulator, store: Store) -> Iterator[Chat]:
    """An official account, in the clear and encrypted."""
    side = WeChat() if request.param == "wechat" else SafeWeChat()
    yield from _chat(loop, store, "wechat", side)


@pytest.fixture(params=SIDES)
def chat(request: pytest.FixtureRequest, loop: Simulator, store: Store) -> Iterator[Chat]:
    """Each channel."""
    yield from _chat(loop, store, request.param, SIDES[request.param])


def _chat(loop: Simulator, store: Store, name: str, side: Side) -> Iterator[Chat]:
    message.kept.cache_clear()
    with provider(side.accepted()) as api:
        put_secret(loop, name, {**side.secret, "api": api.url})
        yield Chat(loop, store, name, side, api)


def reply_of(chat: Chat, answer: ApiResponse) -> dict[str, str]:
    """The passive reply in an answer, decrypted where the message was encrypted."""
    assert isinstance(chat.side, WeChat)
    return chat.side.reply(answer.text)


def test_wechat_checks_the_address(wechat: Chat) -> None:
    """F5: 接入指南"""
    assert isinstance(wechat.side, WeChat)
    call = wechat.side.check(wechat.now)
    answer = wechat.send(call)
    assert (answer.status, answer.text) == (200, call.query["echostr"])
    assert answer.headers["content-type"].startswith("text/plain")
    forged = replace(call, query={**call.query, "signature": "0" * 40})
    assert wechat.send(forged).status == 401


def test_a_wechat_message_is_acknowledged_in_the_answer(wechat: Chat) -> None:
    """A1, A4: at once, as WeChat wants it, and on record; nothing else is sent for it."""
    reply = reply_of(wechat, wechat.writes("无法登录，验证码收不到"))
    ticket = wechat.ticket
    assert reply["ToUserName"] == wechat.side.user
    assert reply["FromUserName"] == "gh_0123456789ab"
    assert reply["MsgType"] == "text"
    assert ticket.number in reply["Content"]
    assert "?key=" in reply["Content"]
    assert (ticket.channel, ticket.customer.kind) == ("wechat", "message")
    wechat.loop.pump()
    (told,) = [d for d in wechat.deliveries() if d.event == "TicketReceived"]
    assert (told.state, told.channel) == ("sent", "message")
    assert ticket.number in told.text
    assert "?key=" not in told.text
    assert [words for _, words in wechat.heard if "已受理" in words] == []


def test_others_are_told_beside_the_answer(wechat: Chat) -> None:
    """A4: whoever else hears of a new request does, and the customer not twice."""
    playbook = wechat.store.playbook(DESK, wechat.now)
    team = Notification(on="TicketReceived", to="supervisor", message="received")
    wechat.store.put_playbook(
        playbook.model_copy(update={"notifications": (team, *playbook.notifications)}), wechat.now
    )
    wechat.loop.expire_playbooks()
    wechat.loop.replace_containers()
    wechat.writes("无法登录")
    wechat.loop.pump()
    told = [d for d in wechat.deliveries() if d.event == "TicketReceived"]
    assert sorted((d.recipient, d.state) for d in told) == [
        ("customer", "sent"),
        ("supervisor", "sent"),
    ]
    assert [words for _, words in wechat.heard if "已受理" in words] == []


def test_the_same_message_again_is_the_same_ticket_and_answer(wechat: Chat) -> None:
    """G1: WeChat calls three times where it has no answer within five seconds."""
    first = reply_of(wechat, wechat.writes("支付失败", id="1001"))
    wechat.loop.pump()
    for _ in range(2):
        again = reply_of(wechat, wechat.writes("支付失败", id="1001"))
        assert again["Content"] == first["Content"]
    assert len(wechat.tickets) == 1


def at_once(chat: Chat, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let something else happen while the next call is between reading and writing."""
    serial = Store.next_serial

    def meanwhile(store: Store, desk: str, period: str) -> int:
        monkeypatch.setattr(Store, "next_serial", serial)
        act()
        return serial(store, desk, period)

    monkeypatch.setattr(Store, "next_serial", meanwhile)


def test_two_calls_at_once_are_one_ticket(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """G1, E11: the slower one is answered as the faster one was."""
    answers: list[ApiResponse] = []
    at_once(chat, monkeypatch, lambda: answers.append(chat.writes("支付失败", id="1002")))
    answers.append(chat.writes("支付失败", id="1002"))
    first, second = (chat.side.heard_in(answer.text) for answer in answers)
    assert first == second
    assert first == "" or chat.ticket.number in first
    assert len(chat.tickets) == 1


def test_two_lines_at_once_are_one_ticket(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """G1, E10: the slower one joins the ticket that the faster one opened."""
    at_once(chat, monkeypatch, lambda: chat.writes("你好", id="1003"))
    chat.writes("无法登录", id="1004")
    ticket = chat.ticket
    written = [e for c in chat.store.history(DESK, ticket.number) for e in c.of("CustomerWrote")]
    assert [e.text for e in written] == ["无法登录"]


def test_the_next_line_joins_the_ticket(chat: Chat) -> None:
    """E10, G1: what is written after is a message on the open ticket, the repeated one too."""
    chat.writes("无法登录", id="2001")
    for _ in range(2):
        answer = chat.writes("是手机端", id="2002")
    assert "CS2" not in answer.text
    ticket = chat.ticket
    written = [e for c in chat.store.history(DESK, ticket.number) for e in c.of("CustomerWrote")]
    assert [(e.text, e.channel) for e in written] == [("是手机端", chat.name)]


def test_what_is_written_after_a_merge_goes_on_with_it(chat: Chat) -> None:
    """G1, A14: on the ticket that theirs was merged into; nothing new is opened."""
    chat.writes("无法登录", id="2003")
    own = chat.ticket.number
    chat.writes("退款没到账", user=chat.side.user[:-4] + "wxyz", id="2004")
    (other,) = (ticket.number for ticket in chat.tickets if ticket.number != own)
    claims = {"cognito:username": "zg-1", "cognito:groups": f"{DESK}:supervisor"}
    path = f"/agent/desks/{DESK}/tickets/{own}/merge"
    merged = chat.loop.http("POST", path, {"into": other}, claims=claims)
    assert merged.status == 200, merged.text
    chat.writes("还是不行", id="2005")
    assert len(chat.tickets) == 2
    written = [e for c in chat.store.history(DESK, other) for e in c.of("CustomerWrote")]
    assert [(e.text, e.via, e.stranger) for e in written] == [("还是不行", own, True)]


def test_somebody_else_opens_a_ticket_of_their_own(chat: Chat) -> None:
    """G4"""
    chat.writes("无法登录")
    chat.writes("退款没到账", user=chat.side.user[:-4] + "wxyz")
    assert len(chat.tickets) == 2


def test_answers_go_where_the_question_came_from(chat: Chat) -> None:
    """B8, A10, A12, E7: replies, questions, and the solution with its survey."""
    chat.writes("无法登录")
    chat.loop.pump()
    chat.acts("take")
    chat.acts("reply", text="请点击“忘记密码”重置")
    chat.acts("request-info", text="请提供手机型号")
    chat.acts("resolve", summary="重置密码后恢复")
    heard = chat.heard
    assert {to for to, _ in heard} == {chat.side.place or chat.side.user}
    said = "\n".join(words for _, words in heard)
    for words in ("请点击“忘记密码”重置", "请提供手机型号", "问题已处理完成", "?key="):
        assert words in said
    assert {d.state for d in chat.deliveries() if d.recipient == "customer"} == {"sent"}
    assert {d.channel for d in chat.deliveries() if d.recipient == "customer"} == {"message"}


def test_a_message_after_the_solution_takes_it_up_again(chat: Chat) -> None:
    """The ticket is reopened while it may be; one that is archived is followed by a new one."""
    chat.writes("无法登录")
    chat.loop.pump()
    chat.acts("take")
    chat.acts("resolve", summary="重置密码后恢复")
    chat.writes("还是登录不了")
    chat.loop.pump()
    assert chat.ticket.status in OPEN
    change(
        chat.store, DESK, chat.ticket.number, Close(reason="重复"),
        chat.store.playbook(DESK, chat.now), chat.now, actor="zg-1",
    )  # fmt: skip
    chat.writes("想换货")
    assert len(chat.tickets) == 2


def test_filing_costs_three_calls_of_the_table(chat: Chat) -> None:
    """E11: what is on file, the serial, one transaction; a line that joins costs three as well."""
    chat.writes("你好", user=chat.side.user[:-4] + "wxyz")  # the playbook is known by now
    for words in ("无法登录", "是手机端"):
        chat.loop.calls.clear()
        chat.writes(words)
        asked = [c.operation for c in chat.loop.calls if c.service == "dynamodb"]
        assert len(asked) == 3, asked


def test_an_erased_person_begins_anew(chat: Chat) -> None:
    """B10: nothing is left by which they could be known again."""
    chat.writes("无法登录")
    ticket = chat.ticket
    forget(chat.loop, chat.now, contact=f"{chat.name}:{chat.side.user}")
    assert chat.store.load(DESK, ticket.number).erased
    found = boto3.client("dynamodb").scan(TableName=chat.store.table)["Items"]
    contacts = [item for item in found if item["pk"]["S"].startswith("CONTACT#")]
    assert contacts == []
    chat.writes("想换货")
    assert len(chat.tickets) == 2


def test_a_wrong_signature_is_refused(chat: Chat) -> None:
    """F5: 401, and nothing is kept: whoever cannot sign cannot fill the bucket either."""
    call = chat.side.call(chat.side.text("你好", chat.now), chat.now)
    forged = [replace(call, query={}, headers={"Content-Type": call.headers["Content-Type"]})]
    if chat.side.signs_body:
        forged.append(replace(call, body=call.body.replace("你好".encode(), "再见".encode())))
    if chat.side.signs_time:
        long_ago = chat.now - timedelta(minutes=6)
        forged.append(chat.side.call(chat.side.text("你好", long_ago), long_ago))
    for each in forged:
        answer = chat.send(each)
        assert (answer.status, answer.json["status"]) == (401, 401), answer.text
    assert chat.tickets == []
    assert kept(chat) == []


@pytest.mark.parametrize("path", ["standard/channels/pigeon", "nowhere/channels/wechat"])
def test_what_is_not_there_is_not_found(loop: Simulator, path: str) -> None:
    """No such channel, no such desk, or one that does not use it: all read alike."""
    for method, body in (("GET", None), ("POST", b"<xml/>")):
        answer = loop.http(method, f"/desks/{path}", body, headers={"Content-Type": "text/xml"})
        assert (answer.status, answer.json["status"]) == (404, 404)
    assert loop.http("GET", "/desks/standard/channels/wechat").status == 404


def test_what_cannot_be_read_is_kept_whole(chat: Chat) -> None:
    """G3: signed and not what the provider's documentation says."""
    for body in (b"\xff\xfe nonsense", b"<xml><a>", b"[1, 2"):
        answer = chat.send(chat.side.call(body, chat.now))
        assert answer.status == 200
    assert chat.tickets == []
    causes = kept(chat)
    assert len(causes) == 3
    assert all(cause.startswith(chat.name) for cause in causes)


@dataclass
class Unread:
    """A WeChat account whose key was wrong when a message came: it lies in quarantine."""

    chat: Chat
    safe: SafeWeChat
    api: Provider

    def __post_init__(self) -> None:
        self.loop = self.chat.loop
        self.box = Quarantine(self.loop.deployment.stage)
        self._sqs = boto3.client("sqs")
        name = f"{self.loop.deployment.prefix}-mail"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]

    def mend(self) -> None:
        """The desk's secret is as it should be."""
        put_secret(self.loop, "wechat", {**self.safe.secret, "api": self.api.url})
        aws.of_this_minute.cache_clear()

    def lose(self) -> None:
        """The desk has no secret at all."""
        name = self.loop.deployment.parameter(f"desks/{DESK}/channels/wechat")
        boto3.client("ssm").delete_parameter(Name=name)
        aws.of_this_minute.cache_clear()

    def read(self, body: str) -> None:
        record = {"messageId": "m1", "body": body}
        answer = self.loop.invoke("intake_mail", {"Records": [record]})
        assert answer == {"batchItemFailures": []}

    def read_again(self, times: int = 1) -> None:
        """What a replay has put into the queue is brought to its function."""
        (found,) = self._sqs.receive_message(QueueUrl=self._queue)["Messages"]
        for _ in range(times):
            self.read(found["Body"])
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=found["ReceiptHandle"])


@pytest.fixture
def unread(loop: Simulator, store: Store) -> Iterator[Unread]:
    safe = SafeWeChat()
    put_secret(loop, "wechat", {**safe.secret, "aes_key": "B" * 43})
    with provider(safe.accepted()) as api:
        chat = Chat(loop, store, "wechat", safe, api)
        chat.writes("无法登录", id="3001")
        assert chat.tickets == []
        yield Unread(chat, safe, api)


def test_what_was_kept_is_read_again(unread: Unread) -> None:
    """G3: a key that was wrong is put right, and the message is brought back; once."""
    unread.mend()
    with unread.box.opened() as (waiting,):
        assert (waiting.function, waiting.desk) == ("chat", DESK)
        assert "<Encrypt>" in unread.box.text(waiting)
        assert "queued for" in unread.box.replay(waiting)
    unread.read_again(times=2)
    assert unread.chat.ticket.channel == "wechat"
    assert kept(unread.chat) == []


def test_what_is_read_again_and_cannot_be_read_stays_in_quarantine(
    unread: Unread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G3: however fast it is set aside once more."""
    monkeypatch.setattr(
        unread.box._mail._sqs, "send_message", lambda **sent: unread.read(sent["MessageBody"])
    )
    with unread.box.opened() as (waiting,):
        unread.box.replay(waiting)
    assert len(kept(unread.chat)) == 1


def test_a_released_call_that_is_parked_is_brought_back(unread: Unread) -> None:
    """G3: the desk's secret was away when the call was read again; from the queue it comes back."""
    with unread.box.opened() as (waiting,):
        unread.box.replay(waiting)
    unread.lose()
    unread.read_again()
    unread.mend()
    with unread.box.opened() as (parked,):
        assert (parked.function, parked.desk) == ("mail", DESK)
        assert "<Encrypt>" in unread.box.text(parked)
        unread.box.replay(parked)
    unread.read_again()
    assert unread.chat.ticket.channel == "wechat"
    with unread.box.opened() as left:
        assert left == []


def test_what_cannot_be_announced_stays_in_quarantine(
    unread: Unread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G3: the queue takes no message just now."""

    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")

    monkeypatch.setattr(unread.box._mail._sqs, "send_message", refused)
    before = kept(unread.chat)
    with unread.box.opened() as (waiting,), pytest.raises(ClientError):
        unread.box.replay(waiting)
    assert kept(unread.chat) == before
    with unread.box.opened() as (again,):
        assert (again.id, again.function, again.call) == (waiting.id, "chat", waiting.call)


def test_a_message_of_nothing_to_be_seen_is_a_message(chat: Chat) -> None:
    """E10, G1: it opens a ticket; refusing it would have the provider send it for ever."""
    for words in (" ", "\u3000\n", "\u200b", "\x1c"):
        chat.writes(words)
    assert len(chat.tickets) <= 1  # some providers send no such thing


def test_two_lines_of_a_second_without_an_id_are_two(wechat: Chat) -> None:
    """G1, G4: none is lost, and no record names the person in an id's place."""
    now = wechat.now
    for words in ("无法登录", "密码也不对", "无法登录"):
        body = re.sub(rb"<MsgId>.*?</MsgId>", b"", wechat.side.text(words, now))
        assert b"MsgId" not in body
        assert wechat.send(wechat.side.call(body, now)).status == 200
    assert wechat.ticket.version == 2  # the third is the first one again
    for item in wechat.store.everything(DESK, wechat.ticket.number):
        item.pop("sealed", None)
        assert wechat.side.user not in str(item)


def test_messages_without_an_id_are_not_taken_for_each_other(loop: Simulator, store: Store) -> None:
    """G1: none of two that the provider gave no id is lost."""
    side = SIDES["line"]
    put_secret(loop, "line", side.secret)
    events = [
        {
            "type": "message",
            "timestamp": 1_767_225_600_000,
            "source": {"type": "user", "userId": f"U{n}" + "0" * 31},
            "message": {"type": "text", "text": "无法登录"},
        }
        for n in (1, 2)
    ]
    with provider(side.accepted()) as api:
        chat = Chat(loop, store, "line", side, api)
        for _ in range(2):
            body = json.dumps({"destination": "D", "events": events}).encode()
            assert chat.send(side.call(body, chat.now)).status == 200
            events = [{**event, "timestamp": None} for event in events]
        assert len({ticket.customer.hash for ticket in chat.tickets}) == 2
        assert [ticket.version for ticket in chat.tickets] == [2, 2]


def kept(chat: Chat) -> list[str]:
    """The causes of what lies in quarantine."""
    s3, bucket = boto3.client("s3"), chat.loop.deployment.mail_bucket
    found = s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/").get("Contents", [])
    heads = [s3.head_object(Bucket=bucket, Key=item["Key"]) for item in found]
    return [unquote(head["Metadata"]["cause"]) for head in heads]


def test_nobody_claims_a_chat_contact_by_writing_it_down(chat: Chat) -> None:
    """G4: the open form takes phone numbers and addresses only."""
    chat.writes("无法登录")
    contact = f"{chat.name}:{chat.side.user}"
    body = {"contact": contact, "description": "x", "channel": chat.name}
    answer = chat.loop.http("POST", f"/desks/{DESK}/tickets", body)
    assert answer.status == 400
    assert [error["field"] for error in answer.json["errors"]] == ["contact"]


def test_the_person_is_masked_everywhere(chat: Chat) -> None:
    """G4, A15: the provider's id of a person stands sealed, and nowhere else."""
    chat.writes("无法登录，请回电13912345678")
    chat.loop.pump()
    ticket = chat.ticket
    assert ticket.customer.contact == "*" * (len(chat.side.user) - 4) + chat.side.user[-4:]
    items = chat.store.everything(DESK, ticket.number)
    for item in items:
        item.pop("sealed", None)
    assert chat.side.user not in str(items)
    assert "13912345678" not in str(items)


def test_a_provider_that_is_down_is_asked_again(chat: Chat) -> None:
    """G3, E11: later where it may work, parked with its cause where it never will."""
    chat.writes("无法登录")
    chat.loop.pump()
    chat.acts("take")
    chat.api.answers = [(503, b"busy")]
    chat.acts("reply", text="正在处理")
    (waiting,) = [d for d in chat.deliveries() if d.event == "ReplySent"]
    assert (waiting.state, waiting.next_at is not None) == ("retrying", True)
    chat.api.answers = [chat.side.refused()]
    chat.acts("reply", text="请再试一次")
    (parked,) = [d for d in chat.deliveries() if d.event == "ReplySent" and d.state == "parked"]
    assert parked.cause


def test_a_closed_window_is_told_in_words(wechat: Chat) -> None:
    """48 hours after the customer's last message WeChat takes nothing any more."""
    wechat.writes("无法登录")
    wechat.loop.pump()
    wechat.acts("take")
    wechat.api.answers = [(200, b'{"errcode":45015,"errmsg":"response out of time limit"}')]
    wechat.acts("reply", text="您好")
    (parked,) = [d for d in wechat.deliveries() if d.event == "ReplySent"]
    assert parked.state == "parked"
    assert "48 hours" in str(parked.cause)


def test_an_expired_token_is_renewed(wechat: Chat) -> None:
    """40001, 42001: one token serves many messages; a refused one is fetched anew, once."""
    wechat.writes("无法登录")
    wechat.loop.pump()
    wechat.acts("take")
    wechat.api.answers = [(200, b'{"errcode":42001,"errmsg":"access_token expired"}')]
    wechat.acts("reply", text="请重置密码")
    assert [d.state for d in wechat.deliveries() if d.event == "ReplySent"] == ["sent"]
    asked = wechat.api.to("stable_token")
    assert [call["force_refresh"] for call in asked] == [False, True]


def test_a_new_secret_is_in_force_within_a_minute(chat: Chat) -> None:
    chat.writes("无法登录")
    put_secret(chat.loop, chat.name, {**dict.fromkeys(chat.side.secret, "another"), "api": "x"})
    aws.of_this_minute.cache_clear()  # the next minute
    call = chat.side.call(chat.side.text("你好", chat.now), chat.now)
    assert chat.send(call).status == 401


def test_what_was_hidden_comes_back_in_its_place(chat: Chat) -> None:
    """G4: space around the words stands in no description."""
    said = "我的电话 13800138000，谢谢"
    chat.writes(f"\n  {said}\n")
    path = f"/agent/desks/{DESK}/tickets/{chat.ticket.number}/open-original"
    answer = chat.loop.http("POST", path, {"message": 1, "reason": "回电"}, claims=SUPERVISOR)
    assert answer.json["original"] == {"description": said}
