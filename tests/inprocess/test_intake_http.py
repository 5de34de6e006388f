"""Requests over HTTP: one ticket each, with number, promise and clear errors."""

import json
import time
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from deskbell.client import ApiResponse
from functions.core.domain.events import Product, TicketReceived
from functions.core.domain.rules import CustomerClass
from functions.core.domain.ticket import Customer
from functions.core.platform import clock
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import WEBHOOK_SECRET
from tests.inprocess.test_returns import SUPERVISOR
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("A1", "A3", "F5", "G1")
BODY = {"contact": "13800138000", "description": "无法登录，一直提示密码错误", "name": "张三"}
RAW = json.dumps(BODY, ensure_ascii=False).encode()


def post_ticket(simulator: Simulator, body: Any = BODY, **headers: str) -> ApiResponse:
    return simulator.http("POST", "/desks/standard/tickets", body, headers=headers)


@pytest.mark.requirement("A1", "A3", "A4")
def test_a_request_gets_a_number_and_a_promise(simulator: Simulator, storage: Storage) -> None:
    answer = post_ticket(simulator)
    assert answer.status == 201
    today = datetime.now(tz=None).astimezone()  # the number's date is the desk's own
    number = answer.json["number"]
    assert number.startswith("CS")
    assert number.endswith("001")
    assert len(number) == len("CS20240520001")
    assert answer.json["status"] == "received"
    due = datetime.fromisoformat(answer.json["expected_response_by"])
    assert due.utcoffset() is not None
    assert 23.9 < (due - today).total_seconds() / 3600 <= 24
    assert answer.json["status_url"].startswith(
        f"https://desk.example.com/desks/standard/tickets/{number}?key="
    )
    ticket = storage.tickets.load("standard", number)
    assert ticket.type == "报障"  # classified as it was created
    assert ticket.customer.contact == "*******8000"


@pytest.mark.requirement("A4")
def test_an_urgent_request_is_promised_two_hours(simulator: Simulator) -> None:
    """紧急问题2小时内响应."""
    answer = post_ticket(simulator, {**BODY, "urgency": "高"})
    due = datetime.fromisoformat(answer.json["expected_response_by"])
    assert 1.9 < (due.timestamp() - time.time()) / 3600 <= 2


@pytest.mark.requirement("A1")
@pytest.mark.parametrize("urgency", ["低", "low", "Low"])
def test_terms_are_understood_in_both_languages(
    simulator: Simulator, storage: Storage, urgency: str
) -> None:
    answer = post_ticket(simulator, {**BODY, "urgency": urgency, "type": "fault report"})
    ticket = storage.tickets.load("standard", answer.json["number"])
    assert (ticket.priority, ticket.type) == ("低", "报障")


@pytest.mark.requirement("A1", "A15")
def test_every_wrong_field_is_named(simulator: Simulator) -> None:
    answer = post_ticket(
        simulator,
        {
            "contact": "12",
            "description": "x" * 201,
            "urgency": "sofort",
            "type": "nonsense",
            "x": 1,
        },
    )
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    wrong = {error["field"]: error["message"] for error in answer.json["errors"]}
    assert set(wrong) == {"contact", "description", "urgency", "type", "x"}
    assert "200" in wrong["description"]
    assert "高" in wrong["urgency"]


def test_unknown_and_missing_fields_are_named(simulator: Simulator) -> None:
    answer = post_ticket(simulator, {"descripton": "typo"})
    assert answer.status == 400
    assert {error["field"] for error in answer.json["errors"]} == {
        "contact", "description", "descripton",
    }  # fmt: skip


@pytest.mark.requirement("D2")
@pytest.mark.parametrize("given", ["2026-02-30", "2026-3-1", "20260310", "yesterday", ""])
def test_a_purchase_date_must_be_a_date(simulator: Simulator, given: str) -> None:
    answer = post_ticket(simulator, {**BODY, "product": {"name": "冰箱", "purchased_on": given}})
    assert answer.status == 400
    assert answer.json["errors"] == [
        {"field": "product.purchased_on", "message": "请填写日期，例如 2026-03-10"}
    ]


