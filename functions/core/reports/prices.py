"""Public list prices by region and day, and what a usage costs at them (F8, G7).

`prices.json` has each price with its source and the day from which it holds. Amounts are `Decimal`
USD; a usage counts units by the name of their price.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.core.domain.playbook_model import TokenPrice

HOME = "us-east-1"
"""The region whose prices stand for those of a region without its own."""

INPUT_TOKEN, OUTPUT_TOKEN = "model.input_token", "model.output_token"
"""The units of a language model, at the playbook's price."""

Usage = Mapping[str, Decimal]
"""Quantities by price name (`dynamodb.write_unit`), in the price's unit."""


@dataclass(frozen=True)
class Price:
    """`value` USD for `per` units from the day `since`; `free_per_month` units are free."""

    value: Decimal
    per: Decimal = Decimal(1)
    since: date = date.min
    unit: str = ""
    free_per_month: Decimal = Decimal(0)
    source: str = ""
    status: str = ""

    def of(self, quantity: Decimal) -> Decimal:
        return quantity * self.value / self.per


@dataclass(frozen=True)
class PriceList:
    """The prices of a region: by name, oldest first. `of_home` are those taken from `HOME`."""

    region: str
    prices: Mapping[str, tuple[Price, ...]]
    of_home: frozenset[str] = frozenset()

    def find(self, name: str, day: date) -> Price | None:
        """Return a price on a day, None if there is no such price.

        The first value holds before its day, too. `sns.sms.US` without a price has that of
        `sns.sms`.
        """
        values = self.prices.get(name)
        if values is None:
            general, _, country = name.rpartition(".")
            return self.find(general, day) if general.count(".") and country else None
        return next((price for price in reversed(values) if price.since <= day), values[0])

    def price(self, name: str, day: date = date.max) -> Price:
        """Return a price on a day, the newest unless given.

        Raises:
            KeyError: there is no such price.
        """
        found = self.find(name, day)
        if found is None:
            raise KeyError(name)
        return found

    def changes(self) -> set[date]:
        """Return the days on which a price changes."""
        return {price.since for values in self.prices.values() for price in values[1:]}

    def with_model(self, tokens: TokenPrice | None) -> PriceList:
        """Return the list with the prices of a desk's language model."""
        if tokens is None:
            return self
        per = Decimal(1_000_000)
        own = {
            INPUT_TOKEN: (Price(tokens.input, per, unit="token"),),
            OUTPUT_TOKEN: (Price(tokens.output, per, unit="token"),),
        }
        return replace(self, prices={**self.prices, **own})


@lru_cache(maxsize=4)
def read_prices(region: str = HOME) -> PriceList:
    """Return the prices of a region, from `prices.json`."""
    document = json.loads(files(__package__).joinpath("prices.json").read_text("utf-8"))
    entries = document["prices"].items()
    return PriceList(
        region=region,
        prices={name: _values(entry, region) for name, entry in entries},
        of_home=frozenset(name for name, entry in entries if region not in entry["regions"]),
    )


def cost_of(usage: Usage, prices: PriceList, day: date = date.max) -> Decimal:
    """Return the list price of a usage on a day, in USD; an unknown name raises `KeyError`."""
    return sum(
        (prices.price(name, day).of(quantity) for name, quantity in usage.items()), Decimal(0)
    )


def times(usage: Usage, factor: int | Decimal) -> dict[str, Decimal]:
    return {name: quantity * factor for name, quantity in usage.items()}


def plus(*usages: Usage) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for usage in usages:
        for name, quantity in usage.items():
            total[name] = total.get(name, Decimal(0)) + quantity
    return total


def read_usage(entries: Iterable[str]) -> dict[str, Decimal]:
    """Read a fact's `price~quantity` entries."""
    parts = (entry.partition("~") for entry in entries)
    return plus(*({name: Decimal(quantity)} for name, _, quantity in parts))


def _values(entry: Mapping[str, Any], region: str) -> tuple[Price, ...]:
    regions = entry["regions"]
    return tuple(
        Price(
            value=Decimal(price["value"]),
            per=Decimal(entry["per"]),
            since=date.fromisoformat(price["since"]),
            unit=entry["unit"],
            free_per_month=Decimal(entry["free_per_month"]),
            source=entry["source"],
            status=price["status"],
        )
        for price in regions.get(region, regions[HOME])
    )
