"""The assistant on the channels of providers, and one customer across channels (C1–C6)."""

from __future__ import annotations

import email
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from typing import Any
from uuid import uuid4

import pytest

from functions.core.assistant.verification import VALID_FOR
from functions.core.channels.wechat import WeChat
from functions.core.deliver.message import token_cache
from functions.core.platform import clock
from functions.core.receive.assisted_chat import PUSHING
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.inprocess import test_chat
from tests.inprocess.conftest import WEBHOOK_SECRET, erase_customer
from tests.inprocess.desk_journey import SimulatedJourney
from tests.inprocess.recording_provider import recording_provider
from tests.inprocess.test_assistant import (
    Chat as WebChat,
    configure,
    everything_stored,
    journey,
)
from tests.inprocess.test_chat import put_secret
from tests.inprocess.test_returns import SUPERVISOR
from tests.moto_internals import sent_mails, sent_texts
from tests.signed_requests import signed

__all__ = ["journey"]  # a fixture
PHONE, MAILBOX = "13800138000", "wang@example.com"


class Channel(test_chat.Chat):
    """A person who writes to a desk with an assistant on a provider's channel."""

    def ask(self, words: str, **more: str) -> str:
        """Write a message and return what the desk says to it."""
        before = len(self.sent_messages)
        answer = self.write(words, **more)
        said = self.provider.reply_in(answer.text)
        return "\n".join([said, *(text for _, text in self.sent_messages[before:])]).strip()


OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ("line", "slack", "telegram")]


@pytest.fixture(params=["wechat", *OTHERS])
def channel(request: pytest.FixtureRequest, journey: SimulatedJourney) -> Iterator[Channel]:
    """A person on each channel."""
    with connected(journey, request.param) as found:
        yield found


@pytest.fixture
def wechat(journey: SimulatedJourney) -> Iterator[Channel]:
    """A person on one channel, for what no provider changes."""
    with connected(journey, "wechat") as found:
        yield found


@contextmanager
def connected(journey: SimulatedJourney, name: str) -> Iterator[Channel]:
    provider = FAKE_PROVIDERS[name]
    token_cache.cache_clear()
    with recording_provider(provider.accepted()) as api:
        put_secret(journey.simulator, name, {**provider.secret, "api": api.url})
        WebChat(journey).begin()  # which builds the index
        yield Channel(journey.simulator, journey.storage, name, provider, api)


@pytest.fixture
def chat(journey: SimulatedJourney) -> WebChat:
    return WebChat(journey)


def later(monkeypatch: pytest.MonkeyPatch, wait: timedelta) -> None:
    at = datetime.now(UTC) + wait
    monkeypatch.setattr(clock, "now", lambda: at)


def full(journey: SimulatedJourney, number: str) -> Any:
    answer = journey.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR)
    assert answer.status == 200, answer.text
    return answer.json


@pytest.mark.requirement("C3", "C4", "C5")
def test_a_question_is_answered_and_rated_without_a_ticket(channel: Channel) -> None:
    said = channel.ask("我的退款怎么还没到账")
    assert "您好，请问有什么可以帮您" in said
    assert "refund-status的回答。" in said
    assert "请评1–5分" in said
    assert channel.ask("5分") == "感谢您的评价。还有其他问题，可以直接问。"
    assert channel.tickets == []


@pytest.mark.requirement("C3", "G1")
def test_an_answer_too_long_for_the_response_is_sent_in_parts_once(
    wechat: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WeChat, "max_text", 90)
    for _ in range(2):
        answer = wechat.write("我的退款怎么还没到账", id="1")
        assert wechat.provider.reply_in(answer.text) == ""
    said = [text for _, text in wechat.sent_messages]
    assert len(said) > 1
    assert "请评1–5分" in said[-1]
    assert "".join(said).count("refund-status的回答。") == 1
    wechat.api.answers = [wechat.provider.refused()]
    assert "…" in wechat.provider.reply_in(wechat.write("我的退款怎么还没到账").text)


@pytest.mark.requirement("C4")
def test_an_option_is_chosen_by_its_number(wechat: Channel, journey: SimulatedJourney) -> None:
    configure(journey, at_once=1)
    said = wechat.ask("请问怎么开发票呢")
    number = re.search(r"(\d)\. 关于invoice", said)
    assert number is not None, said
    assert "0. 都不是" in said
    assert "invoice的回答。" in wechat.ask(number[1])


