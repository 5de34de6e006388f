"""One look at everything that is due (F3, G2).

A sweep reads what is due and nothing else, shard by shard to the last page. It may be repeated and
may overlap with another: each change is decided on the ticket's newest version, and a timer that
has rung is not due again until its next moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.core.domain import commands as c
from functions.core.domain.errors import DeskbellError
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.services.command_service import change
from functions.core.storage.store import SHARDS, Due, Store

log = logger("sla_timer")

ENOUGH = timedelta(seconds=5)
"""What has to be left of the function's time to begin with another item."""


class SweepFailed(DeskbellError):
    """Some items could not be looked at. They stay due; the next sweep tries them again."""


@dataclass(frozen=True)
class Swept:
    """What a sweep came across: items acted on, failed, and whether time ran out before the end."""

    done: int
    failed: int
    stopped: bool


def sweep(store: Store, now: datetime, left: Callable[[], timedelta], first: int = 0) -> Swept:
    """Let happen what is due at `now`, each item by itself, and count.

    Args:
        now: the scheduled moment, aware; events are stamped with it.
        left: how much time the caller still has; below `ENOUGH` the rest waits for the next sweep.
        first: the shard to begin with, so that one which takes all the time does not starve others.
    """
    done = failed = 0
    for step in range(SHARDS):
        for due in store.due((first + step) % SHARDS, now):
            if left() < ENOUGH:
                log.warning("sweep.stopped", extra={"done": done, "failed": failed})
                return Swept(done, failed, stopped=True)
            try:
                look_at(store, due, now)
                done += 1
            except Exception:
                # One item must not keep the deadlines of all others waiting (G2). It stays due.
                log.exception("sweep.failed", extra={"pk": due.pk, "sk": due.sk})
                failed += 1
    log.info("sweep.done", extra={"done": done, "failed": failed})
    return Swept(done, failed, stopped=False)


def look_at(store: Store, due: Due, now: datetime) -> None:
    """Do what is due about one item: ring the ticket's timers, or bring a delivery back."""
    desk, number = due.ticket
    if due.sk == "TICKET":
        playbook = store.playbook(desk, now)
        ticket = change(store, desk, number, c.Tick(), playbook, now, actor="system")
        if ticket.wakes_at != ticket.next_due and _still_due(ticket, now):
            store.move_wake(ticket)
        return
    delivery = store.delivery(desk, number, due.sk)
    # The index may lag behind the item: somebody else has brought it on already.
    if delivery is None or delivery.state != "retrying":
        return
    if delivery.next_at is None or delivery.next_at <= now:
        again = delivery.model_copy(update={"state": "due", "at": now, "next_at": None})
        store.move(again, "retrying")


def _still_due(ticket: Ticket, now: datetime) -> bool:
    """Whether the next sweep would find the ticket again although nothing is due at it."""
    return ticket.wakes_at is not None and ticket.wakes_at <= now
