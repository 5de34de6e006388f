"""The assistant of a desk: chats that it answers, and those that it hands over (C3–C6)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.answers.vectors import Floats
from functions.assistant.calls import SEALED_WITHIN
from functions.core.assistant.look_ups import LookUpFailed
from functions.core.domain.events import TicketReceived
from functions.core.domain.knowledge import Article, ArticleVersion
from functions.core.domain.playbook_assistant import Assistant, LookUpSource
from functions.core.domain.roster import Agent
from functions.core.domain.rules import NotificationRule
from functions.core.platform import clock
from functions.core.storage.chats import Chats
from tests.inprocess.conftest import erase_customer
from tests.inprocess.desk_journey import SimulatedJourney, deployed

PHRASINGS = {
    "refund-status": (
        "退款到哪了", "我的退款怎么还没到", "退款进度查询", "钱什么时候退给我", "退款还没收到",
        "退款多久到账", "查一下退款", "退款显示处理中", "退款一直没动静", "请问退款到账时间",
    ),
    "invoice": (
        "怎么开发票", "我要开票", "发票在哪申请", "能开电子发票吗", "需要公司抬头的发票",
        "发票什么时候给", "开一张发票", "发票申请入口", "电子发票怎么下载", "补开发票",
    ),
    "order-status": (
        "订单到哪了", "查询订单状态", "我的单子怎么样了", "订单处理了吗", "看看我的订单",
        "订单现在什么情况", "帮我查下订单", "订单进度", "订单怎么还是待处理", "下的单有消息吗",
    ),
    "lost-parcel": (
        "显示签收但没收到", "快递被签收了我没拿到", "包裹丢了", "快递找不到了", "没收到包裹却签收",
        "快递员说放门口但没有", "包裹不见了", "签收了可是没货", "货丢了怎么办", "快递丢件",
    ),
}  # fmt: skip
ROSTER = (
    Agent(desk="standard", username="li-1", role="agent", team="技术支持组", capacity=5),
    Agent(desk="standard", username="sh-1", role="agent", team="售后组", capacity=5),
    Agent(desk="standard", username="zx-1", role="agent", team="通用咨询组", capacity=5),
    Agent(desk="standard", username="zg-1", role="supervisor", team="主管组", capacity=5),
)


SUBJECTS = ("退", "票", "单", "签收 包裹 快递 货 丢件")
"""Words that tell the articles apart; texts without any of it have nothing in common."""


def embed(texts: Sequence[str]) -> Floats:
    """Encode texts by their subject: `tests/e2e/test_chats.py` has the encoder itself."""
    import numpy as np

    rows = np.zeros((len(texts), 384), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        digest = crc32(text.encode())
        row[:] = np.random.default_rng(digest).normal(scale=0.02, size=384)
        found = [
            axis for axis, words in enumerate(SUBJECTS) if any(w in text for w in words.split())
        ]
        row[found or [10 + digest % 300]] += 1
        row /= np.linalg.norm(row)
    return rows


class Chat:
    """A chat, and the calls of its customer."""

    def __init__(self, journey: SimulatedJourney) -> None:
        self.journey = journey
        self.id = self.token = ""
        self.messages: list[Any] = []

    def begin(self, **body: Any) -> Any:
        answer = self.journey.http("POST", self.path, body)
        assert answer.status == 201, answer.text
        self.id, self.token = answer.json["chat"], answer.json["token"]
        self.messages += answer.json["messages"]
        return answer.json

    @property
    def path(self) -> str:
        return f"/desks/{self.journey.desk}/chats"

    def call(self, what: str, body: Any, key: str = "") -> ApiResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        if key:
            headers["Idempotency-Key"] = key
        return self.journey.http("POST", f"{self.path}/{self.id}/{what}", body, headers=headers)

    def new(self, what: str, **body: Any) -> list[Any]:
        """Make a call and return what the desk said to it."""
        answer = self.call(what, body)
        assert answer.status == 200, answer.text
        self.messages += answer.json["messages"]
        return [message for message in answer.json["messages"] if message["from"] != "customer"]

    def write(self, text: str) -> list[Any]:
        return self.new("messages", text=text)

    def read(self, after: str = "") -> list[Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        path = f"{self.path}/{self.id}/messages?after={after}"
        answer = self.journey.http("GET", path, headers=headers)
        assert answer.status == 200, answer.text
        return list(answer.json["messages"])


def article(name: str, **more: Any) -> Article:
    fields: dict[str, Any] = {
        "title": {"zh-CN": f"关于{name}", "en": f"About {name}"},
        "asked": {"zh-CN": PHRASINGS[name]},
        "solution": {"zh-CN": f"{name}的回答。", "en": f"The answer of {name}."},
    }
    return Article.model_validate(fields | more)


@pytest.fixture
def journey() -> Iterator[SimulatedJourney]:
    with deployed("standard", ROSTER, embed=embed) as journey:
        assistant = Assistant(
            welcome={"zh-CN": "您好，请问有什么可以帮您？", "en": "Hello! How can we help?"},
        )
        journey.playbook = journey.playbook.model_copy(update={"assistant": assistant})
        now = datetime.now(UTC)
        journey.storage.playbooks.put(journey.playbook, now)
        articles = {
            "refund-status": article("refund-status"),
            "invoice": article("invoice"),
            "order-status": article(
                "order-status",
                solution={"zh-CN": "订单{{ order_number }}已发货。", "en": "Sent."},
                needs={"order_number": "asked"},
            ),
            "lost-parcel": article("lost-parcel", then="hand_over", type="报障"),
        }
        for name, each in articles.items():
            journey.storage.knowledge.put(journey.desk, name, ArticleVersion(1, "zg-1", now, each))
        journey.online("zx-1", "sh-1", "li-1")
        yield journey


def configure(journey: SimulatedJourney, **settings: float) -> None:
    """Change the desk's assistant."""
    assert journey.playbook.assistant is not None
    assistant = journey.playbook.assistant.model_copy(update=settings)
    playbook = journey.playbook.model_copy(update={"assistant": assistant})
    journey.storage.playbooks.put(playbook, datetime.now(UTC))
    journey.simulator.expire_playbooks()


