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
    from functions.core.domain.rules import Playbook
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
    snapshots = BoardSnapshots(aws.client("s3"), request.deployment.mail_bucket)
    found = snapshots.get(desk) or BoardSnapshot(request.now - LOOKS_BACK, {})
    found = refreshed(found, storage, playbook, request.now)
    return HttpResponse(
        board(
            found.entries.values(),
            storage.roster.list(desk),
            playbook,
            request.now,
            as_of=found.at,
            baseline=found.baseline,
            locale=locale_of(request, playbook.locale),
        )
    )


def refreshed(
    snapshot: BoardSnapshot, storage: Storage, playbook: Playbook, now: datetime
) -> BoardSnapshot:
    """Return a snapshot with the tickets that have changed since; the same if those are too many.

    A snapshot older than `LOOKS_BACK` stays as it is: the function that stores it does not run.
    """
    if now - snapshot.at > LOOKS_BACK:
        return snapshot
    newest: dict[str, int] = {}
    for journal in (storage.journal, storage.changes):
        for _, entry in journal.entries(playbook.desk, snapshot.at, now + SETTLED_AFTER):
            newest[entry.number] = max(newest.get(entry.number, 0), entry.version)
    known = snapshot.entries
    changed = [
        number
        for number, version in newest.items()
        if number not in known or known[number].version < version
    ]
    if len(changed) > BATCH_SIZE:
        return snapshot
    tickets = storage.tickets.load_many(playbook.desk, changed) if changed else ()
    entries = {
        ticket.number: entry_of(ticket, playbook, before=known.get(ticket.number))
        for ticket in tickets
    }
    return replace(snapshot, at=now, entries={**known, **entries})
