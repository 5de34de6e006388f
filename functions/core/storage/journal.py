"""The journal's entries, one item each, by desk and UTC day of their arrival."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.domain.journal import JournalEntry
from functions.core.storage.table import Item, between, key, parse_stamp, stamp

if TYPE_CHECKING:
    from functions.core.storage.table import Table

KEPT_FOR = timedelta(days=35)
"""The time after which DynamoDB may remove an entry: the last month is complete."""
SETTLED_AFTER = timedelta(minutes=2)
"""The age at which all entries can be read: longer than `notify` runs, and clocks differ by less
than the rest."""
_DAY = timedelta(days=1)


class Arrived(NamedTuple):
    """An entry and when it was written to the journal; a repeated record arrives twice."""

    at: datetime
    entry: JournalEntry


@dataclass
class Journal:
    """The journals of all desks: what commits say or, under another `kind`, something else."""

    table: Table
    kind: str = "JOURNAL"

    def write(self, desk: str, entry: JournalEntry, now: datetime) -> None:
        item: Item = key(
            self._partition(desk, now), f"{stamp(now)}#{entry.number}#{entry.version:06}"
        )
        item |= {
            "body": {"S": entry.model_dump_json(exclude_defaults=True)},
            "expires_at": {"N": str(int((now + KEPT_FOR).timestamp()))},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def entries(self, desk: str, since: datetime, until: datetime) -> Iterator[Arrived]:
        """Yield what arrived in a period, both ends included, in order."""
        for item in self._items(desk, since, until):
            arrived, _, _ = item["sk"]["S"].partition("#")
            entry = JournalEntry.model_validate_json(item["body"]["S"])
            yield Arrived(parse_stamp(arrived), entry)

    def newest(
        self, desk: str, since: datetime, until: datetime, limit: int
    ) -> list[tuple[datetime, str, int]]:
        """Return when the newest commits of a period arrived, with their numbers and versions.

        Args:
            limit: the most that are read of a day.
        """
        found = []
        for query in self._queries(desk, since, until):
            query |= {"ScanIndexForward": False, "Limit": limit, "ProjectionExpression": "sk"}
            for item in self.table.query_page(**query)[0]:
                arrived, number, version = item["sk"]["S"].split("#")
                found.append((parse_stamp(arrived), number, int(version)))
        return sorted(found, reverse=True)

    def openings(self, desk: str, since: datetime, until: datetime, limit: int) -> list[str]:
        """Return the numbers of the tickets that were opened in a period, the newest first.

        Args:
            limit: the most that are returned.
        """
        found: dict[str, None] = {}
        for query in reversed([*self._queries(desk, since, until)]):
            query |= {"ScanIndexForward": False, "ProjectionExpression": "sk"}
            for item in self.table.query(**query):
                _, number, version = item["sk"]["S"].split("#")
                if int(version) == 1:
                    found[number] = None
                if len(found) == limit:
                    return [*found]
        return [*found]

    def delete(
        self, desk: str, number: str, now: datetime, versions: Collection[int] | None = None
    ) -> None:
        """Delete a ticket's entries, or those of some versions; only an erasure may."""
        for item in self._items(desk, now - KEPT_FOR - _DAY, now + _DAY):
            _, of, version = item["sk"]["S"].split("#")
            if of == number and (versions is None or int(version) in versions):
                found = {"pk": item["pk"], "sk": item["sk"]}
                self.table.client.delete_item(TableName=self.table.name, Key=found)

    def _items(self, desk: str, since: datetime, until: datetime) -> Iterator[Item]:
        for query in self._queries(desk, since, until):
            yield from self.table.query(**query)

    def _queries(self, desk: str, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        day = since.astimezone(UTC).date()
        while day <= until.astimezone(UTC).date():
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            # `~` follows every digit, so the range ends with the last entry of that moment.
            yield between(self._partition(desk, midnight), stamp(since), f"{stamp(until)}~")
            day += _DAY

    def _partition(self, desk: str, at: datetime) -> str:
        return f"{self.kind}#{desk}#{at.astimezone(UTC):%Y-%m-%d}"
