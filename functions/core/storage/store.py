"""DynamoDB: one table, three sparse indexes, one way to commit (docs/architecture.md draws it).

A commit is one `TransactWriteItems`: the ticket from version n to n+1 on condition, one item with
the events, the idempotency record where the request has one, and the places of the agents whose
hands the ticket changes. It happens whole or not at all, and the SDK's client token makes the
network's own retries harmless.

Limits kept in mind (AWS, "Service, account, and table quotas in Amazon DynamoDB"): an item has
400 KB at most, a transaction 100 items, a page of a query 1 MB.
"""

from __future__ import annotations

import json
import random
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import (
    Conflict,
    DeskbellError,
    NoPlaceLeft,
    NotFound,
    PlaybookError,
    TryAgain,
)
from functions.core.domain.events import SCHEMA_VERSION, Commit, Event, readers
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket, next_wake
from functions.core.storage.event_codec import dump, parse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

SHARDS = 4
"""Partitions of the `due` index: enough for 4,000 timer changes a second."""

PLAYBOOK_TTL = timedelta(seconds=30)
"""How long a playbook is trusted after it was read, by whomever; a new one takes effect within
60 s."""

PlaybookCache = dict[str, tuple[datetime, int, Playbook]]
"""Desk → when its playbook was read, the number of its version, and the playbook."""

CONFLICT_TRIES = 5
"""How often a transaction that met another one is tried again, over about a second in all."""

SEEN_FOR = timedelta(days=400)
"""How long a request is recognised as a repetition."""

_LONG_AGO = datetime.fromtimestamp(0, UTC)
_PAGE = 30
"""Items of one read where the first few are most often enough."""

Item = dict[str, Any]


class Duplicate(DeskbellError):
    """The request was filed before. `found` is its idempotency."""

    def __init__(self, found: IdempotencyRecord | None) -> None:
        super().__init__("filed before")
        self.found = found


@dataclass(frozen=True)
class IdempotencyRecord:
    """G1: the trace of a request that was filed, under its provider's own id.

    `body` is a digest of the request, so that a key that comes back with another body is noticed.
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


@dataclass(frozen=True)
class Conversation:
    """The newest ticket that somebody opened on a chat channel, None before the first."""

    desk: str
    contact_hash: str
    number: str | None = None

    @property
    def pk(self) -> str:
        return f"CONTACT#{self.desk}#{self.contact_hash}"


@dataclass(frozen=True)
class Known:
    """What is on file before a request is filed."""

    idempotency: IdempotencyRecord | None
    customer_class: str | None
    undeliverable: str | None = None


@dataclass(frozen=True)
class Opening:
    """The first commit of a ticket, and the customer's contact, still encrypted, beside it."""

    commit: Commit | None = None
    sealed: bytes | None = None


@dataclass(frozen=True)
class Change:
    """One ticket's part of a commit.

    `before` is the version that the decision was made on, None for a new ticket; `rank` the place
    in its queue (`lifecycle.queue_rank`); `sealed` the customer's contact, encrypted, with a new
    ticket only. With `by_hand` a person gave the ticket to its handler, who need not have a place
    free; `hooked` says that a webhook of the desk wants one of the events. `original` is what was
    hidden of the customer's words, encrypted, in pieces.
    """

    before: Ticket | None
    after: Ticket
    events: Sequence[Event]
    rank: str
    by_hand: bool = False
    hooked: bool = False
    sealed: bytes | None = None
    original: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Due:
    """Something that the sweep has to look at: a ticket, or a delivery to try again."""

    pk: str
    sk: str
    at: datetime

    @property
    def ticket(self) -> tuple[str, str]:
        """`(desk, number)` of the ticket that it belongs to."""
        _, desk, number = self.pk.split("#", 2)
        return desk, number