@pytest.fixture
def chat(journey: SimulatedJourney) -> Chat:
    return Chat(journey)


@pytest.mark.requirement("C3", "C4", "C5")
def test_a_question_is_answered_at_once_and_rated(chat: Chat) -> None:
    begun = chat.begin()
    assert [(m["from"], m["kind"]) for m in begun["messages"]] == [("assistant", "text")]
    said = chat.write("我的退款怎么还没到账")
    assert [m["kind"] for m in said] == ["answer", "rating"]
    assert (said[0]["article"], said[0]["text"]) == ("refund-status", "refund-status的回答。")
    assert [m["text"] for m in chat.new("rating", score=5)] == [
        "感谢您的评价。还有其他问题，可以直接问。"
    ]
    assert chat.call("rating", {"score": 5}).status == 409


@pytest.mark.slow
@pytest.mark.requirement("H2", "H8")
def test_messages_say_their_language(journey: SimulatedJourney, chat: Chat) -> None:
    """Screen readers speak each message in its own; what shows none has none (WCAG 3.1.2)."""
    (welcome,) = chat.begin(locale="en")["messages"]
    assert welcome["lang"] == "en"
    chat.write("12345")
    assert [m.get("lang") for m in chat.messages if m["from"] == "customer"] == [None]
    chat.write("转人工")
    assert [m["lang"] for m in chat.messages if m["text"] == "转人工"] == ["zh-CN"]
    chat.write("Is anybody there to help me?")
    assert [m["lang"] for m in chat.read("t1") if m["from"] == "customer"] == ["en"]


@pytest.mark.slow
@pytest.mark.requirement("B10", "H2")
def test_the_privacy_notice_that_a_chat_showed_is_recorded(
    journey: SimulatedJourney, chat: Chat
) -> None:
    """Each ticket has the version that its customer saw; a version that has gone is refused."""
    assert journey.playbook.privacy is not None
    old = journey.http("POST", chat.path, {"privacy_version": "2001-01"})
    assert (old.status, old.json["errors"][0]["field"]) == (400, "privacy_version")
    for shown, recorded in (({"privacy_version": journey.playbook.privacy.version},) * 2, ({}, {})):
        other = Chat(journey)
        other.begin(**shown)
        other.write("转人工")
        number = next(m["ticket"]["number"] for m in other.messages if "ticket" in m)
        received = journey.storage.tickets.commit_at(journey.desk, number, 1)
        assert received is not None
        (event,) = received.of(TicketReceived)
        assert event.privacy_version == recorded.get("privacy_version")


