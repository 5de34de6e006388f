"""`deskbell-<stage>-sla_timer`: EventBridge invokes the sweep every minute.

Only the event's `{"time": "2026-03-10T04:00:00Z", …}` is read, so an invocation with a later time
processes what is due then. It hands a shard with much to do to another invocation of itself, with
the same time: `{"time": …, "shard": 2}`.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from functions.core.platform import aws, container
from functions.core.platform.logging import logger
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment
from functions.core.storage.items import SHARDS

bp = Blueprint(__name__)
log = logger("sla_timer")


class Scheduled(BaseModel):
    """The part of a scheduled event that the function reads; `shard` if it handed one over."""

    model_config = ConfigDict(defer_build=True)

    time: AwareDatetime
    shard: int | None = Field(default=None, ge=0, lt=SHARDS)


@metered
def sla_timer(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Process everything that is due at the event's time, or hand it over.

    Raises:
        SweepFailed: some items failed, after all others were processed; the alarm counts it.
    """
    from functions.sla_timer.sweep import SweepFailed, sweep

    scheduled = Scheduled.model_validate(event)
    deployment, now = Deployment.of(context), scheduled.time
    result = sweep(
        container.storage(deployment),
        now,
        lambda: timedelta(milliseconds=context.get_remaining_time_in_millis()),
        shards=_from(now.minute) if scheduled.shard is None else [scheduled.shard],
        hand_over=None
        if scheduled.shard is not None
        else lambda shard: _hand_over(deployment, now, shard),
        draft_desk=lambda: container.drafts(deployment),
    )
    if result.failed:
        raise SweepFailed(f"{result.failed} of {result.done + result.failed} items failed")
    return {"done": result.done, "handed_over": result.handed_over}


def _from(minute: int) -> list[int]:
    """Return all shards, each minute another one first."""
    return [(minute + step) % SHARDS for step in range(SHARDS)]


def _hand_over(deployment: Deployment, now: datetime, shard: int) -> bool:
    """Let another invocation sweep a shard; False if Lambda does not take it."""
    from botocore.exceptions import BotoCoreError, ClientError

    payload = json.dumps({"time": now.isoformat(), "shard": shard})
    try:
        aws.client("lambda").invoke(
            FunctionName=f"{deployment.prefix}-sla_timer",
            InvocationType="Event",
            Payload=payload.encode(),
        )
    except (BotoCoreError, ClientError):
        log.exception("sweep.not_handed_over", extra={"shard": shard})
        return False
    return True


# As a decorator, Chalice would replace the function with a wrapper that refuses an event without
# EventBridge's complete envelope.
bp.schedule("rate(1 minute)", name="sla_timer")(sla_timer)
