"""Handing a function again what it once failed on, and reading off what became of it."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.simulator.inprocess import passes

_GONE = frozenset(
    {"TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException"}
)
_DEAD_LETTERED = "record.dead_lettered"
_EMPTY_READS = 5


class StreamGoneError(RuntimeError):
    """The stream has forgotten the records of a failed batch; it remembers for 24 hours."""


def records_between(batch: dict[str, Any], room: str) -> list[Any]:
    """The records that Lambda gave up on, in Lambda's own shape, as far as they are the room's.

    Args:
        batch: `DDBStreamBatchInfo` of the failed invocation (Lambda developer guide, "Retaining
            discarded batches"); it names positions only.

    Raises:
        StreamGoneError: the stream does not hold them any more.
    """
    streams = boto3.client("dynamodbstreams")
    last = int(batch["endSequenceNumber"])
    found: list[Any] = []
    empty = 0
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator and empty < _EMPTY_READS:
            answer = streams.get_records(ShardIterator=iterator)
            empty = 0 if answer["Records"] else empty + 1
            for record in answer["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return found
                plain = _plain(record)
                if passes(plain, room):
                    found.append(plain)
            iterator = answer.get("NextShardIterator", "")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        raise StreamGoneError(
            "the stream has forgotten the record (it remembers for 24 hours); the ticket has it "
            f"still: {batch['startSequenceNumber']} … {batch['endSequenceNumber']} of "
            f"{batch.get('approximateArrivalOfFirstRecord', '')}"
        ) from error
    return found


def _plain(value: Any) -> Any:
    """A record of the streams API as Lambda hands it on: bytes as base64, times as Unix seconds."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | set | tuple):
        return [_plain(inner) for inner in value]
    return value


class Redelivery:
    """Calls one deployed function and waits for its answer."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._lambda = boto3.client("lambda")

    def records(self, records: list[Any]) -> str:
        """Hand stream records over.

        Raises:
            RefusedError: the function failed, or failed on one of them, or parked it again.
        """
        if not records:
            raise RefusedError("the stream has no record for this function there")
        answer = self._call({"Records": records})
        failed = (answer or {}).get("batchItemFailures") if isinstance(answer, dict) else None
        if failed:
            raise RefusedError(f"{self._function} failed on it again: see its log")
        return f"{self._function} has taken it"

    def event(self, payload: Any) -> str:
        """Hand an event over. Raises `RefusedError`."""
        self._call(payload)
        return f"{self._function} has taken it"

    def _call(self, payload: Any) -> Any:
        answer = self._lambda.invoke(
            FunctionName=self._function,
            InvocationType="RequestResponse",
            LogType="Tail",
            Payload=json.dumps(payload, ensure_ascii=False).encode(),
        )
        told: Any = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            message = told.get("errorMessage") if isinstance(told, dict) else told
            raise RefusedError(f"{self._function} failed: {message}")
        for line in base64.b64decode(answer.get("LogResult", "")).decode().splitlines():
            if _DEAD_LETTERED in line:
                raise ParkedAgainError(f"{self._function} parked it again: {_cause(line)}")
        return told


class RefusedError(RuntimeError):
    """The function did not take what it was given."""


class ParkedAgainError(RefusedError):
    """The function put it into quarantine once more, under a new id."""


def _cause(line: str) -> str:
    try:
        found: str = json.loads(line)["cause"]
    except (ValueError, KeyError, TypeError):
        return line
    return found
