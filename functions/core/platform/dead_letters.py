"""What no retry can mend goes into its room's dead-letter queue, whole, with its cause (G3).

`deskbell quarantine` lists, shows and replays what lies there; an alarm tells that it does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from functions.core.platform import aws
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

MESSAGE_LIMIT = 250_000
"""Bytes of an SQS message at most, with room for its envelope."""

log = logger("parking")


def dead_letter(
    deployment: Deployment, room: str, record: Any, error: Exception | str, keys: Mapping[str, str]
) -> None:
    """DeadLetter a record.

    Args:
        room: whose queue, `deskbell-<stage>-<room>-dlq`.
        record: what could not be processed, as it came.
        keys: where it can be found again (table keys, a message id, a key in the bucket).
    """
    cause = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    log.error("record.parked", extra={"room": room, "cause": cause, "keys": dict(keys)})
    note: dict[str, Any] = {"room": room, "cause": cause, "keys": dict(keys)}
    whole = json.dumps({**note, "record": record}, ensure_ascii=False, default=str)
    if len(whole.encode()) > MESSAGE_LIMIT:  # it stays where its keys say
        whole = json.dumps(note, ensure_ascii=False)
    sqs = aws.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{deployment.prefix}-{room}-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=whole)
