"""Process every due timer and delivery once (F3, G2).

A sweep reads only due items, shard by shard to the last page, and processes those of a page in
several threads. It may be repeated or overlap with another: each change is decided on the ticket's
newest version, and a timer that has fired is not due again before its next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Literal

from functions.core.domain import commands as c
from functions.core.domain.chat import CLOSES_AFTER
from functions.core.domain.errors import DeskbellError
from functions.core.domain.journal import ChatEnd, JournalEntry, presence_entry
from functions.core.domain.lifecycle import queue_rank
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import PICK_UP_AFTER, Ticket
from functions.core.platform import metering
from functions.core.platform.logging import logger
from functions.core.services.command_service import change
from functions.core.storage import chats, drafts
from functions.core.storage.database import Storage
from functions.core.storage.items import SHARDS, read_ticket
from functions.core.storage.roster import AGENT
from functions.core.storage.table import Item
from functions.core.storage.tickets import DUE_PAGE, Due

if TYPE_CHECKING:
    from functions.core.services.drafts import DraftDesk

log = logger("sla_timer")

TIME_FOR_ITEM = timedelta(seconds=5)
"""The remaining time below which no further item is started."""

THREADS = 8
"""Items processed at once; boto3's clients, which are safe to share, keep ten connections."""

HAND_OVER_ABOVE = 50
"""A shard with more due items is handed over to an invocation of its own."""


class SweepFailed(DeskbellError):
    """Some items failed. They stay due, and the next sweep retries them."""


@dataclass(frozen=True)
class SweepResult:
    """The numbers of processed and failed items and of shards handed over, and whether the time ran
    out."""

    done: int
    failed: int
    stopped: bool
    handed_over: int = 0


def sweep(
    storage: Storage,
    now: datetime,
    time_left: Callable[[], timedelta],
    *,
    shards: Sequence[int] = range(SHARDS),
    hand_over: Callable[[int], bool] | None = None,
    threads: int = THREADS,
    draft_desk: Callable[[], DraftDesk] | None = None,
) -> SweepResult:
    """Process everything that is due at `now`, each item by itself.

    Args:
        now: the scheduled time, aware; events carry it.
        time_left: returns the caller's remaining time; below `TIME_FOR_ITEM` the sweep stops.
        shards: those to sweep, in order; a different one first each minute, so that a shard that
            takes all the time does not starve the others.
        hand_over: hands a shard with much to do to another sweep; returns whether it could.
        draft_desk: returns what sends drafts; asked for only when one is due.
    """
    run = _Sweep(storage, now, time_left, threads, draft_desk)
    handed_over = 0
    for shard, first, rest in _look(storage, now, shards):
        if hand_over is not None and len(first) > HAND_OVER_ABOVE and hand_over(shard):
            handed_over += 1
        else:
            run.process(chain(first, rest))
    result = SweepResult(run.done, run.failed, run.stopped, handed_over)
    counts = {"done": run.done, "failed": run.failed, "handed_over": handed_over}
    if run.stopped:
        log.warning("sweep.stopped", extra=counts)
    else:
        log.info("sweep.done", extra=counts)
    return result


def _look(
    storage: Storage, now: datetime, shards: Sequence[int]
) -> list[tuple[int, list[Due], Iterator[Due]]]:
    """Read the first due items of all shards at once; return them by shard with those to follow."""

    def first(shard: int) -> tuple[int, list[Due], Iterator[Due]]:
        due = storage.tickets.due(shard, now)
        return shard, list(islice(due, HAND_OVER_ABOVE + 1)), due

    if len(shards) == 1:
        return [first(shard) for shard in shards]
    with ThreadPoolExecutor(len(shards)) as pool:
        return list(pool.map(first, shards))


class _Sweep:
    """One sweep: processes due items and counts them."""

    def __init__(
        self,
        storage: Storage,
        now: datetime,
        time_left: Callable[[], timedelta],
        threads: int,
        draft_desk: Callable[[], DraftDesk] | None,
    ) -> None:
        self.storage, self.now, self.time_left, self.threads = storage, now, time_left, threads
        self.draft_desk = draft_desk
        self.done = self.failed = 0
        self.stopped = False

    def process(self, due: Iterator[Due]) -> None:
        """Process items, page by page, until the time runs out."""
        while not self.stopped and (page := list(islice(due, DUE_PAGE))):
            items = self._read(page)
            with ThreadPoolExecutor(min(len(page), self.threads)) as pool:
                results = list(pool.map(self._succeeds, page, map(items.get, (d.pk for d in page))))
            self.done += results.count(True)
            self.failed += results.count(False)

    def _read(self, page: Sequence[Due]) -> dict[str, Item]:
        """The tickets of a page; those that are missing here are read one by one."""
        try:
            return self.storage.tickets.due_items(page)
        except Exception:
            log.exception("sweep.page_unread")
            return {}

    def _succeeds(self, due: Due, item: Item | None) -> bool | None:
        """Process one item; return whether that succeeded, None without time for it."""
        if self.stopped or self.time_left() < TIME_FOR_ITEM:
            self.stopped = True
            return None
        try:
            if due.sk.startswith(drafts.PREFIX):
                self._send(due)
            else:
                process(self.storage, due, self.now, item)
        except Exception:
            # One item must not delay all others (G2). It stays due.
            log.exception("sweep.failed", extra={"pk": due.pk, "sk": due.sk})
            return False
        return True

    def _send(self, due: Due) -> None:
        """Send what an agent sent and no page carried out."""
        if self.draft_desk is None:
            raise AssertionError("a sweep without drafts met one")
        desk, number = due.ticket
        metering.about(desk)
        agent = drafts.agent_of_key(due.sk)
        if self.draft_desk().commit_due(desk, number, agent, self.now):
            log.info("draft.sent", extra={"desk": desk, "number": number})


