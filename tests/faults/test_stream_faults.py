"""The stream's functions under throttling, poison, repetition and reordering (F2, G2)."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from functions.core.platform import aws
from functions.core.platform.stream_filters import matches_filters
from functions.core.storage.database import Storage
from infra.console.verification import Verification
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.local.streams import RetryRules, process
from infra.simulator.simulator import Simulator
from tests.inprocess.conftest import (
    DEPLOYMENT,
    simulator as simulator,
    storage as storage,
)

pytestmark = [pytest.mark.requirement("F2", "G2", "G3"), pytest.mark.slow]
MAPPINGS = {"router": "RouterStream", "notify": "NotifyStream"}
WIRING = load_template(INFRA / "templates" / "wiring.yaml")
TICKETS = 30


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.notify.base_dispatch.sleep", lambda _: None)


@dataclass
class Platform:
    """Lambda's treatment of a stream: the mappings' retry rules as `wiring.yaml` has them."""

    simulator: Simulator
    discarded: list[Any] = field(default_factory=list)
    attempts: int = 0

    def deliver(self, records: list[Any]) -> None:
        for function, mapping in MAPPINGS.items():
            matching = [record for record in records if matches_filters(record, function)]
            for first in range(0, len(matching), 10):
                self._batch(function, mapping, matching[first : first + 10])

    def _batch(self, function: str, mapping: str, records: list[Any]) -> None:
        properties = dict(WIRING["Resources"][mapping]["Properties"])
        properties["MaximumRecordAgeInSeconds"] = WIRING["Parameters"]["MaximumRecordAgeSeconds"][
            "Default"
        ]

        def invoke(batch: list[Any]) -> dict[str, Any]:
            self.attempts += 1
            try:
                return {"body": self.simulator.invoke(function, {"Records": batch})}
            except Exception as error:  # as Lambda reports a function's own failure
                return {"error": True, "body": repr(error)}

        process(
            records,
            RetryRules.of(properties),
            lambda batch: _as_text(invoke(batch)),
            lambda *discarded: self.discarded.append(discarded),
            sleep=lambda _: None,
            now=lambda: datetime.now(UTC).timestamp(),
        )

    def run(self) -> None:
        """Deliver until the stream is empty."""
        while records := self.simulator._records():
            self.deliver(records)


def _as_text(response: dict[str, Any]) -> dict[str, Any]:
    body = response["body"]
    return {**response, "body": body if isinstance(body, str) else json.dumps(body)}


@contextmanager
def failing(service: str, calls: int, code: str, chance: float = 1.0) -> Iterator[list[int]]:
    """Let the next calls of a service fail with an error code, as botocore sees it."""
    left = [calls]
    dice = random.Random(4)  # noqa: S311 - repeatable faults

    def fail(**_: Any) -> Any:
        if left[0] <= 0 or dice.random() > chance:
            return None
        left[0] -= 1
        error = {"Error": {"Code": code, "Message": "injected"}}
        return SimpleNamespace(status_code=400), error

    events = aws.client(service).meta.events
    events.register_first(f"before-call.{service}", fail)
    try:
        yield left
    finally:
        events.unregister(f"before-call.{service}", fail)


def file_all(simulator: Simulator) -> list[str]:
    numbers = []
    for count in range(TICKETS):
        body = {"contact": f"c{count}@example.com", "description": "无法登录"}
        answer = simulator.http("POST", "/desks/standard/tickets", body)
        assert answer.status == 201, answer.text
        numbers.append(answer.json["number"])
    return numbers


def assert_all_is_well(storage: Storage, numbers: list[str]) -> None:
    """Every ticket is routed and acknowledged exactly once, and the table is consistent."""
    for number in numbers:
        ticket = storage.tickets.load("standard", number)
        assert ticket.status in {"assigned", "queued"}, (number, ticket.status)
        told = [d for d in storage.deliveries.list("standard", number) if d.message == "received"]
        assert [delivery.state for delivery in told] == ["sent"], number
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert list(Verification(storage, later, lambda: None).broken_invariants()) == []


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("dynamodb", "ProvisionedThroughputExceededException"),
        ("dynamodb", "InternalServerError"),
        ("kms", "ThrottlingException"),
        ("ssm", "ThrottlingException"),
    ],
)
def test_throttling_for_longer_than_any_number_of_attempts_only_delays(
    simulator: Simulator, storage: Storage, service: str, code: str
) -> None:
    numbers = file_all(simulator)
    aws.parameter.cache_clear()
    platform = Platform(simulator)
    with failing(service, 60 * (service == "dynamodb") or 8, code):
        platform.run()
    simulator.tick(datetime.now(UTC) + timedelta(minutes=2))  # deliveries to retry
    platform.run()
    assert platform.discarded == []
    assert_all_is_well(storage, numbers)


@pytest.mark.parametrize("seed", range(3))
def test_intermittent_failures_lose_and_double_nothing(
    simulator: Simulator, storage: Storage, seed: int
) -> None:
    numbers = file_all(simulator)
    platform = Platform(simulator)
    with failing("dynamodb", 150, "ThrottlingException", chance=0.1 + 0.15 * seed):
        platform.run()
    assert platform.discarded == []
    assert_all_is_well(storage, numbers)


def test_a_poisonous_record_is_dead_lettered_once_and_delays_nobody(
    simulator: Simulator, storage: Storage
) -> None:
    numbers = file_all(simulator)
    records = simulator._records()
    poison = {**records[3], "dynamodb": {**records[3]["dynamodb"]}}
    poison["dynamodb"]["NewImage"] = {**poison["dynamodb"]["NewImage"], "body": {"S": "{"}}
    poison["dynamodb"]["SequenceNumber"] = "1"
    platform = Platform(simulator)
    platform.deliver([*records[:3], poison, *records[3:]])
    platform.run()
    assert platform.discarded == []
    assert_all_is_well(storage, numbers)
    sqs = boto3.client("sqs")
    for function in MAPPINGS:
        queue = sqs.get_queue_url(QueueName=f"{DEPLOYMENT.prefix}-{function}-dlq")["QueueUrl"]
        attributes = sqs.get_queue_attributes(
            QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        assert attributes["ApproximateNumberOfMessages"] == "1"


@pytest.mark.parametrize("seed", range(5))
def test_repeated_and_reordered_records_change_nothing(
    simulator: Simulator, storage: Storage, seed: int
) -> None:
    """Within a ticket the stream keeps the order; between tickets and in repetition it does not."""
    numbers = file_all(simulator)
    dice = random.Random(seed)  # noqa: S311 - repeatable order
    platform = Platform(simulator)
    while records := simulator._records():
        lanes: dict[str, list[Any]] = defaultdict(list)
        for record in records:
            lanes[record["dynamodb"]["Keys"]["pk"]["S"]].append(record)
        queues = [lane * dice.choice((1, 1, 2)) for lane in lanes.values()]
        mixed: list[Any] = []
        while queues:
            lane = dice.choice(queues)
            mixed.append(lane.pop(0))
            queues = [left for left in queues if left]
        platform.deliver(mixed)
    assert platform.discarded == []
    assert_all_is_well(storage, numbers)


def test_a_stream_that_lost_its_records_only_delays(simulator: Simulator, storage: Storage) -> None:
    """Two minutes later the sweep lets them come again."""
    numbers = file_all(simulator)
    assert len(simulator._records()) >= TICKETS  # read by nobody
    assert {storage.tickets.load("standard", number).status for number in numbers} == {"received"}
    simulator.tick(datetime.now(UTC) + timedelta(minutes=2, seconds=5))
    Platform(simulator).run()
    assert_all_is_well(storage, numbers)
