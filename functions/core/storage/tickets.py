"""Tickets and their commits (docs/architecture.md draws the items).

A commit is one `TransactWriteItems`: the ticket from version n to n+1 on condition, an item with
the events, the idempotency record of the request if there is one, and the loads of the agents
concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.domain.audit import AUDITED, entries_of
from functions.core.domain.errors import (
    AgentAtCapacity,
    AgentContended,
    Conflict,
    DeadLetter,
    NotFound,
    TryAgain,
)
from functions.core.domain.events import SCHEMA_VERSION, Commit, Event, readers
from functions.core.domain.ticket import Ticket, next_wake
from functions.core.storage.event_codec import dump_events
from functions.core.storage.idempotency import Duplicate, Idempotency, IdempotencyRecord
from functions.core.storage.items import (
    commit_sort_key,
    ended_task_item,
    queue_key,
    read_commit,
    read_cursor,
    read_pieces,
    read_ticket,
    task_item,
    ticket_item,
    ticket_key,
    ticket_of_key,
    write_cursor,
)
from functions.core.storage.roster import CLAIM
from functions.core.storage.table import (
    BATCH_SIZE,
    MAX_PARTITION_KEY,
    REFUSED,
    Item,
    at_version,
    beginning,
    between,
    in_conflict,
    is_key,
    key,
    parse_stamp,
    stamp,
)
from functions.core.storage.usages import usage_attribute, usage_of

if TYPE_CHECKING:
    from functions.core.domain.delivery import Delivery
    from functions.core.storage.audit import Audit
    from functions.core.storage.contacts import Contacts, Conversation
    from functions.core.storage.deliveries import Deliveries
    from functions.core.storage.playbooks import Playbooks
    from functions.core.storage.roster import Roster
    from functions.core.storage.table import Table, Write
    from functions.core.text.unmasking import Purpose


DUE_PAGE = BATCH_SIZE
"""Due items read at once; the sweep reads their tickets in one call."""


_BESIDE_COMMITS = 3
"""The ticket's own item and two tasks, read with a page of commits."""


@dataclass(frozen=True)
class Change:
    """The change of one ticket in a commit.

    Attributes:
        before: the version that the decision was made on, None for a new ticket.
        after: the version to write.
        rank: the ticket's position in its queue (`lifecycle.queue_rank`).
        assigned_by_person: a person chose the handler, who may be at capacity.
        sealed: the customer's contact, encrypted; with a new ticket, or a new contact.
        original: the original of the text, encrypted, in pieces; `original_purpose` says whose.
        imported: it tells the past of a ticket that came from elsewhere (`events.readers`).
    """

    before: Ticket | None
    after: Ticket
    events: Sequence[Event]
    rank: str
    assigned_by_person: bool = False
    sealed: bytes | None = None
    original: tuple[bytes, ...] = ()
    original_purpose: Purpose = "original"
    imported: bool = False

    def commit(self, actor: str) -> Commit:
        after = self.after
        return Commit(
            desk=after.desk,
            number=after.number,
            version=after.version,
            at=after.updated_at,
            actor=actor,
            events=tuple(self.events),
        )


class SealedOriginal(NamedTuple):
    """A commit and its original, still encrypted, in pieces; none if nothing is sealed."""

    commit: Commit
    purpose: Purpose
    pieces: tuple[bytes, ...]


@dataclass(frozen=True)
class FirstCommit:
    """The first commit of a ticket and the customer's contact, still encrypted."""

    commit: Commit | None = None
    sealed: bytes | None = None


@dataclass(frozen=True)
class Due:
    """An item that the sweep has to process: a ticket, or a delivery to retry.

    `due_sk` is its position in the `due` index, as it is stored.
    """

    pk: str
    sk: str
    due_sk: str

    @property
    def at(self) -> datetime:
        """The time of the position; unreadable text raises ValueError for this item alone."""
        return parse_stamp(self.due_sk)

    @property
    def ticket(self) -> tuple[str, str]:
        return ticket_of_key(self.pk)


Spent = Callable[[str, str], AbstractContextManager[Mapping[str, float]]]
"""`spent(desk, number)` tells what was used for a commit, which is written inside."""


def nothing_spent(_desk: str, _number: str) -> AbstractContextManager[Mapping[str, float]]:
    return nullcontext({})