def stamp(at: datetime) -> str:
    """A moment as text of fixed width that sorts (UTC, microseconds)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(written: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(written)


def ticket_key(desk: str, number: str) -> str:
    return f"TICKET#{desk}#{number}"


def shard(number: str) -> str:
    """The partition of the `due` index that a ticket belongs to."""
    return f"DUE#{crc32(number.encode()) % SHARDS}"


def queue_key(ticket: Ticket) -> str:
    """The partition of the `queue` index that a ticket stands in."""
    detail = {
        "waiting": ticket.team,
        "agent": ticket.handler,
        "closed": (ticket.archived_at or ticket.updated_at).strftime("%Y-%m"),
    }.get(ticket.queue)
    return "#".join(filter(None, (ticket.desk, ticket.queue, detail)))


class Store:
    """The table, as the rooms use it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self.client = cast("DynamoDBClient", _Patient(client))
        self.table = table
        self._playbooks: PlaybookCache = {}

    # Tickets

    def load(self, desk: str, number: str) -> Ticket:
        """The newest version of a ticket, read consistently.

        Raises:
            NotFound: there is none.
        """
        found = self._get(ticket_key(desk, number), "TICKET", consistent=True)
        if found is None:
            raise NotFound("There is no such ticket.")
        return read_ticket(found)

    def load_since(self, desk: str, number: str, version: int) -> Ticket:
        """A ticket at `version` or a later one, for whoever was told of that version.

        Read at half the cost; where the replica that answers has not seen that version yet, read
        once more, consistently. It may still be older than the newest: what is decided on it
        meets `Conflict` then.

        Raises:
            NotFound: there is none.
        """
        found = self._get(ticket_key(desk, number), "TICKET")
        if found is None or int(found["version"]["N"]) < version:
            return self.load(desk, number)
        return read_ticket(found)

    def commit(
        self,
        before: Ticket | None,
        after: Ticket,
        events: Sequence[Event],
        *,
        actor: str,
        rank: str,
        idempotency: IdempotencyRecord | None = None,
        sealed: bytes | None = None,
        by_hand: bool = False,
        hooked: bool = False,
        told: Delivery | None = None,
        conversation: Conversation | None = None,
        original: tuple[bytes, ...] = (),
    ) -> None:
        """Write one change of a ticket, whole or not at all.

        Args:
            before: the version the decision was made on, None for a new ticket.
            after: the version to write.
            rank: the ticket's place in its queue (`lifecycle.queue_rank`).
            idempotency: the idempotency record of the request that opened or joined the ticket.
            sealed: the customer's contact, encrypted; with a new ticket, or a new contact.
            by_hand: a person gave the ticket to its handler, who need not have a place free.
            hooked: a webhook of the desk wants one of the events.
            original: what was hidden of the customer's words, encrypted, in pieces.
            told: what the customer is told in the answer to the very request, already sent.
            conversation: what was read of the person's conversation on a chat channel; it moves to
            this ticket.

        Raises:
            Conflict: the ticket has changed since `before`, or the conversation since it was read.
            NoPlaceLeft: the new handler is full or offline.
            Duplicate: the idempotency record was there already.
            TryAgain: the table was too busy.
        """
        change = Change(before, after, events, rank, by_hand, hooked, sealed, original)
        self.commit_all(
            (change,), actor=actor, idempotency=idempotency, told=told, conversation=conversation
        )

    def commit_all(
        self,
        changes: Sequence[Change],
        *,
        actor: str,
        idempotency: IdempotencyRecord | None = None,
        told: Delivery | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        """Write a change of each of several tickets, all of them or none.

        Each ticket is written on condition of its version, so what was decided on all of them
        together still holds when they are written. `marker`, `told` and `talk` are about the first
        ticket, and as `commit` says.

        Raises:
            Conflict, NoPlaceLeft, Duplicate, TryAgain: as `commit` says.
        """
        writes: list[tuple[str, TransactWriteItemTypeDef]] = []
        for change in changes:
            after = change.after
            item = self._event_item(change, actor)
            event: Any = {
                "TableName": self.table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
            put = self._ticket_put(change.before, after, change.rank)
            writes += [(f"ticket:{after.number}", {"Put": put}), ("event", {"Put": event})]
        first = changes[0].after
        if idempotency is not None:
            writes.append(("idempotency", {"Put": self._marker_put(idempotency, first)}))
        if told is not None:
            item = self._delivery_item(told.model_copy(update={"lead": True}))
            writes.append(("told", {"Put": {"TableName": self.table, "Item": item}}))
        if conversation is not None:
            writes.append(("talk", {"Put": self._talk_put(conversation, first)}))
        writes.extend(self._hands(changes))
        self._transact(writes, first, idempotency)

    def _ticket_put(self, before: Ticket | None, after: Ticket, rank: str) -> Any:
        item: Item = {
            "pk": {"S": ticket_key(after.desk, after.number)},
            "sk": {"S": "TICKET"},
            "version": {"N": str(after.version)},
            "body": {"S": _ticket_body(after)},
            "queue_pk": {"S": queue_key(after)},
            "queue_sk": {"S": rank},
            "contact_pk": {"S": f"{after.desk}#{after.customer.hash}"},
            "contact_sk": {"S": stamp(after.received_at)},
        }
        wake = next_wake(before, after)
        if wake is not None:
            item["due_pk"] = {"S": shard(after.number)}
            item["due_sk"] = {"S": stamp(wake)}
        put: Item = {"TableName": self.table, "Item": item}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :version"
            put["ExpressionAttributeValues"] = {":version": {"N": str(before.version)}}
        return put

    def _event_item(self, change: Change, actor: str) -> Item:
        after, events = change.after, change.events
        item: Item = {
            "pk": {"S": ticket_key(after.desk, after.number)},
            "sk": {"S": f"EVENT#{after.version:06}"},
            "at": {"S": stamp(after.updated_at)},
            "actor": {"S": actor},
            "schema": {"N": str(SCHEMA_VERSION)},
            "readers": {"S": readers(events, wanted_by_webhook=change.hooked)},
            "body": {"S": dump(tuple(events), after.updated_at)},
        }
        if change.sealed is not None:
            item["sealed"] = {"B": change.sealed}
        if change.original:
            item["original"] = {"L": [{"B": piece} for piece in change.original]}
        if after.desk in self._playbooks:
            read, version, _ = self._playbooks[after.desk]
            item["playbook"] = {"S": f"{version} {int(read.timestamp())}"}
        return item

    def _marker_put(self, idempotency: IdempotencyRecord, after: Ticket) -> Any:
        expires = int((after.updated_at + SEEN_FOR).timestamp())
        return {
            "TableName": self.table,
            "Item": {
                "pk": {"S": idempotency.pk},
                "sk": {"S": "SEEN"},
                # What was written to a merged ticket is known under that ticket's number.
                "number": {"S": idempotency.number or after.number},
                "body": {"S": idempotency.body},
                "expires_at": {"N": str(expires)},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }

    def _hands(self, changes: Sequence[Change]) -> Iterator[tuple[str, TransactWriteItemTypeDef]]:
        """The places that these changes take and give back, each agent's in one write."""
        net: Counter[str] = Counter()
        for change in changes:
            before = change.before
            net.subtract(filter(None, (before.in_hand_of if before else None,)))
            net.update(filter(None, (change.after.in_hand_of,)))
        after, by_hand = changes[0].after, all(change.by_hand for change in changes)
        for agent, count in net.items():
            if count < 0:
                yield "release", {"Update": self._place(after, agent, str(count), "released")}
            elif count > 0:
                claim = self._place(after, agent, str(count), "claimed")
                claim["UpdateExpression"] += ", assigned_at = :at"
                claim["ExpressionAttributeValues"][":at"] = {"S": stamp(after.updated_at)}
                claim["ConditionExpression"] = "attribute_exists(pk)"
                if not by_hand:
                    claim["ConditionExpression"] += " AND #online = :yes AND #load < #capacity"
                    claim["ExpressionAttributeNames"] |= {
                        "#capacity": "capacity",
                        "#online": "online",
                    }
                    claim["ExpressionAttributeValues"][":yes"] = {"BOOL": True}
                yield f"claim:{agent}", {"Update": claim}

    def _place(self, ticket: Ticket, agent: str, by: str, change: str) -> Any:
        return {
            "TableName": self.table,
            "Key": {"pk": {"S": f"DESK#{ticket.desk}"}, "sk": {"S": f"AGENT#{agent}"}},
            "UpdateExpression": "SET #load = if_not_exists(#load, :none) + :by, #change = :change",
            "ExpressionAttributeNames": {"#load": "load", "#change": "change"},
            "ExpressionAttributeValues": {
                ":by": {"N": by},
                ":none": {"N": "0"},
                ":change": {"S": change},
            },
        }

    def _transact(
        self,
        writes: Sequence[tuple[str, TransactWriteItemTypeDef]],
        after: Ticket,
        idempotency: IdempotencyRecord | None,
    ) -> None:
        failed = self._cancelled(writes)
        for tried in range(CONFLICT_TRIES):
            # Others were writing one of these items at this very moment; a moment later each
            # condition says what has become of it.
            if not failed or not set(failed.values()) <= _MOMENTARY:
                break
            time.sleep(random.uniform(0.01, 0.04) * 2**tried)  # noqa: S311 - spreads, hides nothing
            failed = self._cancelled(writes)
        refused = {name for name, why in failed.items() if why == "ConditionalCheckFailed"}
        if "idempotency" in refused and idempotency is not None:
            raise Duplicate(self.seen(idempotency))
        for name in refused:
            if name.startswith(("ticket:", "event", "talk")):
                number = name.partition(":")[2] or after.number
                raise Conflict(f"{number} has changed since")
        for name in refused:
            if name.startswith("claim:"):
                raise NoPlaceLeft(name.removeprefix("claim:"))
        if failed:
            raise TryAgain(f"{after.number}: {failed}")

    def _cancelled(self, writes: Sequence[tuple[str, TransactWriteItemTypeDef]]) -> dict[str, str]:
        """Carry out a transaction; which writes cancelled it and why, empty where none did."""
        from botocore.exceptions import ClientError

        try:
            self.client.transact_write_items(TransactItems=[write for _, write in writes])
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = error.response.get("CancellationReasons", [])
            found = {
                name: reason.get("Code", "None")
                for (name, _), reason in zip(writes, reasons, strict=False)
                if reason.get("Code", "None") != "None"
            }
            return found or {"transaction": "unknown"}
        return {}

    def history(self, desk: str, number: str, upto: int = 0) -> list[Commit]:
        """Every commit of a ticket, oldest first.

        Args:
            upto: the version that the caller knows of. Where the replica that answers has not seen
                that yet, the history is read once more, consistently.
        """
        commits: list[Commit] = []
        for consistent in (False, True):
            items = self._query(
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={
                    ":pk": {"S": ticket_key(desk, number)},
                    ":sk": {"S": "EVENT#"},
                },
                ConsistentRead=consistent,
            )
            commits = [read_commit(item) for item in items]
            if upto <= (commits[-1].version if commits else 0):
                break
        return commits

    def commit_at(self, desk: str, number: str, version: int) -> Commit | None:
        """One commit of a ticket."""
        found = self._get(ticket_key(desk, number), f"EVENT#{version:06}", consistent=True)
        return read_commit(found) if found else None

    def original(
        self, desk: str, number: str, version: int
    ) -> tuple[Commit, tuple[bytes, ...]] | None:
        """A commit and what was hidden of it, still encrypted; None where nothing is sealed."""
        found = self._get(ticket_key(desk, number), f"EVENT#{version:06}", consistent=True)
        if found is None or "original" not in found:
            return None
        return read_commit(found), tuple(piece["B"] for piece in found["original"]["L"])

    def once(self, idempotency: IdempotencyRecord, now: datetime, kept: timedelta) -> bool:
        """Note that something was done, for so long; False where it was done before."""
        item: Item = {
            "pk": {"S": idempotency.pk},
            "sk": {"S": "SEEN"},
            "number": {"S": idempotency.number},
            "body": {"S": idempotency.body},
            "expires_at": {"N": str(int((now + kept).timestamp()))},
        }
        return self._where(
            self.client.put_item, Item=item, ConditionExpression="attribute_not_exists(pk)"
        )

    def opening(self, desk: str, number: str) -> Opening:
        """What a ticket began with; nothing where there is no such ticket."""
        for consistent in (False, True):
            found = self._get(ticket_key(desk, number), "EVENT#000001", consistent=consistent)
            if found is not None:
                return Opening(read_commit(found), found.get("sealed", {}).get("B"))
        return Opening()

    def sealed_contact(self, desk: str, number: str, version: int) -> bytes | None:
        """The customer's contact, still encrypted, as the ticket's `sealed_in` says."""
        found = self._get(ticket_key(desk, number), f"EVENT#{version:06}", consistent=True)
        return found["sealed"]["B"] if found and "sealed" in found else None

    def everything(self, desk: str, number: str, *, consistent: bool = False) -> list[Item]:
        """Every item of a ticket, as the table holds it."""
        return list(
            self._query(
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": ticket_key(desk, number)}},
                ConsistentRead=consistent,
            )
        )

    # Forgetting a person (B10)

    def rewrite(self, item: Item, body: str) -> bool:
        """Give a commit or a delivery another body, and forget what is sealed with it.

        Nobody is woken by it. False where the item is no longer what was read.
        """
        change, values = "SET body = :new", {":new": {"S": body}, ":old": item["body"]}
        if item["sk"]["S"].startswith("EVENT#"):
            change = f"{change}, readers = :none REMOVE sealed, original"
            values[":none"] = {"S": "none"}
        return self._where(
            self.client.update_item,
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression=change,
            ConditionExpression="body = :old",
            ExpressionAttributeValues=values,
        )

    def forget_contact(self, desk: str, contact_hash: str) -> None:
        """Remove what is kept about a contact for its next requests."""
        pk = {"S": f"CONTACT#{desk}#{contact_hash}"}
        self.client.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": self.table, "Key": {"pk": pk, "sk": {"S": kept}}}}
                for kept in ("CONTACT", "TALK")
            ]
        )

    def begin_erasure(self, desk: str, contact_hash: str, numbers: Sequence[str]) -> list[str]:
        """Note which tickets of a contact are to be erased; all that were noted, sorted.

        An erased ticket no longer says whose it was, so without the note one that was interrupted
        could not be found again.
        """
        key = {"pk": {"S": f"CONTACT#{desk}#{contact_hash}"}, "sk": {"S": "ERASURE"}}
        if not numbers:
            found = self._get(key["pk"]["S"], key["sk"]["S"], consistent=True) or {}
        else:
            found = self.client.update_item(
                TableName=self.table,
                Key=key,
                UpdateExpression="ADD numbers :numbers",
                ExpressionAttributeValues={":numbers": {"SS": list(numbers)}},
                ReturnValues="ALL_NEW",
            )["Attributes"]
        return sorted(found["numbers"]["SS"]) if "numbers" in found else []

    def end_erasure(self, desk: str, contact_hash: str) -> None:
        """All that was noted is erased."""
        key = {"pk": {"S": f"CONTACT#{desk}#{contact_hash}"}, "sk": {"S": "ERASURE"}}
        self.client.delete_item(TableName=self.table, Key=key)

    # Requests

    def next_serial(self, desk: str, period: str) -> int:
        """A serial that nobody else gets (A3). A request that then fails leaves a gap."""
        answer = self.client.update_item(
            TableName=self.table,
            Key={"pk": {"S": f"SERIAL#{desk}#{period}"}, "sk": {"S": "SERIAL"}},
            UpdateExpression="ADD #n :one",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["n"]["N"])

    def known(
        self, desk: str, idempotency: IdempotencyRecord | None, contact_hash: str | None
    ) -> Known:
        """What is on file about a request and its sender, in one read.

        It may lag behind: an idempotency record of this very moment is met by the commit's
        condition.
        """
        contact = {"pk": {"S": f"CONTACT#{desk}#{contact_hash}"}, "sk": {"S": "CONTACT"}}
        keys: list[Any] = [] if contact_hash is None else [contact]
        if idempotency is not None:
            keys.append({"pk": {"S": idempotency.pk}, "sk": {"S": "SEEN"}})
        found = {item["pk"]["S"]: item for item in self._batch(keys, consistent=False)}
        seen = found.get(idempotency.pk) if idempotency else None
        record = found.get(contact["pk"]["S"], {})
        return Known(
            idempotency=_idempotency(idempotency, seen) if idempotency and seen else None,
            customer_class=record.get("class", {}).get("S"),
            undeliverable=record.get("undeliverable", {}).get("S"),
        )

    def seen(self, idempotency: IdempotencyRecord) -> IdempotencyRecord | None:
        """The idempotency record that was filed under the same id, if there is one."""
        found = self._get(idempotency.pk, "SEEN", consistent=True)
        return _idempotency(idempotency, found) if found else None

    def first_seen(self, markers: Sequence[IdempotencyRecord]) -> IdempotencyRecord | None:
        """The first of several markers that was filed, in one read; at most 100."""
        keys = [{"pk": {"S": idempotency.pk}, "sk": {"S": "SEEN"}} for idempotency in markers]
        found = {item["pk"]["S"]: item for item in self._batch(keys, consistent=True)}
        for idempotency in markers:
            if idempotency.pk in found:
                return _idempotency(idempotency, found[idempotency.pk])
        return None

    def conversation(
        self, idempotency: IdempotencyRecord, contact_hash: str
    ) -> tuple[Known, Conversation]:
        """What is on file about a chat message and its writer, and where their conversation stands.

        One consistent read: the second of two lines that somebody writes at once finds the ticket
        that the first one opened, which an index would show a moment later.
        """
        conversation = Conversation(idempotency.desk, contact_hash)
        keys: list[Any] = [
            {"pk": {"S": idempotency.pk}, "sk": {"S": "SEEN"}},
            *({"pk": {"S": conversation.pk}, "sk": {"S": kept}} for kept in ("CONTACT", "TALK")),
        ]
        found = {item["sk"]["S"]: item for item in self._batch(keys, consistent=True)}
        if "TALK" in found:
            conversation = Conversation(
                idempotency.desk, contact_hash, found["TALK"]["number"]["S"]
            )
        known = Known(
            idempotency=_idempotency(idempotency, found["SEEN"]) if "SEEN" in found else None,
            customer_class=found.get("CONTACT", {}).get("class", {}).get("S"),
        )
        return known, conversation

    def _talk_put(self, conversation: Conversation, after: Ticket) -> Any:
        put: Item = {
            "TableName": self.table,
            "Item": {
                "pk": {"S": conversation.pk},
                "sk": {"S": "TALK"},
                "number": {"S": after.number},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if conversation.number is not None:
            put["ConditionExpression"] = "#number = :number"
            put["ExpressionAttributeNames"] = {"#number": "number"}
            put["ExpressionAttributeValues"] = {":number": {"S": conversation.number}}
        return put

    def class_contact(self, desk: str, contact_hash: str, customer_class: str | None) -> None:
        """Remember a contact's class for its next requests (A5)."""
        self._know_contact(desk, contact_hash, "class", customer_class)

    def mark_contact(self, desk: str, contact_hash: str, undeliverable: str | None) -> None:
        """Remember why no mail goes to a contact, or that it works again."""
        self._know_contact(desk, contact_hash, "undeliverable", undeliverable)

    def _know_contact(self, desk: str, contact_hash: str, what: str, value: str | None) -> None:
        arguments: Item = (
            {} if value is None else {"ExpressionAttributeValues": {":v": {"S": value}}}
        )
        self.client.update_item(
            TableName=self.table,
            Key={"pk": {"S": f"CONTACT#{desk}#{contact_hash}"}, "sk": {"S": "CONTACT"}},
            UpdateExpression="REMOVE #what" if value is None else "SET #what = :v",
            ExpressionAttributeNames={"#what": what},
            **arguments,
        )

    def all_of_contact(self, desk: str, contact_hash: str) -> list[str]:
        """The numbers of every ticket of a contact, newest first."""
        items = self._query(
            IndexName="contact",
            KeyConditionExpression="contact_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{desk}#{contact_hash}"}},
            ScanIndexForward=False,
        )
        return [item["pk"]["S"].split("#", 2)[2] for item in items]

    def tickets_of_contact(self, desk: str, contact_hash: str, limit: int) -> list[str]:
        """The numbers of a contact's newest tickets, newest first."""
        answer = self.client.query(
            TableName=self.table,
            IndexName="contact",
            KeyConditionExpression="contact_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{desk}#{contact_hash}"}},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [item["pk"]["S"].split("#", 2)[2] for item in answer["Items"]]

    def opened_since(
        self, desk: str, contact_hash: str, since: datetime, limit: int
    ) -> dict[str, datetime]:
        """When a contact's newest tickets were opened, by number; of the time after `since`."""
        answer = self.client.query(
            TableName=self.table,
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
            item["pk"]["S"].split("#", 2)[2]: moment(item["contact_sk"]["S"])
            for item in answer["Items"]
        }

    def tickets(self, desk: str, numbers: Sequence[str]) -> list[Ticket]:
        """Some tickets of a desk, to be shown: in the order asked for, those that are gone left
        out, a change of this very moment perhaps not seen yet."""
        return self._tickets([ticket_key(desk, number) for number in numbers], consistent=False)

    # Queues

    def queue(
        self, partitions: Sequence[str], cursor: str | None = None, limit: int = 50
    ) -> tuple[list[Ticket], str | None]:
        """Tickets of some partitions of the `queue` index, in order, and where to go on.

        Raises:
            ValueError: the cursor is not one of this list.
        """
        at, start = _read_cursor(cursor)
        if at >= max(len(partitions), 1) or (
            start is not None and start["queue_pk"]["S"] != partitions[at]
        ):
            raise ValueError("the cursor belongs to another list")
        keys: list[Item] = []
        while at < len(partitions) and len(keys) < limit:
            arguments: Item = {"ExclusiveStartKey": start} if start else {}
            answer = self.client.query(
                TableName=self.table,
                IndexName="queue",
                KeyConditionExpression="queue_pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partitions[at]}},
                Limit=limit - len(keys),
                **arguments,
            )
            keys.extend(answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if start is None:
                at += 1
        tickets = self._tickets([key["pk"]["S"] for key in keys], consistent=True)
        return tickets, _write_cursor(at, start) if at < len(partitions) else None

    def _tickets(self, pks: Sequence[str], *, consistent: bool) -> list[Ticket]:
        found: dict[str, Ticket] = {}
        pks = list(dict.fromkeys(pks))  # a ticket that moved meanwhile was met twice
        for first in range(0, len(pks), 100):
            keys = [{"pk": {"S": pk}, "sk": {"S": "TICKET"}} for pk in pks[first : first + 100]]
            for item in self._batch(keys, consistent=consistent):
                found[item["pk"]["S"]] = read_ticket(item)
        return [found[pk] for pk in pks if pk in found]

    # Due

    def due(self, partition: int, now: datetime) -> Iterator[Due]:
        """What is due at `now` in one partition of the `due` index, to the last page (G2)."""
        for item in self._query(
            IndexName="due",
            KeyConditionExpression="due_pk = :pk AND due_sk <= :now",
            ExpressionAttributeValues={
                ":pk": {"S": f"DUE#{partition}"},
                ":now": {"S": stamp(now)},
            },
        ):
            yield Due(item["pk"]["S"], item["sk"]["S"], moment(item["due_sk"]["S"]))

    def move_wake(self, ticket: Ticket) -> bool:
        """Put a ticket at which nothing is due yet where it is due; False if it has changed."""
        due = ticket.next_due
        values: Item = {":version": {"N": str(ticket.version)}}
        if due is not None:
            values[":due"] = {"S": stamp(due)}
        return self._where(
            self.client.update_item,
            Key={"pk": {"S": ticket_key(ticket.desk, ticket.number)}, "sk": {"S": "TICKET"}},
            UpdateExpression="REMOVE due_pk, due_sk" if due is None else "SET due_sk = :due",
            ConditionExpression="version = :version",
            ExpressionAttributeValues=values,
        )

    # Deliveries

    def claim(self, delivery: Delivery) -> bool:
        """Write a delivery under its key; False where it stands there already."""
        return self._put_delivery(delivery, "attribute_not_exists(pk)", {})

    def move(self, delivery: Delivery, expected: str | None) -> bool:
        """Bring a delivery into its new state; False where it is not in the expected one.

        `expected` is None for one that has no item yet, since another's claim covers it.
        """
        if expected is None:
            return self.claim(delivery)
        return self._put_delivery(delivery, "#state = :expected", {":expected": {"S": expected}})

    def _put_delivery(self, delivery: Delivery, condition: str, values: Item) -> bool:
        item = self._delivery_item(delivery)
        arguments: Item = {"ExpressionAttributeValues": values} if values else {}
        if "#state" in condition:
            arguments["ExpressionAttributeNames"] = {"#state": "state"}
        return self._where(
            self.client.put_item, Item=item, ConditionExpression=condition, **arguments
        )

    def _delivery_item(self, delivery: Delivery) -> Item:
        item: Item = {
            "pk": {"S": ticket_key(delivery.desk, delivery.number)},
            "sk": {"S": f"DELIVERY#{delivery.id}"},
            "state": {"S": delivery.state},
            "body": {"S": delivery_body(delivery)},
        }
        if delivery.state == "retrying" and delivery.next_at is not None:
            item["due_pk"] = {"S": shard(delivery.number)}
            item["due_sk"] = {"S": stamp(delivery.next_at)}
        return item

    def delivery(self, desk: str, number: str, sk: str) -> Delivery | None:
        """One delivery by its sort key."""
        found = self._get(ticket_key(desk, number), sk, consistent=True)
        return read_delivery(found) if found else None

    def deliveries(self, desk: str, number: str) -> list[Delivery]:
        """Every delivery of a ticket, in the order of what asked for them."""
        items = self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={
                ":pk": {"S": ticket_key(desk, number)},
                ":sk": {"S": "DELIVERY#"},
            },
        )
        return [read_delivery(item) for item in items]

    def newest_deliveries(self, desk: str, number: str) -> Iterator[Delivery]:
        """The deliveries of a ticket, those of its newest version first, as far as they are read;
        consistent."""
        for item in self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={
                ":pk": {"S": ticket_key(desk, number)},
                ":sk": {"S": "DELIVERY#"},
            },
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=_PAGE,
        ):
            yield read_delivery(item)

    # Task tokens of the closing workflow

    def keep_token(self, desk: str, number: str, kind: str, token: str, resolution: int) -> None:
        """Remember which waiting step of the closing workflow to wake."""
        self.client.put_item(
            TableName=self.table,
            Item={
                "pk": {"S": ticket_key(desk, number)},
                "sk": {"S": f"TOKEN#{kind}"},
                "token": {"S": token},
                "resolution": {"N": str(resolution)},
            },
        )

    def token(self, desk: str, number: str, kind: str) -> tuple[str, int] | None:
        """The token of a waiting step and the resolution that it belongs to."""
        found = self._get(ticket_key(desk, number), f"TOKEN#{kind}", consistent=True)
        return (found["token"]["S"], int(found["resolution"]["N"])) if found else None

    # Desks, playbooks, agents

    def playbook(self, desk: str, now: datetime) -> Playbook:
        """The desk's current playbook, at most `PLAYBOOK_TTL` old.

        Raises:
            NotFound: there is no such desk.
        """
        return self.numbered_playbook(desk, now)[1]

    def numbered_playbook(self, desk: str, now: datetime) -> tuple[int, Playbook]:
        """The desk's playbook as `playbook` says, and the number of its version."""
        kept = self._playbooks.get(desk)
        # A sweep may be asked about a later moment: what was read "then" is not fresh until then.
        if kept is not None and abs(now - kept[0]) < PLAYBOOK_TTL:
            return kept[1:]
        current = self.playbook_version(desk)
        if current is None:
            raise NotFound("There is no such desk.")
        if kept is not None and kept[1] == current:
            playbook = kept[2]
        else:
            playbook = Playbook.stored(self.playbook_document(desk, current))
        self._playbooks[desk] = (now, current, playbook)
        return current, playbook

    def hear(self, image: Item, now: datetime) -> int | None:
        """Learn from an event item which playbook its writer found current, and when.

        Returns the number of that playbook, None where the item does not say.

        Whoever an event wakes need not ask again then: a playbook is trusted for `PLAYBOOK_TTL`
        from the moment that anybody read it, so a change takes effect no later than otherwise.
        """
        _, desk, _ = image["pk"]["S"].split("#", 2)
        kept = self._playbooks.get(desk)
        if "playbook" not in image:
            return None
        written, _, seconds = image["playbook"]["S"].partition(" ")
        version, read = int(written), datetime.fromtimestamp(int(seconds), UTC)
        if kept is None:
            return version
        if version > kept[1]:
            self._playbooks[desk] = (_LONG_AGO, *kept[1:])
        elif version == kept[1] and kept[0] < read <= now:
            self._playbooks[desk] = (read, *kept[1:])
        return version

    @property
    def playbook_cache(self) -> PlaybookCache:
        """The playbooks that this container has read."""
        return self._playbooks

    @playbook_cache.setter
    def playbook_cache(self, cache: PlaybookCache) -> None:
        self._playbooks = cache

    def playbook_version(self, desk: str) -> int | None:
        """The number of the desk's current playbook."""
        found = self._get(f"DESK#{desk}", "DESK")
        return int(found["playbook"]["N"]) if found else None

    def playbook_document(self, desk: str, version: int) -> str:
        """One version of a desk's playbook, as JSON.

        Raises:
            NotFound: there is no such version.
        """
        found = self._get(f"DESK#{desk}", f"PLAYBOOK#{version:06}")
        if found is None:
            raise NotFound(f"Desk {desk} has no playbook {version}.")
        document: str = found["body"]["S"]
        return document

    def put_playbook(self, playbook: Playbook, now: datetime) -> int:
        """Store a checked playbook as the desk's next version and make it current.

        Raises:
            PlaybookError: its mailbox belongs to another desk.
            Conflict: somebody else stored this version at the same moment.
        """
        desk = playbook.desk
        version = (self.playbook_version(desk) or 0) + 1
        body = playbook.model_dump_json(exclude_defaults=True)
        writes: list[tuple[str, TransactWriteItemTypeDef]] = [
            (
                "playbook",
                {
                    "Put": {
                        "TableName": self.table,
                        "Item": {
                            "pk": {"S": f"DESK#{desk}"},
                            "sk": {"S": f"PLAYBOOK#{version:06}"},
                            "at": {"S": stamp(now)},
                            "body": {"S": body},
                        },
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ),
            (
                "desk",
                {
                    "Put": {
                        "TableName": self.table,
                        "Item": {
                            "pk": {"S": f"DESK#{desk}"},
                            "sk": {"S": "DESK"},
                            "playbook": {"N": str(version)},
                            "at": {"S": stamp(now)},
                        },
                    }
                },
            ),
            (
                "mailbox",
                {
                    "Put": {
                        "TableName": self.table,
                        "Item": {
                            "pk": {"S": f"MAILBOX#{playbook.mail.address.lower()}"},
                            "sk": {"S": "MAILBOX"},
                            "desk": {"S": desk},
                        },
                        "ConditionExpression": "attribute_not_exists(pk) OR desk = :desk",
                        "ExpressionAttributeValues": {":desk": {"S": desk}},
                    }
                },
            ),
        ]
        failed = self._cancelled(writes)
        if failed.get("mailbox") == "ConditionalCheckFailed":
            raise PlaybookError(f"mail.address: {playbook.mail.address} is another desk's mailbox")
        if failed:
            raise Conflict(f"version {version} of {desk}'s playbook was not stored: {failed}")
        return version

    def desk_of_mailbox(self, address: str) -> str | None:
        """The desk that a mail address belongs to; `support+anything@…` is `support@…`."""
        local, _, domain = address.lower().rpartition("@")
        found = self._get(f"MAILBOX#{local.split('+')[0]}@{domain}", "MAILBOX")
        desk: str | None = found["desk"]["S"] if found else None
        return desk

    def agents(self, desk: str) -> list[Agent]:
        """The desk's roster, read consistently."""
        items = self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"DESK#{desk}"}, ":sk": {"S": "AGENT#"}},
            ConsistentRead=True,
        )
        return [_agent(desk, item) for item in items if "role" in item]

    def agent(self, desk: str, username: str) -> Agent | None:
        """One agent of a desk."""
        found = self._get(f"DESK#{desk}", f"AGENT#{username}")
        return _agent(desk, found) if found and "role" in found else None

    def put_agent(self, agent: Agent) -> None:
        """Add an agent or change role, team and capacity; presence and load stay as they are."""
        self.client.update_item(
            TableName=self.table,
            Key={"pk": {"S": f"DESK#{agent.desk}"}, "sk": {"S": f"AGENT#{agent.username}"}},
            UpdateExpression=(
                "SET #role = :role, team = :team, #capacity = :capacity, profile = :profile, "
                "#online = if_not_exists(#online, :online), #load = if_not_exists(#load, :none)"
            ),
            ExpressionAttributeNames={
                "#role": "role",
                "#capacity": "capacity",
                "#load": "load",
                "#online": "online",
            },
            ExpressionAttributeValues={
                ":role": {"S": agent.role},
                ":team": {"S": agent.team},
                ":capacity": {"N": str(agent.capacity)},
                ":profile": {"S": agent.model_dump_json(include=_PROFILE, exclude_defaults=True)},
                ":online": {"BOOL": agent.online},
                ":none": {"N": "0"},
            },
        )

    def set_presence(self, desk: str, username: str, online: bool) -> None:
        """Say whether an agent takes tickets. Coming online wakes the router by the stream.

        Raises:
            NotFound: nobody of that name is on the roster.
        """
        known = self._where(
            self.client.update_item,
            Key={"pk": {"S": f"DESK#{desk}"}, "sk": {"S": f"AGENT#{username}"}},
            UpdateExpression="SET #online = :online, #change = :change",
            ConditionExpression="attribute_exists(#role)",
            ExpressionAttributeNames={
                "#change": "change",
                "#online": "online",
                "#role": "role",
            },
            ExpressionAttributeValues={
                ":online": {"BOOL": online},
                ":change": {"S": "online" if online else "offline"},
            },
        )
        if not known:
            raise NotFound("You are not on this desk's roster.")

    # The table's own calls

    def _where(self, write: Callable[..., Any], **arguments: Any) -> bool:
        """One conditional write; False where its condition does not hold."""
        from botocore.exceptions import ClientError

        try:
            write(TableName=self.table, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _get(self, pk: str, sk: str, *, consistent: bool = False) -> Any:
        answer = self.client.get_item(
            TableName=self.table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            ConsistentRead=consistent,
        )
        return answer.get("Item")

    def _query(self, **arguments: Any) -> Iterator[Item]:
        start: Item | None = None
        while True:
            if start is not None:
                arguments["ExclusiveStartKey"] = start
            answer = self.client.query(TableName=self.table, **arguments)
            yield from answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return

    def _batch(self, keys: Iterable[Any], *, consistent: bool) -> Iterator[Item]:
        """BatchGetItem, asking again for what was left unprocessed."""
        wanted = list(keys)
        for _ in range(6):
            if not wanted:
                return
            answer = self.client.batch_get_item(
                RequestItems={self.table: {"Keys": wanted, "ConsistentRead": consistent}}
            )
            yield from answer["Responses"].get(self.table, [])
            rest: Any = answer.get("UnprocessedKeys", {}).get(self.table, {})
            wanted = list(rest.get("Keys", []))
        raise TryAgain("the table left keys unread six times in a row")


_IN_THE_KEYS: Any = {
    "desk": True,
    "number": True,
    "version": True,
    "received_at": True,
    "wakes_at": True,
    "customer": {"hash"},
}
"""What a ticket's item holds outside its body: said once, it keeps the item below 1 KB."""


def _ticket_body(ticket: Ticket) -> str:
    body = ticket.model_dump(mode="json", exclude_defaults=True, exclude=_IN_THE_KEYS)
    timers = body.get("timers", {})
    if _due(timers) == body.get("expected_response_by"):
        body.pop("expected_response_by", None)
    received = ticket.model_dump(mode="json", include={"received_at"})["received_at"]
    for timer in timers.values():
        if timer.get("started_at") == received:
            del timer["started_at"]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _due(timers: dict[str, Any]) -> str | None:
    due: str | None = timers.get("first_response", {}).get("due_at")
    return due


def read_ticket(item: Item) -> Ticket:
    """A ticket from its item."""
    _, desk, number = item["pk"]["S"].split("#", 2)
    received = moment(item["contact_sk"]["S"])
    body: dict[str, Any] = json.loads(item["body"]["S"])
    body["customer"]["hash"] = item["contact_pk"]["S"].removeprefix(f"{desk}#")
    timers = body.get("timers", {})
    body.setdefault("expected_response_by", _due(timers))
    for timer in timers.values():
        if timer["state"] in {"running", "paused"}:
            timer.setdefault("started_at", received)
    return Ticket(
        desk=desk,
        number=number,
        version=int(item["version"]["N"]),
        received_at=received,
        wakes_at=moment(item["due_sk"]["S"]) if "due_sk" in item else None,
        **body,
    )


_BESIDE_THE_DELIVERY = {"desk", "number", "version", "lead", "state"}
_IN_THE_DELIVERYS_KEY = {"message", "recipient", "about"}


def delivery_body(delivery: Delivery) -> str:
    """The body of a delivery's item: what its keys do not say, and a claim only while it counts.

    It keeps the item of a usual reply below 1 KB, where its words stand a second time, as sent.
    """
    left_out = set(_BESIDE_THE_DELIVERY)
    if not delivery.lead:
        left_out |= _IN_THE_DELIVERYS_KEY
    if delivery.state != "claimed":
        left_out.add("claim")
    if delivery.claimed_at == delivery.at:
        left_out.add("claimed_at")
    return delivery.model_dump_json(exclude_defaults=True, exclude=left_out)


def read_delivery(item: Item) -> Delivery:
    """A delivery from its item."""
    _, desk, number = item["pk"]["S"].split("#", 2)
    _, version, *rest = item["sk"]["S"].split("#", 4)
    body: dict[str, Any] = json.loads(item["body"]["S"])
    known: dict[str, Any] = {
        "desk": desk,
        "number": number,
        "version": int(version),
        "lead": not rest,
        "state": item["state"]["S"],
        "claimed_at": body["at"],
    }
    known |= zip(("message", "recipient", "about"), rest, strict=False)
    return Delivery.model_validate(known | body)


def read_commit(item: Item) -> Commit:
    """A commit from its item, or from the image of it that the stream carries.

    Raises:
        DeadLetter: the item is not a commit that this code can read.
    """
    from functions.core.domain.errors import DeadLetter

    try:
        _, desk, number = item["pk"]["S"].split("#", 2)
        at = moment(item["at"]["S"])
        return Commit(
            desk=desk,
            number=number,
            version=int(item["sk"]["S"].removeprefix("EVENT#")),
            at=at,
            actor=item["actor"]["S"],
            events=parse(item["body"]["S"], int(item["schema"]["N"]), at),
            sealed="original" in item,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DeadLetter(f"not a commit: {type(error).__name__}: {error}") from error


_PROFILE = {"skills", "products", "languages", "level", "shift"}
"""What of an agent stands in one document, since routing reads it whole."""


def _agent(desk: str, item: Item) -> Agent:
    assigned = item.get("assigned_at")
    return Agent(
        **json.loads(item.get("profile", {}).get("S", "{}")),
        desk=desk,
        username=item["sk"]["S"].removeprefix("AGENT#"),
        role=item["role"]["S"],
        team=item["team"]["S"],
        capacity=int(item["capacity"]["N"]),
        online=item["online"]["BOOL"],
        load=int(item["load"]["N"]),
        assigned_at=moment(assigned["S"]) if assigned else None,
    )


def _idempotency(asked: IdempotencyRecord, item: Item) -> IdempotencyRecord:
    return IdempotencyRecord(
        desk=asked.desk,
        channel=asked.channel,
        id=asked.id,
        body=item["body"]["S"],
        number=item["number"]["S"],
    )


def _read_cursor(cursor: str | None) -> tuple[int, Item | None]:
    if cursor is None:
        return 0, None
    try:
        at, *start = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(at) is not int or at < 0 or not all(type(part) is str for part in start):
            raise ValueError("not a position")
        if not start:
            return at, None
        values = dict(zip(_QUEUE_KEY, start, strict=True))
        return at, {name: {"S": value} for name, value in values.items()}
    except (ValueError, TypeError) as error:
        raise ValueError("not a cursor") from error


_QUEUE_KEY = ("pk", "sk", "queue_pk", "queue_sk")


def _write_cursor(at: int, start: Item | None) -> str:
    position = [at, *(start[name]["S"] for name in _QUEUE_KEY)] if start else [at]
    document = json.dumps(position, ensure_ascii=False, separators=(",", ":")).encode()
    return urlsafe_b64encode(document).rstrip(b"=").decode()


_MOMENTARY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons to cancel a transaction that are gone a moment later (AWS, "TransactWriteItems")."""

_PASSING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionInProgressException",
        "LimitExceededException",
    }
)


class _Patient:
    """The client, except that a throttled or briefly failing call raises `TryAgain`."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            from botocore.exceptions import ClientError

            try:
                return method(**arguments)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in _PASSING:
                    raise
                raise TryAgain(f"DynamoDB: {code}") from error

        return call
