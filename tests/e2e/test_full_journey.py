"""A request's way to its archived document on the whole system, over real HTTP and SMTP."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest

from deskbell.client import ApiResponse, Deskbell
from tests.e2e.running_system import System, wait_until
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement(
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "G1", "G4", "G6", "G8", "A1", "A2", "A3", "A4", "A5",
    "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16",
)  # fmt: skip
NAME = "韩梅梅"


class Desk:
    """The standard desk as its customers and agents use it; it records every response."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.answers: list[str] = []
        self._sessions: dict[str, Deskbell] = {}

    def http(self, method: str, path: str, body: Any = None, **more: Any) -> ApiResponse:
        answer = self.system.http(method, path, body, **more)
        self.answers.append(answer.text)
        return answer

    def as_agent(self, who: str, method: str, path: str, body: Any = None) -> ApiResponse:
        """Call as an agent: a username, or a role for the first who has it."""
        if who not in self._sessions:
            known = {agent["username"] for agent in agents(self.system)}
            named = {"username": who} if who in known else {"role": who}
            self._sessions[who] = self.system.session(**named)
        answer = self._sessions[who].request(method, f"/agent/desks/standard{path}", body)
        self.answers.append(answer.text)
        return answer

    def status(self, url: str) -> Any:
        answer = self.http("GET", url)
        assert answer.status == 200, answer.text
        return answer.json

    def until(self, url: str, status: str) -> Any:
        return wait_until(
            lambda: found if (found := self.status(url))["status"] == status else None,
            f"{status}: {self.status(url)}",
        )

    def act(self, who: str, number: str, action: str, body: Any) -> Any:
        answer = self.as_agent(who, "POST", f"/tickets/{number}/{action}", body)
        assert answer.status == 200, answer.text
        return answer.json

    def mail(self, address: str, about: str) -> Any:
        """Return the newest mail to an address whose subject or text contains a text."""

        def look() -> Any:
            found = [mail for mail in self.system.sent(address) if about in mail_text(mail)]
            return found[-1] if found else None

        return wait_until(look, f"a mail to {address} about {about}")

    def table(self) -> list[Any]:
        pages = (
            self.system.aws("dynamodb").get_paginator("scan").paginate(TableName="deskbell-local")
        )
        return [item for page in pages for item in page["Items"]]

    def logs(self) -> str:
        logs = self.system.aws("logs")
        found = []
        for group in logs.get_paginator("describe_log_groups").paginate():
            for each in group["logGroups"]:
                pages = logs.get_paginator("filter_log_events").paginate(
                    logGroupName=each["logGroupName"]
                )
                found += [event["message"] for page in pages for event in page["events"]]
        return "\n".join(found)


@pytest.fixture(scope="module")
def desk(system: System) -> Desk:
    found = Desk(system)
    for agent in agents(system):
        if agent["role"] == "agent":
            path, body = "/me/presence", {"online": True}
            assert found.as_agent(agent["username"], "PUT", path, body).status == 200
    return found


def agents(system: System) -> list[Any]:
    """Return the agents of the standard desk."""
    return [agent for agent in system.local["agents"] if agent["desk"] == "standard"]


def mail_text(sent: Any) -> str:
    """Return the text of a mail as the customer reads it."""
    return f"{sent['Subject']}\n{sent['BodyText']}"


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in an item, including unencrypted bytes."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "sealed":  # the encrypted contact
                yield from texts_in(inner)
    elif isinstance(value, list | set | tuple):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    else:
        yield str(value)


