"""Idempotency records: traces of processed requests under their provider's own ids (G1)."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.core.domain.errors import DeskbellError
from functions.core.domain.ticket import Ticket
from functions.core.storage.table import Item, Table, Write, key

SORT_KEY = "SEEN"

KEPT_FOR = timedelta(days=400)
"""The time in which a repetition of a request that opened or joined a ticket is recognised."""


@dataclass(frozen=True)
class IdempotencyRecord:
    """The trace of one request.

    `body` is a digest of the request, which reveals a key that comes back with another body.
    `number` is the ticket that the request opened or joined.
    """

    desk: str
    channel: str
    id: str
    body: str = ""
    number: str = ""

    @property
    def pk(self) -> str:
        from hashlib import sha256

        digest = urlsafe_b64encode(sha256(self.id.encode()).digest()[:18]).decode()
        return f"SEEN#{self.desk}#{self.channel}#{digest}"

    @property
    def key(self) -> Item:
        return key(self.pk, SORT_KEY)


class Duplicate(DeskbellError):
    """The request was processed before; `record` is None if it has expired since."""

    def __init__(self, record: IdempotencyRecord | None) -> None:
        super().__init__("filed before")
        self.record = record


@dataclass
class Idempotency:
    table: Table

    def get(self, record: IdempotencyRecord) -> IdempotencyRecord | None:
        item = self.table.get(record.pk, SORT_KEY, consistent=True)
        return read_record(record, item) if item else None

    def get_first(self, records: Sequence[IdempotencyRecord]) -> IdempotencyRecord | None:
        """The first of several records (at most 100) that is stored, in one read."""
        keys = [record.key for record in records]
        items = {item["pk"]["S"]: item for item in self.table.batch_get(keys, consistent=True)}
        for record in records:
            if record.pk in items:
                return read_record(record, items[record.pk])
        return None

    def put_once(self, record: IdempotencyRecord, now: datetime, kept_for: timedelta) -> bool:
        item = record_item(record, now + kept_for)
        return self.table.put_if("attribute_not_exists(pk)", item)

    def write(self, record: IdempotencyRecord, after: Ticket) -> Write:
        """The write that adds a request's record to the commit that processes the request."""
        # The record of a message to a merged ticket has that ticket's number.
        noted = replace(record, number=record.number or after.number)
        return "idempotency", {
            "Put": {
                "TableName": self.table.name,
                "Item": record_item(noted, after.updated_at + KEPT_FOR),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }


def record_item(record: IdempotencyRecord, expires_at: datetime) -> Item:
    return record.key | {
        "number": {"S": record.number},
        "body": {"S": record.body},
        "expires_at": {"N": str(int(expires_at.timestamp()))},
    }


def read_record(key: IdempotencyRecord, item: Item) -> IdempotencyRecord:
    """The record of an item; `key` supplies the id, of which the item has only a digest."""
    return replace(key, body=item["body"]["S"], number=item["number"]["S"])
