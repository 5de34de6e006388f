"""DynamoDB whose eventually consistent reads come from a replica that lags behind.

Emulators answer every read with the newest state; this client answers those that do not ask for it
with the state at the last `catch_up`.
"""

from collections import Counter
from typing import Any

from tests.core.sample_desk import TABLE, make_table

REPLICA = f"{TABLE}-replica"


class Lagging:
    """A client of a table and its replica; `reads` counts the reads of each by operation."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.reads: Counter[tuple[str, str]] = Counter()
        make_table(client, REPLICA)

    def close(self) -> None:
        self._client.delete_table(TableName=REPLICA)

    def catch_up(self) -> None:
        """Bring the replica to the table's present state."""
        for item in self._client.scan(TableName=TABLE)["Items"]:
            self._client.put_item(TableName=REPLICA, Item=item)

    def get_item(self, **arguments: Any) -> Any:
        return self._client.get_item(**self._placed("get_item", arguments))

    def query(self, **arguments: Any) -> Any:
        return self._client.query(**self._placed("query", arguments))

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - boto3's name
        wanted = {}
        for table, keys in RequestItems.items():
            placed = self._placed("batch_get_item", {"TableName": table, **keys})
            wanted[placed.pop("TableName")] = placed
        answer = self._client.batch_get_item(RequestItems=wanted)
        [items] = answer["Responses"].values()
        return {**answer, "Responses": {TABLE: items}}

    def _placed(self, operation: str, arguments: Any) -> Any:
        newest = bool(arguments.get("ConsistentRead"))
        self.reads[operation, "newest" if newest else "replica"] += 1
        return arguments if newest else {**arguments, "TableName": REPLICA}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
