"""What a sweep reads with many tickets open, of which only a few are due (F3, G2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3

from functions.core.domain.commands import Receive
from functions.core.domain.events import Commit, TicketReceived
from functions.core.domain.lifecycle import apply, decide, queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Customer
from functions.core.storage.store import Store, shard, stamp
from infra.bench.emulated import DESK
from infra.deploy.desks import store_of
from infra.simulator.simulator import Simulator

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FILED = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
BATCH = 25
"""Items of a `BatchWriteItem` at most (AWS, "Quotas")."""

DUE = 50
"""How many tickets are due, however many are open."""

OPEN = (10_000, 100_000)


@dataclass(frozen=True)
class Swept:
    """A sweep with `open` tickets open: units read and written, the calls, and what was done."""

    open: int
    read_units: float
    write_units: float
    calls: int
    done: int


def sweeps(loop: Simulator, counts: tuple[int, ...] = OPEN, due: int = DUE) -> list[Swept]:
    """A sweep over the same `due` tickets for each number of open ones, the smallest first.

    The due tickets are whole ones, filed anew each time; those that are only open stand in the
    indexes as whole ones do, and nobody reads more of them.
    """
    store = store_of(loop.deployment.stage)
    playbook = store.playbook(DESK, FILED)
    numbers = [f"CS20260310{serial:03}" for serial in range(1, due + 1)]
    found: list[Swept] = []
    have = due
    # The first sweep of a container reads the playbook as well; nobody counts it.
    for count in (due, *counts):
        wakes = [_file(store, playbook, number) for number in numbers]
        _fill(loop, range(have, count))
        have = count
        found.append(_sweep(loop, count, max(wakes)))
        for number in numbers:
            for item in store.everything(DESK, number):
                _table().delete_item(
                    TableName=loop.deployment.table, Key={"pk": item["pk"], "sk": item["sk"]}
                )
    return found[1:]


def _table() -> DynamoDBClient:
    return boto3.client("dynamodb")


def _file(store: Store, playbook: Playbook, number: str) -> datetime:
    """Put a ticket in the table; when its first timer wakes."""
    customer = Customer(name="*先生/女士", contact="****8000", kind="phone", hash=number)
    received = TicketReceived(
        customer=customer,
        channel="web",
        locale="zh-CN",
        type=playbook.default_type,
        priority=playbook.default_priority,
        description="无法登录，一直提示密码错误，请帮忙处理",
    )
    events = decide(None, Receive(number=number, request=received), playbook, FILED)
    commit = Commit(desk=DESK, number=number, version=1, at=FILED, actor="customer", events=events)
    ticket = apply(None, commit)
    store.commit(None, ticket, events, actor="customer", rank=queue_rank(ticket, playbook))
    if ticket.next_due is None:
        raise ValueError(f"no timer of desk {DESK} runs on a new ticket")
    return ticket.next_due


def _fill(loop: Simulator, serials: range) -> None:
    """Put open tickets in the table whose timers wake long after the sweep."""
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
        answer = client.batch_write_item(RequestItems={loop.deployment.table: requests})
        if answer.get("UnprocessedItems"):
            raise RuntimeError("the table did not take all open tickets")


def _sweep(loop: Simulator, count: int, at: datetime) -> Swept:
    loop.expire_playbooks()
    before = len(loop.calls)
    done = loop.tick(at)["done"]
    calls = [call for call in loop.calls[before:] if call.service == "dynamodb"]
    return Swept(
        open=count,
        read_units=sum(call.read_units for call in calls),
        write_units=sum(call.write_units for call in calls),
        calls=len(calls),
        done=done,
    )
