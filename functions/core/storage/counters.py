"""Counters that all containers share, for limits that must not cost a write per request.

A container keeps its own count and reports it once it has seen a tenth of a limit; below that a
limit costs nothing. So a limit may be exceeded by a tenth of it for each container that stays below
its tenth. Once the shared count is over the limit, a container refuses without another call
(docs/decisions/0022-limits-of-unproven-requests.md).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from functions.core.storage.table import Table, key

Period = Literal["hour", "day"]

_FREE_SHARE = 10
"""The part of a limit that a container counts on its own: a tenth."""

_MOST_NAMES = 10_000
"""Names that a container remembers; beyond these it starts afresh."""

_FORMS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d"}
_KEPT = {"hour": timedelta(hours=2), "day": timedelta(days=2)}


@dataclass
class _Count:
    period: str
    seen: int = 0
    reported: int = 0
    total: int = 0


@dataclass
class Counters:
    """The counters of all desks, and what this container has counted."""

    table: Table
    counts: dict[str, _Count] = field(default_factory=dict)

    def admits(self, desk: str, name: str, limit: int, per: Period, at: datetime) -> bool:
        """Count one more and return whether it is within the limit of the local hour or day."""
        pk, period = f"COUNT#{desk}#{name}", at.strftime(_FORMS[per])
        count = self._count(pk, period)
        if count.total > limit:
            return False
        count.seen += 1
        if count.seen > limit // _FREE_SHARE:
            count.total = self._report(pk, period, count.seen - count.reported, at + _KEPT[per])
            count.reported = count.seen
        return count.total <= limit

    def _count(self, pk: str, period: str) -> _Count:
        count = self.counts.get(pk)
        if count is None or count.period != period:
            if len(self.counts) >= _MOST_NAMES:
                self.counts.clear()
            count = self.counts[pk] = _Count(period)
        return count

    def _report(self, pk: str, period: str, more: int, expires: datetime) -> int:
        response = self.table.client.update_item(
            TableName=self.table.name,
            Key=key(pk, period),
            UpdateExpression="ADD #n :more SET expires_at = :expires",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={
                ":more": {"N": str(more)},
                ":expires": {"N": str(int(expires.timestamp()))},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(response["Attributes"]["n"]["N"])
