"""The dead-letter queues: list, show, replay and delete records that a function could not process.

A queue holds records that a function dead-lettered with their cause, and those that Lambda or SQS
gave up on after their retries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.administration.entries import (
    CANNOT_BE_READ,
    NO_DESK,
    UNREADABLE,
    QuarantineEntry,
    unreadable_cause,
)
from functions.administration.redelivery import (
    DeadLetteredAgainError,
    Redelivery,
    StreamGoneError,
    records_between,
)
from functions.core.deliver import once
from functions.core.domain.errors import ReplayError
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.quarantined import released_call

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

FUNCTIONS = ("mail", "router", "notify", "sla_timer")
"""The functions that have a dead-letter queue, named as their queues: `<prefix>-<function>-dlq`.
What `fetcher` could not fetch is in the queue of mail, since it comes in too."""

_HIDDEN_SECONDS = 60
_PAGE = 10
_NOT_IN_FLIGHT = frozenset(
    {
        "InvalidParameterValue",
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        "ReceiptHandleIsInvalid",
    }
)


class DeadLetters:
    """The dead-letter queues of a deployment.

    Args:
        patience: the seconds for which a function that gets its record again may run.
    """

    def __init__(self, prefix: str, storage: Storage, patience: float) -> None:
        self._prefix = prefix
        self._storage = storage
        self._patience = patience
        self._sqs: SQSClient = aws.client("sqs")

    def _queue(self, name: str) -> str:
        return self._sqs.get_queue_url(QueueName=f"{self._prefix}-{name}")["QueueUrl"]

    # Listing

    def entries(self, at_most: int | None) -> Iterator[QuarantineEntry]:
        """Receive the messages; other consumers do not see them for a minute, or until `unhide`.

        Args:
            at_most: about the most that is received of each queue.
        """
        for function in FUNCTIONS:
            queue, received = self._queue(f"{function}-dlq"), 0
            while at_most is None or received < at_most:
                messages = self._sqs.receive_message(
                    QueueUrl=queue,
                    MaxNumberOfMessages=_PAGE,
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
                ).get("Messages", [])
                if not messages:
                    break
                received += len(messages)
                yield from (self._entry(function, message) for message in messages)

    def unhide(self, entry: QuarantineEntry) -> None:
        """Make a received message visible to others again."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue(f"{entry.function}-dlq"),
                ReceiptHandle=entry.receipt,
                VisibilityTimeout=0,
            )
        except ClientError as error:
            # The message was deleted after a replay, or its visibility timeout has passed.
            if error.response["Error"]["Code"] not in _NOT_IN_FLIGHT:
                raise

    def delete(self, entry: QuarantineEntry) -> None:
        self._sqs.delete_message(
            QueueUrl=self._queue(f"{entry.function}-dlq"), ReceiptHandle=entry.receipt
        )

    def _entry(self, function: str, message: MessageTypeDef) -> QuarantineEntry:
        try:
            return self._readable_entry(function, message)
        except UNREADABLE as error:
            return QuarantineEntry(
                id=message["MessageId"],
                function=function,
                at=_sent_at(message),
                cause=unreadable_cause(error),
                keys={},
                desk=NO_DESK,
                body=message["Body"],
                receipt=message["ReceiptHandle"],
                unreadable=True,
            )

    def _readable_entry(self, function: str, message: MessageTypeDef) -> QuarantineEntry:
        body = _json(message["Body"])
        if body is None:  # an entry without a body is an object of the mail bucket
            raise ValueError("null")
        records = _batch(function, body)
        keys = _first_keys(records) if records else self._keys(function, body)
        desks = {_desk_of(each["dynamodb"]["Keys"]["pk"]["S"]) for each in records}
        return QuarantineEntry(
            id=message["MessageId"],
            function=function,
            at=_sent_at(message),
            cause=_cause(body, message["Attributes"]),
            keys=keys,
            # A batch may be about tickets of several desks.
            desk=(desks.pop() if len(desks) == 1 else NO_DESK) if desks else self._desk(keys, body),
            body=body,
            receipt=message["ReceiptHandle"],
            call=(_call(body) or {}) if function == "mail" else {},
        )

    def _keys(self, function: str, body: Any) -> dict[str, str]:
        if not isinstance(body, dict):
            return {}
        keys = {str(name): str(value) for name, value in (body.get("keys") or {}).items()}
        if function == "mail" and (notification := _mail_notification(_record(body))):
            keys["mail"] = notification["receipt"]["action"]["objectKey"]
        elif function == "mail" and (call := _call(body)):
            keys["mail"] = str(call["key"])
        return keys

    def _desk(self, keys: Mapping[str, str], body: Any) -> str:
        if "#" in keys.get("pk", ""):
            return _desk_of(keys["pk"])
        if call := _call(body) or _fetch_task(body):
            return str(call["desk"])
        notification = _mail_notification(_record(body)) if isinstance(body, dict) else None
        for recipient in notification["receipt"]["recipients"] if notification else []:
            if desk := self._storage.playbooks.desk_of_mailbox(str(recipient)):
                return desk
        return NO_DESK

    # Showing

    def records(self, entry: QuarantineEntry) -> list[str]:
        """The records of a discarded stream batch as text, or why they cannot be read."""
        try:
            records = records_between(entry.body["DDBStreamBatchInfo"], entry.function)
        except StreamGoneError as error:
            return [str(error)]
        except UNREADABLE as error:
            return [f"({unreadable_cause(error)})"]
        return [json.dumps(record, ensure_ascii=False, indent=2) for record in records]

    def delivery(self, entry: QuarantineEntry) -> str:
        try:
            _, desk, number = entry.keys["pk"].split("#", 2)
            delivery = self._storage.deliveries.get(desk, number, entry.keys["sk"])
        except UNREADABLE as error:
            return f"({unreadable_cause(error)})"
        return delivery.model_dump_json(indent=2) if delivery else "(no such delivery)"

    # Replaying

    def replay(self, entry: QuarantineEntry) -> str:
        """Replay a dead letter, delete it, and return a line about the outcome."""
        if entry.unreadable:
            raise ReplayError(CANNOT_BE_READ)
        if entry.is_delivery and not entry.body.get("record"):
            result = self._make_due(entry)
        elif entry.function == "mail" and _fetch_task(entry.body) is None:
            result = self._queue_again(entry)
        else:
            result = self._invoke(entry)
        self.delete(entry)
        return result

    def _make_due(self, entry: QuarantineEntry) -> str:
        try:
            _, desk, number = entry.keys["pk"].split("#", 2)
            delivery = self._storage.deliveries.get(desk, number, entry.keys["sk"])
        except UNREADABLE as error:
            raise ReplayError(CANNOT_BE_READ) from error
        if delivery is None:
            raise ReplayError("Its delivery does not exist any more. Discard it.")
        if delivery.state != "dead_lettered":
            return f"the delivery is {delivery.state} by now"
        due = delivery.model_copy(update={"state": "due"})
        if delivery.channel == "webhook":  # an endpoint gets another day of attempts
            due = due.model_copy(update={"attempts": 0})
        if not self._storage.deliveries.move(due, "dead_lettered"):
            raise ReplayError("The delivery was changed at the same time. Try again.")
        return "the delivery is due"

    def _queue_again(self, entry: QuarantineEntry) -> str:
        record = _record(entry.body)
        if _mail_notification(record) is None and _call(entry.body) is None:
            raise ReplayError(CANNOT_BE_READ)
        text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
        self._sqs.send_message(QueueUrl=self._queue("mail"), MessageBody=text)
        return f"the {'call' if entry.call else 'mail'} is queued again"

    def _invoke(self, entry: QuarantineEntry) -> str:
        client = once.client("lambda", self._patience)
        function = "fetcher" if entry.function == "mail" else entry.function
        redelivery = Redelivery(f"{self._prefix}-{function}", client)
        body = entry.body if isinstance(entry.body, dict) else {}
        try:
            if entry.is_batch:
                records = records_between(body["DDBStreamBatchInfo"], entry.function)
                return redelivery.records(records)
            if body.get("record"):
                return redelivery.records([body["record"]])
            if "requestPayload" in body:
                return redelivery.event(body["requestPayload"])
        except DeadLetteredAgainError as error:
            self.delete(entry)  # the function has written a new dead letter with the new cause
            raise ReplayError(error.detail) from error
        except ReplayError as error:
            raise ReplayError(error.detail) from error
        raise ReplayError("The dead letter does not contain its record.")


