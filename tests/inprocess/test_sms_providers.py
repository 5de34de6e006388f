"""A desk whose text messages go by Aliyun or Tencent: registered texts, links, delivery reports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.core.deliver.sms import REGISTERING
from functions.core.playbook import load
from functions.core.storage.database import Storage
from infra.console.quarantine import quarantine_of
from infra.local.sms_providers import SentCall, answer
from infra.simulator.simulator import Simulator
from tests import moto_internals
from tests.core.deliver.test_sms import ALIYUN_REPORT, SECRETS, TENCENT_REPORT
from tests.inprocess.conftest import DEPLOYMENT
from tests.inprocess.test_links import PAGE, file_form
from tests.inprocess.test_returns import SUPERVISOR, act_on
from tests.registered_desk import registering_desk

pytestmark = pytest.mark.requirement("A4", "E11", "F5", "F8", "G1")

PHONE = "+8613800138000"
WORDS = "请先重启，再按住电源键十秒"
FAILED: dict[str, dict[str, Any]] = {
    "aliyun": {**ALIYUN_REPORT, "success": False, "err_code": "MK:0001", "err_msg": "空号"},
    "tencent": {
        **TENCENT_REPORT, "report_status": "FAIL", "errmsg": "MK:0001", "description": "空号",
    },
}  # fmt: skip


@dataclass
class SmsDesk:
    """The desk `standard` with one provider, which checks signatures and records messages."""

    simulator: Simulator
    storage: Storage
    provider: str
    sent: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def take(self, call: SentCall) -> tuple[int, dict[str, Any]]:
        if self.refusals:
            return self.refusals.pop(0)
        now = datetime.now(UTC)
        status, body, message = answer(call, lambda _name, _key: SECRETS[self.provider], now)
        if message is not None:
            self.sent.append(message)
        return status, body

    def report(self, *entries: dict[str, Any], key: str = "a key", **headers: str) -> ApiResponse:
        query = f"provider={self.provider}&key={key}"
        return self.simulator.http(
            "POST", f"/desks/standard/channels/sms-reports?{query}", list(entries), headers=headers
        )

    def failed(self, provider_id: str) -> dict[str, Any]:
        name = "biz_id" if self.provider == "aliyun" else "sid"
        return {**FAILED[self.provider], name: provider_id}

    def last(self, number: str) -> Any:
        """The customer's newest delivery of a ticket."""
        deliveries = self.storage.deliveries.list("standard", number)
        return [each for each in deliveries if each.channel == "sms"][-1]

    def view(self, number: str) -> Any:
        path = f"/agent/desks/standard/tickets/{number}"
        return self.simulator.http("GET", path, claims=SUPERVISOR).json


