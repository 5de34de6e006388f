"""Put a record that no retry can process into a function's dead-letter queue (G3).

`deskbell quarantine` lists, shows and replays dead letters; an alarm reports them.
"""

import json
from collections.abc import Mapping
from typing import Any

from functions.core.platform import aws
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

MESSAGE_LIMIT = 250_000
"""The maximum bytes of a message: the limit of SQS less a margin for the envelope."""

log = logger("dead_letters")


def dead_letter(
    deployment: Deployment,
    function: str,
    record: Any,
    error: Exception | str,
    keys: Mapping[str, str],
) -> None:
    """Dead-letter a record in the queue `deskbell-<stage>-<function>-dlq`.

    Args:
        record: the record as the function received it.
        keys: the keys that locate it (of the table, of the bucket, or a message id). A record that
            is too long for the queue is left out and found by them.
    """
    cause = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    entry: dict[str, Any] = {"function": function, "cause": cause, "keys": dict(keys)}
    log.error("record.dead_lettered", extra=entry)
    body = json.dumps({**entry, "record": record}, ensure_ascii=False, default=str)
    if len(body.encode()) > MESSAGE_LIMIT:
        body = json.dumps(entry, ensure_ascii=False)
    sqs = aws.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{deployment.prefix}-{function}-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=body)