@contextmanager
def telegram(journey: SimulatedJourney) -> Iterator[tuple[Channel, Callable[[str], str]]]:
    """A person on a channel with buttons, and how they tap one: it returns what the desk says."""
    with connected(journey, "telegram") as person:

        def tap(choice: str) -> str:
            user = json.loads(person.provider.text("", person.now))["message"]["from"]
            under = {"message_id": 8, "chat": {"id": user["id"], "type": "private"}}
            query = {"id": "77", "from": user, "message": under, "data": choice}
            update = {"update_id": uuid4().int % 10**9, "callback_query": query}
            call = person.provider.call(json.dumps(update).encode(), person.now)
            before = len(person.sent_messages)
            answer = person.send(call)
            assert answer.json == {"method": "answerCallbackQuery", "callback_query_id": "77"}
            return "\n".join(text for _, text in person.sent_messages[before:])

        yield person, tap


def buttons(person: Channel) -> dict[str, str]:
    """Return the buttons under the last message: label → id."""
    rows = person.api.to("sendMessage")[-1]["reply_markup"]["inline_keyboard"]
    return {button["text"]: button["callback_data"] for row in rows for button in row}


@pytest.mark.requirement("C3", "C4", "C5")
def test_options_ratings_and_a_person_are_buttons_where_the_channel_has_them(
    journey: SimulatedJourney,
) -> None:
    configure(journey, at_once=1)
    with telegram(journey) as (person, tap):
        said = person.ask("请问怎么开发票呢")
        assert "1. " not in said
        offered = buttons(person)
        assert offered["都不是"] == "none"
        assert "invoice的回答。" in tap(offered["关于invoice"])
        ratings = buttons(person)
        assert list(ratings) == ["1", "2", "3", "4", "5", "转人工"]
        person.ask("你好")
        assert tap(ratings["5"]) == "感谢您的评价。还有其他问题，可以直接问。", "late, and no harm"
        assert "invoice的回答。" in tap(offered["关于invoice"]), "late, too"
        assert person.tickets == []
        tap(ratings["转人工"])
        person.simulator.pump()
        assert full(journey, person.ticket.number)["chat"]["reason"] == "asked"
        tap(ratings["1"])
        assert len(person.tickets) == 1, "a tap into an open ticket is a note on it"


