"""Process every due timer and delivery once (F3, G2).

A sweep reads only due items, shard by shard to the last page. It may be repeated or overlap with
another: each change is decided on the ticket's newest version, and a timer that has fired is not
due again before its next time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.domain import commands as c
from functions.core.domain.errors import DeskbellError
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import PICK_UP_AFTER, Ticket
from functions.core.platform.logging import logger
from functions.core.services.command_service import change
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS
from functions.core.storage.tickets import Due

log = logger("sla_timer")

TIME_FOR_ITEM = timedelta(seconds=5)
"""The remaining time below which no further item is started."""


class SweepFailed(DeskbellError):
    """Some items failed. They stay due, and the next sweep retries them."""


@dataclass(frozen=True)
class SweepResult:
    """The numbers of processed and failed items, and whether the time ran out."""

    done: int
    failed: int
    stopped: bool


def sweep(
    storage: Storage, now: datetime, time_left: Callable[[], timedelta], first: int = 0
) -> SweepResult:
    """Process everything that is due at `now`, each item by itself.

    Args:
        now: the scheduled time, aware; events carry it.
        time_left: returns the caller's remaining time; below `TIME_FOR_ITEM` the sweep stops.
        first: the shard to begin with; a different one each minute, so that a shard that takes all
            the time does not starve the others.
    """
    done = failed = 0
    for step in range(SHARDS):
        for due in storage.tickets.due((first + step) % SHARDS, now):
            if time_left() < TIME_FOR_ITEM:
                log.warning("sweep.stopped", extra={"done": done, "failed": failed})
                return SweepResult(done, failed, stopped=True)
            try:
                process(storage, due, now)
                done += 1
            except Exception:
                # One item must not delay all others (G2). It stays due.
                log.exception("sweep.failed", extra={"pk": due.pk, "sk": due.sk})
                failed += 1
    log.info("sweep.done", extra={"done": done, "failed": failed})
    return SweepResult(done, failed, stopped=False)


def process(storage: Storage, due: Due, now: datetime) -> None:
    """Fire a ticket's due timers, or make a delivery due."""
    desk, number = due.ticket
    if due.sk == "TICKET":
        _process_ticket(storage, desk, number, due.at, now)
        return
    delivery = storage.deliveries.get(desk, number, due.sk)
    # The index may lag behind the item, which another run has processed already.
    if delivery is None or delivery.state != "retrying":
        return
    if delivery.next_at is None or delivery.next_at <= now:
        due_delivery = delivery.model_copy(update={"state": "due", "at": now, "next_at": None})
        storage.deliveries.move(due_delivery, "retrying")


def _process_ticket(
    storage: Storage, desk: str, number: str, position: datetime, now: datetime
) -> None:
    """Fire a ticket's due timers, and pick it up if nobody has routed or acknowledged it.

    Args:
        position: where the `due` index lists the ticket.
    """
    playbook = storage.playbooks.get(desk, now)
    ticket = change(storage, desk, number, c.Tick(), playbook, now, actor="system")
    again = _pick_up(storage, ticket, playbook, position, now)
    wake = min(filter(None, (ticket.next_due, again)), default=None)
    listed = ticket.wakes_at
    if wake != listed and (again is not None or (listed is not None and listed <= now)):
        # Else the next sweep would find the ticket although nothing is due.
        storage.tickets.move_wake(ticket, wake)


def _pick_up(
    storage: Storage, ticket: Ticket, playbook: Playbook, position: datetime, now: datetime
) -> datetime | None:
    """Deliver a new ticket's first commit again if the stream did not; return when to look again.

    The stream delivers each record, but functions may be unable to process it, and it keeps a
    record for a day. The looks are `PICK_UP_AFTER`, twice, four times … after the receipt, for a
    day; the functions' dead-letter queues have by then what cannot be processed at all.
    """
    age = position - ticket.received_at
    if age not in _LOOKS or not _is_neglected(storage, ticket, playbook):
        return None
    log.warning("ticket.picked_up", extra={"desk": ticket.desk, "number": ticket.number})
    storage.tickets.redrive(ticket.desk, ticket.number, now)
    ahead = (ticket.received_at + look for look in _LOOKS)
    return next((look for look in ahead if look > now), None)


_LOOKS = [PICK_UP_AFTER * 2**n for n in range(10)]  # up to 17 hours


def _is_neglected(storage: Storage, ticket: Ticket, playbook: Playbook) -> bool:
    """Return whether a ticket is not routed, or the messages about its receipt are not claimed."""
    if ticket.status == "received":
        return True
    if ticket.erased or storage.deliveries.exists(ticket.desk, ticket.number, version=1):
        return False
    from functions.core.services.composing import notifications_for

    first = storage.tickets.commit_at(ticket.desk, ticket.number, 1)
    return first is not None and bool(notifications_for(first, ticket, playbook))