@pytest.mark.requirement(
    "A1", "A2", "A3", "A4", "A5", "A8", "A9", "A10", "A12", "A13", "A14", "A15", "A16", "F1", "F2",
    "F4", "F6", "F8", "G4", "G6",
)  # fmt: skip
def test_a_request_over_http_reaches_the_archive(desk: Desk) -> None:
    address, phone = "han.meimei@example.com", "13912345678"
    filed = desk.http(
        "POST",
        "/desks/standard/tickets",
        {
            "contact": address,
            "name": NAME,
            "description": f"无法登录，请回电{phone}",
            "urgency": "中",
        },
    )
    assert filed.status == 201
    number, submitted = filed.json["number"], filed.json["status_url"]
    url = desk.system.link_sent_about(number)

    # A4, A5, A8: acknowledged by mail, routed to a free member of the team, who is named
    assert number in desk.mail(address, "普通问题24小时内响应")["Subject"]
    shown = desk.until(url, "assigned")
    assert (shown["team"], shown["tags"]) == ("技术支持组", ["无法登录"])
    assert "已分配至专业团队" in mail_text(desk.mail(address, "已分配"))
    handler = desk.as_agent("supervisor", "GET", f"/tickets/{number}").json["handler"]

    mine = desk.status(submitted)
    assert [entry["text"] for entry in mine["submitted"]] == ["无法登录，请回电139****5678"]
    assert (mine["handler"], mine["team"]) == (None, None)

    # A9, A10: a suggestion, a reply that reaches the customer and stops the timer
    view = desk.as_agent(handler, "GET", f"/tickets/{number}").json
    assert "无法登录" in view["suggestion"]["text"]
    assert view["customer"]["contact"].endswith(".com")
    desk.act(handler, number, "reply", {"text": "请点“忘记密码”。", "version": view["version"]})
    assert number in desk.mail(address, "忘记密码")["Subject"]
    timers = desk.as_agent(handler, "GET", f"/tickets/{number}").json["timers"]
    assert {t["kind"]: t["state"] for t in timers}["first_response"] == "met"
    stale = {"text": "x", "version": view["version"]}
    assert desk.as_agent(handler, "POST", f"/tickets/{number}/reply", stale).status == 409

    # A12, A13: resolved, the survey by mail, a score, the archive
    desk.act(handler, number, "resolve", {"summary": "引导客户重置密码"})
    assert url in mail_text(desk.mail(address, "问题已处理完成"))
    link = urlsplit(url)
    survey = f"{url.partition('?')[0]}/survey?{link.query}"
    by_submitter = f"{url.partition('?')[0]}/survey?{urlsplit(submitted).query}"
    assert desk.http("POST", by_submitter, {"score": 5}).status == 403
    assert desk.http("POST", survey, {"score": 5}).status == 200
    assert desk.http("POST", survey, {"score": 5}).status == 409
    shown = desk.until(url, "archived")
    assert shown["summary"] == "引导客户重置密码"
    document = wait_until(lambda: archived(desk.system, number), "the archived document")
    assert document["ticket"]["score"] == 5

    # A14, F6: a wrong proof is not found, alike; the end of a mail address proves nothing
    base = url.partition("?")[0]
    wrong = [
        f"{base}?key=wrong",
        f"{base}?contact=.com",
        base,
        base.replace(number, "CS1") + "?key=x",
    ]
    found = [desk.http("GET", path) for path in wrong]
    assert {answer.status for answer in found} == {404}
    assert len({answer.text for answer in found}) == 1
    page = desk.http("GET", url, headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "已归档" in page.text

    # G4: nothing raw in any item, log line, answer or in the document
    logged = wait_until(lambda: text if number in (text := desk.logs()) else None, "log lines")
    places = {
        "table": "\n".join(texts_in(desk.table())),
        "logs": logged,
        "answers": "\n".join(desk.answers),
        "archive": json.dumps(document, ensure_ascii=False),
    }
    for place, text in places.items():
        for secret in (address, "han.meimei", phone, NAME):
            assert secret not in text, f"{secret} stands in the {place}"


def archived(system: System, number: str) -> Any:
    s3 = system.aws("s3")
    bucket = next(b["Name"] for b in s3.list_buckets()["Buckets"] if "-archive-" in b["Name"])
    for found in s3.list_objects_v2(Bucket=bucket, Prefix="archive/standard/").get("Contents", []):
        if found["Key"].endswith(f"/{number}.json"):
            return json.loads(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    return None


@pytest.mark.requirement("A1", "A11", "F1", "F5", "G1")
def test_a_request_over_smtp_reaches_the_archive(desk: Desk) -> None:
    """The mail has an attachment; the answer to a question joins its ticket."""
    address = "li.lei@example.org"
    message = EmailMessage()
    message["From"], message["To"] = f"李雷 <{address}>", desk.system.local["mailboxes"]["standard"]
    message["Subject"], message["Message-ID"] = "支付失败", "<first@example.org>"
    message.set_content("您好，\n订单支付失败，截图见附件。")
    message.add_alternative("<p>您好，</p><p>订单<b>支付失败</b>，截图见附件。</p>", subtype="html")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="截图.pdf")
    for _ in range(3):
        send(desk.system, message)
    desk.mail(address, "已接收")
    time.sleep(3)  # the repetitions would have been acknowledged by now
    assert len([m for m in desk.system.sent(address) if "已接收" in mail_text(m)]) == 1

    listed = desk.as_agent("supervisor", "GET", "/tickets?queue=all").json["tickets"]
    (ticket,) = [t for t in listed if t["channel"] == "mail" and t["tags"] == ["支付失败"]]
    number = ticket["number"]
    view = wait_until(
        lambda: (
            v
            if (v := desk.as_agent("supervisor", "GET", f"/tickets/{number}").json)["handler"]
            else None
        ),
        "a handler",
    )
    (file,) = view["attachments"]
    assert file["name"] == "截图.pdf"

    # A11: asked, waiting; the answer by mail resumes it. A stranger who quotes it stays outside.
    desk.act(view["handler"], number, "request-info", {"text": "请提供订单号"})
    desk.mail(address, "请提供订单号")
    question = desk.system.mail_about(address, number)
    stranger = EmailMessage()
    stranger["From"], stranger["To"] = "eve@example.net", message["To"]
    stranger["Subject"], stranger["Message-ID"] = f"Re: [{number}]", "<eve@example.net>"
    stranger.set_content("让我看看")
    send(desk.system, stranger)
    answer = EmailMessage()
    answer["From"], answer["To"] = message["From"], message["To"]
    answer["Subject"], answer["Message-ID"] = f"Re: {question['Subject']}", "<second@example.org>"
    answer["In-Reply-To"] = question["Message-ID"]
    answer.set_content("订单号 4211\n\n在 2026年1月1日，客户支持中心 写道：\n> 请提供订单号")
    send(desk.system, answer)
    view = wait_until(
        lambda: (
            v
            if (v := desk.as_agent("supervisor", "GET", f"/tickets/{number}").json)["status"]
            == "in_progress"
            else None
        ),
        "the answer resumes the ticket",
    )
    incoming = [m["text"] for m in view["messages"] if m["direction"] == "in"]
    assert incoming[-1] == "订单号 4211"
    assert not any("让我看看" in text for text in incoming)
    desk.mail("eve@example.net", "已接收")


def send(system: System, message: EmailMessage) -> None:
    with system.smtp() as connection:
        connection.send_message(message)


@pytest.mark.requirement("F5", "G1")
@pytest.mark.slow
def test_twenty_concurrent_repetitions_make_one_ticket(desk: Desk) -> None:
    """By webhook-id and by Idempotency-Key: one number, one acknowledgement."""
    secret = desk.system.local["webhook_secrets"]["standard"]
    for way in ("webhook", "key"):
        address = f"burst.{way}@example.com"
        raw = json.dumps({"contact": address, "description": "请查询物流"}).encode()
        if way == "webhook":
            path = "/desks/standard/channels/webhook"
            headers = signed(secret, raw, "msg_burst")
        else:
            path, headers = "/desks/standard/tickets", {"Idempotency-Key": "burst"}

        def once(_: int, path: str = path, raw: bytes = raw, headers: Any = headers) -> ApiResponse:
            return desk.http("POST", path, raw, headers=headers)

        with ThreadPoolExecutor(20) as many:
            answers = list(many.map(once, range(20)))
        assert {answer.status for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        desk.mail(address, answers[0].json["number"])
        time.sleep(3)
        receipts = [m for m in desk.system.sent(address) if "已接收" in mail_text(m)]
        assert len(receipts) == 1


@pytest.mark.requirement("G1", "F5")
@pytest.mark.slow
def test_twenty_concurrent_copies_of_a_mail_make_one_ticket(desk: Desk) -> None:
    """The same Message-ID over SMTP."""
    address = "burst.mail@example.com"
    message = EmailMessage()
    message["From"], message["To"] = address, desk.system.local["mailboxes"]["standard"]
    message["Subject"], message["Message-ID"] = "请查询物流", "<burst@example.com>"
    message.set_content("包裹到哪里了？")
    with ThreadPoolExecutor(20) as many:
        list(many.map(lambda _: send(desk.system, message), range(20)))
    desk.mail(address, "已接收")
    time.sleep(5)
    receipts = [m for m in desk.system.sent(address) if "已接收" in mail_text(m)]
    assert len(receipts) == 1


@pytest.mark.requirement("F5", "A1")
@pytest.mark.slow
def test_a_bad_signature_and_bad_input_are_problem_documents(desk: Desk) -> None:
    """Every wrong field is named."""
    path = "/desks/standard/channels/webhook"
    refused = desk.http("POST", path, {"contact": "13800138000", "description": "x"})
    assert refused.status == 401
    answer = desk.http("POST", "/desks/standard/tickets", {"contact": "?", "typo": 1})
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {e["field"] for e in answer.json["errors"]} == {"contact", "description", "typo"}
    assert desk.http("POST", "/desks/nobody/tickets", {}).status in {400, 404}


@pytest.mark.slow
def test_an_agent_needs_a_token_a_right_and_the_desk(desk: Desk) -> None:
    """No or a bad token is 401, a missing right 403, another desk 404."""
    path = "/agent/desks/standard/tickets?queue=all"
    assert desk.http("GET", path).status == 401
    assert desk.http("GET", path, token="no.such.token").status == 401
    assert desk.as_agent("finance", "GET", "/tickets?queue=all").status == 403
    token = desk.system.sign_in("agent")
    assert desk.http("GET", "/agent/desks/other/tickets?queue=mine", token=token).status == 404
    wrong = {"username": agents(desk.system)[0]["username"], "password": "wrong"}
    assert desk.http("POST", "/session", wrong).status == 401


@pytest.mark.requirement("F3", "G2", "A7")
@pytest.mark.slow
def test_deadlines_breach_by_the_scheduled_event_s_time(desk: Desk) -> None:
    """A ticket of priority 高 goes to the supervisors and breaches after two hours, not a second
    before.
    """
    filed = desk.system.file("13800138111", "无法登录", urgency="高")
    shown = desk.until(filed["status_url"], "queued")
    listed = desk.as_agent("supervisor", "GET", "/tickets?queue=supervisor").json["tickets"]
    assert filed["number"] in [ticket["number"] for ticket in listed]
    due = datetime.fromisoformat(shown["expected_response_by"])
    for at, state in ((due - timedelta(seconds=1), "running"), (due, "breached")):
        tick(desk.system, at)
        view = desk.as_agent("supervisor", "GET", f"/tickets/{filed['number']}").json
        assert {t["kind"]: t["state"] for t in view["timers"]}["first_response"] == state
    assert desk.mail("supervisors@standard.local", "超时")


def tick(system: System, at: datetime) -> None:
    answer = system.aws("lambda").invoke(
        FunctionName="deskbell-local-sla_timer", Payload=json.dumps({"time": at.isoformat()})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


@pytest.mark.requirement("A13", "F4")
@pytest.mark.slow
def test_a_poor_score_gets_a_call_back_before_the_archive(desk: Desk) -> None:
    """Below 4 the QA team assigns somebody, who records the cause."""
    filed = desk.system.file("13800138222", "发票开错了")
    number, url = filed["number"], desk.system.link_sent_about(filed["number"])
    desk.until(url, "assigned")
    handler = desk.as_agent("supervisor", "GET", f"/tickets/{number}").json["handler"]
    desk.act(handler, number, "reply", {"text": "请稍候"})
    desk.act(handler, number, "resolve", {"summary": "已重开发票"})
    base, _, query = url.partition("?")
    assert desk.http("POST", f"{base}/survey?{query}", {"score": 2}).status == 200
    desk.until(url, "in_review")
    assert archived(desk.system, number) is None
    qa = next(a["username"] for a in agents(desk.system) if a["role"] == "qa")
    desk.act(qa, number, "assign", {"agent": qa})
    desk.act(qa, number, "callback", {"cause": "开票信息未核对"})
    desk.until(url, "archived")
    document = wait_until(lambda: archived(desk.system, number), "the archived document")
    assert "开票信息未核对" in json.dumps(document, ensure_ascii=False)


@pytest.mark.requirement("A4")
@pytest.mark.slow
def test_a_customer_with_a_phone_number_gets_an_sms(desk: Desk) -> None:
    """The ticket shows the delivery with its state; the message is signed, and its link works."""
    filed = desk.system.file("13800138333", "请查询物流")
    desk.until(filed["status_url"], "assigned")

    def delivered() -> Any:
        view = desk.as_agent("supervisor", "GET", f"/tickets/{filed['number']}").json
        sent = [m for m in view["messages"] if m["direction"] == "out" and m["channel"] == "sms"]
        return len(sent) >= 2 and {message["delivery"] for message in sent} == {"sent"}

    wait_until(delivered, "two short messages")
    link = desk.system.link_sent_about(filed["number"])
    assert desk.system.http("GET", link).json["number"] == filed["number"]
    signed = re.compile(rf"【客户支持】.*{filed['number']}.*/t/\w{{11}}")
    assert any(map(signed.fullmatch, desk.system.all_sent()))
    assert desk.system.http("GET", "/t/" + "z" * 11).status == 404


@pytest.mark.requirement("G4")
@pytest.mark.slow
def test_the_sealed_contact_is_encrypted(desk: Desk) -> None:
    sealed = [item["sealed"]["B"] for item in desk.table() if "sealed" in item]
    assert sealed
    for blob in sealed:
        raw = bytes(blob)
        assert b"1380013" not in raw
        assert b"example" not in raw
