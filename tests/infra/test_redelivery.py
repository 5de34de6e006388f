"""Redelivery of failed records, and the meaning of the function's response."""

import base64
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.administration.redelivery import (
    DeadLetteredAgainError,
    Redelivery,
    RefusedError,
    StreamGoneError,
    records_between,
)
from functions.core.platform import aws

pytestmark = pytest.mark.requirement("G3")
BATCH = {
    "streamArn": "arn:stream",
    "shardId": "shard-1",
    "startSequenceNumber": "99",
    "endSequenceNumber": "101",
    "approximateArrivalOfFirstRecord": "2026-03-10T04:00:00Z",
}


def record(number: int, readers: str) -> dict[str, Any]:
    key = {"pk": {"S": "TICKET#standard#CS1"}, "sk": {"S": f"EVENT#{number:06}"}}
    image = {**key, "readers": {"S": readers}, "sealed": {"B": b"x"}}
    return {"dynamodb": {"SequenceNumber": str(number), "Keys": key, "NewImage": image}}


class Stream:
    """Pages of a stream; a page may be empty though others follow."""

    def __init__(self, *pages: list[Any], gone: str = "") -> None:
        self.pages, self.gone = list(pages), gone

    def get_shard_iterator(self, **asked: Any) -> Any:
        assert asked["SequenceNumber"] == "99"
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803 - boto3's name
        if self.gone:
            raise ClientError({"Error": {"Code": self.gone}}, "GetRecords")
        at = int(ShardIterator)
        found = self.pages[at] if at < len(self.pages) else []
        return {"Records": found, "NextShardIterator": str(at + 1)}


def sequence_numbers(
    monkeypatch: pytest.MonkeyPatch, stream: Stream, function: str = "notify"
) -> list[str]:
    monkeypatch.setattr(aws, "client", lambda _: stream)
    found = records_between(BATCH, function)
    assert all(r["dynamodb"]["NewImage"]["sealed"] == {"B": "eA=="} for r in found)
    return [r["dynamodb"]["SequenceNumber"] for r in found]


def test_a_batch_is_read_to_its_last_record_and_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The record behind the last one belongs to another batch."""
    stream = Stream(
        [record(99, "notify")], [], [record(100, "none"), record(101, "both")],
        [record(102, "notify")],
    )  # fmt: skip
    assert sequence_numbers(monkeypatch, stream) == ["99", "101"]
    assert sequence_numbers(monkeypatch, stream, "router") == ["101"]


def test_an_open_shard_is_not_read_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open shard always has another page."""
    assert sequence_numbers(monkeypatch, Stream([record(99, "notify")])) == ["99"]


def test_an_expired_record_raises_stream_gone_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams keep records for a day; other errors propagate."""
    with pytest.raises(StreamGoneError, match="99 … 101"):
        sequence_numbers(monkeypatch, Stream(gone="TrimmedDataAccessException"))
    with pytest.raises(ClientError, match="AccessDenied"):
        sequence_numbers(monkeypatch, Stream(gone="AccessDenied"))


class Lambda:
    """A function that answers one thing."""

    def __init__(self, answer: Any, *, error: bool = False, log: str = "") -> None:
        self.answer, self.error, self.log = answer, error, log
        self.given: list[Any] = []

    def invoke(self, **asked: Any) -> Any:
        assert asked["InvocationType"] == "RequestResponse"
        self.given.append(json.loads(asked["Payload"]))
        found = {
            "Payload": io.BytesIO(json.dumps(self.answer).encode()),
            "LogResult": base64.b64encode(self.log.encode()).decode(),
        }
        return {**found, "FunctionError": "Unhandled"} if self.error else found


def redeliver(function: Lambda, records: list[Any]) -> str:
    client: Any = function
    return Redelivery("deskbell-test-notify", client).records(records)


def test_a_processed_record_is_reported() -> None:
    function = Lambda({"batchItemFailures": []})
    assert redeliver(function, [{"a": 1}]) == "deskbell-test-notify has processed it"
    assert function.given == [{"Records": [{"a": 1}]}]


DEAD_LETTERED = json.dumps({"message": "record.dead_lettered", "cause": "no such rule"})
PARKED = json.dumps({"message": "record.parked", "cause": "no such rule"})
"""The log line of functions deployed before the event was renamed."""


@pytest.mark.parametrize(
    ("function", "records", "refused", "said"),
    [
        (Lambda(None), [], RefusedError, "no record for this function"),
        (Lambda({"batchItemFailures": [{"itemIdentifier": "1"}]}), [1], RefusedError, "again"),
        (Lambda({"errorMessage": "boom"}, error=True), [1], RefusedError, "failed: boom"),
        (Lambda("boom", error=True), [1], RefusedError, "failed: boom"),
        (Lambda(None, log=f"x\n{PARKED}\n"), [1], DeadLetteredAgainError, "again: no such rule"),
        (
            Lambda(None, log=f"x\n{DEAD_LETTERED}\n"),
            [1],
            DeadLetteredAgainError,
            "again: no such rule",
        ),
    ],
    ids=["none", "failed", "raised", "died", "dead-lettered by an older version", "dead-lettered"],
)
def test_a_record_that_was_not_processed_stays_in_quarantine(
    function: Lambda,
    records: list[Any],
    refused: type[RefusedError],
    said: str,
) -> None:
    """Each keeps the function's explanation."""
    with pytest.raises(refused, match=said):
        redeliver(function, records)
