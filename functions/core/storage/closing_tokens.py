"""Task tokens of the closing workflow, by which a ticket's waiting task continues (F4)."""

from dataclasses import dataclass

from functions.core.storage.items import ticket_key
from functions.core.storage.table import Table, key


@dataclass
class ClosingTokens:
    table: Table

    def get(self, desk: str, number: str, kind: str) -> tuple[str, int] | None:
        """The token of a waiting task, and the resolution that it belongs to."""
        item = self.table.get(ticket_key(desk, number), f"TOKEN#{kind}", consistent=True)
        return (item["token"]["S"], int(item["resolution"]["N"])) if item else None

    def put(self, desk: str, number: str, kind: str, token: str, resolution: int) -> None:
        self.table.client.put_item(
            TableName=self.table.name,
            Item=key(ticket_key(desk, number), f"TOKEN#{kind}")
            | {"token": {"S": token}, "resolution": {"N": str(resolution)}},
        )
