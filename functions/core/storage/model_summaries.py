"""The summary that a language model wrote of each ticket, for one version of the ticket.

It has a partition of its own, so that the function that writes it may write no ticket.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.domain.ticket import Ticket
from functions.core.storage.table import Item, Table, key, parse_stamp, stamp

SORT_KEY = "SUMMARY"
ERASURE_KEPT_FOR = timedelta(days=1)
"""Longer than any summary takes that was begun before the erasure."""


@dataclass(frozen=True)
class ModelSummary:
    """A summary: masked text, the version of the ticket that it is about, and the model."""

    text: str
    version: int
    at: datetime
    model: str


@dataclass
class ModelSummaries:
    """The summaries of all desks."""

    table: Table

    def get(self, desk: str, number: str) -> ModelSummary | None:
        item = self.table.get(_partition(desk, number), SORT_KEY)
        return self.read([item] if item else [])

    def key(self, desk: str, number: str) -> Item:
        """Return the key of a ticket's summary, for a read that has others too (`read`)."""
        return key(_partition(desk, number), SORT_KEY)

    def read(self, items: Iterable[Item]) -> ModelSummary | None:
        """Return the summary among items, None if there is none."""
        for item in items:
            if item["sk"]["S"] == SORT_KEY and "text" in item:
                return ModelSummary(
                    item["text"]["S"],
                    int(item["version"]["N"]),
                    parse_stamp(item["at"]["S"]),
                    item["model"]["S"],
                )
        return None

    def keep(self, desk: str, number: str, summary: ModelSummary) -> None:
        """Store a summary unless there is one of this version or a later one."""
        item: Item = {
            **key(_partition(desk, number), SORT_KEY),
            "version": {"N": str(summary.version)},
            "text": {"S": summary.text},
            "at": {"S": stamp(summary.at)},
            "model": {"S": summary.model},
        }
        self.table.put_if(
            "attribute_not_exists(pk) OR version < :version",
            item,
            ExpressionAttributeValues={":version": item["version"]},
        )

    def erase(self, ticket: Ticket, now: datetime) -> None:
        """Delete a ticket's summary (B10).

        The item stays for a while without text, so that no summary of this or an earlier version,
        which is being written meanwhile, can be stored.
        """
        item: Item = {
            **key(_partition(ticket.desk, ticket.number), SORT_KEY),
            "version": {"N": str(ticket.version)},
            "expires_at": {"N": str(int((now + ERASURE_KEPT_FOR).timestamp()))},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)


def _partition(desk: str, number: str) -> str:
    return f"SUMMARY#{desk}#{number}"
