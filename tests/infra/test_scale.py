"""The model of what each stage carries."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from functions.core.storage.items import SHARDS
from functions.sla_timer.sweep import HAND_OVER_ABOVE, THREADS
from infra.bench.scale import QUOTAS, ceilings
from infra.bench.sweep import LATENCY, MB_OF_A_VCPU, Rate, rates
from infra.bench.ticket_life import LOOK, Life, lives
from infra.simulator.simulator import Call, Simulator
from tests.infra.test_bench import desk as desk
from tests.inprocess.conftest import simulator as simulator  # the deployment on moto

pytestmark = pytest.mark.requirement("E11", "G2", "G7")
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
RATE = Rate(items=100, per_second=50, calls=2, cpu_seconds=0.004)


def test_an_invocation_is_bound_by_waiting_or_by_computing() -> None:
    waits = 2 * LATENCY.total_seconds() / THREADS
    computes = 0.004 * MB_OF_A_VCPU / 256
    assert waits < computes
    assert RATE.of_stage(256) == pytest.approx(SHARDS / computes)
    assert RATE.of_stage(10_240) == pytest.approx(SHARDS / max(waits, 0.004))


@pytest.mark.slow
def test_the_model_follows_from_measured_lives(desk: Simulator) -> None:
    form, _, mail, _ = lives(desk)
    (look,) = [step for step in form.steps if step.name == LOOK]
    assert [call.operation for call in look.to_table() if call.write_units] == ["UpdateItem"]
    found = ceilings(_with_index_units(form), mail, RATE, timedelta(hours=72))
    values = [ceiling.per_second for ceiling in found]
    assert values == sorted(values)
    by_name = {ceiling.stage: ceiling.per_second for ceiling in found}
    assert by_name["closing workflow: open executions"] == pytest.approx(3.858, abs=0.001)
    assert by_name["table: roster of a desk"] == QUOTAS["dynamodb.partition_write_units"] / 4
    all_writes = QUOTAS["dynamodb.table_write_units"] / form.write_units
    assert by_name["table: all writes"] == pytest.approx(all_writes, rel=0.001)
    assert by_name["table: index of what is due"] == 1_000
    # The page explains each stage under its name.
    page = PAGE.read_text("utf-8")
    assert [stage for stage in by_name if f"| {stage} |" not in page] == []


def _with_index_units(life: Life) -> Life:
    """Moto reports no units of indexes."""
    step = life.steps[0]
    call = Call("router", "dynamodb", "UpdateItem", write_units=0.001, parts={"due": 4})
    return replace(life, steps=(replace(step, calls=(*step.calls, call)), *life.steps[1:]))


@pytest.mark.slow
def test_a_backlog_is_swept_both_ways(simulator: Simulator) -> None:
    """One item after the other, and as deployed: handed over, in threads, read page by page."""
    count = (HAND_OVER_ABOVE + 1) * SHARDS * 2
    before, after = rates(simulator, due=count)
    assert (before.items, after.items) == (count // 10, count)
    assert before.calls - after.calls > 0.9
    events = [call for call in simulator.calls if call.service == "lambda"]
    assert {call.function for call in events} == {"sla_timer"}


def test_an_idle_minute_is_one_invocation_with_a_read_of_each_shard(simulator: Simulator) -> None:
    from infra.bench.sweep import FILED

    simulator.invocations.clear()
    simulator.tick(FILED)
    assert [run.function for run in simulator.invocations] == ["sla_timer"]
    assert [call.operation for call in simulator.calls] == ["Query"] * SHARDS
