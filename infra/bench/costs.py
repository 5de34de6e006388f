"""What Deskbell costs, from what it uses and AWS's public prices (F8, G7).

`prices.json` holds each price of us-east-1 with its source and date, the free allowances that do
not end after a year (`free_per_month`), and the assumptions that stand where nothing can be
measured without an account. Money is `Decimal`, in USD.

How a deployed stage is metered, in rising precision:

- Every resource carries the tag `application=deskbell` (the stacks' tags): activated as a cost
  allocation tag, Cost Explorer gives the stage's whole bill.
- A desk's and a channel's part of it follows from what they do. The functions log one line for
  each ticket archived and each message sent; `USAGE_QUERY` counts them in CloudWatch Logs
  Insights, and `shares` divides a bill by those counts.
- A single ticket's cost is `cost_of` of its life, which `make bench` measures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.simulator.simulator import Call

PRICES = Path(__file__).parent / "prices.json"
MINUTES_OF_A_MONTH = Decimal(30 * 24 * 60)
GIGABYTE = Decimal(1024**3)

USAGE_QUERY = """\
fields @timestamp
| filter message = "delivery.sent"
| stats count(*) as messages, count_distinct(number) as tickets by desk, channel
| sort desk, channel"""
"""CloudWatch Logs Insights, on the log group of `notify`: what each desk and channel used."""

Usage = Mapping[str, Decimal]
"""Quantities by the name of their price (`dynamodb.write_unit`), in the price's unit."""


@dataclass(frozen=True)
class Price:
    """`value` USD for `per` units, of which `free_per_month` cost nothing."""

    value: Decimal
    per: Decimal
    unit: str
    free_per_month: Decimal
    source: str
    date: str
    status: str

    def of(self, quantity: Decimal) -> Decimal:
        """What so many units cost at the list price."""
        return quantity * self.value / self.per


@dataclass(frozen=True)
class PriceList:
    """Prices and assumptions by name. An unknown name is a `KeyError`."""

    region: str
    prices: Mapping[str, Price]
    assumptions: Mapping[str, Decimal]


@dataclass(frozen=True)
class Line:
    """One line of a bill: what it costs by the list, and after the free allowance."""

    name: str
    quantity: Decimal
    listed: Decimal
    after_free: Decimal


def read_prices(path: Path = PRICES) -> PriceList:
    """The price list of a file."""
    document = json.loads(path.read_text("utf-8"))
    return PriceList(
        region=document["region"],
        prices={
            name: Price(
                value=Decimal(entry["value"]),
                per=Decimal(entry["per"]),
                unit=entry["unit"],
                free_per_month=Decimal(entry["free_per_month"]),
                source=entry["source"],
                date=entry["date"],
                status=entry["status"],
            )
            for name, entry in document["prices"].items()
        },
        assumptions={
            name: Decimal(entry["value"]) for name, entry in document["assumptions"].items()
        },
    )


def bill(usage: Usage, prices: PriceList) -> list[Line]:
    """The lines of a month's bill, dearest first. The allowances are taken to be this month's."""
    lines = []
    for name, quantity in usage.items():
        price = prices.prices[name]
        beyond = max(quantity - price.free_per_month, Decimal(0))
        lines.append(Line(name, quantity, price.of(quantity), price.of(beyond)))
    return sorted(lines, key=lambda line: line.listed, reverse=True)


def cost_of(usage: Usage, prices: PriceList, *, free_tiers: bool = False) -> Decimal:
    """What a usage costs in USD, with or without the free allowances of its month."""
    lines = bill(usage, prices)
    return sum((line.after_free if free_tiers else line.listed for line in lines), Decimal(0))


def times(usage: Usage, factor: int | Decimal) -> dict[str, Decimal]:
    """A usage, so many times over."""
    return {name: quantity * factor for name, quantity in usage.items()}


def plus(*usages: Usage) -> dict[str, Decimal]:
    """Several usages together."""
    total: dict[str, Decimal] = {}
    for usage in usages:
        for name, quantity in usage.items():
            total[name] = total.get(name, Decimal(0)) + quantity
    return total


def usage_of_calls(calls: Iterable[Call]) -> dict[str, Decimal]:
    """What AWS meters of the calls that functions made. SMS is apart; SSM costs nothing."""
    used: dict[str, Decimal] = {}
    for call in calls:
        if call.service == "dynamodb":
            found = {
                "dynamodb.read_unit": Decimal(str(call.read_units)),
                "dynamodb.write_unit": Decimal(str(call.write_units)),
            }
        else:
            metered = _METERED.get((call.service, call.operation))
            found = {metered: Decimal(1)} if metered else {}
        used = plus(used, found)
    return used


_METERED = {
    ("kms", "Encrypt"): "kms.request",
    ("kms", "Decrypt"): "kms.request",
    ("sesv2", "SendEmail"): "ses.sent",
    ("s3", "PutObject"): "s3.put",
    ("s3", "GetObject"): "s3.get",
    ("s3", "HeadObject"): "s3.get",
    ("sqs", "SendMessage"): "sqs.request",
    ("sqs", "GetQueueUrl"): "sqs.request",
}


def idle_polling(prices: PriceList) -> dict[str, Decimal]:
    """What Lambda's pollers of the mail queue ask in a month without mail."""
    each = Decimal(60) / prices.assumptions["sqs.poll_seconds"]
    return {"sqs.request": prices.assumptions["sqs.pollers"] * each * MINUTES_OF_A_MONTH}


def shares(amount: Decimal, counts: Mapping[str, int]) -> dict[str, Decimal]:
    """An amount divided by what each did, in whole cents that add up to it (largest remainder).

    Args:
        counts: how much each desk (or channel) did, as `USAGE_QUERY` counts it.

    Raises:
        ValueError: nobody did anything.
    """
    total = sum(counts.values())
    if total <= 0:
        raise ValueError("there is nothing to divide by")
    cents = int((amount * 100).to_integral_value(ROUND_HALF_UP))
    parts = {name: divmod(cents * count, total) for name, count in counts.items()}
    missing = cents - sum(whole for whole, _ in parts.values())
    ahead = sorted(parts, key=lambda name: parts[name][1], reverse=True)[:missing]
    return {name: Decimal(parts[name][0] + (name in ahead)) / 100 for name in parts}
