"""The order of shards when a sweep has no time for all (G2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from functions.core.domain.rules import Playbook
from functions.core.platform import container
from functions.core.storage.store import SHARDS, Store, shard
from functions.sla_timer import handler
from functions.sla_timer.sweep import SweepFailed, SweepResult, sweep
from tests.core.sample_desk import NOON, agent, file

PLENTY, NOTHING = timedelta(seconds=55), timedelta(seconds=4)


def number_in(partition: int) -> str:
    """A ticket's number that the `due` index keeps in a partition."""
    numbers = (f"CS{serial}" for serial in range(1000))
    return next(number for number in numbers if shard(number) == f"DUE#{partition}")


@pytest.mark.requirement("G2")
@pytest.mark.parametrize("first", range(SHARDS))
def test_a_sweep_begins_with_the_given_shard(store: Store, playbook: Playbook, first: int) -> None:
    store.put_playbook(playbook, NOON)
    store.put_agent(agent())
    numbers = [number_in(partition) for partition in range(SHARDS)]
    for number in numbers:
        file(store, playbook, number, priority="high")
    left = iter((PLENTY, NOTHING))
    late = NOON + timedelta(hours=2)
    found = sweep(store, late, lambda: next(left), first=first)
    assert found == SweepResult(done=1, failed=0, stopped=True)
    states = [store.load("testdesk", n).timers["first_response"].state for n in numbers]
    assert [index for index, state in enumerate(states) if state == "breached"] == [first]
    assert sweep(store, late, lambda: PLENTY, first=first).done == SHARDS - 1


@pytest.mark.requirement("G2")
def test_each_minute_begins_with_another_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def noted(store: Store, now: datetime, left: object, first: int = 0) -> SweepResult:
        begun.append(first)
        return SweepResult(0, 0, stopped=False)

    monkeypatch.setattr(handler, "sweep", noted)
    monkeypatch.setattr(container, "store", lambda place: None)
    for minute in range(SHARDS):
        at = datetime(2026, 3, 10, 4, minute, tzinfo=UTC)
        handler.sla_timer({"time": at.isoformat()}, _Context())
    assert sorted(begun) == list(range(SHARDS))


class _Context:
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:deskbell-test-sla_timer"


@pytest.mark.requirement("G3")
def test_one_failure_among_many_fails_the_function(
    store: Store, playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        handler, "sweep", lambda *_, **__: SweepResult(done=7, failed=1, stopped=False)
    )
    monkeypatch.setattr(container, "store", lambda place: store)
    with pytest.raises(SweepFailed, match="1 of 8"):
        handler.sla_timer({"time": "2026-03-10T04:00:00Z"}, _Context())
