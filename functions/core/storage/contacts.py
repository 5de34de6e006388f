"""Contacts: a person's tickets, class, conversation, and erasure (A5, B10).

A contact is known by the hash of its address alone. A conversation also keeps what its channel
accepts for the person (`Allowance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.domain.allowance import UNKNOWN, Allowance
from functions.core.domain.errors import TryAgain
from functions.core.storage.idempotency import IdempotencyRecord, read_record
from functions.core.storage.items import ticket_of_key
from functions.core.storage.table import Item, key, parse_stamp, stamp

if TYPE_CHECKING:
    from functions.core.domain.ticket import Ticket
    from functions.core.storage.table import Table, Write


@dataclass(frozen=True)
class Conversation:
    """A person's chat on a channel, and the newest ticket opened there, None before the first."""

    desk: str
    contact_hash: str
    number: str | None = None
    allowance: Allowance = UNKNOWN

    @property
    def pk(self) -> str:
        return contact_key(self.desk, self.contact_hash)


class VerifiedContact(NamedTuple):
    """A contact that its owner verified: still sealed, None if it was not kept."""

    sealed: bytes | None
    undeliverable: bool


@dataclass(frozen=True)
class PriorRecords:
    """The records of a request and its sender before the request is processed.

    `former` is the record of a chat message without its sender, as earlier versions wrote it.
    """

    idempotency: IdempotencyRecord | None
    customer_class: str | None
    undeliverable: str | None = None
    former: IdempotencyRecord | None = None
    customer: str | None = None


def contact_key(desk: str, contact_hash: str) -> str:
    """The partition key of a contact's items."""
    return f"CONTACT#{desk}#{contact_hash}"


