"""The costs of a desk's work: AWS's units at list price, agents' time, parts, compensation (F8).

Amounts are `Decimal`: USD for AWS, the playbook's currency for everything else and for totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from functions.core.domain.playbook_reports import Reports
from functions.core.domain.rules import Playbook
from functions.core.reports.columns import value_of
from functions.core.reports.cost_queries import (
    AGENT,
    COMPENSATION,
    PART,
    CostsBy,
    cost_query,
    total_query,
)
from functions.core.reports.prices import PriceList, plus, read_prices

SECONDS_OF_AN_HOUR = 3600


@dataclass
class CostLine:
    """The costs of one desk, channel, ticket or day; `key` is empty for what belongs to none.

    `units` are quantities by price name and `usd` their list price; `seconds` of agents cost
    `agent`; `used` counts parts, which cost `parts`.
    """

    key: str
    units: dict[str, Decimal] = field(default_factory=dict)
    usd: Decimal = Decimal(0)
    seconds: Decimal = Decimal(0)
    agent: Decimal = Decimal(0)
    used: dict[str, Decimal] = field(default_factory=dict)
    parts: Decimal = Decimal(0)
    compensation: Decimal = Decimal(0)
    total: Decimal = Decimal(0)

    @property
    def minutes(self) -> Decimal:
        return self.seconds / 60


@dataclass(frozen=True)
class CostTable:
    """The lines of a desk and their sum.

    `unpriced` are units and parts that count nothing, because nobody said what they cost. The
    prices are those of `region`; without its own ones (`of_home`), those of us-east-1.
    """

    lines: tuple[CostLine, ...]
    sum: CostLine
    currency: str
    usd_rate: Decimal
    region: str
    of_home: bool
    unpriced: tuple[str, ...] = ()


Query = Callable[[str], Iterable[Mapping[str, str]]]
"""Runs a query of the facts, in Athena or in its place."""


def costs_of(
    playbook: Playbook, first: date, last: date, by: CostsBy, region: str, query: Query
) -> CostTable:
    """Return the costs of a desk in these local days, both included, at the prices of a region."""
    asked, prices = _asked(playbook, first, last, by, region)
    return cost_table(query(asked), playbook.reports, prices)


def costs_with_tickets(
    playbook: Playbook, first: date, last: date, region: str, query: Query
) -> tuple[CostTable, Iterator[tuple[str, float]]]:
    """Return the costs of a desk, and the number and the total of each ticket in them.

    Tickets are priced by the query, with one row for each.
    """
    reports = playbook.reports
    asked, prices = _asked(playbook, first, last, "desk", region)
    of_tickets, _ = _asked(playbook, first, last, "ticket", region)
    rows = list(query(asked))
    pricing, weights = Pricing(reports, prices), dict[tuple[date, str], Decimal]()
    for row in rows:
        one, day = CostLine(""), date.fromisoformat(row["priced_on"])
        pricing.add(one, row["name"], Decimal(1), day)
        pricing.total(one)
        weights[day, row["name"]] = one.total
    found = query(total_query(of_tickets, weights)) if rows else ()
    totals = ((row["cost_key"], float(row["total"])) for row in found)
    return cost_table(rows, reports, prices), totals


def _asked(
    playbook: Playbook, first: date, last: date, by: CostsBy, region: str
) -> tuple[str, PriceList]:
    model = playbook.language_model
    prices = read_prices(region).with_model(model.price if model else None)
    most = playbook.reports.act_at_most
    return cost_query(playbook.desk, first, last, by, most, prices.changes()), prices


def remainder(billed: Decimal, tables: Iterable[CostTable]) -> Decimal:
    """Return what a bill has beyond the units of desks, in USD."""
    return billed - sum((table.sum.usd for table in tables), Decimal(0))


def cost_table(rows: Iterable[Mapping[str, str]], reports: Reports, prices: PriceList) -> CostTable:
    """Price the rows of `cost_query`; the lines are in the order of its keys."""
    pricing = Pricing(reports, prices)
    lines: dict[str, CostLine] = {}
    for row in rows:
        line = lines.setdefault(row["cost_key"], CostLine(row["cost_key"]))
        day = date.fromisoformat(row["priced_on"])
        pricing.add(line, row["name"], Decimal(row["quantity"]), day)
    for line in lines.values():
        pricing.total(line)
    together = total_of(lines.values())
    return CostTable(
        lines=tuple(lines.values()),
        sum=together,
        currency=reports.currency,
        usd_rate=reports.usd_rate,
        region=prices.region,
        of_home=bool(prices.of_home),
        unpriced=tuple(sorted(pricing.unpriced)),
    )


def total_of(lines: Iterable[CostLine], key: str = "") -> CostLine:
    """Add lines up."""
    total = CostLine(key)
    for line in lines:
        total.units = plus(total.units, line.units)
        total.used = plus(total.used, line.used)
        for name in ("usd", "seconds", "agent", "parts", "compensation", "total"):
            setattr(total, name, getattr(total, name) + getattr(line, name))
    return total


class Pricing:
    """Adds quantities to lines, at the prices of a list and a playbook."""

    def __init__(self, reports: Reports, prices: PriceList) -> None:
        self.reports, self.prices = reports, prices
        self.part_prices = {value_of(name): price for name, price in reports.part_prices.items()}
        self.unpriced: set[str] = set()

    def add(self, line: CostLine, name: str, quantity: Decimal, day: date) -> None:
        if name == AGENT:
            line.seconds += quantity
            line.agent += quantity * self.reports.agent_rate / SECONDS_OF_AN_HOUR
        elif name == COMPENSATION:
            line.compensation += quantity
        elif name.startswith(PART):
            part = name.removeprefix(PART)
            line.used[part] = line.used.get(part, Decimal(0)) + quantity
            line.parts += quantity * self._known(part, self.part_prices.get(part))
        else:
            line.units[name] = line.units.get(name, Decimal(0)) + quantity
            price = self.prices.find(name, day)
            line.usd += self._known(name, price.of(quantity) if price else None)

    def total(self, line: CostLine) -> None:
        rate = self.reports.usd_rate
        line.total = line.usd * rate + line.agent + line.parts + line.compensation

    def _known(self, name: str, amount: Decimal | None) -> Decimal:
        if amount is None:
            self.unpriced.add(name)
            return Decimal(0)
        return amount