def _sent_at(message: MessageTypeDef) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def _batch(function: str, body: Any) -> list[Any]:
    """The records of a stream batch that Lambda discarded, as far as the stream still has them."""
    if not isinstance(body, dict) or "DDBStreamBatchInfo" not in body:
        return []
    try:
        return records_between(body["DDBStreamBatchInfo"], function)
    except StreamGoneError:
        return []


def _first_keys(records: list[Any]) -> dict[str, str]:
    keys = records[0]["dynamodb"]["Keys"]
    return {name: str(next(iter(value.values()))) for name, value in keys.items()}


def _desk_of(partition: str) -> str:
    return (*partition.split("#"), NO_DESK)[1]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _record(body: Any) -> Any:
    """The record in a dead letter: inside the function's note, or the body itself."""
    return body.get("record", body) if isinstance(body, dict) else body


def _mail_notification(record: Any) -> Any:
    """Read SES's notification of a mail from an SQS message, in SNS's envelope or not; or None."""
    content = _json(record) if isinstance(record, str) else record
    if isinstance(content, dict) and isinstance(content.get("Message"), str):
        content = _json(content["Message"])
    try:
        receipt = content["receipt"]
        key, recipients = receipt["action"]["objectKey"], receipt["recipients"]
    except (KeyError, TypeError):
        return None
    return content if isinstance(key, str) and isinstance(recipients, list) else None


def _call(body: Any) -> Mapping[str, Any] | None:
    """Read a chat channel's call from a message of the mail queue; None if it is none."""
    record = _record(body)
    return released_call(record if isinstance(record, str) else json.dumps(record))


def _fetch_task(body: Any) -> Mapping[str, Any] | None:
    """Read the fetcher's event from an entry that Lambda gave up on; None if it is none."""
    event = body.get("requestPayload") if isinstance(body, dict) else None
    return event if isinstance(event, dict) and {"task", "desk"} <= set(event) else None


def _cause(body: Any, attributes: Mapping[Any, str]) -> str:
    if isinstance(body, dict):
        if "cause" in body:
            return str(body["cause"])
        if "requestContext" in body:
            response = body.get("responsePayload") or body.get("responseContext") or {}
            error = response.get("errorMessage") or response.get("functionError") or ""
            return f"{body['requestContext'].get('condition', 'failed')}: {error}".rstrip(": ")
    if "DeadLetterQueueSourceArn" in attributes:
        return "failed on every retry of its queue: see the function's log"
    return "unknown"
