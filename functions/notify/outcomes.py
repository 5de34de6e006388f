"""What came of a delivery, written down: later, parked, or the state that the caller gives.

Each is a write on condition of the state before it. One that is refused says that another run took
this one for dead; its record stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.platform.logging import logger
from functions.core.storage.store import Store

CLAIM_HOLDS = timedelta(seconds=65)
"""How long a claim may be under way: the function's timeout in `.chalice/config.json`, and what
clocks that tell whole seconds may differ by."""

log = logger("notify")


class UnderWay(TryAgain):
    """Another run holds the claim, or died with it: to be looked at when `CLAIM_HOLDS` is over."""


class DeliveryContext(Protocol):
    """The table, and whoever has to see what is parked: `announce(keys, cause)`."""

    @property
    def store(self) -> Store: ...

    @property
    def announce(self) -> Callable[[dict[str, str], str], None]: ...


def later(
    tried: Delivery,
    cause: str,
    desk: DeliveryContext,
    now: datetime,
    waits: Sequence[timedelta],
    expected: str | None = "claimed",
) -> None:
    """It was not sent: again after the wait that follows this attempt, or parked after the last."""
    if tried.attempts > len(waits):
        park(tried, f"gave up after {tried.attempts} attempts: {cause}", desk, now, expected)
        return
    next_at = now + waits[tried.attempts - 1]
    waiting = tried.model_copy(update={"state": "retrying", "cause": cause, "next_at": next_at})
    mark(waiting, expected, desk)
    log.warning("delivery.retrying", extra={**about(waiting), "cause": cause})


def park(
    found: Delivery,
    cause: str,
    desk: DeliveryContext,
    now: datetime,
    expected: str | None = "claimed",
) -> None:
    """Put a delivery aside for a person; announced first, so that no crash can hide it (G3)."""
    parked = found.model_copy(
        update={"state": "parked", "cause": cause, "at": now, "next_at": None}
    )
    keys = {"pk": f"TICKET#{found.desk}#{found.number}", "sk": f"DELIVERY#{found.id}"}
    desk.announce(keys, cause)
    mark(parked, expected, desk)


def mark(delivery: Delivery, expected: str | None, desk: DeliveryContext) -> None:
    """Write a delivery's new state; `expected` is the one before it, None where it has no item."""
    if not desk.store.move(delivery, expected):
        # Another run took this one for dead and parked it; the record shows that, and so do we.
        log.warning("delivery.overtaken", extra={**about(delivery), "outcome": delivery.state})


def about(delivery: Delivery) -> dict[str, Any]:
    """What a log line says of a delivery."""
    return {
        "desk": delivery.desk,
        "number": delivery.number,
        "delivery": delivery.id,
        "channel": delivery.channel,
        "attempts": delivery.attempts,
    }