@dataclass
class Tickets:
    """The tickets of all desks; `serials` keeps what is left of a desk's last block, by period."""

    table: Table
    contacts: Contacts
    deliveries: Deliveries
    playbooks: Playbooks
    roster: Roster
    idempotency: Idempotency
    audit: Audit
    spent: Spent = nothing_spent
    serials: dict[str, tuple[str, Iterator[int]]] = field(default_factory=dict)

    # Read

    def load(self, desk: str, number: str) -> Ticket:
        """The newest version of a ticket, read consistently.

        Raises:
            NotFound: there is no such ticket.
        """
        ticket = self.find(desk, number)
        if ticket is None:
            raise NotFound("There is no such ticket.")
        return ticket

    def find(self, desk: str, number: str) -> Ticket | None:
        """As `load`; None if there is no such ticket."""
        item = self.table.get(ticket_key(desk, number), "TICKET", consistent=True)
        return None if item is None else read_ticket(item)

    def load_since(self, desk: str, number: str, version: int) -> Ticket:
        """A ticket at `version` or later, for a caller that has seen an event of that version.

        The read is eventually consistent, at half the cost, and repeated consistently if the
        replica does not have that version yet. The ticket need not be the newest; a commit based
        on it then raises `Conflict`.

        Raises:
            NotFound: there is no such ticket.
        """
        item = self.table.get(ticket_key(desk, number), "TICKET")
        if item is None or int(item["version"]["N"]) < version:
            return self.load(desk, number)
        return read_ticket(item)

    def load_many(
        self, desk: str, numbers: Sequence[str], *, consistent: bool = False
    ) -> list[Ticket]:
        """Tickets of a desk for display, in the order of `numbers`; missing ones are left out."""
        pks = [ticket_key(desk, number) for number in numbers]
        return self._load_all(pks, consistent=consistent)

    def _load_all(self, pks: Sequence[str], *, consistent: bool) -> list[Ticket]:
        tickets: dict[str, Ticket] = {}
        pks = list(dict.fromkeys(pks))  # a ticket that moved between two pages is in both
        for first in range(0, len(pks), BATCH_SIZE):
            keys = [key(pk, "TICKET") for pk in pks[first : first + BATCH_SIZE]]
            for item in self.table.batch_get(keys, consistent=consistent):
                with suppress(DeadLetter):  # one that cannot be read must not hide the others
                    tickets[item["pk"]["S"]] = read_ticket(item)
        return [tickets[pk] for pk in pks if pk in tickets]

    def queue_page(
        self, partitions: Sequence[str], cursor: str | None = None, limit: int = 50
    ) -> tuple[list[Ticket], str | None]:
        """Tickets of some partitions of the `queue` index, in order, and the next page's cursor.

        Raises:
            ValueError: the cursor is not one of this list.
        """
        index, start = read_cursor(cursor)
        if index >= max(len(partitions), 1) or (
            start is not None and start["queue_pk"]["S"] != partitions[index]
        ):
            raise ValueError("the cursor belongs to another list")
        pks: list[str] = []
        while index < len(partitions) and len(pks) < limit:
            items, start = self.table.query_page(
                start,
                IndexName="queue",
                KeyConditionExpression="queue_pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partitions[index]}},
                Limit=limit - len(pks),
            )
            pks.extend(item["pk"]["S"] for item in items)
            if start is None:
                index += 1
        tickets = self._load_all(pks, consistent=True)
        return tickets, write_cursor(index, start) if index < len(partitions) else None

    def with_history(self, desk: str, number: str, limit: int) -> tuple[Ticket, list[Commit]]:
        """The newest version of a ticket and its last commits, oldest first, in one query.

        It reads the partition backwards from the ticket's own item, which is the last; between it
        and the commits are a few items of tasks.

        Raises:
            NotFound: there is no such ticket.
        """
        pk = ticket_key(desk, number)
        ticket: Ticket | None = None
        commits: list[Commit] = []
        query = between(pk, commit_sort_key(1), "TICKET")
        start: Item | None = None
        while is_key(pk, MAX_PARTITION_KEY):
            items, start = self.table.query_page(
                start,
                **query,
                ScanIndexForward=False,
                Limit=limit + _BESIDE_COMMITS,
                ConsistentRead=True,
            )
            for item in items:
                if item["sk"]["S"] == "TICKET":
                    ticket = read_ticket(item)
                elif item["sk"]["S"].startswith("EVENT#"):
                    commits.append(read_commit(item))
            if ticket is None or start is None or len(commits) >= limit:
                break
        if ticket is None:
            raise NotFound("There is no such ticket.")
        return ticket, commits[:limit][::-1]

    def commit_keys(self, desk: str, number: str, versions: Sequence[int]) -> list[Item]:
        """Return the keys of commits, for a read that has others too (`read_commits`)."""
        return [key(ticket_key(desk, number), commit_sort_key(version)) for version in versions]

    def history(self, desk: str, number: str, upto: int = 0) -> list[Commit]:
        """Every commit of a ticket, oldest first.

        Args:
            upto: the version that the caller knows. If the replica does not have it yet, the
                history is read again, consistently.
        """
        return self.history_with_usage(desk, number, upto)[0]

    def history_with_usage(
        self, desk: str, number: str, upto: int = 0
    ) -> tuple[list[Commit], dict[int, dict[str, float]]]:
        """As `history`, and what was used before each commit, by version and price name."""
        commits: list[Commit] = []
        usages: dict[int, dict[str, float]] = {}
        for consistent in (False, True):
            query = beginning(ticket_key(desk, number), "EVENT#")
            items = [*self.table.query(**query, ConsistentRead=consistent)]
            commits = [read_commit(item) for item in items]
            usages = {c.version: usage_of(item) for c, item in zip(commits, items, strict=True)}
            if upto <= (commits[-1].version if commits else 0):
                break
        return commits, usages

    def history_from(self, desk: str, number: str, first: int, limit: int) -> list[Commit]:
        """The next commits of a ticket, beginning with a version, read consistently."""
        keys = commit_sort_key(first), commit_sort_key(first + limit - 1)
        query = between(ticket_key(desk, number), *keys)
        items, _ = self.table.query_page(**query, ConsistentRead=True)
        return [read_commit(item) for item in items]

    def history_page(
        self, desk: str, number: str, newest: int, limit: int, before: int | None = None
    ) -> list[Commit]:
        """The last commits of a ticket, or those before a version, oldest first.

        Args:
            newest: the version that the caller knows. If the replica does not have it yet, the page
                is read again, consistently.
            before: the version before which the page ends; None for the newest page.
        """
        last = newest if before is None else min(before - 1, newest)
        commits: list[Commit] = []
        if last < 1:
            return commits  # DynamoDB refuses a range that ends before it begins
        query = between(ticket_key(desk, number), commit_sort_key(1), commit_sort_key(last))
        for consistent in (False, True):
            items, _ = self.table.query_page(
                **query, ScanIndexForward=False, Limit=limit, ConsistentRead=consistent
            )
            commits = [read_commit(item) for item in reversed(items)]
            if commits and commits[-1].version == last:
                break
        return commits

    def first_commit(self, desk: str, number: str) -> FirstCommit:
        """The first commit of a ticket; an empty one if there is no such ticket."""
        for consistent in (False, True):
            item = self._commit_item(desk, number, 1, consistent=consistent)
            if item is not None:
                return FirstCommit(read_commit(item), item.get("sealed", {}).get("B"))
        return FirstCommit()

    def commit_at(self, desk: str, number: str, version: int) -> Commit | None:
        item = self._commit_item(desk, number, version)
        return read_commit(item) if item else None

    def original(self, desk: str, number: str, version: int) -> SealedOriginal | None:
        """A commit and its original, still encrypted; None if there is no such commit."""
        item = self._commit_item(desk, number, version)
        if item is None:
            return None
        purpose: Purpose = "outgoing" if "outgoing" in item else "original"
        return SealedOriginal(read_commit(item), purpose, read_pieces(item, purpose))

    def sealed_contact(self, desk: str, number: str, version: int) -> bytes | None:
        """The customer's contact, still encrypted, from the version in the ticket's `sealed_in`."""
        item = self._commit_item(desk, number, version)
        return item["sealed"]["B"] if item and "sealed" in item else None

    def _commit_item(
        self, desk: str, number: str, version: int, *, consistent: bool = True
    ) -> Item | None:
        pk, sk = ticket_key(desk, number), commit_sort_key(version)
        return self.table.get(pk, sk, consistent=consistent)

    def items(self, desk: str, number: str, *, consistent: bool = False) -> list[Item]:
        return list(
            self.table.query(
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": ticket_key(desk, number)}},
                ConsistentRead=consistent,
            )
        )

    def next_serial(self, desk: str, period: str, block: int = 1) -> int:
        """Draw a unique serial (A3). If the request fails afterwards, a gap remains.

        Args:
            block: the serials drawn from the counter at once; this container uses up the rest.
        """
        drawn_in, rest = self.serials.get(desk, ("", iter(())))
        serial = next(rest, None) if block > 1 and drawn_in == period else None
        if serial is not None:
            return serial
        response = self.table.client.update_item(
            TableName=self.table.name,
            Key=key(f"SERIAL#{desk}#{period}", "SERIAL"),
            UpdateExpression="ADD #n :block",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":block": {"N": str(block)}},
            ReturnValues="UPDATED_NEW",
        )
        last = int(response["Attributes"]["n"]["N"])
        first = last - block + 1
        self.serials[desk] = period, iter(range(first + 1, last + 1))
        return first

    # Commit

    def commit_all(
        self,
        changes: Sequence[Change],
        *,
        actor: str,
        idempotency: IdempotencyRecord | None = None,
        acknowledgement: Delivery | None = None,
        conversation: Conversation | None = None,
        allowed: Conversation | None = None,
        choosing: bool = False,
    ) -> None:
        """Write the changes of several tickets, all or none, each on condition of its version.

        Args:
            idempotency: the record of the request that opened or joined the first ticket.
            acknowledgement: the message to the customer that the response to the request contained.
            conversation: the person's conversation as it was read; it moves to the first ticket.
            allowed: the conversation of a message that joins a ticket, with what it now allows.
            choosing: the caller can choose another handler instead of waiting for this one.

        Raises:
            Conflict: a ticket has changed since `before`, or the conversation since it was read.
            AgentAtCapacity: the new handler is at capacity or offline.
            AgentContended: others are assigning tickets to the new handler.
            Duplicate: the idempotency record exists already.
            TryAgain: the table was too busy.
        """
        first = changes[0].after
        with self.spent(first.desk, first.number) as usage:
            writes = self._writes(changes, actor, usage)
            if idempotency is not None:
                writes.append(self.idempotency.write(idempotency, first))
            if acknowledgement is not None:
                writes.append(self.deliveries.write_sent(acknowledgement))
            if conversation is not None:
                writes.append(self.contacts.write_conversation(conversation, first))
            if allowed is not None:
                writes.append(self.contacts.write_allowance(allowed))
            writes.extend(self.roster.load_writes(changes))
            failures = self.table.transact(writes, give_way=CLAIM if choosing else None)
            if failures:
                self._raise(failures, first.number, idempotency)
        self.roster.note_changes(changes)

    def _writes(
        self, changes: Sequence[Change], actor: str, usage: Mapping[str, float]
    ) -> list[Write]:
        """The writes of the tickets; the first commit carries the usage of all."""
        writes: list[Write] = []
        for change in changes:
            used = usage if change is changes[0] else {}
            writes += [self.ticket_write(change), self.event_write(change, actor, used)]
            writes += self._audit_writes(change, actor)
            writes += self.task_writes(change)
        return writes

    def ticket_write(self, change: Change) -> Write:
        before, after = change.before, change.after
        item = ticket_item(after, change.rank, next_wake(before, after))
        condition = at_version(before.version if before else 0)
        put: Any = {"TableName": self.table.name, "Item": item, **condition}
        return f"ticket:{after.number}", {"Put": put}

    def event_write(self, change: Change, actor: str, usage: Mapping[str, float]) -> Write:
        after = change.after
        item: Item = {
            **key(ticket_key(after.desk, after.number), commit_sort_key(after.version)),
            "at": {"S": stamp(after.updated_at)},
            "actor": {"S": actor},
            "schema": {"N": str(SCHEMA_VERSION)},
            "readers": {"S": readers(change.events, imported=change.imported)},
            "body": {"S": dump_events(change.events, after.updated_at)},
            **self.playbooks.event_attributes(after.desk),
            **usage_attribute(usage),
        }
        counted = change.before.records if change.before else 0
        if counted is not None and after.records != counted:
            item["records"] = {"N": str(counted)}
        if change.sealed is not None:
            item["sealed"] = {"B": change.sealed}
        if change.original:
            item[change.original_purpose] = {"L": [{"B": piece} for piece in change.original]}
        return "event", {
            "Put": {
                "TableName": self.table.name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def task_writes(self, change: Change) -> Iterator[Write]:
        """The writes that list the ticket among the tasks that are new, and end those done."""
        after = change.after
        before = change.before.tasks if change.before else ()
        left = {(task.assignee, task.kind) for task in after.tasks}
        items = [task_item(after, task) for task in after.tasks if task not in before]
        items += [ended_task_item(after, t) for t in before if (t.assignee, t.kind) not in left]
        for item in items:
            yield "task", {"Put": {"TableName": self.table.name, "Item": item}}

    def _audit_writes(self, change: Change, actor: str) -> Iterator[Write]:
        if not any(isinstance(event, AUDITED) for event in change.events):
            return iter(())
        return map(self.audit.write, entries_of(change.commit(actor), change.before))

    def _raise(
        self, failures: dict[str, str], number: str, idempotency: IdempotencyRecord | None
    ) -> None:
        refused = [name for name, reason in failures.items() if reason == REFUSED]
        if "idempotency" in refused and idempotency is not None:
            raise Duplicate(self.idempotency.get(idempotency))
        for name in refused:
            if name.startswith(("ticket:", "event", "conversation")):
                raise Conflict(f"{name.partition(':')[2] or number} has changed since")
        for name in refused:
            if name.startswith(CLAIM):
                raise AgentAtCapacity(name.removeprefix(CLAIM))
        for name in in_conflict(failures, CLAIM):
            raise AgentContended(name.removeprefix(CLAIM))
        raise TryAgain(f"{number}: {failures}")

    def rewrite(self, item: Item, body: str) -> bool:
        """Replace the body of a commit or delivery and delete what is sealed with it (B10).

        This wakes no function. Returns False if the item has changed since it was read.
        """
        update, values = "SET body = :new", {":new": {"S": body}, ":old": item["body"]}
        if item["sk"]["S"].startswith("EVENT#"):
            update = f"{update}, readers = :none REMOVE sealed, original, outgoing"
            values[":none"] = {"S": "none"}
        return self.table.update_if(
            "body = :old",
            item["pk"]["S"],
            item["sk"]["S"],
            UpdateExpression=update,
            ExpressionAttributeValues=values,
        )

    # Sweep

    def due(self, partition: int, now: datetime, page: int = DUE_PAGE) -> Iterator[Due]:
        """The items due at `now` in one partition of the `due` index, to the last page (G2)."""
        for item in self.table.query(
            IndexName="due",
            KeyConditionExpression="due_pk = :pk AND due_sk <= :now",
            ExpressionAttributeValues={":pk": {"S": f"DUE#{partition}"}, ":now": {"S": stamp(now)}},
            Limit=page,
        ):
            yield Due(item["pk"]["S"], item["sk"]["S"], item["due_sk"]["S"])

    def due_items(self, due: Sequence[Due]) -> dict[str, Item]:
        """The items of due tickets by partition key, read consistently in one call."""
        keys = [key(pk, "TICKET") for pk in {each.pk for each in due if each.sk == "TICKET"}]
        if not keys:
            return {}
        return {item["pk"]["S"]: item for item in self.table.batch_get(keys, consistent=True)}

    def redrive(self, desk: str, number: str, now: datetime) -> bool:
        """Let the stream deliver a ticket's first commit again, to every function that it wakes."""
        return self.table.update_if(
            "attribute_exists(pk)",
            ticket_key(desk, number),
            commit_sort_key(1),
            UpdateExpression="SET redriven_at = :now",
            ExpressionAttributeValues={":now": {"S": stamp(now)}},
        )

    def move_wake(self, ticket: Ticket, due: datetime | None, rank: str | None = None) -> bool:
        """List a ticket in the `due` index at a time, or not at all; False if it has changed.

        Args:
            rank: the position at which the ticket's queue lists it from now on, if it does not yet.
        """
        values: Item = {":version": {"N": str(ticket.version)}}
        if due is not None:
            values[":due"] = {"S": stamp(due)}
        moved = [] if due is None else ["due_sk = :due"]
        if rank is not None:
            values |= {":queue": {"S": queue_key(ticket)}, ":rank": {"S": rank}}
            moved += ["queue_pk = :queue", "queue_sk = :rank"]
        update = f"SET {', '.join(moved)}" if moved else ""
        return self.table.update_if(
            "version = :version",
            ticket_key(ticket.desk, ticket.number),
            "TICKET",
            UpdateExpression=update if due else f"{update} REMOVE due_pk, due_sk".lstrip(),
            ExpressionAttributeValues=values,
        )
