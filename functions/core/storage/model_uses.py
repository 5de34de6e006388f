"""The uses of language models, and what is left of each desk's budget for a day.

`MODEL#<desk>#<day>` has an item for each use and one for the sum. A use is written before the model
is asked, with the most that it can cost, in one transaction with the sum and on condition of the
budget; when it has ended, its item and the sum get what it really cost. So uses at the same time
cannot exceed the budget together, and one that was cut off stays on record.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from functions.core.domain.errors import TryAgain
from functions.core.domain.model_use import ModelUse
from functions.core.storage.table import (
    REFUSED,
    Item,
    Table,
    Write,
    beginning,
    key,
    parse_stamp,
    stamp,
)

USE, SUM = "USE#", "SUM"
RETENTION = timedelta(days=400)


@dataclass
class ModelUses:
    """The uses of all desks."""

    table: Table

    def reserve(self, use: ModelUse, budget: Decimal) -> bool:
        """Record a use that begins; False if the day's budget does not cover it.

        Raises:
            TryAgain: the table was too busy.
        """
        if use.cost > budget:
            return False
        left: Item = {":left": {"N": str(budget - use.cost)}}
        covered = "attribute_not_exists(spent) OR spent <= :left"
        failures = self.table.transact([self._add(use, use.cost, covered, left), self._put(use)])
        if failures.get("sum") == REFUSED:
            return False
        if failures:
            raise TryAgain(f"the use was not recorded: {failures}")
        return True

    def settle(self, reserved: ModelUse, ended: ModelUse) -> None:
        """Record how a use ended, and what it really cost; a repetition changes nothing.

        Raises:
            TryAgain: the table was too busy.
        """
        add = self._add(ended, ended.cost - reserved.cost, "attribute_exists(pk)", {})
        put: Any = self._put(ended)[1]
        put["Put"] |= {
            "ConditionExpression": "outcome = :started",
            "ExpressionAttributeValues": {":started": {"S": reserved.outcome}},
        }
        failures = self.table.transact([("use", put), add])
        if failures and failures.get("use") != REFUSED:
            raise TryAgain(f"the use was not settled: {failures}")

    def of_day(self, desk: str, day: str) -> Iterator[ModelUse]:
        """The uses that a day pays for, oldest first."""
        for item in self.table.query(**beginning(_partition(desk, day), USE), ConsistentRead=True):
            at, _, name = item["sk"]["S"].removeprefix(USE).partition("#")
            texts: Any = {each: item[each]["S"] for each in _TEXTS}
            numbers: Any = {each: int(item[each]["N"]) for each in _COUNTS}
            yield ModelUse(
                desk=desk, day=day, at=parse_stamp(at), id=name,
                cost=Decimal(item["cost"]["N"]), seconds=float(item["seconds"]["N"]),
                **texts, **numbers,
            )  # fmt: skip

    def spent(self, desk: str, day: str) -> Decimal:
        """The cost of a day so far, in USD, uses that have not ended included."""
        item = self.table.get(_partition(desk, day), SUM, consistent=True)
        return Decimal(item["spent"]["N"]) if item else Decimal(0)

    def _put(self, use: ModelUse) -> Write:
        fields = asdict(use)
        item: Item = {
            **key(_partition(use.desk, use.day), f"{USE}{stamp(use.at)}#{use.id}"),
            **{name: {"S": fields[name]} for name in _TEXTS},
            **{name: {"N": str(fields[name])} for name in (*_COUNTS, "cost", "seconds")},
            "expires_at": {"N": _expiry(use)},
        }
        return "use", {"Put": {"TableName": self.table.name, "Item": item}}

    def _add(self, use: ModelUse, cost: Decimal, condition: str, values: Item) -> Write:
        return "sum", {
            "Update": {
                "TableName": self.table.name,
                "Key": key(_partition(use.desk, use.day), SUM),
                "UpdateExpression": "ADD spent :cost SET expires_at = :expires",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {
                    ":cost": {"N": str(cost)},
                    ":expires": {"N": _expiry(use)},
                    **values,
                },
            }
        }


_TEXTS = ("task", "about", "by", "model", "outcome")
_COUNTS = ("input_tokens", "output_tokens")


def _expiry(use: ModelUse) -> str:
    return str(int((use.at + RETENTION).timestamp()))


def _partition(desk: str, day: str) -> str:
    return f"MODEL#{desk}#{day}"
