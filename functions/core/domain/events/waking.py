"""The functions that a commit wakes."""

from collections.abc import Iterable

from functions.core.domain.events.base import Event
from functions.core.domain.events.steps import StepTaken


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
