"""The agents' calls through Chalice, as API Gateway makes them."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from app import app
from deskbell.client import ApiResponse
from functions.core.domain.events import Attachment
from functions.core.domain.rules import CustomerTerm, Playbook
from functions.core.platform import container
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import NOON, file_ticket
from tests.core.text.test_file_types import REAL
from tests.portal.deployment import DEPLOYMENT, deployed
from tests.workbench.conftest import NUMBER, ROSTER

pytestmark = pytest.mark.requirement("G4")
TICKETS = "/agent/desks/testdesk/tickets"
NEW = {"contact": "13800138000", "description": "无法登录，请回电 13800138000", "name": "张三"}


@pytest.fixture
def simulator(playbook: Playbook) -> Iterator[Simulator]:
    """A deployment with the roster in its user pool."""
    with deployed(playbook, ROSTER) as running:
        yield running


def _as(
    simulator: Simulator, who: str, method: str, path: str, body: Any = None, **more: Any
) -> ApiResponse:
    claims = {"cognito:username": who, "cognito:groups": f"testdesk:{ROSTER[who][0]}"}
    return simulator.http(method, path, body, claims=claims, **more)


@pytest.mark.requirement("B1", "B12", "G1", "G4")
def test_an_agent_enters_a_request_once(simulator: Simulator) -> None:
    """A repeated key returns the same ticket; all texts are masked."""
    headers = {"Idempotency-Key": "call-1"}
    first = _as(simulator, "agent-1", "POST", TICKETS, NEW, headers=headers)
    again = _as(simulator, "agent-1", "POST", TICKETS, NEW, headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert first.json["expected_response_by"].endswith("+08:00")
    shown = _as(simulator, "agent-1", "GET", f"{TICKETS}/{first.json['number']}")
    assert (shown.json["channel"], shown.json["entered_by"]) == ("phone", "agent-1")
    assert shown.json["customer"]["name"] == "*先生/女士"
    for raw in ("13800138000", "张三"):
        assert raw not in shown.text
    assert [entry["actor"] for entry in shown.json["timeline"]] == ["agent-1", "agent-1"]


@pytest.mark.requirement("G1")
def test_an_action_with_a_key_is_carried_out_once(simulator: Simulator) -> None:
    """Also one that the status does not allow again, such as `resolve`; a key is one person's."""
    number = _as(simulator, "agent-1", "POST", TICKETS, NEW).json["number"]

    def act(key: str, action: str, who: str = "supervisor-1", **body: Any) -> ApiResponse:
        path, headers = f"{TICKETS}/{number}/{action}", {"Idempotency-Key": key} if key else {}
        return _as(simulator, who, "POST", path, body, headers=headers)

    def events(name: str) -> int:
        shown = _as(simulator, "supervisor-1", "GET", f"{TICKETS}/{number}").json["timeline"]
        return sum(entry["event"] == name for entry in shown)

    act("", "take")
    for action, body, event in (
        ("reply", {"text": "请致电13912345678"}, "ReplySent"),
        ("note", {"text": "备注"}, "NoteAdded"),
        ("resolve", {"summary": "已处理"}, "TicketResolved"),
    ):
        answers = [act(f"k-{action}", action, **body) for _ in range(3)]
        assert [(x.status, x.json) for x in answers] == [(200, answers[0].json)] * 3
        assert events(event) == 1
    assert act("k-note", "note", text="别的").status == 422
    assert act("k-note", "reopen", reason="备注").status == 422
    assert act("k-note", "note", "qa-1", text="备注").status == 200
    assert act("", "note", text="备注").status == 200
    assert events("NoteAdded") == 3
    assert act("k" * 201, "note", text="备注").status == 400


