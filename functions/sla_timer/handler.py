"""The schedule: each minute EventBridge wakes the sweep with its own moment.

`{"time": "2026-03-10T04:00:00Z", …}` is all that is read of the event, so whoever invokes the
function with a later time sees what it would do then (contract, section 3).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict

from functions.core.platform import container
from functions.core.platform.settings import Deployment
from functions.core.storage.store import SHARDS
from functions.sla_timer.sweep import SweepFailed, sweep

bp = Blueprint(__name__)


class Scheduled(BaseModel):
    """A scheduled event, as far as it matters."""

    model_config = ConfigDict(defer_build=True)

    time: AwareDatetime


def sla_timer(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Sweep what is due at the event's time.

    Raises:
        SweepFailed: after everything else was done, where items failed; the alarm counts it.
    """
    now: datetime = Scheduled.model_validate(event).time
    swept = sweep(
        container.store(Deployment.of(context)),
        now,
        lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()),
        first=now.minute % SHARDS,
    )
    if swept.failed:
        raise SweepFailed(f"{swept.failed} of {swept.done + swept.failed} items failed")
    return {"done": swept.done}


# Registered by a call: used as a decorator, Chalice would replace the function with a wrapper that
# refuses an event without EventBridge's whole envelope.
bp.schedule("rate(1 minute)", name="sla_timer")(sla_timer)
