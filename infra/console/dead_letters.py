"""The dead-letter queues: list, show, replay and delete records that a function could not process.

A queue holds records that a function dead-lettered with their cause, and those that Lambda or SQS
gave up on after their retries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from functions.core.storage.database import Storage
from functions.intake.mail_store import released_call
from infra.console.quarantine_entry import (
    UNREADABLE,
    Entry,
    ReplayError,
    unreadable_cause,
)
from infra.console.redelivery import (
    DeadLetteredAgainError,
    Redelivery,
    RefusedError,
    StreamGoneError,
    records_between,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

FUNCTIONS = ("mail", "router", "notify", "sla_timer")
"""The functions that have a dead-letter queue, named as their queues: `<prefix>-<function>-dlq`."""

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
    def __init__(self, prefix: str, storage: Storage) -> None:
        self._prefix = prefix
        self._storage = storage
        self._sqs = boto3.client("sqs")

    def _queue(self, name: str) -> str:
        return self._sqs.get_queue_url(QueueName=f"{self._prefix}-{name}")["QueueUrl"]

    # Listing

    def entries(self) -> Iterator[Entry]:
        """Receive every message; other consumers do not see it for a minute, or until `unhide`."""
        for function in FUNCTIONS:
            queue = self._queue(f"{function}-dlq")
            while messages := self._sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=_PAGE,
                VisibilityTimeout=_HIDDEN_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp", "DeadLetterQueueSourceArn"],
            ).get("Messages", []):
                yield from (self._entry(function, message) for message in messages)

    def unhide(self, entry: Entry) -> None:
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

    def delete(self, entry: Entry) -> None:
        self._sqs.delete_message(
            QueueUrl=self._queue(f"{entry.function}-dlq"), ReceiptHandle=entry.receipt
        )

    def _entry(self, function: str, message: MessageTypeDef) -> Entry:
        try:
            return self._readable_entry(function, message)
        except UNREADABLE as error:
            return Entry(
                id=message["MessageId"],
                function=function,
                at=_sent_at(message),
                cause=unreadable_cause(error),
                keys={},
                desk="-",
                body=message["Body"],
                receipt=message["ReceiptHandle"],
                unreadable=True,
            )

    def _readable_entry(self, function: str, message: MessageTypeDef) -> Entry:
        body = _json(message["Body"])
        if body is None:  # an entry without a body is an object of the mail bucket
            raise ValueError("null")
        keys = self._keys(function, body)
        return Entry(
            id=message["MessageId"],
            function=function,
            at=_sent_at(message),
            cause=_cause(body, message["Attributes"]),
            keys=keys,
            desk=self._desk(keys, body),
            body=body,
            receipt=message["ReceiptHandle"],
            call=(_call(body) or {}) if function == "mail" else {},
        )

    def _keys(self, function: str, body: Any) -> dict[str, str]:
        if not isinstance(body, dict):
            return {}
        if "DDBStreamBatchInfo" in body:
            try:
                records = records_between(body["DDBStreamBatchInfo"], function)
            except StreamGoneError:
                return {}
            first = records[0]["dynamodb"]["Keys"] if records else {}
            return {name: str(next(iter(value.values()))) for name, value in first.items()}
        keys = {str(name): str(value) for name, value in (body.get("keys") or {}).items()}
        if function == "mail" and (notification := _mail_notification(_record(body))):
            keys["mail"] = notification["receipt"]["action"]["objectKey"]
        elif function == "mail" and (call := _call(body)):
            keys["mail"] = str(call["key"])
        return keys

    def _desk(self, keys: Mapping[str, str], body: Any) -> str:
        parts = keys.get("pk", "").split("#")
        if len(parts) > 1:
            return parts[1]
        if call := _call(body):
            return str(call["desk"])
        notification = _mail_notification(_record(body)) if isinstance(body, dict) else None
        for recipient in notification["receipt"]["recipients"] if notification else []:
            if desk := self._storage.playbooks.desk_of_mailbox(str(recipient)):
                return desk
        return "-"

    # Showing

    def records(self, entry: Entry) -> list[str]:
        """The records of a discarded stream batch as text, or why they cannot be read."""
        try:
            records = records_between(entry.body["DDBStreamBatchInfo"], entry.function)
        except StreamGoneError as error:
            return [str(error)]
        except UNREADABLE as error:
            return [f"({unreadable_cause(error)})"]
        return [json.dumps(record, ensure_ascii=False, indent=2) for record in records]

    def delivery(self, entry: Entry) -> str:
        try:
            _, desk, number = entry.keys["pk"].split("#", 2)
            delivery = self._storage.deliveries.get(desk, number, entry.keys["sk"])
        except UNREADABLE as error:
            return f"({unreadable_cause(error)})"
        return delivery.model_dump_json(indent=2) if delivery else "(no such delivery)"

    # Replaying

    def replay(self, entry: Entry) -> str:
        """Replay a dead letter, delete it, and return a line about the outcome."""
        if entry.unreadable:
            raise ReplayError("it cannot be read, so no function could either: discard it")
        if entry.is_delivery and not entry.body.get("record"):
            result = self._make_due(entry)
        elif entry.function == "mail":
            result = self._queue_again(entry)
        else:
            result = self._invoke(entry)
        self.delete(entry)
        return result

    def _make_due(self, entry: Entry) -> str:
        try:
            _, desk, number = entry.keys["pk"].split("#", 2)
            delivery = self._storage.deliveries.get(desk, number, entry.keys["sk"])
        except UNREADABLE as error:
            raise ReplayError(f"its delivery is {unreadable_cause(error)}: discard it") from error
        if delivery is None:
            raise ReplayError(f"ticket {number} has no {entry.keys['sk']}")
        if delivery.state != "dead_lettered":
            return f"the delivery is {delivery.state} by now"
        due = delivery.model_copy(update={"state": "due"})
        if delivery.channel == "webhook":  # an endpoint gets another day of attempts
            due = due.model_copy(update={"attempts": 0})
        if not self._storage.deliveries.move(due, "dead_lettered"):
            raise ReplayError("the delivery was changed at the same time: try again")
        return "the delivery is due"

    def _queue_again(self, entry: Entry) -> str:
        record = _record(entry.body)
        if _mail_notification(record) is None and _call(entry.body) is None:
            raise ReplayError("it is not a notification of a mail: discard it")
        text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
        self._sqs.send_message(QueueUrl=self._queue("mail"), MessageBody=text)
        return f"the {'call' if entry.call else 'mail'} is queued again"

    def _invoke(self, entry: Entry) -> str:
        redelivery = Redelivery(f"{self._prefix}-{entry.function}")
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
            raise ReplayError(str(error)) from error
        except (RefusedError, StreamGoneError) as error:
            raise ReplayError(str(error)) from error
        raise ReplayError("the dead letter does not contain its record")


def _sent_at(message: MessageTypeDef) -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


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