@pytest.mark.requirement("C4", "C5")
def test_an_article_is_chosen_from_three_or_none_of_them(
    journey: SimulatedJourney, chat: Chat
) -> None:
    configure(journey, at_once=1)  # so that even a sure answer is only offered
    chat.begin()
    (offer,) = chat.write("请问怎么开发票呢")
    assert offer["kind"] == "offer"
    ids = [option["id"] for option in offer["options"]]
    assert len(ids) <= 4
    assert ids[-1] == "none"
    wrong = chat.call("choice", {"option": "invented"})
    assert ids[0] in wrong.json["errors"][0]["message"]
    assert (wrong.status, wrong.json["errors"][0]["field"]) == (400, "option")
    assert [m["kind"] for m in chat.new("choice", option="none")] == ["text"]
    assert chat.call("choice", {"option": ids[0]}).status == 409
    (offer,) = chat.write("请问怎么开发票呢")
    assert [m["kind"] for m in chat.new("choice", option="invoice")] == ["answer", "rating"]


@pytest.mark.requirement("C4")
def test_what_an_answer_needs_is_asked_once(chat: Chat) -> None:
    chat.begin()
    (asked,) = chat.write("帮我查一下我的订单进度")
    assert asked["text"] == "请告诉我订单号，以便为您查询。"
    said = chat.write("订单号是20261130001，谢谢")
    assert said[0]["text"] == "订单20261130001已发货。"
    said = chat.write("查询订单状态")
    assert said[0]["text"] == "订单20261130001已发货。"


