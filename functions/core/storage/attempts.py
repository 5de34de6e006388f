"""Failed attempts to prove something about a ticket, counted per hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.storage.table import Item, key

if TYPE_CHECKING:
    from functions.core.storage.table import Table


@dataclass
class FailedAttempts:
    """The failed attempts of all desks. A ticket need not exist to have some."""

    table: Table

    def count(self, desk: str, number: str, now: datetime) -> int:
        """The failed attempts in the current hour."""
        item = self.table.get(*_item_key(desk, number, now), consistent=True)
        return int(item["n"]["N"]) if item else 0

    def add(self, desk: str, number: str, now: datetime) -> None:
        """Count one more."""
        expires = int((now + timedelta(hours=2)).timestamp())
        item_key: Item = key(*_item_key(desk, number, now))
        self.table.client.update_item(
            TableName=self.table.name,
            Key=item_key,
            UpdateExpression="ADD #n :one SET expires_at = :expires",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":expires": {"N": str(expires)}},
        )


def _item_key(desk: str, number: str, now: datetime) -> tuple[str, str]:
    return f"ATTEMPTS#{desk}#{number}", f"{now:%Y-%m-%dT%H}"
