"""The board's call: the stored snapshot, and what has changed since (D16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.domain.errors import Phrase
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.reports.board import BoardSnapshot, board, entry_of
from functions.core.services.rights import require
from functions.core.storage.board_snapshots import BoardSnapshots
from functions.core.storage.journal import SETTLED_AFTER
from functions.core.storage.table import BATCH_SIZE
from functions.workbench.calls import signed_in
from functions.workbench.queues import QUEUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.core.domain.roster import Agent
    from functions.core.domain.rules import Locale, Playbook
    from functions.core.domain.ticket import Ticket
    from functions.core.reports.board import BoardView
    from functions.core.storage.database import Storage

LOOKS_BACK = timedelta(days=1)
"""The most of the journals that is read: two days of each, whenever the snapshot was stored."""


def show_board(request: Request, storage: Storage, desk: str) -> HttpResponse:
    """Show what waits, what is overdue, who is online, and the day so far.

    Besides sign-in it takes one read of S3 and at most six of the table, however many tickets there
    are.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, QUEUES["all"], Phrase("see the board"))
    found = newest(request, storage, playbook)
    locale = locale_of(request, playbook.locale)
    return HttpResponse(view_of(found, storage.roster.list(desk), playbook, request.now, locale))


def newest(request: Request, storage: Storage, playbook: Playbook) -> BoardSnapshot:
    """Return the snapshot of a desk with what has changed since."""
    snapshots = BoardSnapshots(aws.client("s3"), request.deployment.mail_bucket)
    found = snapshots.get(playbook.desk) or BoardSnapshot(request.now - LOOKS_BACK, {})
    return refreshed(found, storage, playbook, request.now)


def view_of(
    snapshot: BoardSnapshot,
    agents: Sequence[Agent],
    playbook: Playbook,
    now: datetime,
    locale: Locale,
) -> BoardView:
    """Return the board that a snapshot shows."""
    return board(
        snapshot.entries.values(),
        agents,
        playbook,
        now,
        as_of=snapshot.at,
        baseline=snapshot.baseline,
        locale=locale,
    )


def refreshed(
    snapshot: BoardSnapshot, storage: Storage, playbook: Playbook, now: datetime
) -> BoardSnapshot:
    """Return a snapshot with the tickets that have changed since; the same if those are too many.

    A snapshot older than `LOOKS_BACK` stays as it is: the function that stores it does not run.
    """
    if now - snapshot.at > LOOKS_BACK:
        return snapshot
    versions: dict[str, int] = {}
    for journal in (storage.journal, storage.changes):
        for _, entry in journal.entries(playbook.desk, snapshot.at, now + SETTLED_AFTER):
            versions[entry.number] = max(versions.get(entry.number, 0), entry.version)
    known = snapshot.entries
    changed = [
        number
        for number, version in versions.items()
        if number not in known or known[number].version < version
    ]
    if len(changed) > BATCH_SIZE:
        return snapshot
    tickets = storage.tickets.load_many(playbook.desk, changed) if changed else ()
    return replace(with_tickets(snapshot, tickets, playbook), at=now)


def with_tickets(
    snapshot: BoardSnapshot, tickets: Iterable[Ticket], playbook: Playbook
) -> BoardSnapshot:
    """Return a snapshot with tickets that were read; of each the newer version counts."""
    known = dict(snapshot.entries)
    for ticket in tickets:
        before = known.get(ticket.number)
        if before is None or before.version < ticket.version:
            known[ticket.number] = entry_of(ticket, playbook, before=before)
    return replace(snapshot, entries=known)