@pytest.fixture
def states(journey: SimulatedJourney, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Orders that the company's own system knows, each with its states from now on."""
    found: dict[str, list[str]] = {}

    def fetch(url: str, _headers: object, *, local: bool) -> bytes:
        number = url.rpartition("/")[2]
        assert not local
        if not found.get(number):
            raise LookUpFailed("the source answered 404")
        return json.dumps({"refund": {"state": found[number].pop(0)}}).encode()

    class Expired(dict[object, object]):
        """A cache whose entries are old when they are read."""

        def __setitem__(self, key: object, value: object) -> None:
            pass

    monkeypatch.setattr("functions.core.assistant.look_ups.fetch", fetch)
    monkeypatch.setattr("functions.core.assistant.look_ups._cache", Expired())
    assert journey.playbook.assistant is not None
    source = LookUpSource.model_validate(
        {
            "url": "https://orders.example.com/{order_number}",
            "values": {"refund_state": "refund.state"},
            "labels": {"sent": {"zh-CN": "已退出", "en": "sent"}},
        }
    )
    assistant = journey.playbook.assistant.model_copy(update={"sources": {"orders": source}})
    playbook = journey.playbook.model_copy(update={"assistant": assistant})
    now = datetime.now(UTC)
    journey.storage.playbooks.put(playbook, now)
    refund = article(
        "refund-status",
        solution={"zh-CN": "订单{{ order_number }}的退款：{{ refund_state }}。"},
        needs={"refund_state": "looked_up"},
    )
    journey.storage.knowledge.put(
        journey.desk, "refund-status", ArticleVersion(2, "a", now, refund)
    )
    journey.simulator.expire_playbooks()
    return found


@pytest.mark.requirement("C4", "C6")
def test_what_the_companys_system_knows_is_looked_up_for_each_answer(
    journey: SimulatedJourney, chat: Chat, states: dict[str, list[str]]
) -> None:
    states["20261130001"] = ["审核中", "sent"]
    chat.begin()
    (asked,) = chat.write("我的退款怎么还没到账")
    assert asked["text"] == "请告诉我订单号，以便为您查询。"
    assert chat.write("20261130001")[0]["text"] == "订单20261130001的退款：审核中。"
    assert chat.write("退款到哪了")[0]["text"] == "订单20261130001的退款：已退出。"
    *_, told = chat.new("handover")
    journey.number = told["ticket"]["number"]
    values = journey.view()["chat"]["values"]
    assert values == {"order_number": "20261130001", "refund_state": "已退出"}


@pytest.mark.slow
@pytest.mark.requirement("C4", "C5", "C6")
def test_what_cannot_be_looked_up_is_handed_over_and_never_invented(
    journey: SimulatedJourney, chat: Chat, states: dict[str, list[str]]
) -> None:
    states["20261130001"] = ["审核中"]
    chat.begin()
    chat.write("我的退款怎么还没到账")
    assert chat.write("20261130001")[0]["kind"] == "answer"
    (told,) = chat.write("退款到哪了")
    assert told["kind"] == "handover"
    journey.number = told["ticket"]["number"]
    seen = journey.view()["chat"]
    assert (seen["reason"], seen["reason_label"]) == ("look_up", "信息未能查到")
    assert seen["values"] == {"order_number": "20261130001"}


@pytest.mark.slow
def test_another_number_in_a_question_is_the_one_that_is_meant(
    chat: Chat, states: dict[str, list[str]]
) -> None:
    states["20261130001"], states["20261130005"] = ["审核中"] * 3, ["sent"] * 3
    chat.begin()
    said = chat.write("我的退款怎么还没到账，20261130001")
    assert said[0]["text"] == "订单20261130001的退款：审核中。", "it is not asked again"
    assert chat.write("退款到哪了")[0]["text"] == "订单20261130001的退款：审核中。"
    said = chat.write("另一个20261130005的退款到哪了")
    assert said[0]["text"] == "订单20261130005的退款：已退出。"
    assert chat.write("那20261130001呢")[0]["text"] == "订单20261130001的退款：审核中。"


def test_a_masked_number_is_not_used_again_nor_by_its_tail(
    chat: Chat, states: dict[str, list[str]]
) -> None:
    states["13812348000"], states["8000"] = ["sent"] * 2, ["of somebody else"] * 2
    chat.begin()
    chat.write("我的退款怎么还没到账")
    said = chat.write("13812348000")
    assert said[0]["text"].endswith("的退款：已退出。")
    assert "13812348000" not in said[0]["text"]
    assert chat.write("退款到哪了")[-1]["text"] == "请告诉我订单号，以便为您查询。"


@pytest.mark.slow
def test_a_number_that_is_masked_is_masked_on_the_ticket(
    journey: SimulatedJourney, chat: Chat, states: dict[str, list[str]]
) -> None:
    chat.begin()
    chat.write("我的退款怎么还没到账")
    chat.write("13812348000")
    assert chat.write("13812348000")[-1]["kind"] == "handover"
    assert not states
    assert "13812348000" not in everything_stored(journey)


@pytest.mark.slow
@pytest.mark.requirement("B10")
def test_what_a_chat_asked_for_is_erased_with_its_ticket(
    journey: SimulatedJourney, chat: Chat, states: dict[str, list[str]]
) -> None:
    states["20261130001"] = ["审核中"]
    chat.begin()
    chat.write("我的退款怎么还没到账，20261130001")
    journey.number = chat.write("转人工")[-1]["ticket"]["number"]
    assert "20261130001" in everything_stored(journey)
    erase_customer(journey.simulator, datetime.now(UTC), number=journey.number)
    assert "20261130001" not in everything_stored(journey).replace(journey.number, "")


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("我没有订单号呀", ["handover"]),
        ("转人工", ["handover"]),
        ("20261130001和20261130002", ["text"]),
        ("怎么开发票", ["answer", "rating"]),
        ("谢谢，不用了", ["text"]),
    ],
)
def test_words_are_no_number(
    chat: Chat, states: dict[str, list[str]], words: str, kinds: list[str]
) -> None:
    chat.begin()
    chat.write("我的退款怎么还没到账")
    assert [m["kind"] for m in chat.write(words)] == kinds
    assert not states


def test_a_mistyped_number_is_asked_once_more(chat: Chat, states: dict[str, list[str]]) -> None:
    states["20261130001"] = ["审核中"]
    chat.begin()
    chat.write("我的退款怎么还没到账")
    (asked,) = chat.write("20261130009")
    assert asked["text"] == "没有查到订单号“20261130009”。请核对后再发一次。"
    assert chat.write("20261130001")[0]["kind"] == "answer"
    chat.begin()
    chat.write("我的退款怎么还没到账")
    chat.write("1111")
    assert [m["kind"] for m in chat.write("2222")] == ["handover"]


