"""Compute costs from metered usage and AWS's public prices (F8, G7).

`prices.json` holds the prices of us-east-1 with source and date, the perpetual free tiers
(`free_per_month`), and assumptions for what cannot be measured without an account. Amounts are
`Decimal` USD.

To meter a deployed stage, from coarse to fine:

- The whole stage: every resource has the tag `application=deskbell`; activate it as a cost
  allocation tag in Cost Explorer.
- A desk or channel: the functions log a line per archived ticket and sent message. `USAGE_QUERY`
  counts them in CloudWatch Logs Insights, and `shares` divides a bill by the counts.
- A ticket: `cost_of` its life, which `make bench` measures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from functions.core.platform.metering import PRICE_OF

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
"""CloudWatch Logs Insights query for notify's log group: usage by desk and channel."""

Usage = Mapping[str, Decimal]
"""Quantities by price name (`dynamodb.write_unit`), in the price's unit."""


@dataclass(frozen=True)
class Price:
    """`value` USD for `per` units; `free_per_month` units are free."""

    value: Decimal
    per: Decimal
    unit: str
    free_per_month: Decimal
    source: str
    date: str
    status: str

    def of(self, quantity: Decimal) -> Decimal:
        return quantity * self.value / self.per


@dataclass(frozen=True)
class PriceList:
    """Prices and assumptions by name; an unknown name raises `KeyError`."""

    region: str
    prices: Mapping[str, Price]
    assumptions: Mapping[str, Decimal]


@dataclass(frozen=True)
class CostLine:
    """One line of a bill: list price, and price after the free tier."""

    name: str
    quantity: Decimal
    listed: Decimal
    after_free: Decimal


def read_prices(path: Path = PRICES) -> PriceList:
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


def bill(usage: Usage, prices: PriceList) -> list[CostLine]:
    """The lines of a month's bill, most expensive first."""
    lines = []
    for name, quantity in usage.items():
        price = prices.prices[name]
        beyond = max(quantity - price.free_per_month, Decimal(0))
        lines.append(CostLine(name, quantity, price.of(quantity), price.of(beyond)))
    return sorted(lines, key=lambda line: line.listed, reverse=True)


def cost_of(usage: Usage, prices: PriceList, *, free_tiers: bool = False) -> Decimal:
    """The cost of a usage in USD, before or after the month's free tiers."""
    lines = bill(usage, prices)
    return sum((line.after_free if free_tiers else line.listed for line in lines), Decimal(0))


def times(usage: Usage, factor: int | Decimal) -> dict[str, Decimal]:
    return {name: quantity * factor for name, quantity in usage.items()}


def plus(*usages: Usage) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for usage in usages:
        for name, quantity in usage.items():
            total[name] = total.get(name, Decimal(0)) + quantity
    return total


def usage_of_calls(calls: Iterable[Call]) -> dict[str, Decimal]:
    """The metered usage of the functions' calls; SSM is free."""
    used: dict[str, Decimal] = {}
    for call in calls:
        if call.service == "dynamodb":
            metered = {
                "dynamodb.read_unit": Decimal(str(call.read_units)),
                "dynamodb.write_unit": Decimal(str(call.write_units)),
            }
        else:
            price = PRICE_OF.get((call.service, call.operation))
            metered = {price: Decimal(1)} if price else {}
        used = plus(used, metered)
    return used


def idle_polling(prices: PriceList) -> dict[str, Decimal]:
    each = Decimal(60) / prices.assumptions["sqs.poll_seconds"]
    return {"sqs.request": prices.assumptions["sqs.pollers"] * each * MINUTES_OF_A_MONTH}


def shares(amount: Decimal, counts: Mapping[str, int]) -> dict[str, Decimal]:
    """Divide an amount in proportion to counts, in whole cents (largest remainder method).

    Args:
        counts: the usage of each desk or channel, as `USAGE_QUERY` counts it.

    Raises:
        ValueError: all counts are zero.
    """
    total = sum(counts.values())
    if total <= 0:
        raise ValueError("all counts are zero: nothing to divide by")
    cents = int((amount * 100).to_integral_value(ROUND_HALF_UP))
    parts = {name: divmod(cents * count, total) for name, count in counts.items()}
    missing = cents - sum(whole for whole, _ in parts.values())
    ahead = sorted(parts, key=lambda name: parts[name][1], reverse=True)[:missing]
    return {name: Decimal(parts[name][0] + (name in ahead)) / 100 for name in parts}