def test_a_body_of_another_type_is_refused_as_a_problem(simulator: Simulator) -> None:
    """Chalice's own errors are problems too."""
    answer = post_ticket(simulator, b"contact=13800138000", **{"Content-Type": "text/plain"})
    assert answer.status == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "title": "Unsupported Media Type",
        "status": 415,
        "detail": "This address does not take a body of this type.",
    }


def test_an_unknown_desk_is_not_found(simulator: Simulator) -> None:
    assert simulator.http("POST", "/desks/nobody/tickets", BODY).status == 404


@pytest.mark.requirement("G1")
def test_a_repeated_key_creates_one_ticket(simulator: Simulator) -> None:
    first = post_ticket(simulator, **{"Idempotency-Key": "k-1"})
    for _ in range(20):
        assert post_ticket(simulator, **{"Idempotency-Key": "k-1"}).json == first.json
    other = post_ticket(
        simulator, {**BODY, "description": "别的问题"}, **{"Idempotency-Key": "k-1"}
    )
    assert other.status == 422
    assert (
        post_ticket(simulator, **{"Idempotency-Key": "k-2"}).json["number"] != first.json["number"]
    )


def test_without_a_key_each_request_creates_a_ticket(simulator: Simulator) -> None:
    assert post_ticket(simulator).json["number"] != post_ticket(simulator).json["number"]


def test_creating_a_ticket_takes_three_calls_to_the_table(simulator: Simulator) -> None:
    post_ticket(simulator)
    simulator.calls.clear()
    post_ticket(simulator, **{"Idempotency-Key": "k"})
    table = [call for call in simulator.calls if call.service == "dynamodb"]
    assert len(table) <= 3


@pytest.mark.requirement("F5", "G1")
def test_a_repeated_webhook_creates_one_ticket(simulator: Simulator) -> None:
    path = "/desks/standard/channels/webhook"
    first = simulator.http("POST", path, RAW, headers=signed(WEBHOOK_SECRET, RAW))
    assert first.status == 201
    again = simulator.http("POST", path, RAW, headers=signed(WEBHOOK_SECRET, RAW))
    assert again.json == first.json


@pytest.mark.requirement("F5")
@pytest.mark.parametrize(
    "spoil",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "soon"},
    ],
)
def test_an_invalid_or_old_signature_is_refused(
    simulator: Simulator, spoil: dict[str, str]
) -> None:
    path = "/desks/standard/channels/webhook"
    spoilt = {**signed(WEBHOOK_SECRET, RAW), **spoil}
    assert simulator.http("POST", path, RAW, headers=spoilt).status == 401
    old = signed(WEBHOOK_SECRET, RAW, at=time.time() - 301)
    assert simulator.http("POST", path, RAW, headers=old).status == 401
    assert simulator.http("POST", path, RAW).status == 401


@pytest.mark.requirement("G4")
def test_personal_data_is_masked_before_it_is_stored(
    simulator: Simulator, storage: Storage
) -> None:
    body = {
        **BODY,
        "contact": "wang.wu@example.com",
        "description": "请回电 13912345678 或 me@example.org",
    }
    number = post_ticket(simulator, body).json["number"]
    found = repr(storage.tickets.items("standard", number))
    for secret in ("wang.wu", "13912345678", "me@example.org", "张三"):
        assert secret not in found


@pytest.mark.requirement("A15", "G4")
def test_a_phone_number_is_masked_in_every_field(simulator: Simulator, storage: Storage) -> None:
    phone = "13912345678"
    body = {
        **BODY,
        "description": f"回电{phone}",
        "order": f"见{phone}",
        "proof_of_purchase": f"发票 {phone}",
        "customer_id": phone,
        "product": {"name": f"冰箱 {phone}", "model": phone, "serial": f"电话 {phone}"},
    }
    number = post_ticket(simulator, body).json["number"]
    simulator.pump()
    (received,) = storage.tickets.history("standard", number)[0].of(TicketReceived)
    for said in (received.description, received.order, received.proof_of_purchase):
        assert "139****5678" in str(said)
    assert received.customer.id == "139****5678"
    assert received.product == Product(
        name="冰箱 139****5678", model="139****5678", serial="电话 139****5678"
    )
    for item in storage.tickets.items("standard", number):
        item.pop("sealed", None)
        assert phone not in str(item)


