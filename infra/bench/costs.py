"""Compute what AWS costs from the calls that the bench has counted (F8, G7).

Prices are those of `functions/core/reports/prices.json`, with the free tiers that do not end;
`assumptions.json` has what cannot be measured without an account. Amounts are `Decimal` USD.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from functions.core.platform.metering import PRICE_OF
from functions.core.reports.prices import PriceList, Usage, plus, read_prices, times

if TYPE_CHECKING:
    from infra.simulator.simulator import Call

__all__ = ["PriceList", "Usage", "plus", "read_prices", "times"]

MINUTES_OF_A_MONTH = Decimal(30 * 24 * 60)
GIGABYTE = Decimal(1024**3)

ASSUMPTIONS = {
    name: Decimal(entry["value"])
    for name, entry in json.loads(
        Path(__file__).with_name("assumptions.json").read_text("utf-8")
    ).items()
}
"""Assumption → its value; the file says the unit and why."""


@dataclass(frozen=True)
class BenchCost:
    """The cost of a month's units of one price: at list price, and after the free tier."""

    name: str
    quantity: Decimal
    listed: Decimal
    after_free: Decimal


def bill(usage: Usage, prices: PriceList) -> list[BenchCost]:
    """The lines of a month's bill, most expensive first."""
    lines = []
    for name, quantity in usage.items():
        price = prices.price(name)
        beyond = max(quantity - price.free_per_month, Decimal(0))
        lines.append(BenchCost(name, quantity, price.of(quantity), price.of(beyond)))
    return sorted(lines, key=lambda line: line.listed, reverse=True)


def cost_of(usage: Usage, prices: PriceList, *, free_tiers: bool = False) -> Decimal:
    """The cost of a usage in USD, before or after the month's free tiers."""
    lines = bill(usage, prices)
    return sum((line.after_free if free_tiers else line.listed for line in lines), Decimal(0))


LEAST_SCANNED = 10 / Decimal(1024)
"""The least that a query of Athena is charged, in GB."""


def usage_of_calls(calls: Iterable[Call]) -> dict[str, Decimal]:
    """The metered usage of the functions' calls; SSM is free."""
    used: dict[str, Decimal] = {}
    for call in calls:
        if call.service == "dynamodb":
            metered = {
                "dynamodb.read_unit": Decimal(str(call.read_units)),
                "dynamodb.write_unit": Decimal(str(call.write_units)),
            }
        elif call.operation == "StartQueryExecution":
            metered = {"athena.scanned": LEAST_SCANNED}
        elif call.service == "sns":
            metered = {"sns.sms": ASSUMPTIONS["sms.parts"]}
        else:
            price = PRICE_OF.get((call.service, call.operation))
            metered = {price: Decimal(1)} if price else {}
        used = plus(used, metered)
    return used


def idle_polling() -> dict[str, Decimal]:
    each = Decimal(60) / ASSUMPTIONS["sqs.poll_seconds"]
    return {"sqs.request": ASSUMPTIONS["sqs.pollers"] * each * MINUTES_OF_A_MONTH}
