"""Chats with the assistant on the running system, with its encoder and the shipped articles."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deskbell.client import Chat
from tests.e2e.desk_journey import SystemJourney
from tests.e2e.running_system import System, wait_until
from tests.e2e.test_chat import Account

DESK, CONTACT = "assisted", "chat@example.com"


@pytest.fixture
def chat(system: System) -> Chat:
    """A chat, once the engine has the index of the desk's articles: the first chat builds it."""

    def answered() -> bool:
        answer = system.api.chat(DESK).write("怎么开票？")[-1]
        return answer["kind"] == "rating"

    wait_until(answered, "the index is built", 300, every=20)
    return system.api.chat(DESK, contact=CONTACT, name="王芳")


@pytest.mark.requirement("C3", "C4", "C5", "C6", "C7")
def test_a_chat_is_answered_and_handed_over_with_all_that_was_said(
    system: System, chat: Chat
) -> None:
    (welcome,) = chat.welcome
    assert (welcome["from"], welcome["kind"]) == ("assistant", "text")
    said = chat.write("收货地址填错了怎么办？")
    assert [(m["kind"], m.get("article")) for m in said[1:]] == [
        ("answer", "order-address"),
        ("rating", None),
    ]
    assert chat.rate(5)[-1]["kind"] == "text"
    assert chat.write("今天上海会下雨吗")[-1]["kind"] == "text"
    told = chat.write("给我讲个笑话吧")[-1]
    assert told["kind"] == "handover"

    journey = SystemJourney(system, DESK)
    journey.number = told["ticket"]["number"]
    assert system.http("GET", told["ticket"]["status_url"]).status == 200
    view = journey.view()
    seen = view["chat"]
    assert (seen["reason"], [a["id"] for a in seen["articles"]]) == ("misses", ["order-address"])
    assert "收货地址填错了怎么办？" in [line["text"] for line in seen["messages"]]
    assert view["channel"] == "chat"
    assert view["urgency"] is None
    assert view["priority"] in {"普通", "紧急", "特急"}
    first_response = journey.timer("first_response")
    due = datetime.fromisoformat(first_response["due_at"])
    assert due - datetime.fromisoformat(view["received_at"]) == timedelta(minutes=10)

    journey.set_online("orders-and-returns", 1)
    journey.act("supervisors-1", "assign", agent=f"{DESK}-orders-and-returns-1")
    journey.act("orders-and-returns-1", "reply", text="地址已改好，请查收。")
    assert journey.timer("first_response")["state"] == "met"
    answer = chat.messages(after=told["id"])[-1]
    assert (answer["from"], answer["text"]) == ("agent", "地址已改好，请查收。")
    assert chat.write("好的，收到") == []
    assert chat.messages(after=answer["id"])[-1]["from"] == "customer"
    assert system.mail_about(CONTACT, journey.number)["Subject"]


@pytest.mark.requirement("C1", "C2", "C4", "C5", "C6")
def test_a_wechat_customer_is_verified_and_recognised_by_mail(system: System, chat: Chat) -> None:
    account, mailbox = Account(system, DESK), "wechat@example.com"
    said = account.ask("怎么开票？")
    assert "这里是智能客服中心" in said
    assert "请评1–5分" in said
    assert "感谢您的评价" in account.ask("5分")
    assert "验证码已发送" in account.ask(mailbox)
    mail = system.mail_about(mailbox, "验证码").get_content()
    code = re.search(r"\d{6}", mail)
    assert code is not None, mail
    assert "已验证" in account.ask(code[0])
    account.ask("今天上海会下雨吗")
    told = account.ask("给我讲个笑话吧")
    journey = SystemJourney(system, DESK)
    found = re.search(r"[A-Z]+-?\d{8,}", told)
    assert found is not None, told
    journey.number = found[0]
    view = journey.view()
    assert view["contact_proven"] is True
    assert [each["kind"] for each in view["customer_record"]["identities"]] == ["email", "message"]

    system.mail(mailbox, "发票抬头写错了", "请帮我重开发票，谢谢", desk=DESK)
    received = system.mail_about(mailbox, "请求")["Subject"]
    other = re.search(r"[A-Z]+-?\d{8,}", received)
    assert other is not None, received
    assert other[0] != journey.number
    journey.number, first = other[0], journey.number
    assert journey.view()["history"] == [first]


