"""Measure what a sweep reads if few tickets are due, and how fast it is if many are (F3, G2)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from functions.core.domain.commands import Receive
from functions.core.domain.events import TicketReceived
from functions.core.domain.lifecycle import apply, opening, queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.platform import container
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS, shard
from functions.core.storage.table import stamp
from functions.core.storage.tickets import Change
from functions.sla_timer.sweep import THREADS, process
from infra.bench.costs import ASSUMPTIONS
from infra.bench.emulator import DESK
from infra.deploy.desks import storage_of
from infra.simulator.simulator import Simulator

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).resolve().parents[2]
MB_OF_A_VCPU = int(ASSUMPTIONS["lambda.mb_of_a_vcpu"])
FILED = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
BATCH = 25
"""Maximum number of items in a `BatchWriteItem` (AWS, "Quotas")."""

DUE = 50
"""The number of due tickets."""

OPEN = (10_000, 100_000)

BACKLOG = 2_000
"""The number of due tickets in the measurement of the rate."""

LATENCY = timedelta(milliseconds=15)
"""The latency added to each call to the table: about that of a transaction from Lambda."""


@dataclass(frozen=True)
class Swept:
    """One sweep: tickets open, units read and written, DynamoDB calls, tickets processed."""

    open: int
    read_units: float
    write_units: float
    calls: int
    done: int


def sweeps(simulator: Simulator, counts: tuple[int, ...] = OPEN, due: int = DUE) -> list[Swept]:
    """Measure a sweep over the same due tickets for each number of open ones, the smallest first.

    The due tickets are complete and created again each time; the others have only their index
    entries, because a sweep reads no more of them.
    """
    storage = storage_of(simulator.deployment.stage)
    playbook = storage.playbooks.get(DESK, FILED)
    numbers = [f"CS20260310{serial:03}" for serial in range(1, due + 1)]
    swept: list[Swept] = []
    have = due
    # The first sweep also reads the playbook and is not counted.
    for count in (due, *counts):
        due_times = [file_ticket(storage, playbook, number) for number in numbers]
        _fill(simulator, range(have, count))
        have = count
        swept.append(_sweep(simulator, count, max(due_times)))
        for number in numbers:
            for item in storage.tickets.items(DESK, number):
                _table().delete_item(
                    TableName=simulator.deployment.table, Key={"pk": item["pk"], "sk": item["sk"]}
                )
    return swept[1:]


@dataclass(frozen=True)
class Rate:
    """A sweep over a backlog: items a second here, calls and seconds of CPU an item."""

    items: int
    per_second: float
    calls: float
    cpu_seconds: float

    def of_stage(self, memory_mb: int) -> float:
        """The items a second of a stage, whose shards are swept by an invocation each.

        An invocation waits for its calls in several threads, and computes with the share of a vCPU
        that its memory gives it.
        """
        waiting = self.calls * LATENCY.total_seconds() / THREADS
        computing = self.cpu_seconds * MB_OF_A_VCPU / min(memory_mb, MB_OF_A_VCPU)
        return SHARDS / max(waiting, computing)


def rates(simulator: Simulator, due: int = BACKLOG) -> tuple[Rate, Rate]:
    """Measure a sweep that takes one item after the other, and one as it is deployed.

    The first was how all items were swept up to commit 501e4b2; a tenth of the items is enough.
    """
    storage = container.storage(simulator.deployment)
    playbook = storage.playbooks.get(DESK, FILED)

    def one_by_one(at: datetime) -> int:
        found = [each for part in range(SHARDS) for each in storage.tickets.due(part, at)]
        for each in found:
            process(storage, each, at)
        return len(found)

    def as_deployed(at: datetime) -> int:
        done: int = simulator.tick(at)["done"]
        return done

    measured = []
    for day, count, run in ((12, due // 10, one_by_one), (13, due, as_deployed)):
        numbers = [f"CS202603{day}{serial:05}" for serial in range(count)]
        with ThreadPoolExecutor(8) as pool:
            at = max(pool.map(lambda number: file_ticket(storage, playbook, number), numbers))
        simulator.latency = LATENCY
        try:
            measured.append(_rate(simulator, run, at, count))
        finally:
            simulator.latency = timedelta()
    return measured[0], measured[1]


def _rate(simulator: Simulator, run: Callable[[datetime], int], at: datetime, count: int) -> Rate:
    calls, began, worked = len(simulator.calls), time.perf_counter(), time.process_time()
    done = run(at)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    if done != count:
        raise RuntimeError(f"a sweep over {count} due tickets processed {done}")
    return Rate(
        items=count,
        per_second=count / took,
        calls=sum(c.service == "dynamodb" for c in simulator.calls[calls:]) / count,
        cpu_seconds=worked / count,
    )


def memory_of(function: str) -> int:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    memory: int = config["stages"]["prod"]["lambda_functions"][function]["lambda_memory_size"]
    return memory


def _table() -> DynamoDBClient:
    return boto3.client("dynamodb")


def file_ticket(storage: Storage, playbook: Playbook, number: str) -> datetime:
    """File a ticket under a number; return when it is due."""
    customer = Customer(name="*先生/女士", contact="****8000", kind="phone", hash=number)
    received = TicketReceived(
        customer=customer,
        channel="web",
        locale="zh-CN",
        type=playbook.default_type,
        priority=playbook.default_priority,
        description="无法登录，一直提示密码错误，请帮忙处理",
    )
    commit = opening(Receive(number=number, request=received), playbook, FILED)
    ticket = apply(None, commit)
    change = Change(None, ticket, commit.events, queue_rank(ticket, playbook))
    storage.tickets.commit_all((change,), actor="customer")
    if ticket.next_due is None:
        raise ValueError(f"no timer of desk {DESK} runs on a new ticket")
    return ticket.next_due


def _fill(simulator: Simulator, serials: range) -> None:
    client = _table()
    later = FILED + timedelta(days=3650)
    for first in range(0, len(serials), BATCH):
        requests: list[Any] = []
        for serial in serials[first : first + BATCH]:
            number = f"CS20260311{serial:06}"
            item = {
                "pk": f"TICKET#{DESK}#{number}",
                "sk": "TICKET",
                "due_pk": shard(number),
                "due_sk": stamp(later + timedelta(seconds=serial)),
                "queue_pk": f"{DESK}#waiting",
                "queue_sk": f"{serial:06}",
            }
            requests.append(
                {"PutRequest": {"Item": {name: {"S": value} for name, value in item.items()}}}
            )
        answer = client.batch_write_item(RequestItems={simulator.deployment.table: requests})
        if answer.get("UnprocessedItems"):
            raise RuntimeError("the table did not accept all open tickets")


def _sweep(simulator: Simulator, count: int, at: datetime) -> Swept:
    simulator.expire_playbooks()
    before = len(simulator.calls)
    done = simulator.tick(at)["done"]
    calls = [call for call in simulator.calls[before:] if call.service == "dynamodb"]
    return Swept(
        open=count,
        read_units=sum(call.read_units for call in calls),
        write_units=sum(call.write_units for call in calls),
        calls=len(calls),
        done=done,
    )
