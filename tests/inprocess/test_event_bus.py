"""A ticket's life on an event bus: the second way out has the same messages as the first."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.core.domain.events import EVENTS
from functions.core.domain.rules import Webhook
from functions.core.domain.webhooks import MessageId
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.notify import wiring
from infra.deploy import desks
from infra.deploy.trail import OperatorTrail
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import ROOT, shipped, simulator, storage
from tests.inprocess.test_standard import SECRETS, StandardJourney
from tests.inprocess.test_webhooks import handle_until_archived
from tests.permissions import granted, needed

pytestmark = pytest.mark.requirement("G5", "E11", "G4")
__all__ = ["simulator", "storage"]  # fixtures
BUS = "deskbell-test-orders"


@pytest.fixture
def queue(simulator: Simulator) -> Iterator[str]:
    """Apply a playbook that names a bus, and let the bus fill a queue, as its owner would."""
    wiring.endpoint_budget.cache_clear()
    aws.parameter.cache_clear()
    playbook = shipped(ROOT / "playbooks" / "standard.yaml")
    webhooks = {"orders": Webhook(bus="orders", events=("*",))}
    changed = playbook.model_copy(update={"webhooks": webhooks})
    trail, now = OperatorTrail(simulator.deployment.stage, "console:test"), datetime.now(UTC)
    desks.apply(trail, changed, now)
    desks.ensure_buses(simulator.deployment.stage, changed)  # again: it is there
    events, sqs = boto3.client("events"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    pattern = json.dumps({"source": ["deskbell"]})
    events.put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    wiring.endpoint_budget.cache_clear()


def received(url: str) -> list[dict[str, Any]]:
    """Take all events from the queue."""
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_every_event_is_put_once_and_nothing_is_in_the_clear(
    simulator: Simulator, storage: Storage, queue: str
) -> None:
    simulator.expire_playbooks()
    journey = StandardJourney(simulator, storage)
    handle_until_archived(journey)
    put = received(queue)
    happened = {
        str(MessageId("standard", journey.number, commit.version, position, "orders")): event.event
        for commit in storage.tickets.history("standard", journey.number)
        for position, event in enumerate(commit.events)
        if event.event != "TimersSet"
    }
    assert sorted(event["detail"]["id"] for event in put) == sorted(happened)
    for event in put:
        detail = event["detail"]
        assert event["source"] == "deskbell"
        assert event["detail-type"] == detail["type"] == EVENTS[happened[detail["id"]]].webhook
        assert detail["data"]["number"] == journey.number
        assert set(detail) == {"id", "type", "timestamp", "data"}
    assert not any(secret in json.dumps(put, ensure_ascii=False) for secret in SECRETS)
    deliveries = storage.deliveries.list("standard", journey.number)
    mine = [each for each in deliveries if each.channel == "webhook"]
    assert {(each.state, each.to) for each in mine} == {("sent", "bus:orders")}
    used = {
        action
        for call in simulator.calls
        if call.function == "notify"
        for action in needed(call.service, call.operation, call.writes)
    }
    assert "events:PutEvents" in used
    assert used <= granted("notify")
