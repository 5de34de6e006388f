"""Phone calls: one item each, which expires by itself. All of it is sealed.

The key derives from the deployment's root key, the desk and the call, as for drafts: an agent's
call opens the item to fill in a ticket. The `queue` index lists a desk's calls by their beginning,
the `contact` index those of a customer, for an erasure.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.core.domain.calls import PhoneCall
from functions.core.domain.errors import Conflict, DeadLetter
from functions.core.storage.table import key, stamp
from functions.core.text.tokens import derive

if TYPE_CHECKING:
    from functions.core.storage.table import Item, Table

SORT_KEY = "CALL"
KEPT_FOR = timedelta(days=90)
"""The time that a call is kept after its last report, as raw mails are; a ticket keeps its text."""

MAX_SEALED = 350_000
"""The maximum bytes of a sealed call: an item has 400 KB."""


@dataclass
class Calls:
    """The phone calls of all desks."""

    table: Table

    def get(self, desk: str, call: str, root: bytes) -> PhoneCall | None:
        """Return a call, as it was written last."""
        item = self.table.get(_partition(desk, call), SORT_KEY, consistent=True)
        return None if item is None else _read(item, root)

    def put(self, call: PhoneCall, contact: str | None, root: bytes) -> PhoneCall:
        """Write the next version of a call, and return it.

        Args:
            contact: the keyed hash of the customer's number, None if it is withheld.

        Raises:
            Conflict: somebody else wrote meanwhile.
            DeadLetter: the call does not fit into an item.
        """
        after = call.changed(version=call.version + 1)
        sealed = _seal(after, root)
        if len(sealed) > MAX_SEALED:
            raise DeadLetter(f"the transcript of the call {call.id} is too long")
        begun = stamp(call.begun_at)
        item: Item = key(_partition(call.desk, call.id), SORT_KEY) | {
            "version": {"N": str(after.version)},
            "sealed": {"S": sealed},
            "expires_at": {"N": str(int((call.changed_at + KEPT_FOR).timestamp()))},
            "queue_pk": {"S": _queue(call.desk)},
            "queue_sk": {"S": f"{begun}#{call.id}"},
        }
        if contact is not None:
            item |= {
                "contact_pk": {"S": _contact(call.desk, contact)},
                "contact_sk": {"S": begun},
            }
        if not self.table.put_next(item, call.version):
            raise Conflict(f"the call {call.id} changed meanwhile")
        return after

    def recent(self, desk: str, limit: int, root: Callable[[], bytes]) -> list[PhoneCall]:
        """Return a desk's newest calls, the last one first; a desk without calls needs no key."""
        listed, _ = self.table.query_page(
            IndexName="queue",
            KeyConditionExpression="queue_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _queue(desk)}},
            ScanIndexForward=False,
            Limit=limit,
        )
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in listed]
        calls = [_read(item, root()) for item in self.table.batch_get(keys, consistent=False)]
        return sorted(calls, key=lambda call: call.begun_at, reverse=True)

    def erase(self, desk: str, call: str) -> None:
        """Delete a call whose customer is erased; only an erasure may."""
        found = key(_partition(desk, call), SORT_KEY)
        self.table.client.delete_item(TableName=self.table.name, Key=found)

    def erase_contact(self, desk: str, contact: str) -> None:
        """Delete all calls of a customer who is erased; only an erasure may."""
        for found in self._keys_of(desk, contact):
            self.table.client.delete_item(TableName=self.table.name, Key=found)

    def of_contact(self, desk: str, contact: str, root: bytes) -> list[PhoneCall]:
        """Return the calls of a customer, the first one first."""
        found = self.table.batch_get(self._keys_of(desk, contact), consistent=True)
        calls = [_read(item, root) for item in found]
        return sorted(calls, key=lambda call: call.begun_at)

    def _keys_of(self, desk: str, contact: str) -> list[Item]:
        listed = self.table.query(
            IndexName="contact",
            KeyConditionExpression="contact_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _contact(desk, contact)}},
        )
        return [{"pk": item["pk"], "sk": item["sk"]} for item in listed]


def _partition(desk: str, call: str) -> str:
    return f"CALL#{desk}#{call}"


def _queue(desk: str) -> str:
    return f"{desk}#calls"


def _contact(desk: str, contact: str) -> str:
    """The partition of the `contact` index; that of a customer's tickets has no middle part."""
    return f"{desk}#calls#{contact}"


def _read(item: Item, root: bytes) -> PhoneCall:
    from cryptography.fernet import Fernet

    _, desk, call = item["pk"]["S"].split("#")
    opened = Fernet(_key(root, desk, call)).decrypt(item["sealed"]["S"])
    return PhoneCall.model_validate_json(zlib.decompress(opened))


def _seal(call: PhoneCall, root: bytes) -> str:
    from cryptography.fernet import Fernet

    body = zlib.compress(call.model_dump_json(exclude_defaults=True).encode())
    return Fernet(_key(root, call.desk, call.id)).encrypt(body).decode()


def _key(root: bytes, desk: str, call: str) -> bytes:
    return urlsafe_b64encode(derive(root, f"call/{desk}/{call}"))
