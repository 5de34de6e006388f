"""The table's stream, read record by record, with answers for each (F2).

A record that cannot be processed must not hold up the others. One that no retry can mend
(`DeadLetter`) goes whole into the function's dead-letter queue at once, with its cause; one that
fails for now is answered as failed, so that Lambda brings it again (`ReportBatchItemFailures`);
when Lambda gives up it puts the record's position into the same queue (AWS Lambda, "Using Lambda
with DynamoDB").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from functions.core.domain.errors import DeadLetter, DeskbellError, TryAgain
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

log = logger("stream")


def each(
    event: Any, deployment: Deployment, room: str, process: Callable[[Any], None]
) -> dict[str, list[dict[str, str]]]:
    """Process every record of a batch and answer which ones failed for now.

    Args:
        event: Lambda's event, `{"Records": [{"eventName", "dynamodb": {"NewImage", …}}, …]}`.
        process: called with each record; raises `DeadLetter` for what no retry mends.
    """
    failures = []
    for record in event["Records"]:
        try:
            process(record)
        except DeadLetter as error:
            park(deployment, room, record, error)
        except (TryAgain, DeskbellError) as error:
            log.warning(f"{room}.again", extra={"cause": str(error), **_keys(record)})
            failures.append(_failure(record))
        except Exception:
            # Lambda brings the record again and parks it in the end; the others go on.
            log.exception(f"{room}.failed", extra=_keys(record))
            failures.append(_failure(record))
    return {"batchItemFailures": failures}


def park(deployment: Deployment, room: str, record: Any, error: Exception) -> None:
    """Put a stream record into the room's dead-letter queue (G3)."""
    dead_letter(deployment, room, record, error, _keys(record))


def _keys(record: Any) -> dict[str, str]:
    keys = record.get("dynamodb", {}).get("Keys", {}) if isinstance(record, dict) else {}
    return {name: next(iter(value.values())) for name, value in keys.items()}


def _failure(record: Any) -> dict[str, str]:
    return {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
