"""`deskbell-<stage>-reports`: EventBridge invokes it every twelve minutes.

Of the event `{"time": "2026-03-10T04:00:00Z", "desk": …}` the time is its now, as for `sla_timer`;
with `desk`, which an operator may give, it looks after that desk only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint
from pydantic import AwareDatetime, BaseModel, ConfigDict

from functions.core.deliver import email, once
from functions.core.platform import aws, clock, container
from functions.core.platform.alarms import raise_alarm
from functions.core.platform.logging import logger
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment

EVERY = timedelta(minutes=12)
"""The interval of the schedule: with what is settled by then, facts are complete in 15 minutes."""

TIME_FOR_MORE = timedelta(seconds=90)
"""The remaining time that another part of the work needs; the next run does the rest."""

bp = Blueprint(__name__)
log = logger("reports")


class ReportsScheduled(BaseModel):
    """The part of a scheduled event that the function reads."""

    model_config = ConfigDict(defer_build=True)

    time: AwareDatetime
    desk: str | None = None


@metered
def reports(event: dict[str, Any], context: Any) -> None:
    """Complete the facts of each desk, then write what is due; one desk's failure stops no other.

    Raises:
        ExceptionGroup: the failures, after all desks.
    """
    scheduled, deployment = ReportsScheduled.model_validate(event), Deployment.of(context)
    storage = container.storage(deployment)
    desks = [scheduled.desk] if scheduled.desk else [m.desk for m in storage.manifests.list()]
    if desks:  # another one first in each run, should the time not be enough for all
        first = int(scheduled.time.timestamp() // EVERY.total_seconds()) % len(desks)
        desks = desks[first:] + desks[:first]
    failures: list[Exception] = []

    def has_time() -> bool:
        left: int = context.get_remaining_time_in_millis()
        return left > TIME_FOR_MORE.total_seconds() * 1000

    for desk in desks:
        if not has_time():
            break
        try:
            _look_after(desk, scheduled.time, deployment, has_time)
        except Exception as error:
            log.exception("reports.failed", extra={"desk": desk})
            raise_alarm("reports_failed", desk)
            failures.append(error)
    if failures:
        raise ExceptionGroup("reports", failures)


def _look_after(
    desk: str, time: datetime, deployment: Deployment, has_time: Callable[[], bool]
) -> None:
    from functions.core.platform.athena import Athena
    from functions.core.storage.board_snapshots import BoardSnapshots
    from functions.core.storage.facts import FactStore
    from functions.core.storage.reports import StoredReports
    from functions.reports.desk_run import DeskRun

    storage, now, s3 = container.storage(deployment), clock.now(), aws.client("s3")
    playbook = storage.playbooks.get(desk, now)
    DeskRun(
        storage=storage,
        facts=FactStore(s3, deployment.mail_bucket),
        reports=StoredReports(s3, deployment.mail_bucket, playbook.retention.years),
        snapshots=BoardSnapshots(s3, deployment.mail_bucket),
        athena=Athena(deployment),
        send=lambda sender, to, raw: email.send(
            once.client("sesv2"), sender, to, raw, deployment.prefix
        ),
        region=deployment.region,
        playbook=playbook,
        time=time,
        now=now,
        has_time=has_time,
    ).run()


# As a decorator, Chalice would replace the function with a wrapper that refuses an event without
# EventBridge's complete envelope.
bp.schedule(f"rate({EVERY // timedelta(minutes=1)} minutes)", name="reports")(reports)