@pytest.mark.requirement("C4", "C5")
def test_one_of_three_is_chosen_and_a_person_is_a_word_away(chat: Chat) -> None:
    offers = (chat.write(words)[-1] for words in ("会员的东西", "退东西的事", "钱的问题", "单子"))
    offer = next(each for each in offers if each["kind"] == "offer")
    first, *_, none = offer["options"]
    assert (len(offer["options"]) <= 4, none["id"]) == (True, "none")
    assert chat.choose(first["id"])[1]["from"] == "assistant"
    assert chat.write("转人工")[-1]["kind"] == "handover"


VACANCIES = ("你们招聘吗", "你们还招聘吗", "请问你们招聘吗", "公司招聘吗")


@pytest.mark.requirement("C12", "E8")
def test_what_was_missed_is_proposed_and_accepted(system: System, chat: Chat) -> None:
    for question in VACANCIES:  # while an engine starts, a person takes over

        def missed(question: str = question) -> bool:
            return system.api.chat(DESK).write(question)[-1]["kind"] == "text"

        wait_until(missed, question, 60)
    ran = system.aws("lambda").invoke(
        FunctionName="deskbell-local-proposals",
        Payload=json.dumps({"time": datetime.now(UTC).isoformat(), "desk": DESK}).encode(),
    )
    assert json.loads(ran["Payload"].read())["chats"] >= 1
    journey = SystemJourney(system, DESK)
    proposals = journey.as_agent("supervisors-1", "GET", "/proposals").json
    (found,) = [
        one
        for one in proposals["articles"]
        if {q["text"] for q in one["questions"]} == {*VACANCIES}
    ]
    assert found["article"] is None
    assert found["id"] in system.command("knowledge", "proposals", DESK)
    accept = ("knowledge", "decide", DESK, found["id"], "--accept", "--article", "vacancies")
    assert "4 phrasings added to vacancies" in system.command(*accept)
    article = journey.as_agent("supervisors-1", "GET", "/articles/vacancies").json
    assert (article["state"], set(article["asked"]["zh-CN"])) == ("draft", {*VACANCIES})
    decided = journey.as_agent("supervisors-1", "GET", "/proposals").json["decisions"][0]
    assert (decided["id"], decided["accepted"], decided["article"]) == (
        found["id"], True, "vacancies",
    )  # fmt: skip


BADGES = ("徽章什么时候补货", "请问徽章什么时候补货", "你们徽章什么时候补货", "徽章什么时候能补货")


@pytest.mark.requirement("C12", "E8")
def test_what_tickets_ask_and_agents_correct_is_proposed(system: System) -> None:
    journey, supervisor = SystemJourney(system, "rapid"), "supervisors-1"
    for n, question in enumerate(BADGES):
        journey.file(question, contact=f"badge{n}@example.com", type="咨询")
        journey.act(supervisor, "confirm-type", type="建议")

    def propose(at: datetime) -> Any:
        event = {"time": at.isoformat(), "desk": "rapid"}
        system.aws("lambda").invoke(
            FunctionName="deskbell-local-proposals", Payload=json.dumps(event).encode()
        )
        return journey.as_agent(supervisor, "GET", "/proposals").json

    def rule_of_all() -> Any:
        """Run until the journal has all of it: it is written from the table's stream."""
        rules = propose(datetime.now(UTC))["rules"]
        return next((one for one in rules if one["corrected"] == len(BADGES)), None)

    rule = wait_until(rule_of_all, "a rule is proposed", 120, every=5)
    assert (rule["was"], rule["value"], rule["right"]) == ("咨询", "建议", len(BADGES))
    assert all(word in "".join(BADGES) for word in rule["words"])
    assert rule["id"] in system.command("knowledge", "proposals", "rapid")
    local = datetime.now(ZoneInfo("Asia/Shanghai"))
    articles = propose(local + timedelta(days=-local.weekday() % 7))["articles"]
    (asked,) = [one for one in articles if {each["text"] for each in one["questions"]} == {*BADGES}]
    assert (asked["source"], asked["types"]) == ("tickets", {"咨询": len(BADGES)})