@pytest.fixture(params=REGISTERING)
def desk(
    request: pytest.FixtureRequest, simulator: Simulator, storage: Storage
) -> Iterator[SmsDesk]:
    found = SmsDesk(simulator, storage, request.param)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = found.take(SentCall(found.provider, path, query, headers, raw))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
            """The tests look at `sent`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    api = f"http://127.0.0.1:{server.server_port}"
    secret = {**SECRETS[found.provider], "report_key": "a key", "api": api}
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter(f"desks/standard/sms/{found.provider}"),
        Value=json.dumps(secret),
        Type="SecureString",
    )
    storage.playbooks.put(load(registering_desk(found.provider)), datetime.now(UTC))
    simulator.expire_playbooks()
    yield found
    server.shutdown()
    server.server_close()


def test_a_ticket_by_phone_is_told_answered_and_its_failed_message_seen(desk: SmsDesk) -> None:
    number, _ = file_form(desk.simulator, contact=PHONE)
    (told,) = desk.sent
    assert (told["signature"], told["text"]) == ("客户支持", "SMS_1006")
    assert moto_internals.sent_texts() == []

    act_on(desk.simulator, number, "assign", agent="li-1")
    frame = desk.view(number)["sms"]["reply"]
    assert frame["behind_link"] is True
    assert act_on(desk.simulator, number, "reply", text=WORDS * 30).status == 200
    sent = desk.sent[-1]
    values = list(sent["values"].values()) if desk.provider == "aliyun" else sent["values"]
    assert sent["text"] == "SMS_1"
    assert values[0] == number
    assert WORDS not in json.dumps(sent, ensure_ascii=False)

    shown = desk.view(number)["messages"][-1]
    assert (shown["delivery"], shown["parts"]) == ("sent", 1)
    delivery = desk.last(number)
    assert delivery.text.startswith(f"【客户支持】工单{number}有新消息，请点击查看")
    assert values[1] not in delivery.text
    link = f"https://desk.example.com/t/{'0' * len(values[1])}"
    assert frame["prefix"] == f"【客户支持】工单{number}有新消息，请点击查看 {link}"
    answer = desk.simulator.http("GET", f"/t/{values[1]}", headers=PAGE)
    page = desk.simulator.http("GET", answer.headers["location"].removeprefix(".."), headers=PAGE)
    assert WORDS in page.text

    items = boto3.client("dynamodb").scan(TableName=DEPLOYMENT.table)["Items"]
    assert f"{desk.provider}.sms" in str(items), "its parts are metered"

    before = desk.storage.tickets.load("standard", number).version
    for _ in range(2):
        response = desk.report(desk.failed(delivery.provider_id))
        assert response.status == 200
        assert response.json in ({"code": 0, "msg": "接收成功"}, {"result": 0, "errmsg": "OK"})
    shown = desk.view(number)["messages"][-1]
    assert shown["delivery"] == "dead_lettered"
    assert "MK:0001 空号" in shown["reason"]
    assert desk.storage.tickets.load("standard", number).version == before
    assert len([each for each in desk.sent if each["text"] == "SMS_1"]) == 1


def test_reports_need_the_key_and_are_quarantined_if_unreadable(desk: SmsDesk) -> None:
    number, _ = file_form(desk.simulator, contact=PHONE)
    delivery = desk.last(number)
    failed = desk.failed(delivery.provider_id)
    assert desk.report(failed, key="another").status == 401
    assert desk.last(number).state == "sent"
    assert desk.report({"success": 1}, failed).status == 200
    assert desk.last(number).state == "dead_lettered", "the others in the request count"
    with quarantine_of(DEPLOYMENT.stage).opened() as (held,):
        assert held.call["query"] == {"provider": desk.provider}
    bucket = DEPLOYMENT.mail_bucket
    (kept,) = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="mail/")["Contents"]
    released = {"messageId": "1", "body": json.dumps({"call": {**held.call, "key": kept["Key"]}})}
    assert desk.storage.deliveries.move(delivery, "dead_lettered")
    desk.simulator.invoke("intake_mail", {"Records": [released]})
    assert desk.last(number).state == "dead_lettered", "a released request is read again"


def test_a_refusal_names_its_cause_and_a_busy_provider_is_tried_again(desk: SmsDesk) -> None:
    codes = {
        "aliyun": ("isp.SYSTEM_ERROR", "isv.BLACK_KEY_CONTROL_LIMIT"),
        "tencent": ("InternalError.Timeout", "FailedOperation.PhoneNumberInBlacklist"),
    }[desk.provider]
    for code in codes:
        body: dict[str, Any] = {"Code": code, "Message": "对 13800138000 失败"}
        if desk.provider == "tencent":
            body = {"Response": {"SendStatusSet": [body]}}
        desk.refusals.append((200, body))
    busy, _ = file_form(desk.simulator, contact=PHONE)
    assert desk.last(busy).state == "retrying"
    blocked, _ = file_form(desk.simulator, contact="+8613800138001")
    delivery = desk.last(blocked)
    assert delivery.state == "dead_lettered"
    assert delivery.cause.startswith("refused (blocked): ")
    assert "13800138000" not in delivery.cause


def test_a_message_dearer_than_the_desk_pays_for_stays(desk: SmsDesk) -> None:
    content = registering_desk(desk.provider)
    content["sms"]["max_price"] = 0.01
    desk.storage.playbooks.put(load(content), datetime.now(UTC))
    desk.simulator.expire_playbooks()
    number, _ = file_form(desk.simulator, contact=PHONE)
    assert desk.last(number).cause == "refused (price): 1 parts at 0.03 USD"
    assert desk.sent == []
