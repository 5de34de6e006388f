"""Playbooks: rehearsing a change on past tickets, and applying it (G15, H7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from time import monotonic
from typing import Any

from functions.administration.acts import Administration, act
from functions.core.domain.audit import AuditEntry
from functions.core.domain.errors import (
    ActionNotAllowed,
    DeadLetter,
    InvalidInput,
    PlaybookError,
)
from functions.core.domain.rehearsal import RehearsalSummary, Rehearsed, rehearsed
from functions.core.domain.rules import Playbook
from functions.core.playbook.changes import KeyChange, changes_to, for_the_console
from functions.core.services.trail import Trail
from functions.core.storage.database import Storage

COMPARED = 200
"""The most tickets that a page compares, the newest of its period."""
FOUND = 2_000
"""The most tickets of the period that are counted."""
SECONDS = 15.0
"""The time that a page's rehearsal takes at most; API Gateway ends the call after 29 seconds."""
LISTED = 50
"""The most tickets with differences that a page lists."""
DAYS = 30
"""The longest period of a page's rehearsal; the journal that names the tickets has 35 days."""
FILE = "playbook"
"""The name of the file in what is said about it."""


@dataclass(frozen=True)
class Applied:
    """The result of applying a playbook: the current version and the changes.

    `stored` is False if the desk already had this playbook. `removed_teams` are those that it no
    longer has.
    """

    desk: str
    version: int
    stored: bool
    changes: tuple[KeyChange, ...]
    removed_teams: tuple[str, ...] = ()


@act("supervisor", "admin")
def rehearse(administration: Administration, *, text: str, days: int) -> dict[str, Any]:
    """Compare what the desk's playbook and a changed one make of its newest tickets."""
    ends = monotonic() + SECONDS
    storage, desk, now = administration.storage, administration.desk, administration.now
    changed, current = _checked(text, desk), administration.playbook
    since = now - timedelta(days=min(max(days, 1), DAYS))
    numbers = storage.journal.openings(desk, since, now, FOUND)
    summary, differing = RehearsalSummary(), list[Rehearsed]()
    for ticket in rehearsals(storage, numbers[:COMPARED], current, changed, now):
        summary.add(ticket)
        if ticket.differences and len(differing) < LISTED:
            differing.append(ticket)
        if monotonic() > ends:
            break
    tickets = [[*documents(ticket, current.zone)] for ticket in differing]
    return {**summary_document(summary), "found": len(numbers), "tickets": tickets}


@act("admin")
def apply(administration: Administration, *, text: str, replaces: int) -> dict[str, Any]:
    """Apply a playbook that was compared with the version `replaces`.

    Raises:
        InvalidInput: it has problems, or its mailbox is another desk's.
        ActionNotAllowed: only the console can apply it.
        StalePlaybook: another version came in meanwhile.
    """
    playbook = _checked(text, administration.desk)
    document = administration.storage.playbooks.document(playbook.desk, replaces)
    if reasons := for_the_console(Playbook.stored(document), playbook):
        raise ActionNotAllowed(reasons[0])
    try:
        applied = store(
            administration.storage,
            administration.trail,
            playbook,
            administration.now,
            replaces=replaces,
        )
    except PlaybookError as error:
        raise InvalidInput(str(error)) from error
    return {"version": applied.version, "stored": applied.stored}


def _checked(text: str, desk: str) -> Playbook:
    from functions.core.playbook.loader import load_text

    try:
        return load_text(text, FILE, desk)
    except PlaybookError as error:
        raise InvalidInput(str(error)) from error


def store(
    storage: Storage,
    trail: Trail,
    playbook: Playbook,
    now: datetime,
    *,
    prepare: Callable[[], None] = lambda: None,
    replaces: int | None = None,
) -> Applied:
    """Store a checked playbook as its desk's next version unless nothing changes.

    Args:
        prepare: makes what the playbook needs, before it is stored.
        replaces: the version that it was compared with.

    Raises:
        PlaybookError: the mailbox belongs to another desk.
        Conflict: another playbook was applied at the same time.
        StalePlaybook: another version than `replaces` is current.
    """
    desk = playbook.desk
    current = storage.playbooks.version(desk)
    changes: tuple[KeyChange, ...] = ()
    before: dict[str, Any] = {}
    if current is not None:
        document = storage.playbooks.document(desk, current)
        before, changes = json.loads(document), changes_to(document, playbook)
        if not changes:
            return Applied(desk, current, stored=False, changes=())
    prepare()

    def entry(version: int) -> AuditEntry:
        was = {} if current is None else {"version": current}
        return trail.entry(
            "playbook.apply", desk, "playbook", before=was, after={"version": version}
        )

    version = storage.playbooks.put(
        playbook,
        now,
        lambda version: storage.audit.write(entry(version)),
        by=trail.actor,
        replaces=replaces,
    )
    removed = tuple(team for team in before.get("teams", {}) if team not in playbook.teams)
    return Applied(desk, version, stored=True, changes=changes, removed_teams=removed)


def rehearsals(
    storage: Storage, numbers: Iterable[str], current: Playbook, changed: Playbook, now: datetime
) -> Iterator[Rehearsed]:
    """Yield the comparison of each ticket; nothing is written."""
    for number in numbers:
        try:
            history = storage.tickets.history(changed.desk, number)
        except DeadLetter:
            yield Rehearsed(number, None, reason="unreadable")
        else:
            yield rehearsed(number, history, current, changed, now)


def documents(ticket: Rehearsed, zone: tzinfo) -> Iterator[dict[str, str]]:
    """Yield a JSON object for each difference, or for why a ticket was not compared."""
    received = ticket.received_at
    head = {
        "number": ticket.number,
        "received_at": received.astimezone(zone).isoformat(timespec="minutes") if received else "",
    }
    if ticket.reason:
        yield {**head, "not_compared": ticket.reason}
    for difference in ticket.differences:
        yield {**head, **vars(difference)}


def summary_document(summary: RehearsalSummary) -> dict[str, Any]:
    """Return the JSON object of a rehearsal's counts."""

    def shares(counts: tuple[tuple[int, int], tuple[int, int]]) -> Mapping[str, Any]:
        return {
            when: {"kept": kept, "of": of, "share": round(kept / of, 4) if of else None}
            for when, (kept, of) in zip(("before", "after"), counts, strict=True)
        }

    return {
        "compared": summary.compared,
        "differing": summary.differing,
        "differences": dict(sorted(summary.differences.items())),
        "not_compared": dict(sorted(summary.not_compared.items())),
        "promises": {kind: shares(counts) for kind, counts in summary.promises().items()},
    }
