"""Rehearse a changed playbook on a desk's tickets of the last days; nothing is written (G15)."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

from functions.core.domain.errors import DeadLetter
from functions.core.domain.rehearsal import RehearsalSummary, Rehearsed, rehearsed
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from infra.console.errors import UsageError
from infra.console.search import numbers


def rehearse(
    storage: Storage, changed: Playbook, last: timedelta, now: datetime
) -> Iterator[Rehearsed]:
    """Yield the comparison of each ticket received within the `last` days, in no order.

    Raises:
        UsageError: the desk has no playbook in force.
    """
    desk = changed.desk
    if storage.playbooks.version(desk) is None:
        raise UsageError(f"the stage has no desk '{desk}', so there is nothing to compare with")
    current = storage.playbooks.get(desk, now)
    for number in numbers(storage, desk, now - last):
        try:
            history = storage.tickets.history(desk, number)
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
    return {
        "compared": summary.compared,
        "differing": summary.differing,
        "differences": dict(sorted(summary.differences.items())),
        "not_compared": dict(sorted(summary.not_compared.items())),
        "promises": {
            kind: {
                when: {"kept": kept, "of": of, "share": round(kept / of, 4) if of else None}
                for when, (kept, of) in zip(("before", "after"), counts, strict=True)
            }
            for kind, counts in summary.promises().items()
        },
    }
