"""Many requests at once on the local stack: all numbered, routed and acknowledged once (E11, G1).

What the API answered is not taken for it: the table and the mails that went out are read.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from functions.core.domain.ticket import Ticket
from functions.core.storage.store import read_delivery, read_ticket
from infra.bench.stack import StackError, call, sent_mails
from infra.bench.waiting import DESCRIPTIONS
from infra.local.system import Ports, aws_environment

DESK = "standard"
AT_ONCE = 24
REPEATED = 10
"""Every so manieth request is sent twice, as a provider does that has heard no answer."""
LOOK_EVERY = 2.0
QUIET = 3.0
"""Seconds between two looks, and before the last one."""
WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Burst:
    """So many requests, all at once; seconds from the first until the last is answered, and until
    the last is numbered, routed and acknowledged."""

    requests: int
    answered: float
    settled: float

    @property
    def per_request(self) -> float:
        return self.settled / self.requests


@dataclass
class Found:
    """What the table and the mails tell of a burst."""

    statuses: dict[str, str] = field(default_factory=dict)
    """Number → status, of the tickets that were not there before."""
    settled: datetime | None = None
    """When the last of them was routed or acknowledged."""
    received: Counter[str] = field(default_factory=Counter)
    """Number → acknowledgements that the table says were sent."""
    written: Counter[str] = field(default_factory=Counter)
    """Number → all messages to the customer that the table says were sent."""
    mailed: Counter[str] = field(default_factory=Counter)
    """Contact → mails that went out."""


def measure(described: Mapping[str, Any], counts: Sequence[int] = (100, 1000)) -> list[Burst]:
    """Bursts of so many requests, one after the other.

    Raises:
        StackError: one was lost or doubled, or not done in time; the message names it.
    """
    call(f"{described['api']}/desks/{DESK}/tickets", _body("first@example.com", 0))
    return [_burst(described, count) for count in counts]


def faults(filed: Mapping[str, str], found: Found) -> list[str]:
    """What is wrong with a burst, nothing where every request became one ticket and one
    acknowledgement.

    Args:
        filed: contact → number, as the API answered.
    """
    wrong: list[str] = []
    numbers = set(filed.values())
    if len(numbers) < len(filed):
        wrong.append(f"{len(filed)} requests have {len(numbers)} numbers")
    for number in sorted(numbers ^ found.statuses.keys()):
        told = "is not in the table" if number in numbers else "was never told to anybody"
        wrong.append(f"{number} {told}")
    for contact, number in filed.items():
        if found.statuses.get(number) == "received":
            wrong.append(f"{number} is not routed")
        if found.received[number] != 1:
            wrong.append(f"{number} has {found.received[number]} acknowledgements")
        if found.mailed[contact] != found.written[number]:
            wrong.append(
                f"{number}: {found.mailed[contact]} mails went out, {found.written[number]} are "
                "on its record"
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

    def one(given: tuple[str, int]) -> tuple[str, str]:
        contact, serial = given
        answer = call(url, _body(contact, serial), {"Idempotency-Key": contact})
        return contact, answer["number"]

    began = datetime.now(UTC)
    with ThreadPoolExecutor(AT_ONCE) as many:
        answers = list(many.map(one, sent))
    answered = datetime.now(UTC)
    filed = dict(answers)
    for contact, number in answers:
        if filed[contact] != number:
            raise StackError(f"{contact} was given {number} and {filed[contact]}")
    while wrong := faults(filed, _found(described, before, contacts)):
        if datetime.now(UTC) - answered > WAIT:
            raise StackError("; ".join(wrong[:5]))
        time.sleep(LOOK_EVERY)
    time.sleep(QUIET)  # what was doubled would have come by now
    found = _found(described, before, contacts)
    if wrong := faults(filed, found):
        raise StackError("; ".join(wrong[:5]))
    settled = found.settled or answered
    return Burst(count, (answered - began).total_seconds(), (settled - began).total_seconds())


def _body(contact: str, serial: int) -> dict[str, str]:
    return {"contact": contact, "description": DESCRIPTIONS[serial % len(DESCRIPTIONS)]}


def _found(described: Mapping[str, Any], before: Iterable[str], contacts: Sequence[str]) -> Found:
    items = _items(described)
    tickets = _tickets(items)
    new = {number: tickets[number] for number in tickets.keys() - set(before)}
    found = Found({number: ticket.status for number, ticket in new.items()})
    moments = [ticket.updated_at for ticket in new.values()]
    for item in items:
        if not item["sk"]["S"].startswith("DELIVERY#"):
            continue
        delivery = read_delivery(item)
        if delivery.recipient == "customer" and delivery.state == "sent":
            found.written[delivery.number] += 1
            if delivery.message == "received" and delivery.number in new:
                found.received[delivery.number] += 1
                moments.append(delivery.at)
    found.settled = max(moments, default=None)
    known = set(contacts)
    mails = sent_mails(described["aws_endpoint"])
    found.mailed.update(to for mail in mails for to in mail["To"] if to in known)
    return found


def _tickets(items: Iterable[dict[str, Any]]) -> dict[str, Ticket]:
    """Every ticket by its number."""
    found = [read_ticket(item) for item in items if item["sk"]["S"] == "TICKET"]
    return {ticket.number: ticket for ticket in found}


def _items(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every item of a ticket in the table."""
    environment = aws_environment(Ports(aws=int(described["aws_endpoint"].rpartition(":")[2])))
    client = boto3.client(
        "dynamodb",
        endpoint_url=described["aws_endpoint"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    pages = client.get_paginator("scan").paginate(
        TableName=f"deskbell-{described['stage']}",
        FilterExpression="begins_with(pk, :ticket)",
        ExpressionAttributeValues={":ticket": {"S": f"TICKET#{DESK}#"}},
    )
    return [item for page in pages for item in page["Items"]]
