"""The functions that a commit wakes."""

from collections.abc import Iterable

from functions.core.domain.events.base import Event
from functions.core.domain.events.steps import StepTaken


def waking_router(events: Iterable[Event]) -> tuple[Event, ...]:
    events = tuple(events)
    stepped = any(isinstance(event, StepTaken) for event in events)
    return tuple(
        event for event in events if event.wakes_router or (stepped and event.router_after_step)
    )


def readers(events: Iterable[Event], *, imported: bool = False) -> str:
    """The functions that a commit wakes: `both`, or `notify` alone, which enters every commit.

    The stream's filters compare this word (`infra/templates/wiring.yaml`), so the router is not
    woken by a commit that it would ignore. An imported commit tells the past: it wakes none, so
    that nobody is told, nothing is routed and no workflow begins.
    """
    if imported:
        return "none"
    return "both" if waking_router(events) else "notify"
