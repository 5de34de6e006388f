"""Drafts of agents: one item for a ticket and an agent, in the ticket's partition, sealed.

The key derives from the deployment's root key, the ticket and the agent, so the table has nothing
readable, and an item that is copied elsewhere opens nowhere. While a text waits to be sent, the
`due` index lists the item for the sweep.

Only an erasure deletes items: a draft without a text is written without content and expires.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.domain.drafts import Draft
from functions.core.domain.errors import Conflict
from functions.core.storage.items import due_attributes, ticket_key, ticket_of_key
from functions.core.storage.table import beginning, key
from functions.core.text.tokens import derive

if TYPE_CHECKING:
    from functions.core.storage.table import Item, Table

PREFIX = "DRAFT#"
KEPT_FOR = timedelta(days=60)
"""The time that a draft is kept after it was saved last."""

ENDED_KEPT_FOR = timedelta(days=1)
"""The time that the version of a draft without a text is kept, for windows that still show it."""


@dataclass
class Drafts:
    """The drafts of all desks."""

    table: Table

    def get(self, desk: str, number: str, agent: str, root: bytes) -> Draft | None:
        """Return the draft of an agent on a ticket, as it was written last."""
        item = self.table.get(ticket_key(desk, number), f"{PREFIX}{agent}", consistent=True)
        return None if item is None else _read(item, root)

    def of(self, desk: str, numbers: Iterable[str], agent: str, root: bytes) -> dict[str, Draft]:
        """Return the drafts of an agent on several tickets, by number, in one read."""
        keys = [key(ticket_key(desk, number), f"{PREFIX}{agent}") for number in numbers]
        drafts = (_read(item, root) for item in self.table.batch_get(keys, consistent=True))
        return {draft.number: draft for draft in drafts}

    def put(self, draft: Draft, root: bytes, now: datetime) -> Draft:
        """Write the next version of a draft, and return it.

        Raises:
            Conflict: somebody else wrote meanwhile, as another window of the agent.
        """
        after = draft.changed(version=draft.version + 1)
        kept_for = ENDED_KEPT_FOR if after.is_empty else KEPT_FOR
        item: Item = key(ticket_key(draft.desk, draft.number), f"{PREFIX}{draft.agent}") | {
            "version": {"N": str(after.version)},
            "edition": {"N": str(after.edition)},
            "expires_at": {"N": str(int((now + kept_for).timestamp()))},
        }
        if not after.is_empty:
            item["sealed"] = {"S": _seal(after, root)}
        if after.outgoing is not None:
            item |= due_attributes(draft.number, after.outgoing.send_at)
        # A draft that has expired meanwhile is no contradiction.
        if not self.table.put_if(
            "attribute_not_exists(pk) OR version = :version",
            item,
            ExpressionAttributeValues={":version": {"N": str(draft.version)}},
        ):
            raise Conflict(f"the draft on {draft.number} changed meanwhile")
        return after

    def erase(self, desk: str, number: str) -> None:
        """Delete all drafts on a ticket whose customer is erased; only an erasure may."""
        for item in self.table.query(**beginning(ticket_key(desk, number), PREFIX)):
            found = {"pk": item["pk"], "sk": item["sk"]}
            self.table.client.delete_item(TableName=self.table.name, Key=found)


def agent_of_key(sk: str) -> str:
    """Return the username of whose draft has a sort key."""
    return sk.removeprefix(PREFIX)


def _read(item: Item, root: bytes) -> Draft:
    from cryptography.fernet import Fernet

    desk, number = ticket_of_key(item["pk"]["S"])
    agent = agent_of_key(item["sk"]["S"])
    version, edition = int(item["version"]["N"]), int(item["edition"]["N"])
    if "sealed" not in item:
        ended = datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) - ENDED_KEPT_FOR
        empty = Draft(desk=desk, number=number, agent=agent, saved_at=ended)
        return empty.changed(version=version, edition=edition)
    opened = Fernet(_key(root, desk, number, agent)).decrypt(item["sealed"]["S"])
    draft = Draft.model_validate_json(opened)
    return draft.changed(version=version, edition=edition)


def _seal(draft: Draft, root: bytes) -> str:
    from cryptography.fernet import Fernet

    body = draft.model_dump_json(exclude_defaults=True).encode()
    return Fernet(_key(root, draft.desk, draft.number, draft.agent)).encrypt(body).decode()


def _key(root: bytes, desk: str, number: str, agent: str) -> bytes:
    return urlsafe_b64encode(derive(root, f"draft/{desk}/{number}/{agent}"))
