"""Phone calls: a missed one is called back, an answered one becomes a ticket, each once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, permutations
from typing import Any

import boto3
import pytest

from deskbell.client import ApiResponse
from functions.core.domain.events import PhoneCallAttached
from functions.core.domain.ticket import Ticket
from functions.core.platform import aws
from functions.core.storage.contacts import Contacts
from functions.core.storage.database import Storage
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import DEPLOYMENT, WEBHOOK_SECRET, erase_customer
from tests.inprocess.test_chat import interrupt_next_request
from tests.inprocess.test_returns import SUPERVISOR
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("B1", "D1", "G1")
DESK, PHONE, ROOT = "standard", "13800138000", bytes(range(32))
RINGING = {
    "call_id": "call-1", "event": "ringing", "direction": "inbound", "caller": PHONE,
    "started_at": "2026-03-10T08:00:00+08:00",
}  # fmt: skip
ANSWERED = {"call_id": "call-1", "event": "answered", "agent": "2000"}
WORDS = [
    {"id": "1", "role": "agent", "at_ms": 100, "text": "您好"},
    {"id": "2", "role": "customer", "at_ms": 900, "text": "宽带断了，请打13912345678"},
]
TRANSCRIPT = {"call_id": "call-1", "event": "transcript", "transcript": WORDS}
ENDED = {
    "call_id": "call-1", "event": "ended", "ended_at": "2026-03-10T08:05:00+08:00",
    "recording_url": "https://calls.example.com/r.wav",
}  # fmt: skip
CONNECT = {
    "contactId": "c-1", "channel": "VOICE", "initiationMethod": "INBOUND",
    "initiationTimestamp": "2026-03-10T00:00:00Z",
}  # fmt: skip


@dataclass
class Switchboard:
    """A call centre that reports the calls of the standard desk."""

    simulator: Simulator
    storage: Storage
    ids: Callable[[], int]

    def post(self, body: Any, query: str = "", secret: str = WEBHOOK_SECRET) -> ApiResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if query else signed(secret, raw, f"msg_{self.ids()}")
        path = f"/desks/{DESK}/channels/voice{query}"
        headers |= {"Content-Type": "application/json"}
        answer = self.simulator.http("POST", path, raw, headers=headers)
        self.simulator.pump()
        return answer

    def report(self, *bodies: Any) -> None:
        for body in bodies:
            answer = self.post(body)
            assert (answer.status, answer.json["code"]) == (200, 0), answer.text

    def deliver(self, event_type: str, **detail: Any) -> None:
        """Deliver a contact event of Amazon Connect as EventBridge does, by the mail queue."""
        event = {
            "source": "aws.connect", "detail-type": "Amazon Connect Contact Event",
            "time": "2026-03-10T00:05:00Z",
            "detail": {**CONNECT, "eventType": event_type, **detail},
        }  # fmt: skip
        record = {"messageId": "m", "body": json.dumps(event)}
        done = self.simulator.invoke("intake_mail", {"Records": [record]})
        assert done == {"batchItemFailures": []}
        self.simulator.pump()

    @property
    def tickets(self) -> list[Ticket]:
        items = self.storage.table.client.scan(TableName=self.storage.table.name)["Items"]
        numbers = [i["pk"]["S"].split("#")[2] for i in items if i["sk"]["S"] == "TICKET"]
        return [self.storage.tickets.load(DESK, number) for number in sorted(numbers)]

    def attached(self, number: str) -> list[PhoneCallAttached]:
        history = self.storage.tickets.history(DESK, number)
        return [event for commit in history for event in commit.of(PhoneCallAttached)]

    def agent(self, method: str, path: str, body: Any = None) -> ApiResponse:
        return self.simulator.http(method, f"/agent/desks/{DESK}/{path}", body, claims=SUPERVISOR)

    @property
    def call(self) -> dict[str, Any]:
        (found,) = self.agent("GET", "calls").json["calls"]
        shown: dict[str, Any] = self.agent("GET", f"calls/{found['id']}").json
        return shown


@pytest.fixture
def switchboard(simulator: Simulator, storage: Storage) -> Switchboard:
    numbers = count(1)
    return Switchboard(simulator, storage, lambda: next(numbers))


def test_a_missed_call_is_a_call_back_once(switchboard: Switchboard) -> None:
    switchboard.report(ENDED, RINGING, [RINGING, ENDED], ENDED)
    (ticket,) = switchboard.tickets
    assert ticket.channel == "phone"
    assert [task.kind for task in ticket.tasks] == ["call"]
    (entry,) = switchboard.attached(ticket.number)
    assert (entry.missed, entry.text) == (True, "未接来电：2026-03-10 08:00，请回电。")
    assert switchboard.call["state"] == "missed"
    assert switchboard.storage.channel_healths.of(DESK)["voice"].last_in is not None
    done = switchboard.agent("POST", f"tickets/{ticket.number}/record-call", {"outcome": "已回电"})
    assert done.status == 200
    switchboard.report(ENDED)
    assert not switchboard.tickets[0].tasks


def test_missed_calls_of_one_caller_are_one_ticket(
    switchboard: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once, and another before the index shows the ticket."""
    missed = [{**RINGING, **ENDED, "call_id": str(n)} for n in range(4)]
    interrupt_next_request(monkeypatch, lambda: switchboard.report(missed[0]))
    switchboard.report(missed[1])
    monkeypatch.setattr(Contacts, "tickets", lambda *_: [])
    switchboard.report(missed[2])
    (ticket,) = switchboard.tickets
    assert len({entry.call for entry in switchboard.attached(ticket.number)}) == 3
    path = f"tickets/{ticket.number}"
    for action, body in (("take", {}), ("resolve", {"summary": "已回电"})):
        assert switchboard.agent("POST", f"{path}/{action}", body).status == 200
    switchboard.report(missed[3])
    assert len(switchboard.tickets) == 2


