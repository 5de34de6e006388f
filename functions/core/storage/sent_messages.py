"""Messages that a provider may report as failed later: which delivery each belongs to (E11, G3).

A provider names a message by the id that it gave it. The item of an id is written once, by
whichever comes first: `notify` writes its delivery, intake the report of its failure. The second
one finds the first, so the order does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from functions.core.storage.table import Item, key, parse_stamp, stamp

if TYPE_CHECKING:
    from functions.core.domain.delivery import Delivery
    from functions.core.storage.table import Table

SORT_KEY = "SENT"
KEPT_FOR = timedelta(days=14)
"""The time in which a report finds its delivery; providers report within minutes, or a few days."""


class SentMessage(NamedTuple):
    """The delivery of a message, and when the provider accepted it."""

    number: str
    delivery_id: str
    at: datetime


@dataclass
class SentMessages:
    """The messages of all desks and channels, by the provider's id."""

    table: Table

    def keep(self, channel: str, message_id: str, delivery: Delivery, now: datetime) -> str | None:
        """Keep the delivery of a message; return why it failed if that was reported already."""
        item = self._write(
            (delivery.desk, channel, message_id),
            {"number": {"S": delivery.number}, "delivery": {"S": delivery.id}},
            now,
        )
        return item["failed"]["S"] if item and "failed" in item else None

    def report_failed(
        self, desk: str, channel: str, message_id: str, cause: str, now: datetime
    ) -> SentMessage | None:
        """Return the delivery of a message that failed; without one, keep the report for it."""
        item = self._write((desk, channel, message_id), {"failed": {"S": cause}}, now)
        if item is None or "delivery" not in item:
            return None
        return SentMessage(item["number"]["S"], item["delivery"]["S"], parse_stamp(item["at"]["S"]))

    def _write(self, message: tuple[str, str, str], attributes: Item, now: datetime) -> Item | None:
        """Write the item of a message; return the one that is there already."""
        desk, channel, message_id = message
        digest = sha256(message_id.encode()).hexdigest()[:32]
        pk = f"SENT#{desk}#{channel}#{digest}"
        item: Item = key(pk, SORT_KEY) | attributes
        item |= {
            "at": {"S": stamp(now)},
            "expires_at": {"N": str(int((now + KEPT_FOR).timestamp()))},
        }
        if self.table.put_if("attribute_not_exists(pk)", item):
            return None
        return self.table.get(pk, SORT_KEY, consistent=True)