@pytest.mark.requirement("B1", "D1", "B12")
@pytest.mark.parametrize(
    ("body", "channel"),
    [({}, "phone"), ({"channel": "counter"}, "counter"), ({"channel": "desk"}, "desk")],
)
def test_an_entered_request_has_its_channel(
    simulator: Simulator, body: dict[str, str], channel: str
) -> None:
    """A call, the counter, or the desk's own initiative."""
    filed = _as(simulator, "agent-1", "POST", TICKETS, {**NEW, **body, "type": "inquiry"})
    shown = _as(simulator, "agent-1", "GET", f"{TICKETS}/{filed.json['number']}").json
    assert (shown["channel"], shown["entered_by"]) == (channel, "agent-1")
    assert shown["records"][0]["number"] == f"{filed.json['number']}-001"


def test_labels_and_errors_follow_accept_language(simulator: Simulator, playbook: Playbook) -> None:
    """Else they are in the desk's language; a stored value stays as it is."""
    storage = container.storage(simulator.deployment)
    english = {"zh-CN": "已受理", "en": "Received"}
    statuses = {**playbook.statuses, "received": CustomerTerm(label=english)}
    storage.playbooks.put(playbook.model_copy(update={"statuses": statuses}), NOON)
    simulator.replace_containers()
    number = _as(simulator, "agent-1", "POST", TICKETS, NEW).json["number"]
    for header, label, error in (
        ({"Accept-Language": "en-GB, zh;q=0.5"}, "Received", "reply is not possible while"),
        ({"Accept-Language": "fr"}, "已受理", "工单状态为“已受理”，无法执行“回复”"),
        ({}, "已受理", "工单状态为“已受理”，无法执行“回复”"),
    ):
        path = f"{TICKETS}/{number}"
        shown = _as(simulator, "supervisor-1", "GET", path, headers=header).json
        assert (shown["status"], shown["status_label"]) == ("received", label)
        body = {"text": "您好"}
        noted = _as(simulator, "supervisor-1", "POST", f"{path}/note", body, headers=header)
        assert noted.json["status_label"] == label
        refused = _as(simulator, "supervisor-1", "POST", f"{path}/reply", body, headers=header)
        assert (refused.status, refused.json["detail"].startswith(error)) == (409, True)


@pytest.mark.requirement("D10")
def test_a_file_is_uploaded_directly_to_the_bucket(
    simulator: Simulator, playbook: Playbook
) -> None:
    """As the response says; an action names it, and a signed link returns it."""
    import boto3

    requests: Any = import_module("requests")  # moto answers it too
    boto3.client("s3").create_bucket(Bucket=DEPLOYMENT.mail_bucket)
    file_ticket(Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table), playbook, NUMBER)
    _as(simulator, "agent-1", "POST", f"{TICKETS}/{NUMBER}/take")
    content = REAL["pdf"]
    meant = {"name": "检测报告.pdf", "size": len(content)}
    given = _as(simulator, "agent-1", "POST", f"{TICKETS}/{NUMBER}/attachments", meant)
    upload = given.json["upload"]
    assert (given.status, upload["method"]) == (201, "PUT")
    put = requests.put(upload["url"], data=content, headers=upload["headers"], timeout=5)
    assert put.status_code == 200
    note = {"text": "见附件", "attachments": [given.json["id"]]}
    assert _as(simulator, "agent-1", "POST", f"{TICKETS}/{NUMBER}/note", note).status == 200
    (shown,) = _as(simulator, "agent-1", "GET", f"{TICKETS}/{NUMBER}").json["attachments"]
    assert (shown["name"], shown["content_type"]) == ("检测报告.pdf", "application/pdf")
    got = requests.get(shown["url"], timeout=5)
    assert got.content == content
    assert got.headers["Content-Disposition"].startswith("attachment")


def test_finance_and_a_long_key_are_refused(simulator: Simulator) -> None:
    assert _as(simulator, "finance-1", "POST", TICKETS, NEW).status == 403
    long = {"Idempotency-Key": "k" * 201}
    assert _as(simulator, "agent-1", "POST", TICKETS, NEW, headers=long).status == 400