@pytest.mark.parametrize("order", [*permutations((RINGING, ANSWERED, TRANSCRIPT, ENDED))][::5])
def test_an_answered_call_fills_in_a_ticket(
    switchboard: Switchboard, order: tuple[dict[str, Any], ...]
) -> None:
    """In any order; the ticket has what the agent leaves out, masked, and the original sealed."""
    switchboard.report(list(order), *order)
    call = switchboard.call
    assert (call["state"], call["agent"], call["recorded"]) == ("ended", "2000", True)
    assert call["caller"] == "*******8000"
    assert [part["speaker"] for part in call["transcript"]] == ["agent", "customer"]
    assert "13912345678" not in json.dumps(call)
    before = [ticket.number for ticket in switchboard.tickets]
    answer = switchboard.agent("POST", f"calls/{call['id']}/ticket", {"urgency": "高"})
    again = switchboard.agent("POST", f"calls/{call['id']}/ticket", {})
    assert (answer.status, again.json["number"]) == (201, answer.json["number"])
    ticket = switchboard.storage.tickets.load(DESK, answer.json["number"])
    assert (ticket.customer.contact, ticket.channel, ticket.priority) == (
        "*******8000", "phone", "高",
    )  # fmt: skip
    (entry,) = switchboard.attached(ticket.number)
    assert "客户：宽带断了" in entry.text
    assert "13912345678" not in entry.text
    assert not ticket.tasks
    assert switchboard.call["number"] == ticket.number
    assert len(switchboard.tickets) == len(before) + 1
    opened = switchboard.agent(
        "POST", f"tickets/{ticket.number}/open-original", {"message": 1, "reason": "核对"}
    )
    assert "13912345678" in opened.json["original"]["description"]


def test_a_call_joins_the_open_ticket_of_its_caller(switchboard: Switchboard) -> None:
    body = {"contact": PHONE, "description": "宽带断了"}
    filed = switchboard.simulator.http("POST", f"/desks/{DESK}/tickets", body).json["number"]
    switchboard.simulator.pump()
    switchboard.report(RINGING, ANSWERED, ENDED, TRANSCRIPT, TRANSCRIPT)
    assert [ticket.number for ticket in switchboard.tickets] == [filed]
    first, later = switchboard.attached(filed)
    assert (first.updated, later.updated, first.recorded) == (False, True, True)
    assert "客户：宽带断了" in later.text
    shown = switchboard.agent("GET", f"tickets/{filed}").json
    assert "客户：宽带断了" in json.dumps(shown["timeline"], ensure_ascii=False)


def test_a_late_answer_takes_the_call_back_away(switchboard: Switchboard) -> None:
    switchboard.report(RINGING, ENDED, ANSWERED, ANSWERED)
    (ticket,) = switchboard.tickets
    assert not ticket.tasks
    assert [entry.missed for entry in switchboard.attached(ticket.number)] == [True, False]


def test_a_withheld_number_and_an_outgoing_call_open_nothing(switchboard: Switchboard) -> None:
    withheld = {**RINGING, "caller": "anonymous"}
    outgoing = {"call_id": "2", "direction": "outbound", "called": PHONE}
    switchboard.report([withheld, ENDED], {**RINGING, **ENDED, **outgoing})
    assert not switchboard.tickets
    calls = switchboard.agent("GET", "calls").json["calls"]
    assert sorted(str(call["caller"]) for call in calls) == ["*******8000", "None"]
    path = f"calls/{next(c['id'] for c in calls if c['state'] == 'missed')}/ticket"
    assert switchboard.agent("POST", path, {}).json["errors"][0]["field"] == "contact"
    assert switchboard.agent("POST", path, {"contact": PHONE}).status == 201


