"""Send many requests at once to the local system: each is routed and acknowledged once (E11, G1).

The result is checked in the table and the sent mails, not only in the API's responses.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.domain.ticket import Ticket
from functions.core.storage.items import read_delivery, read_ticket
from infra.bench.latency import DESCRIPTIONS
from infra.bench.running_system import LocalSystemError, aws_client, call, sent_mails

DESK = "standard"
AT_ONCE = 24
REPEATED = 10
"""Every tenth request is sent twice, as by a provider that received no response."""
POLL_SECONDS = 2.0
SETTLE_SECONDS = 3.0
"""Seconds between two checks, and before the last one, in which duplicates would arrive."""
WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Burst:
    """A number of simultaneous requests, and the seconds from the first request until the last one
    was answered, and until the last one was routed and acknowledged."""

    requests: int
    answered: float
    settled: float

    @property
    def per_request(self) -> float:
        return self.settled / self.requests


@dataclass
class Outcome:
    statuses: dict[str, str] = field(default_factory=dict)
    """The status of each new ticket, by number."""
    settled: datetime | None = None
    """The time at which the last ticket was routed or acknowledged."""
    received: Counter[str] = field(default_factory=Counter)
    """Acknowledgements sent according to the table, by ticket number."""
    written: Counter[str] = field(default_factory=Counter)
    """Messages to the customer sent according to the table, by ticket number."""
    mailed: Counter[str] = field(default_factory=Counter)
    """Mails sent, by contact."""


def measure(described: Mapping[str, Any], counts: Sequence[int] = (100, 1000)) -> list[Burst]:
    """Run bursts of the given sizes, one after the other."""
    call(f"{described['api']}/desks/{DESK}/tickets", _body("first@example.com", 0))
    return [_burst(described, count) for count in counts]


def faults(filed: Mapping[str, str], outcome: Outcome) -> list[str]:
    """List what is wrong with a burst: every request must have one ticket and one acknowledgement.

    Args:
        filed: the ticket number that the API returned, by contact.
    """
    wrong: list[str] = []
    numbers = set(filed.values())
    if len(numbers) < len(filed):
        wrong.append(f"{len(filed)} requests have {len(numbers)} numbers")
    for number in sorted(numbers ^ outcome.statuses.keys()):
        fault = "is not in the table" if number in numbers else "was not returned by the API"
        wrong.append(f"{number} {fault}")
    for contact, number in filed.items():
        if outcome.statuses.get(number) == "received":
            wrong.append(f"{number} is not routed")
        if outcome.received[number] != 1:
            wrong.append(f"{number} has {outcome.received[number]} acknowledgements")
        if outcome.mailed[contact] != outcome.written[number]:
            wrong.append(
                f"{number}: {outcome.mailed[contact]} mails were sent, but "
                f"{outcome.written[number]} are on record"
            )
    return wrong


def _burst(described: Mapping[str, Any], count: int) -> Burst:
    before = _tickets(_items(described)).keys()
    stamp = time.time_ns()
    contacts = [f"burst-{stamp}-{serial}@example.com" for serial in range(count)]
    sent = [
        (contact, serial)
        for serial, contact in enumerate(contacts)
        for _ in range(2 if serial % REPEATED == 0 else 1)
    ]
    url = f"{described['api']}/desks/{DESK}/tickets"

    def send(request: tuple[str, int]) -> tuple[str, str]:
        contact, serial = request
        answer = call(url, _body(contact, serial), {"Idempotency-Key": contact})
        return contact, answer["number"]

    started = datetime.now(UTC)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, sent))
    answered = datetime.now(UTC)
    filed = dict(answers)
    for contact, number in answers:
        if filed[contact] != number:
            raise LocalSystemError(f"{contact} received {number} and {filed[contact]}")
    while wrong := faults(filed, _outcome(described, before, contacts)):
        if datetime.now(UTC) - answered > WAIT:
            raise LocalSystemError("; ".join(wrong[:5]))
        time.sleep(POLL_SECONDS)
    time.sleep(SETTLE_SECONDS)  # duplicates would have arrived by now
    outcome = _outcome(described, before, contacts)
    if wrong := faults(filed, outcome):
        raise LocalSystemError("; ".join(wrong[:5]))
    settled = outcome.settled or answered
    return Burst(count, (answered - started).total_seconds(), (settled - started).total_seconds())


def _body(contact: str, serial: int) -> dict[str, str]:
    return {"contact": contact, "description": DESCRIPTIONS[serial % len(DESCRIPTIONS)]}


def _outcome(
    described: Mapping[str, Any], before: Iterable[str], contacts: Sequence[str]
) -> Outcome:
    items = _items(described)
    tickets = _tickets(items)
    new = {number: tickets[number] for number in tickets.keys() - set(before)}
    outcome = Outcome({number: ticket.status for number, ticket in new.items()})
    moments = [ticket.updated_at for ticket in new.values()]
    for item in items:
        if not item["sk"]["S"].startswith("DELIVERY#"):
            continue
        delivery = read_delivery(item)
        if delivery.recipient == "customer" and delivery.state == "sent":
            outcome.written[delivery.number] += 1
            if delivery.message == "received" and delivery.number in new:
                outcome.received[delivery.number] += 1
                moments.append(delivery.at)
    outcome.settled = max(moments, default=None)
    known = set(contacts)
    mails = sent_mails(described["aws_endpoint"])
    outcome.mailed.update(to for mail in mails for to in mail["To"] if to in known)
    return outcome


def _tickets(items: Iterable[dict[str, Any]]) -> dict[str, Ticket]:
    tickets = [read_ticket(item) for item in items if item["sk"]["S"] == "TICKET"]
    return {ticket.number: ticket for ticket in tickets}


def _items(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    client = aws_client(described, "dynamodb")
    pages = client.get_paginator("scan").paginate(
        TableName=f"deskbell-{described['stage']}",
        FilterExpression="begins_with(pk, :ticket)",
        ExpressionAttributeValues={":ticket": {"S": f"TICKET#{DESK}#"}},
    )
    return [item for page in pages for item in page["Items"]]
