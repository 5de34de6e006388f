"""A commit: one change of a ticket, and the functions that it wakes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import SerializeAsAny

from functions.core.domain.events.base import E, Event
from functions.core.domain.events.steps import StepTaken
from functions.core.domain.privacy import TermName
from functions.core.domain.ticket import Value

Actor = TermName
"""`customer`, `system`, or an agent's username."""

MACHINES = frozenset({"customer", "system"})
"""The actors that are not members of the desk."""


class Commit(Value):
    """One change of a ticket: its events in order, with actor and time.

    `sealed`: masking changed the customer's text, and the original is stored sealed.
    `records_before`: entries of the handling record in earlier commits, None if unknown.
    """

    desk: TermName
    number: TermName
    version: int
    at: datetime
    actor: Actor
    events: tuple[SerializeAsAny[Event], ...]
    sealed: bool = False
    records_before: int | None = None

    @property
    def record_entries(self) -> int:
        """The entries that this commit adds to the handling record (B7)."""
        return sum(event.record is not None for event in self.events)

    def of(self, *kinds: type[E]) -> tuple[E, ...]:
        return tuple(event for event in self.events if isinstance(event, kinds))


def waking_router(events: Iterable[Event]) -> tuple[Event, ...]:
    events = tuple(events)
    stepped = any(isinstance(event, StepTaken) for event in events)
    return tuple(
        event
        for event in events
        if "router" in event.wakes or (stepped and event.router_after_step)
    )


def readers(events: Iterable[Event], *, wanted_by_webhook: bool = False) -> str:
    """The functions that a commit wakes: `router`, `notify`, `both` or `none`.

    The stream's filters compare this word (`infra/templates/wiring.yaml`), so a function is not
    woken by a commit that it would ignore.

    Args:
        wanted_by_webhook: a webhook of the desk subscribes to one of the events; notify sends it
            whatever the event is (G5).
    """
    events = tuple(events)
    router = bool(waking_router(events))
    notify = wanted_by_webhook or any("notify" in event.wakes for event in events)
    if router and notify:
        return "both"
    return "router" if router else "notify" if notify else "none"