def test_one_unreadable_report_of_a_batch_waits_in_quarantine(switchboard: Switchboard) -> None:
    switchboard.report([{"event": "ended"}, {**RINGING, **ENDED}], b"no JSON")
    assert len(switchboard.tickets) == 1
    with quarantine_of(DEPLOYMENT.stage).opened() as waiting:
        assert len(list(waiting)) == 2


@pytest.mark.requirement("G4")
def test_a_call_centre_signs_or_has_the_key(switchboard: Switchboard) -> None:
    record = {
        "event": "NewCdr", "callid": "1", "callfrom": PHONE, "type": "Inbound",
        "status": "NO ANSWER", "timestart": "2026-03-10 22:18:50", "talkduration": "0",
    }  # fmt: skip
    boto3.client("ssm").put_parameter(
        Name=DEPLOYMENT.parameter(f"desks/{DESK}/channels/voice"),
        Value=json.dumps({"key": "a-long-random-key"}),
        Type="SecureString",
    )
    for query in ("?key=", "?key=wrong", "?x=1"):
        assert switchboard.post(record, query).status == 401
    assert switchboard.post(record, "?key=a-long-random-key").json == {"code": 0, "msg": "接收成功"}
    assert [task.kind for ticket in switchboard.tickets for task in ticket.tasks] == ["call"]
    assert switchboard.post(record, secret="whsec_d3Jvbmc=").status == 401


def test_amazon_connect_reports_by_the_mail_queue(switchboard: Switchboard) -> None:
    """Its events come unordered and repeatedly; one names the caller."""
    ssm = boto3.client("ssm")
    name = DEPLOYMENT.parameter("settings")
    stored = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    caller = {"customerEndpoint": {"type": "TELEPHONE_NUMBER", "address": f"+86{PHONE}"}}
    switchboard.deliver("DISCONNECTED", **caller)  # nobody takes the calls: dead-lettered
    assert not switchboard.tickets
    settings = json.dumps({**json.loads(stored), "connect_desk": DESK})
    ssm.put_parameter(Name=name, Value=settings, Overwrite=True)
    aws.parameter.cache_clear()
    switchboard.deliver("DISCONNECTED", **caller)
    switchboard.deliver("INITIATED")
    switchboard.deliver("DISCONNECTED", **caller)
    (ticket,) = switchboard.tickets
    assert [task.kind for task in ticket.tasks] == ["call"]
    switchboard.deliver("CONNECTED_TO_AGENT", contactId="c-2", agentInfo={"agentArn": "x/a-1"})
    switchboard.deliver("DISCONNECTED", contactId="c-2", **caller)
    assert [entry.missed for entry in switchboard.attached(ticket.number)] == [True, False]


@pytest.mark.requirement("B10", "G4")
def test_an_erasure_deletes_the_calls_of_the_customer(switchboard: Switchboard) -> None:
    switchboard.report([RINGING, ANSWERED, TRANSCRIPT, ENDED], {**RINGING, **ENDED, "call_id": "2"})

    def stored() -> list[Any]:
        items = switchboard.storage.table.client.scan(TableName=switchboard.storage.table.name)
        return [item for item in items["Items"] if item["pk"]["S"].startswith("CALL#")]

    assert len(stored()) == 2
    assert PHONE not in repr(stored())
    assert "宽带" not in repr(stored())
    erase_customer(switchboard.simulator, datetime.now(UTC), contact=PHONE)
    assert not stored()
    (ticket,) = switchboard.tickets
    assert [entry.text for entry in switchboard.attached(ticket.number)] == [""] * len(
        switchboard.attached(ticket.number)
    )
    switchboard.report(ENDED)
    assert len(switchboard.tickets) == 1


def test_opening_a_recording_is_on_record(switchboard: Switchboard) -> None:
    switchboard.report([RINGING, ANSWERED, {**ENDED, "recording_url": "http://calls.example.com"}])
    path = f"calls/{switchboard.call['id']}/recording"
    assert switchboard.agent("POST", path).status == 404
    switchboard.report(ENDED)
    assert switchboard.agent("POST", path).json == {"url": ENDED["recording_url"]}
    day = datetime(2020, 1, 1, tzinfo=UTC)
    acts = [entry.act for entry in switchboard.storage.audit.list(day, datetime.now(UTC))]
    assert acts.count("call.open-recording") == 1
