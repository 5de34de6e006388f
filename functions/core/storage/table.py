"""Calls to the DynamoDB table: reads, queries, conditional writes, transactions.

Limits (AWS, "Service, account, and table quotas in Amazon DynamoDB"): 400 KB per item, 100 items
per transaction and per batch read, 1 MB per page of a query.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from functions.core.domain.errors import TryAgain
from functions.core.storage.outages import is_outage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

CONFLICT_TRIES = 5
"""Retries of a transaction that conflicted with another one, over about a second in all."""

BATCH_TRIES = 6
"""Attempts to read the keys that BatchGetItem left unprocessed."""

BATCH_SIZE = 100
"""Keys in one BatchGetItem."""

MAX_PARTITION_KEY, MAX_SORT_KEY = 2048, 1024
"""The maximum bytes of a key's parts (DynamoDB, "Quotas")."""

REFUSED = "ConditionalCheckFailed"
"""The cancellation reason that a retry cannot change."""

_MOMENTARY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Temporary cancellation reasons (AWS, "TransactWriteItems")."""

Item = dict[str, Any]
Write = tuple[str, "TransactWriteItemTypeDef"]
"""One write of a transaction and the name under which a failure reports it."""


def stamp(at: datetime) -> str:
    """Format a time as text of fixed width that sorts (UTC, microseconds)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


def key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def beginning(pk: str, sk: str) -> dict[str, Any]:
    """Return the condition for the items of a partition whose sort keys begin so."""
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":sk": {"S": sk}},
    }


def between(pk: str, first: str, last: str) -> dict[str, Any]:
    """Return the condition for the items of a partition between two sort keys, inclusive."""
    return {
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": pk},
            ":first": {"S": first},
            ":last": {"S": last},
        },
    }


def at_version(version: int) -> dict[str, Any]:
    """Return the condition that an item has this version, or that there is none for 0."""
    if not version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


class Table:
    """A DynamoDB client and its table.

    Every call raises `TryAgain` if DynamoDB throttles it or fails temporarily.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self.client = cast("DynamoDBClient", ThrottlingClient(client))
        self.name = name

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> Item | None:
        """Return an item, None if there is none: also for a key that no item can have."""
        if not (is_key(pk, MAX_PARTITION_KEY) and is_key(sk, MAX_SORT_KEY)):
            return None
        return self.client.get_item(
            TableName=self.name, Key=key(pk, sk), ConsistentRead=consistent
        ).get("Item")

    def query(self, **arguments: Any) -> Iterator[Item]:
        start: Item | None = None
        while True:
            items, start = self.query_page(start, **arguments)
            yield from items
            if start is None:
                return

    def query_page(
        self, start: Item | None = None, **arguments: Any
    ) -> tuple[list[Item], Item | None]:
        """One page of a query, and the key after which the next page starts."""
        if start is not None:
            arguments["ExclusiveStartKey"] = start
        response = self.client.query(TableName=self.name, **arguments)
        return response["Items"], response.get("LastEvaluatedKey")

    def batch_get(self, keys: Iterable[Item], *, consistent: bool) -> Iterator[Item]:
        """The items with these keys, in no order; missing ones are left out.

        Raises:
            TryAgain: the table left keys unprocessed `BATCH_TRIES` times in a row.
        """
        wanted: list[Any] = list(keys)
        for _ in range(BATCH_TRIES):
            if not wanted:
                return
            response = self.client.batch_get_item(
                RequestItems={self.name: {"Keys": wanted, "ConsistentRead": consistent}}
            )
            yield from response["Responses"].get(self.name, [])
            rest: Any = response.get("UnprocessedKeys", {}).get(self.name, {})
            wanted = list(rest.get("Keys", []))
        raise TryAgain(f"the table left keys unread {BATCH_TRIES} times in a row")

    def put_if(self, condition: str, item: Item, **arguments: Any) -> bool:
        """Put an item if a condition holds; False if it does not."""
        write = self.client.put_item
        arguments |= {"Item": item, "ConditionExpression": condition}
        return self._on_condition(write, **arguments) is not None

    def put_next(self, item: Item, version: int) -> bool:
        """Put an item in place of its `version`, 0 for none; False if that is not the newest."""
        write = self.client.put_item
        return self._on_condition(write, Item=item, **at_version(version)) is not None

    def update_if(self, condition: str, pk: str, sk: str, **arguments: Any) -> bool:
        """Update an item if a condition holds; False if it does not."""
        return self.updated_if(condition, pk, sk, **arguments) is not None

    def updated_if(self, condition: str, pk: str, sk: str, **arguments: Any) -> Item | None:
        """Update an item if a condition holds, and return what was asked for of it; None if the
        condition does not hold.

        Args:
            arguments: those of UpdateItem, with `ReturnValues` to get attributes.
        """
        arguments |= {"Key": key(pk, sk), "ConditionExpression": condition}
        response = self._on_condition(self.client.update_item, **arguments)
        return None if response is None else response.get("Attributes", {})

    def _on_condition(self, write: Callable[..., Any], **arguments: Any) -> Any:
        from botocore.exceptions import ClientError

        try:
            return write(TableName=self.name, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise

    def transact(self, writes: Sequence[Write], *, give_way: str | None = None) -> dict[str, str]:
        """Carry out all writes or none; return name → reason of those that cancelled them.

        A conflict with another writer is retried, since only the conditions decide the outcome.
        The SDK's client token makes repeated requests harmless.

        Args:
            give_way: how the names of writes begin whose conflict is returned at once.
        """
        failures = self._transact_once(writes)
        for attempt in range(CONFLICT_TRIES):
            if not failures or not set(failures.values()) <= _MOMENTARY:
                break
            if give_way is not None and in_conflict(failures, give_way):
                break
            time.sleep(random.uniform(0.01, 0.04) * 2**attempt)  # noqa: S311 - spreads retries
            failures = self._transact_once(writes)
        return failures

    def _transact_once(self, writes: Sequence[Write]) -> dict[str, str]:
        from botocore.exceptions import ClientError

        try:
            self.client.transact_write_items(TransactItems=[write for _, write in writes])
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = error.response.get("CancellationReasons", [])
            failures = {
                name: reason.get("Code", "None")
                for (name, _), reason in zip(writes, reasons, strict=False)
                if reason.get("Code", "None") != "None"
            }
            return failures or {"transaction": "unknown"}
        return {}


def in_conflict(failures: Mapping[str, str], beginning: str) -> list[str]:
    """Return the names of writes that met another transaction and begin so."""
    return [
        name
        for name, reason in failures.items()
        if reason == "TransactionConflict" and name.startswith(beginning)
    ]


class ThrottlingClient:
    """A DynamoDB client whose calls raise `TryAgain` while DynamoDB is busy or out of reach."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            try:
                return method(**arguments)
            except Exception as error:
                if not is_outage(error):
                    raise
                raise TryAgain(f"DynamoDB: {error}") from error

        return call


def is_key(part: str, limit: int) -> bool:
    """Return whether DynamoDB accepts a text as part of a key."""
    try:
        return 0 < len(part.encode()) <= limit
    except UnicodeEncodeError:
        return False