def test_agent_and_customer_exchange_messages_over_http(
    simulator: Simulator, playbook: Playbook
) -> None:
    import boto3

    shot = Attachment(name="截图.png", content_type="image/png", size=9, key="files/x/1")
    storage = Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)
    file_ticket(storage, playbook, NUMBER, attachments=(shot,))
    taken = _as(simulator, "agent-1", "POST", f"{TICKETS}/{NUMBER}/take", {"version": 1})
    assert (taken.status, taken.json["handler"]) == (200, "agent-1")
    assert taken.json["received_at"] == "2026-03-10T12:00:00+08:00"
    mine = _as(simulator, "agent-1", "GET", f"{TICKETS}?queue=mine")
    assert ([t["number"] for t in mine.json["tickets"]], mine.json["cursor"]) == ([NUMBER], None)
    (attachment,) = _as(simulator, "agent-1", "GET", f"{TICKETS}/{NUMBER}").json["attachments"]
    assert attachment["url"].startswith(
        f"https://{DEPLOYMENT.mail_bucket}.s3.amazonaws.com/files/x/1?"
    )
    assert "attachment" in attachment["url"]
    online = _as(simulator, "agent-1", "PUT", "/agent/desks/testdesk/me/presence", {"online": True})
    assert online.json == {"online": True}


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        ("agent-1", "POST", f"{TICKETS}/{NUMBER}/reply", {"text": "a"}, 403),
        ("finance-1", "GET", f"{TICKETS}/{NUMBER}", None, 403),
        ("agent-1", "GET", f"{TICKETS}/CS20260310999", None, 404),
        ("agent-1", "GET", "/agent/desks/other/tickets", None, 404),
        ("agent-1", "POST", f"{TICKETS}/{NUMBER}/explode", {}, 404),
        ("supervisor-1", "POST", f"{TICKETS}/{NUMBER}/resolve", {"summary": "a"}, 409),
        ("agent-1", "POST", f"{TICKETS}/{NUMBER}/take", {"version": 7}, 409),
        ("agent-1", "GET", f"{TICKETS}?queue=odd", None, 400),
        ("agent-1", "POST", f"{TICKETS}/{NUMBER}/note", {"text": "a" * 300_000}, 413),
    ],
)
def test_each_refusal_is_a_problem_document(
    simulator: Simulator,
    playbook: Playbook,
    who: str,
    method: str,
    path: str,
    body: Any,
    status: int,
) -> None:
    import boto3

    file_ticket(Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table), playbook, NUMBER, at=NOON)
    answer = _as(simulator, who, method, path, body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert {"title", "status", "detail"} <= set(answer.json)
    if status == 409 and who == "supervisor-1":
        assert "take" in answer.json["allowed"]


def test_a_request_without_claims_is_refused(simulator: Simulator) -> None:
    """The handlers do not rely on the gateway's authorizer alone."""
    assert simulator.http("GET", TICKETS).status == 401


AGENTS_CALLS = sorted(
    (method, path)
    for path, methods in app.routes.items()
    for method, entry in methods.items()
    if entry.authorizer is not None
)
"""Every call that needs a token."""


@pytest.mark.parametrize(("method", "path"), AGENTS_CALLS)
def test_every_call_refuses_who_has_left(
    simulator: Simulator, playbook: Playbook, method: str, path: str
) -> None:
    """Before anything else is looked at: with an active entry, no answer is 401."""
    import boto3

    storage = Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)
    file_ticket(storage, playbook, NUMBER)
    names = {"desk": "testdesk", "number": NUMBER, "action": "take"}
    names |= {"kind": "daily", "period": "2026-03-09"}
    path = path.format(**names, article="a", call="c", customer="c", proposal="p")
    assert _as(simulator, "agent-1", method, path, {}).status != 401
    storage.roster.set_active("testdesk", "agent-1", False)
    simulator.forget_roster()
    refused = _as(simulator, "agent-1", method, path, {})
    assert (refused.status, refused.json["status"]) == (401, 401)
