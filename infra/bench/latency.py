"""Measure the local system's latency from a request to its assignment and acknowledgement.

Everything except AWS is real: HTTP, the packaged functions, the stream, mail.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from infra.bench.running_system import LocalSystemError, call, sent_mails

WAIT_SECONDS = 60.0
DESCRIPTIONS = ("无法登录，一直提示密码错误", "物流查询，三天没有更新", "想了解会员的权益")


@dataclass(frozen=True)
class Latency:
    """Medians in seconds over `tickets` sequential requests."""

    tickets: int
    answered: float
    assigned: float
    acknowledged: float


def measure(described: Mapping[str, Any], tickets: int = 10) -> Latency:
    """Measure a number of tickets, one after the other."""
    _one(described, 0)  # warm-up
    latencies = [_one(described, serial) for serial in range(1, tickets + 1)]
    answered, assigned, acknowledged = (
        median(times[index] for times in latencies) for index in range(3)
    )
    return Latency(tickets, answered, assigned, acknowledged)


def _one(described: Mapping[str, Any], serial: int) -> tuple[float, float, float]:
    api = described["api"]
    contact = f"latency-{serial}-{time.time_ns()}@example.com"
    body = {"contact": contact, "description": DESCRIPTIONS[serial % len(DESCRIPTIONS)]}
    began = time.perf_counter()
    filed = call(f"{api}/desks/standard/tickets", body)
    answered = time.perf_counter() - began
    assigned = acknowledged = 0.0
    while not (assigned and acknowledged):
        if time.perf_counter() - began > WAIT_SECONDS:
            raise LocalSystemError(
                f"{filed['number']} was not processed within {WAIT_SECONDS:.0f} s"
            )
        if not acknowledged and _mailed(described["aws_endpoint"], contact):
            acknowledged = time.perf_counter() - began
        if not assigned and call(filed["status_url"])["status"] == "assigned":
            assigned = time.perf_counter() - began
    return answered, assigned, acknowledged


def _mailed(endpoint: str, contact: str) -> bool:
    return any(contact in mail["To"] for mail in sent_mails(endpoint))