@pytest.mark.slow
@pytest.mark.requirement("C5", "C6", "C7")
def test_two_misses_hand_over_and_nothing_is_asked_twice(
    journey: SimulatedJourney, chat: Chat
) -> None:
    chat.begin(contact="13812345678", name="王芳", customer_id="C-1")
    assert chat.write("退款怎么还没到")[0]["article"] == "refund-status"
    assert [m["kind"] for m in chat.write("今天天气怎么样")] == ["text"]
    (told,) = chat.write("你会唱歌吗")
    assert told["kind"] == "handover"
    journey.number = told["ticket"]["number"]
    assert journey.number in told["text"]
    assert "前联系您" in told["text"] or "开始服务后" in told["text"]

    ticket = journey.ticket
    assert (ticket.channel, ticket.customer.kind, ticket.customer.id) == ("chat", "phone", "C-1")
    seen = journey.view()["chat"]
    assert (seen["reason"], seen["reason_label"]) == ("misses", "多次未找到答案")
    assert seen["articles"] == [{"id": "refund-status", "title": "关于refund-status"}]
    words = [line["text"] for line in seen["messages"]]
    assert words == [message["text"] for message in chat.messages[: len(words)]]
    assert "退款怎么还没到" in words

    # From here on the agent's answers appear in the chat, and the customer's words on the ticket.
    handler = ticket.handler
    assert handler is not None
    journey.act(handler, "reply", text="已为您核实，退款明天到账。")
    last = chat.read()[-1]
    assert (last["from"], last["text"]) == ("agent", "已为您核实，退款明天到账。")
    assert chat.call("messages", {"text": "好的，麻烦了"}, key="k1").json["messages"] == []
    assert chat.call("messages", {"text": "好的，麻烦了"}, key="k1").status == 200
    assert [(m["from"], m["text"]) for m in chat.read(after=last["id"])] == [
        ("customer", "好的，麻烦了")
    ]
    written = [m for m in journey.view()["messages"] if m["event"] == "CustomerWrote"]
    assert [m["text"] for m in written] == ["好的，麻烦了"]