@dataclass
class Contacts:
    """The contacts of all desks."""

    table: Table

    def known(
        self, desk: str, idempotency: IdempotencyRecord | None, contact_hash: str | None
    ) -> PriorRecords:
        """The records of a request and its sender, in one read.

        The read may lag behind: the commit's condition catches a record that was written in the
        meantime.
        """
        contact = key(contact_key(desk, contact_hash or ""), "CONTACT")
        keys = [] if contact_hash is None else [contact]
        if idempotency is not None:
            keys.append(idempotency.key)
        return _known(idempotency, list(self.table.batch_get(keys, consistent=False)))

    def conversation(
        self,
        idempotency: IdempotencyRecord,
        contact_hash: str,
        former: IdempotencyRecord | None = None,
    ) -> tuple[PriorRecords, Conversation]:
        """The records of a chat message and its writer, and the writer's conversation.

        The read is consistent, so the second of two messages sent at once finds the ticket that the
        first one opened. An index would show it a moment later.
        """
        desk = idempotency.desk
        pk = contact_key(desk, contact_hash)
        keys = [idempotency.key, key(pk, "CONTACT"), key(pk, "TALK")]
        if former is not None:
            keys.append(former.key)
        items = list(self.table.batch_get(keys, consistent=True))
        talk: Item = next((item for item in items if item["sk"]["S"] == "TALK"), {})
        number = talk.get("number", {}).get("S")
        earlier = [i for i in items if former is not None and i["pk"]["S"] == former.pk]
        known = _known(idempotency, [i for i in items if i not in earlier])
        if former is not None and earlier:
            known = replace(known, former=read_record(former, earlier[0]))
        return known, Conversation(desk, contact_hash, number, _read_allowance(talk))

    def write_conversation(self, conversation: Conversation, after: Ticket) -> Write:
        """The write that moves a conversation to the ticket of a commit, unless it moved since."""
        item = key(conversation.pk, "TALK") | {"number": {"S": after.number}}
        item |= _allowance_attributes(conversation.allowance)
        put: Item = {
            "TableName": self.table.name,
            "Item": item,
            "ExpressionAttributeNames": {"#number": "number"},
        }
        if conversation.number is None:
            put["ConditionExpression"] = "attribute_not_exists(#number)"
        else:
            put["ConditionExpression"] = "#number = :number"
            put["ExpressionAttributeValues"] = {":number": {"S": conversation.number}}
        return "conversation", {"Put": put}  # type: ignore[typeddict-item]  # built in parts

    def write_allowance(self, conversation: Conversation) -> Write:
        """The write that keeps what a message into an open conversation allows."""
        attributes = _allowance_attributes(conversation.allowance)
        kept = ", ".join(f"#{name} = :{name}" for name in attributes)
        gone = ", ".join(f"#{name}" for name in _ALLOWANCE if name not in attributes)
        update: Item = {
            "TableName": self.table.name,
            "Key": key(conversation.pk, "TALK"),
            "UpdateExpression": f"SET {kept}" + (f" REMOVE {gone}" if gone else ""),
            "ExpressionAttributeNames": {f"#{name}": name for name in _ALLOWANCE},
            "ExpressionAttributeValues": {f":{name}": value for name, value in attributes.items()},
        }
        return "allowance", {"Update": update}  # type: ignore[typeddict-item]  # built in parts

    def allowance(self, desk: str, contact_hash: str) -> Allowance:
        """Return what a person's channel accepts, as their last message allowed it."""
        talk = self.table.get(contact_key(desk, contact_hash), "TALK", consistent=True)
        return _read_allowance(talk or {})

    def count(self, desk: str, contact_hash: str, now: datetime, messages: int) -> Allowance | None:
        """Count more messages to a person and return what was allowed; None if nothing counts them,
        or not so many are left.
        """
        talk = self._add_to_count(desk, contact_hash, -messages, messages, "#until > :at", now)
        return None if talk is None else _read_allowance(talk)

    def uncount(self, desk: str, contact_hash: str, allowance: Allowance, messages: int) -> None:
        """Take back the count of messages that did not go out, unless the person wrote since."""
        if allowance.until is not None and allowance.left is not None:
            self._add_to_count(desk, contact_hash, messages, 0, "#until = :at", allowance.until)

    def _add_to_count(
        self, desk: str, contact_hash: str, change: int, least: int, condition: str, at: datetime
    ) -> Item | None:
        return self.table.updated_if(
            f"#left >= :least AND {condition}",
            contact_key(desk, contact_hash),
            "TALK",
            UpdateExpression="SET #left = #left + :change",
            ExpressionAttributeNames={"#left": "left", "#until": "until"},
            ExpressionAttributeValues={
                ":change": {"N": str(change)},
                ":least": {"N": str(least)},
                ":at": {"S": stamp(at)},
            },
            ReturnValues="ALL_NEW",
        )

    def keep_verified(self, desk: str, contact_hash: str, sealed: bytes) -> None:
        """Keep a verified contact, sealed, for what a chat channel does not take."""
        self._update(desk, contact_hash, "sealed", {"B": sealed})

    def verified(self, desk: str, contact_hash: str) -> VerifiedContact:
        """Return what is kept of a contact that may be written to in place of a chat channel."""
        item = self.table.get(contact_key(desk, contact_hash), "CONTACT") or {}
        return VerifiedContact(item.get("sealed", {}).get("B"), "undeliverable" in item)

    def set_class(self, desk: str, contact_hash: str, customer_class: str | None) -> None:
        """Store a contact's class for its next requests (A5); None removes it."""
        self._set(desk, contact_hash, "class", customer_class)

    def classes(self, desk: str, contacts: Sequence[str]) -> dict[str, str]:
        """Return contact → class of those that have one."""
        keys = [key(contact_key(desk, contact), "CONTACT") for contact in contacts]
        return {
            item["pk"]["S"].rpartition("#")[2]: item["class"]["S"]
            for item in self.table.batch_get(keys, consistent=True)
            if "class" in item
        }

    def set_undeliverable(self, desk: str, contact_hash: str, reason: str | None) -> None:
        """Store why no mail goes to a contact; None marks it as deliverable again."""
        self._set(desk, contact_hash, "undeliverable", reason)

    def _set(self, desk: str, contact_hash: str, attribute: str, value: str | None) -> None:
        self._update(desk, contact_hash, attribute, None if value is None else {"S": value})

    def _update(self, desk: str, contact_hash: str, attribute: str, value: Item | None) -> None:
        values: Item = {}
        if value is not None:
            values = {"ExpressionAttributeValues": {":v": value}}
        self.table.client.update_item(
            TableName=self.table.name,
            Key=key(contact_key(desk, contact_hash), "CONTACT"),
            UpdateExpression="SET #attribute = :v" if values else "REMOVE #attribute",
            ExpressionAttributeNames={"#attribute": attribute},
            **values,
        )

    def tickets(self, desk: str, contact_hash: str, limit: int | None = None) -> list[str]:
        """The numbers of a contact's tickets, newest first; all without a limit."""
        query: Any = {
            "IndexName": "contact",
            "KeyConditionExpression": "contact_pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": f"{desk}#{contact_hash}"}},
            "ScanIndexForward": False,
        }
        if limit is None:
            items = list(self.table.query(**query))
        else:
            items, _ = self.table.query_page(**query, Limit=limit)
        return [ticket_of_key(item["pk"]["S"])[1] for item in items]

    def opened_since(
        self, desk: str, contact_hash: str, since: datetime, limit: int
    ) -> dict[str, datetime]:
        """Number → time of receipt of a contact's newest tickets, as far back as `since`."""
        items, _ = self.table.query_page(
            IndexName="contact",
            KeyConditionExpression="contact_pk = :pk AND contact_sk > :since",
            ExpressionAttributeValues={
                ":pk": {"S": f"{desk}#{contact_hash}"},
                ":since": {"S": stamp(since)},
            },
            ScanIndexForward=False,
            Limit=limit,
        )
        return {
            ticket_of_key(item["pk"]["S"])[1]: parse_stamp(item["contact_sk"]["S"])
            for item in items
        }

    def forget(self, desk: str, contact_hash: str) -> None:
        """Remove a contact's class, deliverability and conversation (B10).

        Raises:
            TryAgain: another writer changed them at the same time.
        """
        pk = contact_key(desk, contact_hash)
        failures = self.table.transact(
            [
                (kind, {"Delete": {"TableName": self.table.name, "Key": key(pk, kind)}})
                for kind in ("CONTACT", "TALK")
            ]
        )
        if failures:
            raise TryAgain(f"the contact was not deleted: {failures}")

    def begin_erasure(self, desk: str, contact_hash: str, numbers: Sequence[str]) -> list[str]:
        """Note which tickets of a contact are to be erased; return all that are noted, sorted.

        An erased ticket no longer names its contact, so an interrupted erasure is found by this
        note alone (B10).
        """
        pk = contact_key(desk, contact_hash)
        if not numbers:
            noted: Any = self.table.get(pk, "ERASURE", consistent=True) or {}
        else:
            noted = self.table.client.update_item(
                TableName=self.table.name,
                Key=key(pk, "ERASURE"),
                UpdateExpression="ADD numbers :numbers",
                ExpressionAttributeValues={":numbers": {"SS": list(numbers)}},
                ReturnValues="ALL_NEW",
            )["Attributes"]
        return sorted(noted["numbers"]["SS"]) if "numbers" in noted else []

    def end_erasure(self, desk: str, contact_hash: str) -> None:
        """Remove the note of `begin_erasure`."""
        self.table.client.delete_item(
            TableName=self.table.name, Key=key(contact_key(desk, contact_hash), "ERASURE")
        )


