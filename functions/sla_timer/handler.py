"""`deskbell-<stage>-sla_timer`: EventBridge invokes the sweep every minute.

Only the event's `{"time": "2026-03-10T04:00:00Z", …}` is read, so an invocation with a later time
processes what is due then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict

from functions.core.platform import container
from functions.core.platform.settings import Deployment
from functions.core.storage.items import SHARDS
from functions.sla_timer.sweep import SweepFailed, sweep

bp = Blueprint(__name__)


class Scheduled(BaseModel):
    """The part of a scheduled event that the function reads."""

    model_config = ConfigDict(defer_build=True)

    time: AwareDatetime


def sla_timer(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Process everything that is due at the event's time.

    Raises:
        SweepFailed: some items failed, after all others were processed; the alarm counts it.
    """
    now: datetime = Scheduled.model_validate(event).time
    result = sweep(
        container.storage(Deployment.of(context)),
        now,
        lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()),
        first=now.minute % SHARDS,
    )
    if result.failed:
        raise SweepFailed(f"{result.failed} of {result.done + result.failed} items failed")
    return {"done": result.done}


# As a decorator, Chalice would replace the function with a wrapper that refuses an event without
# EventBridge's complete envelope.
bp.schedule("rate(1 minute)", name="sla_timer")(sla_timer)
