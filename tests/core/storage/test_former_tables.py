"""A table that commit 196e096 wrote is read and continued.

`tests/fixtures/table-196e096.json.gz` holds its items, the sealing key, the mail bucket, and facts
about its tickets, which the code of that commit recorded.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.administration.retention import erase
from functions.core.deliver import message
from functions.core.domain.lifecycle import apply
from functions.core.domain.playbook_upgrades import FORMER_WEBHOOK_TYPES
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.domain.webhooks import rotated
from functions.core.platform import aws, clock
from functions.core.platform.dead_letters import dead_letter
from functions.core.storage.database import Storage
from functions.core.storage.items import FORMER_STATES
from infra.console.quarantine import quarantine_of
from infra.simulator.simulator import Simulator
from infra.simulator.workflows import Execution
from tests import moto_internals
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.inprocess import conftest as inprocess
from tests.inprocess.desk_journey import SimulatedJourney
from tests.inprocess.recording_provider import recording_provider
from tests.notify.webhook_receiver import Receiver
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("G6")
DEPLOYMENT = inprocess.DEPLOYMENT
FIXTURE = Path(__file__).parents[2] / "fixtures/table-196e096.json.gz"


@cache
def recorded() -> Any:
    return json.loads(gzip.decompress(FIXTURE.read_bytes()))


def facts() -> list[dict[str, Any]]:
    """Return the recorded facts about each ticket."""
    return list(recorded()["facts"]["tickets"])


def fact(name: str) -> dict[str, Any]:
    [found] = [fact for fact in facts() if fact["name"] == name]
    return found


def attribute(typed: dict[str, Any]) -> dict[str, Any]:
    """An attribute value for boto3; the record holds bytes as base64."""
    ((kind, value),) = typed.items()
    if kind == "B":
        return {"B": base64.b64decode(value)}
    if kind == "L":
        return {"L": [attribute(each) for each in value]}
    return {kind: value}


def put_table(crm: str) -> None:
    """Create the deployment as it was recorded; `crm` is the address of the desk's webhook now."""
    kms, moment = recorded()["kms"], datetime.fromisoformat(recorded()["facts"]["last_moment"])
    with moto_internals.kms_key(kms["key_id"], base64.b64decode(kms["key_material"])):
        inprocess.foundation("standard")
    for desk in recorded()["facts"]["desks"][1:]:
        boto3.client("sesv2").create_email_identity(EmailIdentity=f"{desk}.local")
    ssm, s3, table = boto3.client("ssm"), boto3.client("s3"), boto3.client("dynamodb")
    settings = {"user_pool_id": "p", "user_pool_client_id": "c", "local_webhooks": "on"}
    secret = rotated("", inprocess.WEBHOOK_SECRET, moment, timedelta())
    for name, value in (
        ("settings", json.dumps(settings)),
        ("desks/standard/webhooks/crm", secret),
    ):
        ssm.put_parameter(
            Name=DEPLOYMENT.parameter(name), Value=value, Type="SecureString", Overwrite=True
        )
    for mail in recorded()["facts"]["mail_bucket"]:
        s3.put_object(
            Bucket=DEPLOYMENT.mail_bucket,
            Key=mail["key"],
            Body=base64.b64decode(mail["body"]),
            ContentType=mail["content_type"],
            Metadata=mail["metadata"],
        )
    items = json.loads(json.dumps(recorded()["items"]).replace("127.0.0.1:18196", crm))
    for item in items:
        table.put_item(
            TableName=DEPLOYMENT.table,
            Item={name: attribute(typed) for name, typed in item.items()},
        )


