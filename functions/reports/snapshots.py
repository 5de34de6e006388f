"""Keep a desk's board up to date, and tell its supervisors of jumps (D16)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.reports.board import (
    BoardSnapshot,
    counted_today,
    day_began,
    entry_of,
    jumps_today,
)
from functions.core.reports.columns import Fact
from functions.core.reports.jumps import AT_LEAST, Baseline, DayCount
from functions.core.reports.report import ReportJumpView
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.database import Storage
from functions.core.storage.items import open_partitions

Facts = Mapping[str, Sequence[Fact]]


def update(
    previous: BoardSnapshot | None,
    tickets: Iterable[Ticket],
    playbook: Playbook,
    now: datetime,
    *,
    through: datetime | None = None,
    facts: Facts | None = None,
) -> BoardSnapshot:
    """Return a desk's snapshot with the tickets that have changed, each at its newest version.

    Args:
        through: the time up to which changes are in it, `now` unless given.
        facts: ticket → all of its rows, from which today's figures are taken exactly.
    """
    entries = dict(previous.entries) if previous else {}
    for ticket in tickets:
        number = ticket.number
        rows = (facts or {}).get(number, ())
        entries[number] = entry_of(ticket, playbook, rows, entries.get(number))
    since, at = day_began(now, playbook), through or now
    needed = {number: entry for number, entry in entries.items() if entry.is_needed(since)}
    if previous and previous.baseline and previous.baseline.day == _today(playbook, now):
        return BoardSnapshot(at, needed, previous.baseline, previous.told)
    return BoardSnapshot(at, needed)


@dataclass(frozen=True)
class SnapshotKeeper:
    """Stores the snapshots of desks.

    - `counts`: a desk's tickets by local day and group in the `DAYS_BEFORE` days before a day;
    - `send_jumps`: tells the supervisors of jumps, False if it may be tried again.
    """

    storage: Storage
    snapshots: BoardSnapshots
    counts: Callable[[Playbook, date], Iterable[DayCount]]
    send_jumps: Callable[[Playbook, Sequence[ReportJumpView]], bool]

    def keep(
        self,
        playbook: Playbook,
        tickets: Sequence[Ticket],
        now: datetime,
        *,
        through: datetime,
        since: datetime | None = None,
        facts: Facts | None = None,
    ) -> BoardSnapshot:
        """Store the desk's snapshot if something changed, at least once a day (UTC).

        The first one has every open ticket. Each jump is told once.

        Args:
            tickets: what has changed since `since`.
            through: the arrival up to which the desk's journals have been read.
            since: the arrival from which they were; what a failed run has left out before is read
                again.
        """
        desk = playbook.desk
        previous = self.snapshots.get(desk)
        missed = self._missed(desk, previous, since)
        if previous and not tickets and not missed and _utc_day(previous.at) == _utc_day(through):
            return previous
        changed = {ticket.number: ticket for ticket in (*missed, *tickets)}
        if previous is None:
            changed = {ticket.number: ticket for ticket in self._open(playbook)} | changed
        found = update(previous, changed.values(), playbook, now, through=through, facts=facts)
        found = self._with_baseline(found, playbook, now)
        entries = found.entries.values()
        jumps = jumps_today(entries, playbook, now, found.baseline, playbook.locale)
        new = [jump for jump in jumps if jump["group"] not in found.told]
        told = replace(found, told=(*found.told, *(jump["group"] for jump in new)))
        self.snapshots.put(desk, told)
        if not new or self.send_jumps(playbook, new):
            return told
        self.snapshots.put(desk, found)
        return found

    def _missed(
        self, desk: str, previous: BoardSnapshot | None, since: datetime | None
    ) -> list[Ticket]:
        """Return the tickets that changed after the snapshot and before the run's own."""
        if previous is None or since is None or since <= previous.at:
            return []
        journals = (self.storage.journal, self.storage.changes)
        arrived = (each for one in journals for each in one.entries(desk, previous.at, since))
        return self.storage.tickets.load_many(desk, [entry.number for _, entry in arrived])

    def _with_baseline(
        self, found: BoardSnapshot, playbook: Playbook, now: datetime
    ) -> BoardSnapshot:
        """Ask for the day's baseline once there are enough tickets of a group for a jump."""
        groups = counted_today(found.entries.values(), playbook, now)
        if found.baseline or max(map(len, groups.values()), default=0) < AT_LEAST:
            return found
        today = _today(playbook, now)
        return replace(found, baseline=Baseline.of(self.counts(playbook, today), today))

    def _open(self, playbook: Playbook) -> Iterator[Ticket]:
        desk = playbook.desk
        handlers = [agent.username for agent in self.storage.roster.list(desk)]
        partitions = open_partitions(desk, playbook.teams, handlers)
        cursor: str | None = None
        while True:
            tickets, cursor = self.storage.tickets.queue_page(partitions, cursor, 100)
            yield from tickets
            if cursor is None:
                return


def _today(playbook: Playbook, now: datetime) -> date:
    return now.astimezone(playbook.zone).date()


def _utc_day(at: datetime) -> date:
    return at.astimezone(UTC).date()
