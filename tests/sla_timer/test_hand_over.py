"""A sweep with much to do is shared: threads within an invocation, an invocation per shard (C5)."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.domain.rules import Playbook
from functions.core.platform import aws, container
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS, shard
from functions.sla_timer import handler, sweep as module
from functions.sla_timer.sweep import sweep
from tests.core.sample_desk import NOON, agent, file_ticket
from tests.sla_timer.test_sweep import Context

pytestmark = pytest.mark.requirement("G2", "E11")
LATER = NOON + timedelta(hours=2)
BUSY = 1
"""The shard with much to do."""


def plenty() -> timedelta:
    return timedelta(seconds=55)


def numbers_in(wanted: Callable[[int], bool], count: int) -> list[str]:
    """Numbers of tickets that the `due` index keeps in the wanted shards."""
    numbers = (f"CS{serial:04}" for serial in range(10_000))
    return [n for n in numbers if wanted(int(shard(n).removeprefix("DUE#")))][:count]


class Lambda:
    """A Lambda client that notes what it is asked to invoke, or refuses it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refusing = False

    def invoke(self, **call: Any) -> dict[str, Any]:
        if self.refusing:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
        self.asked.append({**call, "Payload": json.loads(call["Payload"])})
        return {"StatusCode": 202}


@pytest.fixture
def lambdas(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    client = Lambda()
    monkeypatch.setattr(aws, "client", lambda service: client)
    return client


@pytest.fixture
def busy(storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Return a table with four items due in one shard and two in each of the others."""
    monkeypatch.setattr(module, "HAND_OVER_ABOVE", 3)
    monkeypatch.setattr(container, "storage", lambda place: storage)
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    for index in range(SHARDS):
        for number in numbers_in(lambda one, i=index: one == i, 4 if index == BUSY else 2):  # type: ignore[misc]
            file_ticket(storage, playbook, number, priority="high")
    return storage


def left_in(storage: Storage) -> list[int]:
    return [len(list(storage.tickets.due(index, LATER))) for index in range(SHARDS)]


def test_a_shard_with_much_to_do_gets_an_invocation_with_the_same_time(
    busy: Storage, lambdas: Lambda
) -> None:
    result = handler.sla_timer({"time": LATER.isoformat()}, Context())
    assert result == {"done": 6, "handed_over": 1}
    assert left_in(busy) == [0, 4, 0, 0]
    (asked,) = lambdas.asked
    assert asked["InvocationType"] == "Event"
    assert asked["FunctionName"] == "deskbell-test-sla_timer"
    assert asked["Payload"]["shard"] == BUSY

    assert handler.sla_timer(asked["Payload"], Context()) == {"done": 4, "handed_over": 0}
    assert left_in(busy) == [0] * SHARDS
    assert len(lambdas.asked) == 1
    commits = busy.tickets.history("testdesk", numbers_in(lambda one: one == BUSY, 1)[0])
    assert commits[-1].at == LATER


def test_a_shard_that_lambda_does_not_take_is_swept_at_once(busy: Storage, lambdas: Lambda) -> None:
    lambdas.refusing = True
    result = handler.sla_timer({"time": LATER.isoformat()}, Context())
    assert result == {"done": 10, "handed_over": 0}
    assert left_in(busy) == [0] * SHARDS


def test_items_are_processed_at_the_same_time(
    busy: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two waits for the other to have begun."""
    meeting, process = threading.Barrier(2, timeout=10), module.process

    def met(*arguments: Any) -> None:
        meeting.wait()
        process(*arguments)

    monkeypatch.setattr(module, "process", met)
    found = sweep(busy, LATER, plenty, shards=[0, 2])
    assert (found.done, found.failed) == (4, 0)


def test_tickets_of_a_page_are_read_in_one_call(
    busy: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one by one if that call fails."""
    monkeypatch.setattr(busy.tickets, "load", pytest.fail)
    assert sweep(busy, LATER, plenty, shards=[0]).done == 2
    monkeypatch.undo()

    def fail(due: Any) -> Any:
        raise ValueError("unreadable")

    monkeypatch.setattr(busy.tickets, "due_items", fail)
    assert sweep(busy, LATER, plenty, shards=[BUSY]) == module.SweepResult(4, 0, stopped=False)
