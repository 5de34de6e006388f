"""Process a batch of the table's stream record by record and report each failure (F2).

A record that cannot be processed must not delay the others. If no retry can succeed
(`DeadLetter`), it goes to the function's dead-letter queue at once, with the cause. Any other
failure is reported, so that Lambda retries the record (`ReportBatchItemFailures`); when Lambda
gives up, it puts the record's position into the same queue (AWS Lambda, "Using Lambda with
DynamoDB").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from functions.core.domain.errors import DeadLetter, DeskbellError, TryAgain
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

log = logger("stream")


class BatchItemFailure(TypedDict):
    """A record that Lambda has to retry, by its sequence number."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """A function's response to a batch (AWS Lambda, "Reporting batch item failures")."""

    batchItemFailures: list[BatchItemFailure]


def process_batch(
    event: Any, deployment: Deployment, function: str, process: Callable[[Any], None]
) -> BatchResponse:
    """Process every record of a batch and return those to retry.

    Args:
        event: Lambda's event, `{"Records": [{"eventName", "dynamodb": {"NewImage", …}}, …]}`.
        function: the name of the function; its dead-letter queue gets the dead letters.
        process: called with each record; raises `DeadLetter` if no retry can succeed.
    """
    failures: list[BatchItemFailure] = []
    for record in event["Records"]:
        try:
            process(record)
        except DeadLetter as error:
            dead_letter(deployment, function, record, error, _keys(record))
        except (TryAgain, DeskbellError) as error:
            log.warning(f"{function}.again", extra={"cause": str(error), **_keys(record)})
            failures.append(_failure(record))
        except Exception:
            # Lambda retries the record and finally dead-letters it; the others are processed.
            log.exception(f"{function}.failed", extra=_keys(record))
            failures.append(_failure(record))
    return {"batchItemFailures": failures}


def _keys(record: Any) -> dict[str, str]:
    keys = record.get("dynamodb", {}).get("Keys", {}) if isinstance(record, dict) else {}
    return {name: next(iter(value.values())) for name, value in keys.items()}


def _failure(record: Any) -> BatchItemFailure:
    return {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