@pytest.mark.slow
@pytest.mark.requirement("C6", "G4", "G10")
def test_an_agents_reply_reaches_the_chat_as_written(
    journey: SimulatedJourney, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.begin()
    chat.write("转人工")
    journey.number = chat.messages[-1]["ticket"]["number"]
    handler = journey.ticket.handler
    assert handler is not None
    words = "快递员的电话是13912345678，请直接联系。"
    keep = Chats.keep_reply
    monkeypatch.setattr(Chats, "keep_reply", lambda *_: None)
    journey.act(handler, "reply", text=words)
    last = chat.messages[-1]["id"]

    def said() -> list[str]:
        return [m["text"] for m in chat.read(after=last) if m["from"] == "agent"]

    assert said() == [], "it waits until it is sealed"
    monkeypatch.setattr(Chats, "keep_reply", keep)
    journey.act(handler, "reply", text=words)
    assert said() == []
    late = datetime.now(UTC) + SEALED_WITHIN
    monkeypatch.setattr(clock, "now", lambda: late)
    masked, written = said()
    assert written == words
    assert "13912345678" not in masked
    assert "13912345678" not in everything_stored(journey)
    erase_customer(journey.simulator, datetime.now(UTC), number=journey.number)
    assert journey.storage.chats.replies(journey.desk, chat.id, 1) == {}


@pytest.mark.requirement("C6", "C10", "H2")
def test_an_agents_own_asterisks_hold_nothing_back(journey: SimulatedJourney, chat: Chat) -> None:
    """Nothing of the reply is masked, so nothing is sealed for which the chat could wait."""
    chat.begin()
    chat.write("转人工")
    journey.number = chat.messages[-1]["ticket"]["number"]
    handler = journey.ticket.handler
    assert handler is not None
    words = "* 请先重启\n* 再试一次，密码为8位"
    journey.act(handler, "reply", text=words)
    assert [m["text"] for m in chat.read() if m["from"] == "agent"] == [words]


@pytest.mark.slow
@pytest.mark.requirement("C6", "C10")
def test_what_the_customer_is_told_about_the_ticket_is_in_the_chat(
    journey: SimulatedJourney, chat: Chat
) -> None:
    chat.begin()
    chat.write("转人工")
    told = chat.messages[-1]
    journey.number = told["ticket"]["number"]
    handler = journey.ticket.handler
    assert handler is not None
    journey.act(handler, "reply", text="已处理")
    journey.act(handler, "resolve", summary="发票已开")
    said = chat.read(after=told["id"])
    assert [m["text"] for m in said if m["from"] == "agent"] == ["已处理"]
    notices = [m["text"] for m in said if m["from"] == "system"]
    assert any("发票已开" in text for text in notices)
    assert not any("请求已接收" in text for text in notices), "the chat has told the number"
    assert [m["id"] for m in chat.read(after=said[-1]["id"])] == []


@pytest.mark.slow
def test_advice_at_the_receipt_is_in_the_chat(journey: SimulatedJourney, chat: Chat) -> None:
    """It takes the place of the acknowledgement: a gas leak at night must not wait for a reader."""
    playbook = journey.playbook
    rule = NotificationRule.model_validate(
        {"on": "TicketReceived", "to": "customer", "message": "advice", "when": {"type": "报障"}}
    )
    messages = {**playbook.messages, "advice": playbook.messages["received"]}
    update = {"messages": messages, "notifications": (rule, *playbook.notifications)}
    journey.storage.playbooks.put(playbook.model_copy(update=update), datetime.now(UTC))
    journey.simulator.expire_playbooks()
    chat.begin()
    told = chat.write("包裹显示签收但没收到")[-1]
    advice, *_ = chat.read(after=told["id"])
    assert (advice["id"], advice["from"]) == ("t1", "system")
    assert told["ticket"]["number"] in advice["text"]
    assert advice["id"] not in [m["id"] for m in chat.read(after=advice["id"])]


@pytest.mark.slow
@pytest.mark.requirement("C6", "G4")
def test_what_was_masked_in_a_chat_can_be_opened_on_its_ticket(
    journey: SimulatedJourney, chat: Chat
) -> None:
    chat.begin()
    chat.write("我的退款没到，电话13912345678")
    chat.write("转人工，或者打13712345678")
    journey.number = chat.messages[-1]["ticket"]["number"]
    assert "1391234" not in everything_stored(journey)
    opened = journey.as_agent(
        "zg-1",
        "POST",
        f"/tickets/{journey.number}/open-original",
        {"message": 1, "reason": "回电"},
    )
    assert opened.status == 200, opened.text
    assert "13912345678" in opened.text
    assert "13712345678" in opened.text


def everything_stored(journey: SimulatedJourney) -> str:
    """Return the text of every item of the table."""
    pages = boto3.client("dynamodb").get_paginator("scan")
    found = pages.paginate(TableName=journey.simulator.deployment.table)
    return str([item for page in found for item in page["Items"]])


@pytest.mark.requirement("C5")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("转人工", "asked"),
        ("I want to talk to a person", "asked"),
        ("支付系统崩溃了，所有客户都付不了款，系统瘫痪", "rule"),
        ("包裹显示签收但没收到", "article"),
    ],
)
def test_some_words_need_a_person_at_once(
    journey: SimulatedJourney, chat: Chat, words: str, reason: str
) -> None:
    chat.begin()
    *_, told = chat.write(words)
    journey.number = told["ticket"]["number"]
    assert journey.view()["chat"]["reason"] == reason


@pytest.mark.requirement("C5")
def test_a_poor_rating_or_a_wish_hands_over(journey: SimulatedJourney, chat: Chat) -> None:
    chat.begin()
    chat.write("怎么开发票")
    *_, told = chat.new("rating", score=3)
    journey.number = told["ticket"]["number"]
    assert journey.view()["chat"]["reason"] == "rating"
    again = chat.new("handover")
    assert again == []
    other = Chat(journey)
    other.begin()
    *_, told = other.new("handover")
    assert told["kind"] == "handover"


