"""Measure the throughput of the pure rules: classification and business time (E1, G2)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.core.domain.classification import classify
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from infra.deploy.desks import SHIPPED, shipped

SECONDS = 1.0
YEARS = timedelta(days=3652)
START = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)
_BATCH = 20


@dataclass(frozen=True)
class Rules:
    """Requests per second on the desk with the most rules; every rule is tried on each request."""

    desk: str
    rules: int
    requests_per_second: float

    @property
    def per_second(self) -> float:
        return self.rules * self.requests_per_second

    @property
    def note(self) -> str:
        return f"{self.desk}: {self.rules} rules, {self.requests_per_second:,.0f} requests/s"


@dataclass(frozen=True)
class Additions:
    """The throughput of `calendar.add` with ten years of business time."""

    desk: str
    business: timedelta
    per_second: float

    @property
    def milliseconds(self) -> float:
        return 1000 / self.per_second


def rules(seconds: float = SECONDS) -> Rules:
    """Classify requests of every tag of the largest playbook."""
    playbook = max(_playbooks(), key=lambda playbook: len(playbook.rules))
    texts = [
        f"您好，{tag.keywords[0]}，麻烦尽快处理，订单号 778899，金额 {10 * index} 元，谢谢！"
        for index, tag in enumerate(playbook.tags.values())
        if tag.keywords
    ]
    rate = _per_second(lambda turn: classify(texts[turn % len(texts)], playbook), seconds)
    return Rules(playbook.desk, len(playbook.rules), rate)


def additions(seconds: float = SECONDS) -> Additions:
    """Add ten years of business time from varying moments on the desk with holidays."""
    playbook = next(each for each in _playbooks() if "holidays" in each.calendar)
    calendar = playbook.hours
    business = calendar.between(START, START + YEARS)
    later = timedelta(hours=7, minutes=11)
    rate = _per_second(lambda turn: calendar.add(START + turn % 1000 * later, business), seconds)
    return Additions(playbook.desk, business, rate)


def _playbooks() -> list[Playbook]:
    return [load(SHIPPED / f"{desk}.yaml") for desk in shipped()]


def _per_second(work: Callable[[int], object], seconds: float) -> float:
    """Calls per second, after a warm-up that fills the caches."""
    for turn in range(_BATCH):
        work(turn)
    done = _BATCH
    began = time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds:
        for turn in range(done, done + _BATCH):
            work(turn)
        done += _BATCH
    return (done - _BATCH) / taken
