"""Deliveries of a ticket; every write is conditional on the state before it (E11, G3)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import DeadLetter
from functions.core.storage.items import FORMER_STATES, delivery_item, read_delivery, ticket_key
from functions.core.storage.table import Item, Table, Write, beginning, between, key

SORT_KEY = "DELIVERY#"
"""The beginning of the sort keys of deliveries."""

_PAGE = 30
"""Items per page, for reads that usually need only the first few."""

DeliveryList = list[Delivery]


@dataclass
class Deliveries:
    """The deliveries of all desks.

    Lists leave out items that cannot be read, which must not hide their ticket; `deskbell verify`
    names them.
    """

    table: Table

    def get(self, desk: str, number: str, sort_key: str) -> Delivery | None:
        """One delivery of a ticket.

        Raises:
            DeadLetter: it cannot be read.
        """
        item = self.table.get(ticket_key(desk, number), sort_key, consistent=True)
        return read_delivery(item) if item else None

    def of_commits(self, desk: str, number: str, first: int, last: int) -> DeliveryList:
        """The deliveries that the commits between two versions requested, both included."""
        keys = f"{SORT_KEY}{first:06}", f"{SORT_KEY}{last + 1:06}"
        return list(_readable(self.table.query(**between(ticket_key(desk, number), *keys))))

    def keys(self, desk: str, number: str, ids: Iterable[str]) -> list[Item]:
        """Return the keys of deliveries, for a read that has others too (`read`)."""
        return [key(ticket_key(desk, number), f"{SORT_KEY}{each}") for each in ids]

    def read(self, items: Iterable[Item]) -> DeliveryList:
        """Return the deliveries among items, in the order of their keys."""
        found = [item for item in items if item["sk"]["S"].startswith(SORT_KEY)]
        return list(_readable(sorted(found, key=lambda item: str(item["sk"]["S"]))))

    def exists(self, desk: str, number: str, *, version: int) -> bool:
        """Return whether notify has claimed a delivery about a ticket's commit."""
        query = beginning(ticket_key(desk, number), f"{SORT_KEY}{version:06}")
        page, _ = self.table.query_page(**query, Limit=1)
        return bool(page)

    def newest_first(self, desk: str, number: str) -> Iterator[Delivery]:
        """The deliveries of a ticket, read consistently and page by page on demand."""
        query = _of_ticket(desk, number)
        yield from _readable(
            self.table.query(**query, ScanIndexForward=False, ConsistentRead=True, Limit=_PAGE)
        )

    def claim(self, delivery: Delivery) -> bool:
        return self.table.put_if("attribute_not_exists(pk)", delivery_item(delivery))

    def move(self, delivery: Delivery, expected: str | None) -> bool:
        """Write a delivery in its new state; False if its stored state is not the expected one.

        Args:
            expected: the stored state, None for a delivery that has no item yet because the claim
                of the commit's first delivery covers it.
        """
        if expected is None:
            return self.claim(delivery)
        former = FORMER_STATES.get(expected, expected)
        return self.table.put_if(
            "#state IN (:expected, :former)",
            delivery_item(delivery),
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":expected": {"S": expected}, ":former": {"S": former}},
        )

    def write_sent(self, acknowledgement: Delivery) -> Write:
        """The write that adds a message already sent to the commit that it acknowledges."""
        item = delivery_item(acknowledgement.model_copy(update={"lead": True}))
        return "acknowledgement", {"Put": {"TableName": self.table.name, "Item": item}}

    def list(self, desk: str, number: str) -> DeliveryList:
        return list(_readable(self.table.query(**_of_ticket(desk, number))))


def _readable(items: Iterable[Item]) -> Iterator[Delivery]:
    for item in items:
        with suppress(DeadLetter):
            yield read_delivery(item)


def _of_ticket(desk: str, number: str) -> Item:
    return beginning(ticket_key(desk, number), SORT_KEY)