@pytest.mark.requirement("G1")
def test_a_repeated_message_is_answered_once(journey: SimulatedJourney, chat: Chat) -> None:
    chat.begin()
    first = chat.call("messages", {"text": "怎么开发票"}, key="a").json
    again = chat.call("messages", {"text": "怎么开发票"}, key="a").json
    assert again == first
    assert len(chat.read()) == 4
    chat.call("handover", {}, key="b")
    told = chat.call("handover", {}, key="b").json["messages"]
    assert len([m for m in chat.read() if m["kind"] == "handover"]) == 1
    assert told[-1]["ticket"]["number"]


@pytest.mark.requirement("G1")
def test_a_key_that_comes_back_with_another_request_is_refused(chat: Chat) -> None:
    chat.begin()
    chat.call("messages", {"text": "怎么开发票"}, key="a")
    for what, body in (("messages", {"text": "转人工"}), ("handover", {})):
        assert chat.call(what, body, key="a").status == 422
    chat.write("转人工")
    chat.call("messages", {"text": "在等"}, key="b")
    assert chat.call("messages", {"text": "在等"}, key="b").status == 200
    assert chat.call("messages", {"text": "别的话"}, key="b").status == 422


def test_only_its_token_opens_a_chat(journey: SimulatedJourney, chat: Chat) -> None:
    chat.begin()
    other = Chat(journey)
    other.begin()
    chat.token = other.token
    assert chat.call("messages", {"text": "你好"}).status == 401
    chat.token = ""
    assert chat.call("messages", {"text": "你好"}).status == 401
    chat.id, chat.token = "0" * 24, other.token
    assert chat.call("messages", {"text": "你好"}).status == 401


@pytest.mark.requirement("G4")
def test_no_contact_is_stored_readable(journey: SimulatedJourney, chat: Chat) -> None:
    chat.begin(contact="13812345678", name="王芳")
    chat.write("请回电13912345678")
    client = journey.storage.table.client
    items = client.scan(TableName=journey.storage.table.name)["Items"]
    stored = repr([item for item in items if item["pk"]["S"].startswith("CHAT#")])
    assert "13812345678" not in stored
    assert "13912345678" not in stored
    assert "王芳" not in stored
    assert chat.token not in stored


def test_an_engine_that_fails_leaves_nobody_waiting(
    journey: SimulatedJourney, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.begin()

    def fail(*_: object) -> None:
        raise RuntimeError("no engine")

    monkeypatch.setattr("functions.answers.engine.decide", fail)
    *_, told = chat.write("怎么开发票")
    journey.number = told["ticket"]["number"]
    assert journey.view()["chat"]["reason"] == "engine"


def test_a_desk_without_an_assistant_has_no_chat(journey: SimulatedJourney) -> None:
    playbook = journey.playbook.model_copy(update={"assistant": None})
    journey.storage.playbooks.put(playbook, datetime.now(UTC))
    journey.simulator.expire_playbooks()
    assert journey.http("POST", "/desks/standard/chats", {}).status == 404
    assert journey.http("POST", "/desks/invented/chats", {}).status == 404


@pytest.mark.requirement("G9")
def test_a_source_that_begins_too_many_chats_has_to_wait(
    journey: SimulatedJourney, chat: Chat
) -> None:
    configure(journey, chats_per_desk=2)
    for _ in range(2):
        chat.begin()
    assert journey.http("POST", chat.path, {}).status == 429


@pytest.mark.requirement("B10")
def test_erasing_a_ticket_deletes_its_chat(journey: SimulatedJourney, chat: Chat) -> None:
    chat.begin(contact="13812345678")
    *_, told = chat.new("handover")
    number = told["ticket"]["number"]
    later = datetime.now(UTC) + timedelta(minutes=5)
    erase_customer(journey.simulator, later, number=number)
    assert journey.storage.chats.get(journey.desk, chat.id) is None
    first = journey.storage.tickets.commit_at(journey.desk, number, 1)
    assert first is not None
    (received,) = first.of(TicketReceived)
    assert received.chat is not None
    assert "您好" not in received.chat.model_dump_json()


@pytest.mark.requirement("C6")
def test_the_ticket_has_the_type_of_the_article(journey: SimulatedJourney, chat: Chat) -> None:
    chat.begin()
    journey.number = chat.write("包裹显示签收但没收到")[-1]["ticket"]["number"]
    assert journey.ticket.type == "报障"
