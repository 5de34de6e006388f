"""Customers' records: one item each, and on each identity's item the id of its record (C1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from functions.core.domain.customers import (
    CustomerRecord,
    Identity,
    Proof,
    joined,
    left_by,
    separated,
)
from functions.core.domain.errors import NotFound, TryAgain
from functions.core.storage.contacts import contact_key
from functions.core.storage.table import Item, at_version, key

if TYPE_CHECKING:
    from functions.core.storage.table import Table, Write

SORT_KEY = "CUSTOMER"
_TRIES = 4


@dataclass
class Customers:
    """The customers of all desks."""

    table: Table

    def get(self, desk: str, customer: str) -> CustomerRecord | None:
        """Return a record by its id."""
        item = self.table.get(_partition(desk, customer), SORT_KEY, consistent=True)
        return None if item is None else CustomerRecord.model_validate_json(item["body"]["S"])

    def of(self, desk: str, identity: str, *, consistent: bool = False) -> CustomerRecord | None:
        """Return the record of an identity, by its hash; None if it was joined with no other."""
        customer = self.id_of(desk, identity, consistent=consistent)
        return self.get(desk, customer) if customer else None

    def id_of(self, desk: str, identity: str, *, consistent: bool = True) -> str | None:
        """Return the id of an identity's record, None if it has none."""
        item = self.table.get(contact_key(desk, identity), "CONTACT", consistent=consistent) or {}
        return str(item["customer"]["S"]) if "customer" in item else None

    def join(
        self, desk: str, identities: Sequence[Identity], proof: Proof, at: datetime
    ) -> CustomerRecord | None:
        """Join identities into one record; return it, None if a single one was given.

        The first identity's record, or the first that there is, takes the others in. Joining again
        changes nothing.

        Raises:
            TryAgain: somebody else joined the same customers meanwhile.
        """
        if len({each.hash for each in identities}) < 2:
            return None
        for _ in range(_TRIES):
            records: dict[str, CustomerRecord] = {}
            for each in identities:
                record = self.of(desk, each.hash, consistent=True)
                if record is not None:
                    records.setdefault(record.id, record)
            found = tuple(records.values()) or (CustomerRecord(desk=desk, id=uuid4().hex),)
            after = joined(found, identities, proof, at)
            if after is None:
                return found[0]
            # What the other records knew is in the first one now; they stay, empty.
            if self._write((after, *(each.changed(identities=(), joins=()) for each in found[1:]))):
                return after.changed(version=after.version + 1)
        raise TryAgain("the customer was joined by somebody else meanwhile")

    def separate(
        self, desk: str, customer: str, join: int, *, by: str, reason: str, at: datetime
    ) -> CustomerRecord:
        """Undo a join and return the record that is left.

        Raises:
            NotFound: there is no such record, or no such join.
            TryAgain: the record changed meanwhile.
        """
        record = self.get(desk, customer)
        if record is None:
            raise NotFound("There is no such customer.")
        try:
            left, apart = separated(record, join, uuid4().hex, by=by, reason=reason, at=at)
        except IndexError:
            raise NotFound("There is no such join, or it was undone before.") from None
        if not self._write((left, apart)):
            raise TryAgain("the customer changed meanwhile")
        return left.changed(version=left.version + 1)

    def leave(self, desk: str, identity: str) -> None:
        """Take an erased contact out of its record.

        Raises:
            TryAgain: the record changed meanwhile.
        """
        record = self.of(desk, identity, consistent=True)
        if record is not None and not self._write((left_by(record, identity),)):
            raise TryAgain("the customer changed meanwhile")

    def forget(self, record: CustomerRecord) -> None:
        """Delete a record whose customer is erased; only an erasure may."""
        self.table.client.delete_item(
            TableName=self.table.name, Key=key(_partition(record.desk, record.id), SORT_KEY)
        )

    def _write(self, records: Sequence[CustomerRecord]) -> bool:
        """Write records with their identities' items, together; False if one of them changed."""
        writes: list[Write] = []
        for record in records:
            writes.append(self._put(record))
            writes += [self._point(record, each) for each in record.identities]
        return not self.table.transact(writes)

    def _put(self, record: CustomerRecord) -> Write:
        after = record.changed(version=record.version + 1)
        put: Item = {
            "TableName": self.table.name,
            "Item": key(_partition(record.desk, record.id), SORT_KEY)
            | {
                "version": {"N": str(after.version)},
                "body": {"S": after.model_dump_json(exclude_defaults=True)},
            },
            **at_version(record.version),
        }
        return "customer", {"Put": put}  # type: ignore[typeddict-item]  # built in parts

    def _point(self, record: CustomerRecord, identity: Identity) -> Write:
        return "identity", {
            "Update": {
                "TableName": self.table.name,
                "Key": key(contact_key(record.desk, identity.hash), "CONTACT"),
                "UpdateExpression": "SET customer = :customer",
                "ExpressionAttributeValues": {":customer": {"S": record.id}},
            }
        }


def _partition(desk: str, customer: str) -> str:
    return f"CUSTOMER#{desk}#{customer}"
