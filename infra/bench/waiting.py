"""How long a customer waits on the local stack: from the request to assigned, to acknowledged.

Everything is real but the cloud: HTTP, the functions from their package, the stream, the mail.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from infra.bench.stack import StackError, call, sent_mails

WAIT_SECONDS = 60.0
DESCRIPTIONS = ("无法登录，一直提示密码错误", "物流查询，三天没有更新", "想了解会员的权益")


@dataclass(frozen=True)
class Waiting:
    """Medians in seconds over `tickets` requests, one after the other."""

    tickets: int
    answered: float
    assigned: float
    acknowledged: float


def measure(described: Mapping[str, Any], tickets: int = 10) -> Waiting:
    """Wait for so many tickets on the stack that a `local.json` describes.

    Raises:
        StackError: it does not answer, or a ticket stays where it is.
    """
    _one(described, 0)  # the first call of each function is not what is measured
    taken = [_one(described, serial) for serial in range(1, tickets + 1)]
    answered, assigned, acknowledged = (median(each[index] for each in taken) for index in range(3))
    return Waiting(tickets, answered, assigned, acknowledged)


def _one(described: Mapping[str, Any], serial: int) -> tuple[float, float, float]:
    """Seconds until the request is answered, assigned and acknowledged."""
    api = described["api"]
    contact = f"waiting-{serial}-{time.time_ns()}@example.com"
    body = {"contact": contact, "description": DESCRIPTIONS[serial % len(DESCRIPTIONS)]}
    began = time.perf_counter()
    filed = call(f"{api}/desks/standard/tickets", body)
    answered = time.perf_counter() - began
    assigned = acknowledged = 0.0
    while not (assigned and acknowledged):
        if time.perf_counter() - began > WAIT_SECONDS:
            raise StackError(f"{filed['number']} waits for more than {WAIT_SECONDS:.0f} s")
        if not acknowledged and _mailed(described["aws_endpoint"], contact):
            acknowledged = time.perf_counter() - began
        if not assigned and call(filed["status_url"])["status"] == "assigned":
            assigned = time.perf_counter() - began
    return answered, assigned, acknowledged


def _mailed(endpoint: str, contact: str) -> bool:
    return any(contact in mail["To"] for mail in sent_mails(endpoint))