class Clock:
    """The time of the deployment, which continues from its last moment."""

    def __init__(self) -> None:
        self.now = datetime.fromisoformat(recorded()["facts"]["last_moment"])

    def advance(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    time = Clock()
    monkeypatch.setattr(clock, "now", lambda: time.now)
    return time


@pytest.fixture(scope="module")
def crm() -> Iterator[Receiver]:
    with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
def simulator(time: Clock, crm: Receiver) -> Iterator[Simulator]:
    with ExitStack() as stack:
        stack.enter_context(aws_in_memory(DEPLOYMENT.region))
        restore_or_make(("table-196e096", crm.port), lambda: put_table(f"127.0.0.1:{crm.port}"))
        simulator = stack.enter_context(Simulator(DEPLOYMENT).running())
        message.token_cache.cache_clear()
        for desk, channel in (("standard", "wechat"), ("omnichannel", "line")):
            side = FAKE_PROVIDERS[channel]
            secret = {
                **side.secret,
                "api": stack.enter_context(recording_provider(side.accepted())).url,
            }
            boto3.client("ssm").put_parameter(
                Name=DEPLOYMENT.parameter(f"desks/{desk}/channels/{channel}"),
                Value=json.dumps(secret),
                Type="SecureString",
            )
        while simulator._records():  # no public way to skip the stream's past
            pass
        for name, run in recorded()["facts"]["workflows"].items():
            simulator.workflows.executions[name] = Execution(name, **run)
        yield simulator


@pytest.fixture
def storage(simulator: Simulator) -> Storage:
    return Storage.on(aws.dynamodb(), DEPLOYMENT.table)


class Former(SimulatedJourney):
    """A ticket of the table and its further journey."""

    def __init__(self, simulator: Simulator, storage: Storage, time: Clock, name: str) -> None:
        self.fact, self.time = fact(name), time
        playbook = storage.playbooks.get(self.fact["desk"], time.now)
        super().__init__(simulator, storage, playbook)
        self.number = self.fact["number"]

    def http(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        self.time.advance(seconds=20)
        return super().http(method, path, body, **more)

    def states(self, channel: str) -> set[str]:
        deliveries = self.storage.deliveries.list(self.desk, self.number)
        return {delivery.state for delivery in deliveries if delivery.channel == channel}


def replayed(storage: Storage, desk: str, number: str) -> Ticket | None:
    ticket: Ticket | None = None
    for commit in storage.tickets.history(desk, number):
        ticket = apply(ticket, commit)
    # Former tickets do not hold who entered them, nor count their records.
    return ticket.changed(entered_by=None, records=None) if ticket else None


def stored(storage: Storage, desk: str, number: str) -> Ticket:
    return storage.tickets.load(desk, number).model_copy(update={"wakes_at": None})


def chat(simulator: Simulator, name: str, words: str, id: str) -> None:  # noqa: A002 - the channels' word
    """Send a message as the customer of a chat ticket."""
    desk, known = fact(name)["desk"], fact(name)["chat"]
    side, now = FAKE_PROVIDERS[known["channel"]], clock.now()
    call = side.call(side.text(words, now, user=known["user"], id=id), now)
    path = call.path(f"/desks/{desk}/channels/{known['channel']}")
    headers = {"Content-Type": "application/json", **call.headers}
    assert simulator.http(call.method, path, call.body or None, headers=headers).status == 200
    simulator.pump()


@pytest.mark.slow
@pytest.mark.requirement("A14", "G6")
def test_applying_each_history_gives_the_stored_ticket(storage: Storage) -> None:
    for known in facts():
        desk, number = known["desk"], known["number"]
        ticket = stored(storage, desk, number)
        history = storage.tickets.history(desk, number)
        assert [event.event for commit in history for event in commit.events] == known["events"]
        again = replayed(storage, desk, number)
        assert again is not None
        # Tickets had no title then, which the next change gives, nor a time of their request.
        new: dict[str, Any] = {"title": ticket.title}
        if again.pending is not None:
            new["pending"] = again.pending.model_copy(update={"at": None})
        assert again.model_copy(update=new) == ticket, known["name"]
        for field in ("status", "version", "score", "queue", "team", "handler", "held", "erased"):
            assert getattr(ticket, field) == known[field], (known["name"], field)
        present = {former: state for state, former in FORMER_STATES.items()}
        deliveries = [line.rsplit(" ", 1) for line in known["deliveries"]]
        assert sorted(
            f"{delivery.message} {delivery.recipient} {delivery.state}"
            for delivery in storage.deliveries.list(desk, number)
        ) == sorted(f"{head} {present.get(state, state)}" for head, state in deliveries)


def test_every_stored_playbook_is_read(storage: Storage) -> None:
    for desk, newest in recorded()["facts"]["playbooks"].items():
        assert storage.playbooks.version(desk) == newest
        for version in range(1, newest + 1):
            assert Playbook.stored(storage.playbooks.document(desk, version)).desk == desk


@pytest.mark.requirement("G1")
def test_repeated_requests_open_no_ticket(
    simulator: Simulator, storage: Storage, time: Clock
) -> None:
    """By form, webhook, mail and chat."""
    ways: set[str] = set()
    before = numbers(storage)
    for known in facts():
        filed = known["filed"] or {}
        time.advance(seconds=20)
        match filed.get("way"):
            case "form" if filed["headers"]:
                answer = simulator.http(
                    "POST", filed["path"], filed["body"], headers=filed["headers"]
                )
                assert (answer.status, answer.json["number"]) == (201, known["number"])
            case "webhook":
                raw = filed["raw"].encode()
                headers = signed(
                    inprocess.WEBHOOK_SECRET, raw, filed["webhook_id"], time.now.timestamp()
                )
                answer = simulator.http("POST", filed["path"], raw, headers=headers)
                assert (answer.status, answer.json["number"]) == (201, known["number"])
            case "mail":
                simulator.mail(base64.b64decode(filed["raw"]), filed["recipient"], key=filed["key"])
            case "chat":
                chat(simulator, known["name"], filed["words"], filed["id"])
            case _:
                continue
        ways.add(filed["way"])
        simulator.pump()
    assert ways == {"form", "webhook", "mail", "chat"}
    assert numbers(storage) == before
    for known in facts():
        version = storage.tickets.load(known["desk"], known["number"]).version
        assert version == known["version"], known["name"]


def numbers(storage: Storage) -> int:
    """Return the count of tickets."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=storage.table.name)
    return sum(item["sk"]["S"] == "TICKET" for page in pages for item in page["Items"])


CUSTOMERS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("awaiting-customer", "messages", {"text": "订单号 42"}, "in_progress"),
    ("resolved", "survey", {"score": 5}, "archived"),
    ("awaiting-confirmation", "confirmation", {"solved": True}, "in_review"),
    ("rapid-asked", "messages", {"text": "收不到验证码"}, "assigned"),
)
AGENTS: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
    ("pending-confirmation", "li-1", "confirm-type", {"type": "报障"}, "assigned"),
    ("awaiting-approval", "zg-1", "approve", {"approved": True}, "awaiting_department"),
    ("aftersales-callback-wanted", "zg-1", "callback", {"cause": "好"}, "archived"),
    ("awaiting-department", "cc-1", "collaboration-answer", {"answer": "今晚"}, "in_progress"),
    ("merged-open", "zg-1", "unmerge", {}, "assigned"),
)


@pytest.mark.slow
@pytest.mark.requirement("A14", "F4")
def test_unfinished_tickets_go_on(simulator: Simulator, storage: Storage, time: Clock) -> None:
    """With their workflows, sealed contacts and conversations."""
    for name, call, fields, status in CUSTOMERS:
        ticket = Former(simulator, storage, time, name)
        ticket.act_as_customer(call, **fields)
        assert ticket.ticket.status == status, name
    for name, who, action, fields, status in AGENTS:
        ticket = Former(simulator, storage, time, name)
        ticket.act(who, action, **fields)
        assert ticket.ticket.status == status, name
    assert Former(simulator, storage, time, "awaiting-approval").ticket.pending is None
    ticket = Former(simulator, storage, time, "assigned")
    opened = ticket.act(ticket.fact["handler"], "open-original", message=1, reason="回电")
    assert "13800138010" in opened["original"]["description"]
    ticket.act(ticket.fact["handler"], "reply", text="您好")
    assert storage.deliveries.list(ticket.desk, ticket.number)[-1].state == "sent"
    ticket = Former(simulator, storage, time, "queued")
    ticket.online("sh-1")
    assert ticket.ticket.handler == "sh-1"
    ticket = Former(simulator, storage, time, "wechat-open")
    chat(simulator, "wechat-open", "还是不行", "2099")
    assert ticket.ticket.version > ticket.fact["version"]


@pytest.mark.requirement("G3")
def test_a_parked_delivery_is_listed_and_replayed(
    simulator: Simulator, storage: Storage, time: Clock, crm: Receiver
) -> None:
    """Its item holds the former names of its state and of its webhook type."""
    ticket = Former(simulator, storage, time, "webhook-retrying")
    [dead] = [
        delivery
        for delivery in storage.deliveries.list(ticket.desk, ticket.number)
        if delivery.state == "dead_lettered"
    ]
    keys = {"pk": f"TICKET#standard#{ticket.number}", "sk": f"DELIVERY#{dead.id}"}
    dead_letter(DEPLOYMENT, "notify", None, dead.cause or "", keys)
    quarantine = quarantine_of(DEPLOYMENT.stage)
    with quarantine.opened() as found:
        [listed] = [each for each in found if each.keys == keys]
        assert quarantine.replay(listed) == "the delivery is due"
    simulator.pump()
    assert storage.deliveries.get(ticket.desk, ticket.number, keys["sk"]) is not None
    assert "dead_lettered" not in ticket.states("webhook")
    assert FORMER_WEBHOOK_TYPES[dead.message] in {request.json["type"] for request in crm.got}


@pytest.mark.requirement("G3", "G5")
def test_deliveries_to_retry_go_out(simulator: Simulator, storage: Storage, time: Clock) -> None:
    webhook = Former(simulator, storage, time, "webhook-retrying")
    line = Former(simulator, storage, time, "line-open")
    assert "retrying" in webhook.states("webhook") | line.states("message")
    webhook.tick(time.advance(minutes=6))
    assert webhook.states("webhook") == {"sent", "dead_lettered"}
    assert line.states("message") == {"sent"}


@pytest.mark.slow
@pytest.mark.requirement("B10")
def test_an_archived_person_is_erased(simulator: Simulator, storage: Storage, time: Clock) -> None:
    ticket = Former(simulator, storage, time, "archived-good")
    contact = ticket.fact["contact"]
    done = erase(
        ticket.records, "standard", contact=contact, reason="x", actor="admin", now=time.now
    )
    assert ticket.number in done.numbers
    assert stored(storage, "standard", ticket.number).erased
    assert replayed(storage, "standard", ticket.number) == stored(
        storage, "standard", ticket.number
    )