def process(storage: Storage, due: Due, now: datetime, item: Item | None = None) -> None:
    """Fire a ticket's due timers, make a delivery due, end an agent's shift, or close a chat.

    Args:
        item: the ticket as the sweep has just read it.
    """
    metering.about(due.pk.split("#")[1])
    if due.sk.startswith(AGENT):
        _end_shift(storage, due, now)
        return
    if due.sk == chats.SORT_KEY:
        _close_chat(storage, due, now)
        return
    desk, number = due.ticket
    if due.sk == "TICKET":
        loaded = read_ticket(item) if item is not None else None
        _process_ticket(storage, loaded or storage.tickets.load(desk, number), due.at, now)
        return
    delivery = storage.deliveries.get(desk, number, due.sk)
    # The index may lag behind the item, which another run has processed already.
    if delivery is None or delivery.state != "retrying":
        return
    if delivery.next_at is None or delivery.next_at <= now:
        due_delivery = delivery.model_copy(update={"state": "due", "at": now, "next_at": None})
        storage.deliveries.move(due_delivery, "retrying")


def _close_chat(storage: Storage, due: Due, now: datetime) -> None:
    """Close a chat that nobody went on with, and count it; look again later at another."""
    chat = storage.chats.get(*chats.chat_of_key(due.pk))
    if chat is None or chat.looks_at is None or chat.looks_at > now:
        return  # the index lags behind
    if not chat.is_silent(now):
        storage.chats.put(chat.changed(looks_at=chat.changed_at + CLOSES_AFTER))
        return
    outcome: Literal["confirmed", "silent"] = "confirmed" if chat.confirmed else "silent"
    end = ChatEnd(outcome=outcome, channel=chat.channel)
    entry = JournalEntry(number=chat.id, version=1, at=now, chat_end=end)
    storage.chat_ends.write(chat.desk, entry, now)
    storage.chats.put(chat.changed(outcome=outcome, looks_at=None))
    about = {"desk": chat.desk, "channel": chat.channel, "outcome": outcome}
    log.info("chat.closed", extra={**about, "answers": len(chat.articles), "misses": chat.misses})


def _end_shift(storage: Storage, due: Due, now: datetime) -> None:
    """Set an agent offline and hand over what the agent works on, as the playbook says."""
    desk, username = due.pk.removeprefix("DESK#"), due.sk.removeprefix(AGENT)
    if not storage.roster.go_offline_at(desk, username, due.due_sk):
        return  # the agent went offline, or came back for a later shift
    storage.presence.write(desk, presence_entry(username, False, now), now)
    from functions.core.services.handing_over import end_shift

    end_shift(storage, storage.playbooks.get(desk, now), username, "system", now)
    storage.roster.shift_ended(desk, username, due.due_sk)


def _process_ticket(storage: Storage, loaded: Ticket, position: datetime, now: datetime) -> None:
    """Fire a ticket's due timers, and pick it up if nobody has routed or acknowledged it.

    Args:
        position: where the `due` index lists the ticket.
    """
    desk, number = loaded.desk, loaded.number
    playbook = storage.playbooks.get(desk, now)
    ticket = change(storage, desk, number, c.Tick(), playbook, now, actor="system", loaded=loaded)
    again = _pick_up(storage, ticket, playbook, position, now)
    wake = min(filter(None, (ticket.next_due, again)), default=None)
    listed = ticket.wakes_at
    if wake != listed and (again is not None or (listed is not None and listed <= now)):
        # Else the next sweep would find the ticket although nothing is due.
        # A ticket that nobody has routed yet is listed for people from now on.
        stranded = again is not None and ticket.status == "received"
        rank = queue_rank(ticket, playbook) if stranded else None
        storage.tickets.move_wake(ticket, wake, rank)


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