@pytest.mark.requirement("A3")
@pytest.mark.parametrize(
    ("at", "number"),
    [
        (datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC), "CS20260309001"),
        (datetime(2026, 3, 9, 16, 0, tzinfo=UTC), "CS20260310001"),
    ],
)
def test_a_number_has_the_desk_s_own_date(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, at: datetime, number: str
) -> None:
    """The day begins at midnight in Shanghai, eight hours before UTC's."""
    monkeypatch.setattr(clock, "now", lambda: at)
    assert post_ticket(simulator).json["number"] == number


@pytest.mark.requirement("A5")
def test_a_supervisor_s_customer_class_overrides_the_channel_s(
    simulator: Simulator, storage: Storage
) -> None:
    classes = {"vip": CustomerClass(customer_ids=("VIP*",)), "partner": CustomerClass()}
    playbook = storage.playbooks.get("standard", datetime.now(UTC))
    storage.playbooks.put(
        playbook.model_copy(update={"customer_classes": classes}), datetime.now(UTC)
    )
    simulator.expire_playbooks()
    serial = count()

    def classed() -> Customer:
        path = "/desks/standard/channels/webhook"
        raw = json.dumps({**BODY, "customer_id": "VIP-7"}).encode()
        headers = signed(WEBHOOK_SECRET, raw, id=f"msg_{next(serial)}")
        number = simulator.http("POST", path, raw, headers=headers).json["number"]
        return storage.tickets.load("standard", number).customer

    assert classed().customer_class == "vip"
    contact = classed().hash
    assert storage.contacts.classes("standard", [contact]) == {contact: "vip"}
    storage.contacts.set_class("standard", contact, "partner")
    assert classed().customer_class == "partner"


@pytest.mark.requirement("A5")
def test_an_open_form_s_customer_id_only_hints_at_a_class(
    simulator: Simulator, storage: Storage
) -> None:
    number = post_ticket(simulator, {**BODY, "customer_id": "VIP-7"}).json["number"]
    customer = storage.tickets.load("standard", number).customer
    assert (customer.customer_class, customer.claimed_class) == (None, "vip")
    view = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR).json
    assert (view["customer"]["class"], view["customer"]["claimed_class"]) == (None, "vip")


OPEN_ROUTES = [
    ("POST", "/desks/{desk}/tickets"), ("POST", "/desks/{desk}/channels/webhook"),
    ("POST", "/desks/{desk}/channels/mime"), ("POST", "/desks/{desk}/channels/wechat"),
    ("GET", "/desks/{desk}/tickets/CS1?key=x"),
    ("POST", "/desks/{desk}/tickets/CS1/messages?key=x"),
    ("POST", "/desks/{desk}/tickets/CS1/survey?key=x"),
]  # fmt: skip
"""Routes that anybody may call."""


@pytest.mark.requirement("G1")
@pytest.mark.parametrize(("method", "route"), OPEN_ROUTES)
@pytest.mark.parametrize("desk", ["invented", "A!", "a" * 3000, "x\ud800"])
def test_a_call_for_an_invented_desk_is_not_found_and_costs_one_read(
    simulator: Simulator, method: str, route: str, desk: str
) -> None:
    """Repeated, it reads nothing; parameters (SSM) are never read for it."""
    mail = {"content-type": "message/rfc822"} if route.endswith("mime") else {}
    simulator.http("GET", post_ticket(simulator).json["status_url"].partition(".com")[2])
    simulator.calls.clear()
    for _ in range(3):
        answer = simulator.http(method, route.format(desk=desk), BODY, headers=mail)
        assert answer.status == 404, answer.text
    reads = [call for call in simulator.calls if call.service == "dynamodb"]
    assert len(reads) == (1 if desk == "invented" else 0)
    assert [call.service for call in simulator.calls if call.service == "ssm"] == []


@pytest.mark.requirement("A14")
@pytest.mark.parametrize("number", ["CS1", "C!", "9" * 3000, "x\ud800"])
def test_a_malformed_number_is_not_found(simulator: Simulator, number: str) -> None:
    status = simulator.http("GET", f"/desks/standard/tickets/{number}?key=x")
    view = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=SUPERVISOR)
    assert (status.status, view.status) == (404, 404)
