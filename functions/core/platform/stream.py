"""Process a batch of the table's stream record by record and report each failure (F2).

A record that cannot be processed must not delay the others. If no retry can succeed
(`DeadLetter`), it goes to the function's dead-letter queue at once, with the cause; after an
unexpected error, once it is `PATIENCE` old. Any other failure is reported
(`ReportBatchItemFailures`) and Lambda retries the record, without a limit of attempts, until it is
nearly as old as the stream keeps it; then Lambda puts its position into the same queue (AWS Lambda,
"Using Lambda with DynamoDB"). So throttling only delays.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from functions.core.domain.audit import STAGE
from functions.core.domain.errors import DeadLetter, TryAgain
from functions.core.platform import metering
from functions.core.platform.alarms import raise_alarm
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.storage.outages import is_outage

PATIENCE = timedelta(minutes=1)
"""The age at which a record is dead-lettered whose processing fails with an unexpected error. Until
then it holds up the records behind it in its lane of the stream."""

BEHIND = timedelta(minutes=10)
"""The age of a record above which the alarm sounds: the function cannot keep up, or a record holds
up the others."""

log = logger("stream")


class BatchItemFailure(TypedDict):
    """A record that Lambda has to retry, by its sequence number."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """A function's response to a batch (AWS Lambda, "Reporting batch item failures")."""

    batchItemFailures: list[BatchItemFailure]


def process_batch(
    event: Any,
    deployment: Deployment,
    function: str,
    now: datetime,
    *processes: Callable[[Any], None],
) -> BatchResponse:
    """Process every record of a batch and return those to retry.

    Lambda delivers the first failed record again, with all that follow it. So a record is
    dead-lettered, once, when no earlier one of the batch has failed.

    Args:
        event: Lambda's event, `{"Records": [{"eventName", "dynamodb": {"NewImage", …}}, …]}`.
        function: the name of the function; its dead-letter queue gets the dead letters.
        processes: called with each record, one after the other for the whole batch; each raises
            `DeadLetter` if no retry can succeed.
    """
    records = event["Records"]
    oldest = max((_age(record, now) for record in records), default=timedelta())
    if oldest > BEHIND:
        seconds = int(oldest.total_seconds())
        raise_alarm("stream_behind", STAGE, function=function, seconds=seconds)
    failed: set[int] = set()
    dead: dict[int, Exception] = {}
    for process in processes:
        for position, record in enumerate(records):
            try:
                _say_about(record)
                process(record)
            except DeadLetter as error:
                dead[position] = error
            except Exception as error:
                if not _expected(error) and _age(record, now) > PATIENCE:
                    dead[position] = error
                    log.exception(f"{function}.failed", extra=_keys(record))
                    continue
                log.warning(f"{function}.again", extra={"cause": repr(error), **_keys(record)})
                failed.add(position)
    first = min(failed, default=len(records))
    for position, cause in sorted(dead.items()):
        if position < first:
            record = records[position]
            dead_letter(deployment, function, record, cause, _keys(record))
    retried = sorted(failed | {position for position in dead if position > first})
    return {"batchItemFailures": [_failure(records[position]) for position in retried]}


def _expected(error: Exception) -> bool:
    """Return whether an error ends by itself, however long that takes."""
    return isinstance(error, TryAgain) or is_outage(error)


def _age(record: Any, now: datetime) -> timedelta:
    try:
        created = float(record["dynamodb"]["ApproximateCreationDateTime"])
    except (KeyError, TypeError, ValueError):
        return PATIENCE * 2  # nothing else can tell how long it has been failing
    return now - datetime.fromtimestamp(created, UTC)


def _keys(record: Any) -> dict[str, str]:
    keys = record.get("dynamodb", {}).get("Keys", {}) if isinstance(record, dict) else {}
    return {name: next(iter(value.values())) for name, value in keys.items()}


def _say_about(record: Any) -> None:
    """Let the meter know for what the record is processed."""
    kind, *named = _keys(record).get("pk", "").split("#")
    if kind in {"DESK", "TICKET"}:
        metering.about(*named[:2])


def _failure(record: Any) -> BatchItemFailure:
    return {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