@pytest.mark.requirement("B8", "C2")
def test_a_contact_verified_by_a_code_gets_what_the_channel_does_not_take(
    wechat: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    wechat.ask(PHONE)
    wechat.ask(code_in(sent_texts()[-1][1]))
    wechat.ask("转人工")
    wechat.simulator.pump()
    wechat.act("take")
    later(monkeypatch, timedelta(hours=49))
    wechat.act("reply", text="已为您办理")
    (reply,) = wechat.replies()
    assert (reply.state, reply.channel) == ("sent", "sms")
    number, text = sent_texts()[-1]
    assert (number, "已为您办理" in text) == ("+8613800138000", True)


@pytest.mark.requirement("C5", "C6")
def test_two_misses_hand_over_with_the_whole_conversation(
    channel: Channel, journey: SimulatedJourney
) -> None:
    channel.ask("今天天气")
    said = channel.ask("唱首歌吧")
    channel.simulator.pump()
    ticket = channel.ticket
    assert ticket.contact_proven
    told = f"{said}\n" + "\n".join(text for _, text in channel.sent_messages)
    assert told.count("请求已接收") + told.count("已为您转接人工") == 1
    assert ticket.number in told
    shown = full(journey, ticket.number)
    assert shown["chat"]["reason"] == "misses"
    assert [line["text"] for line in shown["chat"]["messages"] if line["from"] == "customer"] == [
        "今天天气", "唱首歌吧",
    ]  # fmt: skip
    channel.write("我还在等")
    assert [event.text for event in channel.written()] == ["我还在等"]


@pytest.mark.requirement("G1")
def test_a_repeated_message_gets_the_same_answer_once(channel: Channel) -> None:
    body = channel.provider.text("怎么开发票", channel.now, id="7351")
    call = channel.provider.call(body, channel.now)
    first, second = channel.send(call), channel.send(call)
    assert first.status == second.status == 200
    replies = [channel.provider.reply_in(each.text) for each in (first, second)]
    assert replies[0] == replies[1]
    assert "invoice的回答。" in "".join([replies[0], *(text for _, text in channel.sent_messages)])
    assert len(channel.sent_messages) <= 1


def test_an_answer_that_the_provider_did_not_take_is_sent_again(
    journey: SimulatedJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = FAKE_PROVIDERS["telegram"]
    with recording_provider(provider.accepted()) as api:
        put_secret(journey.simulator, "telegram", {**provider.secret, "api": api.url})
        channel = Channel(journey.simulator, journey.storage, "telegram", provider, api)
        call = provider.call(provider.text("怎么开发票", channel.now, id="7352"), channel.now)
        api.answers.append((503, b"{}"))
        assert channel.send(call).status == 503
        assert channel.send(call).status == 503  # the first may still be on its way
        later(monkeypatch, PUSHING)
        assert channel.send(call).status == 200
        assert len(channel.sent_messages) == 2
        later(monkeypatch, 3 * PUSHING)
        assert channel.send(call).status == 200
        assert len(channel.sent_messages) == 2, "it was taken by now"


def test_a_picture_needs_a_person(wechat: Channel, journey: SimulatedJourney) -> None:
    body = (
        wechat.provider.text("x", wechat.now)
        .replace(b"<MsgType><![CDATA[text]]>", b"<MsgType><![CDATA[image]]>")
        .replace(b"<Content><![CDATA[x]]></Content>", b"<MediaId>m1</MediaId>")
    )
    answer = wechat.send(wechat.provider.call(body, wechat.now))
    assert wechat.ticket.number in wechat.provider.reply_in(answer.text)
    shown = full(journey, wechat.ticket.number)
    assert (shown["chat"]["reason"], shown["description"]) == ("unreadable", "[图片]")


def code_in(text: str) -> str:
    found = re.search(r"验证码(\d{6})", text)
    assert found is not None, text
    return found[1]


@pytest.mark.requirement("C1", "C2")
def test_a_code_joins_the_channel_and_the_phone(wechat: Channel, journey: SimulatedJourney) -> None:
    filed = journey.http(
        "POST", "/desks/standard/tickets", {"contact": PHONE, "description": "无法登录"}
    ).json["number"]
    assert "138****8000" in wechat.ask(PHONE)
    (number, text), *_ = sent_texts()[-1:]
    assert number == "+8613800138000"
    said = wechat.ask(code_in(text))
    assert "已验证" in said
    assert filed in said
    wechat.ask("转人工")
    (ticket,) = (each for each in wechat.tickets if each.number != filed)
    shown = full(journey, ticket.number)
    assert filed in shown["history"]
    record = shown["customer_record"]
    assert [each["kind"] for each in record["identities"]] == ["phone", "message"]
    assert [(join["proof"], join["undone_at"]) for join in record["joins"]] == [("code", None)]
    path = f"/agent/desks/standard/customers/{record['id']}/separate"
    undone = journey.http("POST", path, {"join": 0, "reason": "另一位客户"}, claims=SUPERVISOR)
    assert undone.status == 200, undone.text
    assert full(journey, ticket.number)["history"] == []
    assert journey.http("POST", path, {"join": 0, "reason": "又"}, claims=SUPERVISOR).status == 404
    agent = {**SUPERVISOR, "cognito:username": "zx-1", "cognito:groups": "standard:agent"}
    assert journey.http("POST", path, {"join": 0, "reason": "x"}, claims=agent).status == 403


@pytest.mark.requirement("C2")
def test_a_verified_mailbox_proves_the_ticket_s_contact(
    chat: WebChat, journey: SimulatedJourney
) -> None:
    chat.begin(name="王芳")
    (sent,) = chat.new("verification", contact=MAILBOX)
    assert "w***g@example.com" in sent["text"]
    mail = sent_mails()[-1]
    assert MAILBOX in mail.raw_data
    text = email.message_from_string(mail.raw_data, policy=policy.default).get_content()
    code = code_in(text)
    wrong = chat.call("verification", {"code": f"{(int(code) + 1) % 10**6:06}"})
    assert (wrong.status, wrong.json["errors"][0]["field"]) == (400, "code")
    (done,) = chat.new("verification", code=code)
    assert "已验证" in done["text"]
    assert chat.call("verification", {"code": code}).status == 400, "a code is used once"
    number = chat.new("handover")[-1]["ticket"]["number"]
    shown = full(journey, number)
    assert shown["contact_proven"] is True
    assert shown["customer"]["contact"].endswith("*.com")
    assert chat.call("verification", {"contact": MAILBOX}).status == 409
    erase_customer(journey.simulator, datetime.now(UTC), contact=MAILBOX)
    assert not full(journey, number)["customer"]["contact"].endswith(".com")


def test_a_code_is_a_code_while_a_number_is_asked_for(
    chat: WebChat, journey: SimulatedJourney
) -> None:
    chat.begin()
    chat.write(PHONE)
    assert chat.write("订单到哪了")[-1]["text"] == "请告诉我订单号，以便为您查询。"
    said = chat.write(f"验证码是{code_in(sent_texts()[-1][1])}")
    assert "已验证" in said[0]["text"]
    assert chat.write("20261130001")[0]["kind"] == "answer", "the number is still wanted"


@pytest.mark.requirement("B10")
def test_a_chat_without_a_ticket_is_erased_with_its_contact(
    wechat: Channel, journey: SimulatedJourney
) -> None:
    wechat.ask("我的退款怎么还没到账")
    assert "我的退款怎么还没到账" in everything_stored(journey)
    erase_customer(journey.simulator, datetime.now(UTC), contact=f"wechat:{wechat.provider.user}")
    assert "我的退款怎么还没到账" not in everything_stored(journey)


def test_a_greeting_on_a_channel_is_welcomed_once(channel: Channel) -> None:
    assert channel.ask("你好").count("您好，请问有什么可以帮您") == 1
    assert channel.ask("你好").count("您好，请问有什么可以帮您") == 1, "nor is the second unheard"


@pytest.mark.requirement("C2", "G5")
def test_a_code_has_five_attempts_and_ten_minutes(
    chat: WebChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.begin()
    chat.new("verification", contact=PHONE)
    code = code_in(sent_texts()[-1][1])
    other = f"{(int(code) + 1) % 10**6:06}"
    answers = [chat.call("verification", {"code": other}).status for _ in range(5)]
    assert answers == [400] * 4 + [429]
    assert chat.call("verification", {"code": code}).status == 400
    chat.new("verification", contact=PHONE)
    late = code_in(sent_texts()[-1][1])
    later(monkeypatch, VALID_FOR + timedelta(seconds=2))
    assert "已过期" in chat.write(late)[0]["text"]
    assert chat.call("verification", {"code": late}).status == 400
    assert chat.call("verification", {}).status == 400
    assert chat.call("verification", {"contact": "nobody"}).status == 400
    assert chat.call("verification", {"contact": "+862112345678"}).status == 400, "a landline"
    statuses = [chat.call("verification", {"contact": PHONE}).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429], "five codes an hour"


def post(journey: SimulatedJourney, body: dict[str, str]) -> str:
    """File a ticket by the signed webhook and return its number."""
    raw = json.dumps(body).encode()
    headers = signed(WEBHOOK_SECRET, raw, id=uuid4().hex)
    answer = journey.http("POST", "/desks/standard/channels/webhook", raw, headers=headers)
    assert answer.status == 201, answer.text
    return str(answer.json["number"])


@pytest.mark.requirement("C1", "A5")
def test_a_signed_webhook_joins_the_company_s_id(journey: SimulatedJourney) -> None:
    first = post(journey, {"contact": PHONE, "description": "一", "customer_id": "C-77"})
    second = post(journey, {"contact": MAILBOX, "description": "二", "customer_id": "C-77"})
    shown = full(journey, second)
    assert shown["history"] == [first]
    assert {each["kind"] for each in shown["customer_record"]["identities"]} == {
        "customer_id", "phone", "email",
    }  # fmt: skip
    erase_customer(journey.simulator, datetime.now(UTC), contact=PHONE)
    assert full(journey, second)["customer_record"] is None
    assert full(journey, second)["history"] == []
