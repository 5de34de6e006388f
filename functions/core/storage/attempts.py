"""Failed attempts to open a ticket's status page, counted per hour (G9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.storage.table import Item, Table, key


@dataclass
class FailedAttempts:
    """The failed attempts of all desks, also for tickets that do not exist."""

    table: Table

    def add(self, desk: str, number: str, now: datetime, count: int = 1) -> int:
        """Count one more attempt, or take it back (-1); return those in the current hour."""
        expires = int((now + timedelta(hours=2)).timestamp())
        item_key: Item = key(*_item_key(desk, number, now))
        response = self.table.client.update_item(
            TableName=self.table.name,
            Key=item_key,
            UpdateExpression="ADD #n :count SET expires_at = :expires",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={
                ":count": {"N": str(count)},
                ":expires": {"N": str(expires)},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(response["Attributes"]["n"]["N"])

    def count(self, desk: str, number: str, now: datetime) -> int:
        item = self.table.get(*_item_key(desk, number, now))
        return int(item["n"]["N"]) if item else 0


def _item_key(desk: str, number: str, now: datetime) -> tuple[str, str]:
    return f"ATTEMPTS#{desk}#{number}", f"{now:%Y-%m-%dT%H}"
