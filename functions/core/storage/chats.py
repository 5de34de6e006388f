"""The chats with the assistant: one item each, which expires by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.domain.chat import Chat
from functions.core.domain.errors import Conflict
from functions.core.storage.items import due_attributes
from functions.core.storage.table import key

if TYPE_CHECKING:
    from functions.core.storage.table import Item, Table

SORT_KEY = "CHAT"
_REPLY = "REPLY#"
KEPT_FOR = timedelta(days=30)
"""The time that a chat is kept after its last message; a ticket keeps its own conversation."""


@dataclass
class Chats:
    """The chats of all desks."""

    table: Table

    def get(self, desk: str, chat: str) -> Chat | None:
        """Return a chat, as it was written last."""
        item = self.table.get(_partition(desk, chat), SORT_KEY, consistent=True)
        return None if item is None else Chat.model_validate_json(item["body"]["S"])

    def put(self, chat: Chat) -> Chat:
        """Write the next version of a chat, and return it; version 0 is a new chat.

        Raises:
            Conflict: somebody else wrote meanwhile.
        """
        after = chat.changed(version=chat.version + 1)
        item: Item = key(_partition(chat.desk, chat.id), SORT_KEY) | {
            "version": {"N": str(after.version)},
            "body": {"S": after.model_dump_json(exclude_defaults=True)},
            "expires_at": {"N": str(int((chat.changed_at + KEPT_FOR).timestamp()))},
        }
        item |= due_attributes(chat.id, after.looks_at)
        if not self.table.put_next(item, chat.version):
            raise Conflict(f"the chat {chat.id} changed meanwhile")
        return after

    def keep_reply(
        self, desk: str, chat: str, version: int, message: str, sealed: str, now: datetime
    ) -> None:
        """Keep a message about a version of the chat's ticket, sealed for the chat.

        Args:
            message: the playbook's message; "" for what an agent wrote.
        """
        item: Item = key(_partition(desk, chat), f"{_REPLY}{version:08}#{message}") | {
            "said": {"S": sealed},
            "expires_at": {"N": str(int((now + KEPT_FOR).timestamp()))},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def replies(self, desk: str, chat: str, first: int) -> dict[tuple[int, str], str]:
        """Return the sealed messages from a version of the ticket on, by version and message."""
        found = self.table.query(
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": _partition(desk, chat)},
                ":first": {"S": f"{_REPLY}{first:08}"},
                ":last": {"S": f"{_REPLY}~"},
            },
        )
        kept = {}
        for item in found:
            version, _, message = item["sk"]["S"].removeprefix(_REPLY).partition("#")
            kept[int(version), message] = item["said"]["S"]
        return kept

    def delete(self, desk: str, chat: str) -> None:
        """Delete a chat whose customer is erased; only an erasure may."""
        pk = _partition(desk, chat)
        for item in self.table.query(
            KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": pk}}
        ):
            found = {"pk": item["pk"], "sk": item["sk"]}
            self.table.client.delete_item(TableName=self.table.name, Key=found)


def chat_of_key(pk: str) -> tuple[str, str]:
    """Return the desk and id of the chat with a partition key."""
    _, desk, chat = pk.split("#")
    return desk, chat


def chat_of(contact: str) -> str:
    """Return the id of a person's chat on a provider's channel, by the contact's hash."""
    return contact[:32]


def _partition(desk: str, chat: str) -> str:
    return f"CHAT#{desk}#{chat}"
