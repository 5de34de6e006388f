"""Short links of text messages: which ticket a code leads to (contract, `/t/{code}`).

Only a digest of the code is stored, so the table opens no ticket. A link ends with the generation
of the ticket's links, as every link to it does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from functions.core.domain.ticket import Ticket
from functions.core.storage.table import Item, Table, key

SORT_KEY = "LINK"
KEPT_FOR = timedelta(days=400)
"""The time that a link works at most; a text message near its end renews it."""

RENEWED_IN = timedelta(days=100)


@dataclass(frozen=True)
class ShortLink:
    """The ticket that a code leads to, at a generation of its links."""

    desk: str
    number: str
    generation: int


@dataclass
class ShortLinks:
    table: Table

    def keep(self, code: str, ticket: Ticket, now: datetime) -> None:
        """Store the link of a code; one that is stored already costs half a read."""
        stored = self.table.get(_partition(code), SORT_KEY)
        if stored is not None and int(stored["expires_at"]["N"]) > (now + RENEWED_IN).timestamp():
            return
        item: Item = key(_partition(code), SORT_KEY) | {
            "desk": {"S": ticket.desk},
            "number": {"S": ticket.number},
            "generation": {"N": str(ticket.link_generation)},
            "expires_at": {"N": str(int((now + KEPT_FOR).timestamp()))},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def get(self, code: str) -> ShortLink | None:
        item = self.table.get(_partition(code), SORT_KEY)
        if item is None:
            return None
        generation = int(item["generation"]["N"])
        return ShortLink(item["desk"]["S"], item["number"]["S"], generation)


def _partition(code: str) -> str:
    return f"LINK#{sha256(code.encode()).hexdigest()[:32]}"
