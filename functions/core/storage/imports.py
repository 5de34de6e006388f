"""Write the past of a ticket that comes from elsewhere: many commits in few transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from functions.core.domain.errors import Conflict, TryAgain
from functions.core.storage.idempotency import KEPT_FOR, IdempotencyRecord, record_item
from functions.core.storage.table import REFUSED
from functions.core.storage.tickets import Change, Tickets

if TYPE_CHECKING:
    from functions.core.domain.ticket import Ticket
    from functions.core.storage.table import Write

AT_ONCE = 50
"""The most commits of one transaction, which takes 100 items."""
MOST_CHARACTERS = 500_000
"""Of one transaction, which takes 4 MB: at most 4 bytes each, and what is sealed beside them."""
_LOADS = Lock()
"""Held while an agent's load changes: of two transactions at once on it, one would be refused."""


class PastChange(NamedTuple):
    """A change that tells the past, and who caused it."""

    change: Change
    actor: str


@dataclass(frozen=True)
class PastTickets:
    """Writes imported tickets; nothing that it writes wakes a function."""

    tickets: Tickets

    def write(self, past: Sequence[PastChange], record: IdempotencyRecord, now: datetime) -> None:
        """Write the commits of one ticket, the idempotency record with the first ones.

        A run that ends midway leaves a ticket at a version from which the next one goes on.

        Raises:
            Conflict: somebody else writes the same ticket.
            TryAgain: the table was too busy.
        """
        for part in _parts(past):
            first, last = part[0].change, part[-1].change
            # The ticket's item is written once: from before the first commit to after the last.
            whole = Change(first.before, last.after, (), last.rank, assigned_by_person=True)
            loads = list(self.tickets.roster.load_writes([whole]))
            writes: list[Write] = [
                self.tickets.ticket_write(whole),
                *(self.tickets.event_write(one.change, one.actor, {}) for one in part),
                *self.tickets.task_writes(whole),
                *loads,
            ]
            if first.before is None:
                writes.append(self._record(record, last.after, now))
            with _LOADS if loads else nullcontext():
                failures = self.tickets.table.transact(writes)
            if REFUSED in failures.values():
                raise Conflict(f"{last.after.number} is being written by somebody else")
            if failures:
                raise TryAgain(f"{last.after.number}: {failures}")

    def _record(self, record: IdempotencyRecord, ticket: Ticket, now: datetime) -> Write:
        """The record, kept from the import on and not from the ticket's own time."""
        item = record_item(replace(record, number=ticket.number), now + KEPT_FOR)
        return "idempotency", {
            "Put": {
                "TableName": self.tickets.table.name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def reserve(self, desk: str, period: str, serial: int) -> None:
        """Let serials of a period begin after one that came with its ticket."""
        self.tickets.table.update_if(
            "attribute_not_exists(#n) OR #n < :n",
            f"SERIAL#{desk}#{period}",
            "SERIAL",
            UpdateExpression="SET #n = :n",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":n": {"N": str(serial)}},
        )


def _parts(past: Sequence[PastChange]) -> Iterator[list[PastChange]]:
    part: list[PastChange] = []
    size = 0
    for one in past:
        length = sum(len(event.model_dump_json()) for event in one.change.events)
        if part and (len(part) == AT_ONCE or size + length > MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(one)
        size += length
    if part:
        yield part