def _known(idempotency: IdempotencyRecord | None, items: Sequence[Item]) -> PriorRecords:
    by_kind = {item["sk"]["S"]: item for item in items}
    contact, record = by_kind.get("CONTACT", {}), by_kind.get("SEEN")
    return PriorRecords(
        idempotency=read_record(idempotency, record) if idempotency and record else None,
        customer_class=contact.get("class", {}).get("S"),
        undeliverable=contact.get("undeliverable", {}).get("S"),
        customer=contact.get("customer", {}).get("S"),
    )


_ALLOWANCE = ("until", "left", "session", "session_until")
"""Attributes of a conversation that say what its channel accepts."""


def _allowance_attributes(allowance: Allowance) -> Item:
    attributes: Item = {}
    if allowance.until is not None:
        attributes["until"] = {"S": stamp(allowance.until)}
    if allowance.left is not None:
        attributes["left"] = {"N": str(allowance.left)}
    if allowance.session and allowance.session_until is not None:
        attributes["session"] = {"S": allowance.session}
        attributes["session_until"] = {"S": stamp(allowance.session_until)}
    return attributes


def _read_allowance(talk: Item) -> Allowance:
    def moment(name: str) -> datetime | None:
        return parse_stamp(talk[name]["S"]) if name in talk else None

    return Allowance(
        until=moment("until"),
        left=int(talk["left"]["N"]) if "left" in talk else None,
        session=talk.get("session", {}).get("S", ""),
        session_until=moment("session_until"),
    )
