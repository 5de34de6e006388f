"""The order of shards when a sweep has no time for all."""

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.domain.rules import Playbook
from functions.core.platform import container
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS, shard
from functions.sla_timer import handler, sweep as module
from functions.sla_timer.sweep import SweepFailed, SweepResult, sweep
from tests.core.sample_desk import NOON, agent, file_ticket

pytestmark = pytest.mark.requirement("G2")
PLENTY, NOTHING = timedelta(seconds=55), timedelta(seconds=4)


def number_in(partition: int) -> str:
    """A ticket's number that the `due` index keeps in a partition."""
    numbers = (f"CS{serial}" for serial in range(1000))
    return next(number for number in numbers if shard(number) == f"DUE#{partition}")


@pytest.mark.parametrize("first", range(SHARDS))
def test_a_sweep_begins_with_the_given_shard(
    storage: Storage, playbook: Playbook, first: int
) -> None:
    storage.playbooks.put(playbook, NOON)
    storage.roster.put(agent())
    numbers = [number_in(partition) for partition in range(SHARDS)]
    for number in numbers:
        file_ticket(storage, playbook, number, priority="high")
    order = [(first + step) % SHARDS for step in range(SHARDS)]
    left = iter((PLENTY, NOTHING))
    late = NOON + timedelta(hours=2)
    found = sweep(storage, late, lambda: next(left), shards=order)
    assert found == SweepResult(done=1, failed=0, stopped=True)
    states = [storage.tickets.load("testdesk", n).timers["first_response"].state for n in numbers]
    assert [index for index, state in enumerate(states) if state == "breached"] == [first]
    assert sweep(storage, late, lambda: PLENTY, shards=order).done == SHARDS - 1


def test_each_minute_begins_with_another_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def noted(
        storage: Storage, now: datetime, left: object, *, shards: list[int], **_: object
    ) -> SweepResult:
        assert sorted(shards) == list(range(SHARDS))
        begun.append(shards[0])
        return SweepResult(0, 0, stopped=False)

    monkeypatch.setattr(module, "sweep", noted)
    monkeypatch.setattr(container, "storage", lambda place: None)
    for minute in range(SHARDS):
        at = datetime(2026, 3, 10, 4, minute, tzinfo=UTC)
        handler.sla_timer({"time": at.isoformat()}, _Context())
    assert sorted(begun) == list(range(SHARDS))


class _Context:
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:deskbell-test-sla_timer"
    memory_limit_in_mb = 256


@pytest.mark.requirement("G3")
def test_one_failure_among_many_fails_the_function(
    storage: Storage, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "sweep", lambda *_, **__: SweepResult(done=7, failed=1, stopped=False)
    )
    monkeypatch.setattr(container, "storage", lambda place: storage)
    with pytest.raises(SweepFailed, match="1 of 8"):
        handler.sla_timer({"time": "2026-03-10T04:00:00Z"}, _Context())
