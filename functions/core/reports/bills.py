"""AWS's charges, read from Cost Explorer's JSON or from a Cost and Usage Report (F8).

Of a report with tags, the lines whose resource has the tag `application=deskbell` count, else all
lines; Cost Explorer filters by the tag itself (`docs/costs.md`). Amounts are unblended costs in
USD.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

TAG, OURS = "application", "deskbell"


class BillError(ValueError):
    """A bill cannot be read; the message names the line."""


def read_bill(lines: Iterable[str], first: date, last: date) -> Decimal:
    """Return what was charged for these UTC days, both included, in USD.

    Args:
        lines: the file, JSON if it begins with `{`, else CSV with a line of column names.

    Raises:
        BillError: it is neither, lacks days or columns, or has another currency.
    """
    rest = iter(lines)
    start = next((line for line in rest if line.strip()), "")
    if start.lstrip("\ufeff \t").startswith("{"):
        return _cost_explorer(start.lstrip("\ufeff") + "".join(rest), first, last)
    return _report([start.lstrip("\ufeff"), *rest], first, last)


def _cost_explorer(text: str, first: date, last: date) -> Decimal:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise BillError(f"line {error.lineno}: {error.msg}") from error
    if not isinstance(document.get("ResultsByTime"), list):
        raise BillError("line 1: no ResultsByTime, so not from `aws ce get-cost-and-usage`")
    if document.get("NextPageToken"):
        raise BillError("NextPageToken: the other pages are missing")
    total, missing = Decimal(0), {first + timedelta(n) for n in range((last - first).days + 1)}
    for position, result in enumerate(document["ResultsByTime"]):
        where = f"ResultsByTime[{position}]"
        try:
            start, end = (_day(result["TimePeriod"][name]) for name in ("Start", "End"))
            groups = result.get("Groups") or [{"Metrics": result["Total"]}]
            amounts = [group["Metrics"]["UnblendedCost"] for group in groups]
            charged = sum((_amount(each["Amount"], each["Unit"]) for each in amounts), Decimal(0))
        except (KeyError, TypeError, ValueError, BillError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else error
            raise BillError(f"{where}: {what}") from error
        days = {start + timedelta(n) for n in range(max((end - start).days, 1))}
        if all(first <= day <= last for day in days):
            total, missing = total + charged, missing - days
        elif any(first <= day <= last for day in days):
            raise BillError(f"{where}: {start} to {end} reaches beyond {first} to {last}")
    if missing:
        raise BillError(f"ResultsByTime: nothing for {min(missing)}")
    return total


def _report(lines: Iterable[str], first: date, last: date) -> Decimal:
    reader = csv.reader(lines)
    places = {re.sub(r"[^a-z]", "", name.lower()): at for at, name in enumerate(next(reader, []))}
    for column in (_START, _COST):
        if column not in places:
            raise BillError(f"line 1: no column {_SPELT[column]}")
    tags, own = places.get("resourcetags"), places.get(f"resourcetagsuser{TAG}")
    total = Decimal(0)
    for row in reader:
        try:
            tagged = OURS if tags is None else _tag(row[tags])
            tagged = tagged if own is None else row[own]
            if tagged == OURS and first <= _day(row[places[_START]]) <= last:
                currency = row[places[_CURRENCY]] if _CURRENCY in places else "USD"
                total += _amount(row[places[_COST]], currency)
        except IndexError as error:
            raise BillError(f"line {reader.line_num}: fewer columns than names") from error
        except ValueError as error:
            raise BillError(f"line {reader.line_num}: {error}") from error
    return total


_SPELT = {
    "lineitemusagestartdate": "line_item_usage_start_date",
    "lineitemunblendedcost": "line_item_unblended_cost",
    "lineitemcurrencycode": "line_item_currency_code",
}
_START, _COST, _CURRENCY = _SPELT
"""Columns of CUR 2.0 (`line_item_unblended_cost`) and before (`lineItem/UnblendedCost`)."""


def _tag(text: str) -> object:
    found: Mapping[str, Any] = json.loads(text or "{}")
    return found.get(f"user_{TAG}", found.get(TAG))


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _amount(text: str, currency: str) -> Decimal:
    if currency != "USD":
        raise BillError(f"the amount is in {currency}, not in USD")
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise BillError(f"{text!r} is not an amount") from error
