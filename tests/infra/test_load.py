"""The load's plan is the same for a seed and adds up; its player keeps the order of a ticket."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

import pytest

from infra.bench.load import (
    BY_HOUR,
    MIX,
    OPENS,
    SHORT,
    CallFailed,
    DayStep,
    LoadProfile,
    apportioned,
    percentiles,
    plan,
    play,
)

pytestmark = pytest.mark.requirement("G7", "G13")
DAY = LoadProfile(hours=24, tickets=1000, seed=7)


def test_a_seed_gives_the_same_day() -> None:
    assert plan(DAY) == plan(DAY)
    assert plan(DAY) != plan(replace(DAY, seed=8))
    assert plan(DAY) == plan(replace(DAY, speed=1000))


def test_arrivals_add_up_by_hour_and_channel() -> None:
    filed = [step for step in plan(DAY) if step.act == "file"]
    assert len(filed) == DAY.tickets
    assert Counter(step.channel for step in filed) == apportioned(DAY.tickets, MIX)
    by_hour = Counter(int(step.at // 60 + OPENS) % 24 for step in filed)
    assert by_hour == apportioned(DAY.tickets, dict(enumerate(BY_HOUR)))
    assert by_hour.most_common(1)[0][0] == 10


@pytest.mark.parametrize("total", [0, 1, 7, 99, 1000])
def test_parts_add_up(total: int) -> None:
    parts = apportioned(total, MIX)
    assert sum(parts.values()) == total
    assert all(abs(parts[name] - total * share / 100) < 1 for name, share in MIX.items())


def test_a_part_of_a_day_has_its_share_and_ends() -> None:
    steps = plan(SHORT)
    assert steps == sorted(steps)
    assert max(step.at for step in steps) < SHORT.hours * 60
    share = (BY_HOUR[OPENS] + BY_HOUR[OPENS + 1] / 2) / sum(BY_HOUR)
    assert sum(step.act == "file" for step in steps) == round(SHORT.tickets * share)
    assert SHORT.hours * 3600 / SHORT.speed <= 60


def test_a_ticket_is_filed_then_answered_then_solved() -> None:
    acts: dict[int, list[str]] = {}
    for step in plan(DAY):
        acts.setdefault(step.ticket, []).append(step.act)
    assert {each[0] for each in acts.values()} == {"file"}
    for each in acts.values():
        assert "rate" not in each or each.index("rate") == len(each) - 1
        if "resolve" in each:
            assert each.index("reply") < each.index("resolve")
    rated = sum("rate" in each for each in acts.values())
    assert 500 < rated < 650  # six of ten, less those whose day has ended


def test_percentiles_are_of_the_nearest_rank() -> None:
    hundred = [float(n) for n in range(1, 101)]
    assert percentiles(hundred[::-1]) == {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    assert percentiles([3.0]) == {"p50": 3, "p95": 3, "p99": 3, "max": 3}
    assert set(percentiles([]).values()) == {0.0}


class Crew:
    """DayActors that note what they did; time passes when the player sleeps."""

    def __init__(self, refuse: Callable[[DayStep], str] = lambda _: "") -> None:
        self.time, self.done, self.lock, self._refuse = 0.0, list[DayStep](), Lock(), refuse

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def handled(self, ticket: int) -> bool:
        return ticket != 2

    def __call__(self, step: DayStep) -> None:
        with self.lock:
            self.done.append(step)
        if status := self._refuse(step):
            raise CallFailed(status)


def test_a_plan_is_played_in_time_and_in_order() -> None:
    crew = Crew()
    steps = plan(replace(DAY, tickets=60))
    played = play(steps, 60, crew, now=crew.now, sleep=crew.sleep)
    assert played.seconds == pytest.approx(steps[-1].at)
    lives: dict[int, list[DayStep]] = {}
    for step in crew.done:
        lives.setdefault(step.ticket, []).append(step)
    for ticket, life in lives.items():
        expected = [step for step in steps if step.ticket == ticket]
        assert life == (expected if ticket != 2 else expected[:1])
    assert played.skipped == sum(step.ticket == 2 for step in steps) - 1
    assert sum(len(times) for times in played.times.values()) == len(crew.done)


def test_a_refused_call_is_an_error_and_ends_a_ticket_that_was_not_filed() -> None:
    crew = Crew(lambda step: "503" if step.ticket == 1 and step.act == "file" else "")
    steps = plan(replace(DAY, tickets=20))
    played = play(steps, 60, crew, now=crew.now, sleep=crew.sleep)
    assert played.errors == {"file": Counter({"503": 1})}
    assert [step.act for step in crew.done if step.ticket == 1] == ["file"]
    (row,) = [row for row in played.rows() if row[0] == "file"]
    assert (row[1], row[3]) == (19, 1)
