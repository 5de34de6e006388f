"""`deskbell-<stage>-notify`: act on the table's stream records (F2).

It sends messages and webhooks about a commit, and enters each commit in a journal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import sleep
from typing import Any, Protocol

from chalice.app import Blueprint

from functions.core.domain.errors import TryAgain
from functions.core.platform import clock
from functions.core.platform.container import storage
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext
from functions.core.platform.stream import BatchResponse, process_batch
from functions.notify import journal
from functions.notify.base_dispatch import ClaimedElsewhere
from functions.notify.wiring import dispatcher, webhook_dispatcher

TIME_FOR_RECORD = timedelta(seconds=25)
"""The remaining time that another record needs: Lambda must not end the function between sending
and recording because a provider is slow."""

CLAIM_PAUSE = timedelta(seconds=20)
"""The wait before a record with another run's claim is retried. Lambda retries at once, and would
do so until the claim of a run that died expires (`CLAIM_TIMEOUT`)."""

TIME_AFTER_PAUSE = timedelta(seconds=5)
"""The remaining time that the function needs after the pause."""

bp = Blueprint(__name__)


class Context(LambdaContext, Protocol):
    def get_remaining_time_in_millis(self) -> int: ...


@bp.lambda_function(name="notify")
@metered
def notify(event: Any, context: Context) -> BatchResponse:
    deployment = Deployment.of(context)
    claims: list[ClaimedElsewhere] = []

    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    def in_time() -> bool:
        return time_left() >= TIME_FOR_RECORD

    people = dispatcher(deployment)
    webhooks = webhook_dispatcher(deployment, in_time)

    def notify_people(record: Any) -> None:
        if not in_time():
            raise TryAgain("no time is left for this record")
        with _collected(claims):
            people.at(clock.now()).process(record)

    def notify_people_and_enter(record: Any) -> None:
        try:
            notify_people(record)
        finally:  # an outage of a provider delays no journal
            journal.enter(record, storage(deployment), clock.now())

    def notify_webhooks(record: Any) -> None:
        with _collected(claims):
            webhooks.at(clock.now()).process(record)

    # People first: an endpoint that hangs must delay other endpoints only (G5).
    processes = (notify_people_and_enter, notify_webhooks)
    response = process_batch(event, deployment, "notify", clock.now(), *processes)
    if claims:
        sleep(max(min(CLAIM_PAUSE, time_left() - TIME_AFTER_PAUSE), timedelta()).total_seconds())
    return response


@contextmanager
def _collected(claims: list[ClaimedElsewhere]) -> Iterator[None]:
    try:
        yield
    except ClaimedElsewhere as error:
        claims.append(error)
        raise
