"""Invoke a function again with records that failed, and interpret its response."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.core.domain.errors import Phrase, ReplayError
from functions.core.platform import aws
from functions.core.platform.stream_filters import lambda_record, matches_filters

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_lambda import LambdaClient

_GONE = frozenset(
    {"TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException"}
)
_DEAD_LETTERED = ("record.dead_lettered", "record.parked")
"""The log events of a dead-lettered record, now and in functions deployed before the rename."""

_EMPTY_READS = 5


class StreamGoneError(ReplayError):
    """The stream no longer holds the records of a failed batch; it keeps them for 24 hours."""


def records_between(batch: dict[str, Any], function: str) -> list[Any]:
    """Read the records of a discarded batch that match the function's filters.

    Args:
        batch: `DDBStreamBatchInfo` of the failed invocation (Lambda developer guide, "Retaining
            discarded batches"); it holds sequence numbers only.

    Raises:
        StreamGoneError: the stream no longer holds them.
    """
    streams: DynamoDBStreamsClient = aws.client("dynamodbstreams")
    last = int(batch["endSequenceNumber"])
    records: list[Any] = []
    empty = 0
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        while iterator and empty < _EMPTY_READS:
            response = streams.get_records(ShardIterator=iterator)
            empty = 0 if response["Records"] else empty + 1
            for record in response["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return records
                converted = lambda_record(record)
                if matches_filters(converted, function):
                    records.append(converted)
            iterator = response.get("NextShardIterator", "")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        raise StreamGoneError(
            Phrase(
                "The stream keeps records for 24 hours and no longer holds this one. The ticket's "
                "history still has it: {first} … {last} of {at}.",
                first=batch["startSequenceNumber"],
                last=batch["endSequenceNumber"],
                at=batch.get("approximateArrivalOfFirstRecord", ""),
            )
        ) from error
    return records


class Redelivery:
    """A function that gets records again."""

    def __init__(self, function: str, client: LambdaClient) -> None:
        self.function = function
        self._lambda = client

    def records(self, records: list[Any]) -> str:
        """Deliver stream records.

        Raises:
            RefusedError: the function failed as a whole or on one of them.
            DeadLetteredAgainError: the function dead-lettered one of them again.
        """
        if not records:
            raise RefusedError("The stream holds no record for this function in the failed batch.")
        response = self._call({"Records": records})
        failed = (response or {}).get("batchItemFailures") if isinstance(response, dict) else None
        if failed:
            raise RefusedError(
                Phrase("{function} failed on it again: see its log.", function=self.function)
            )
        return f"{self.function} has processed it"

    def event(self, payload: Any) -> str:
        """Deliver an event.

        Raises:
            RefusedError: the function failed, or dead-lettered the event again.
        """
        self._call(payload)
        return f"{self.function} has processed it"

    def _call(self, payload: Any) -> Any:
        response = self._lambda.invoke(
            FunctionName=self.function,
            InvocationType="RequestResponse",
            LogType="Tail",
            Payload=json.dumps(payload, ensure_ascii=False).encode(),
        )
        result: Any = json.loads(response["Payload"].read() or b"null")
        if response.get("FunctionError"):
            message = result.get("errorMessage") if isinstance(result, dict) else result
            raise RefusedError(
                Phrase("{function} failed: {cause}", function=self.function, cause=message)
            )
        for line in base64.b64decode(response.get("LogResult", "")).decode().splitlines():
            if any(event in line for event in _DEAD_LETTERED):
                raise DeadLetteredAgainError(
                    Phrase(
                        "{function} dead-lettered it again: {cause}",
                        function=self.function,
                        cause=_cause(line),
                    )
                )
        return result


class RefusedError(ReplayError):
    """The function did not process the record."""


class DeadLetteredAgainError(RefusedError):
    """The function dead-lettered the record again, under a new id."""


def _cause(line: str) -> str:
    try:
        cause: str = json.loads(line)["cause"]
    except (ValueError, KeyError, TypeError):
        return line
    return cause
