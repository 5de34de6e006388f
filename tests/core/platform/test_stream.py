"""The stream's batches: what is retried, what is dead-lettered, and how often (F2, G3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from functions.core.domain.errors import Conflict, DeadLetter, InvalidInput, TryAgain
from functions.core.platform import stream
from functions.core.platform.settings import Deployment
from functions.core.platform.stream import PATIENCE, process_batch
from functions.core.storage.outages import is_outage
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("F2", "G3")
DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")
OLD, YOUNG = NOON - PATIENCE - timedelta(seconds=1), NOON - timedelta(seconds=1)
DAY = NOON - timedelta(hours=22)


def refusal(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Call")


def record(position: int, created: Any = YOUNG) -> dict[str, Any]:
    return {
        "dynamodb": {
            "SequenceNumber": str(position),
            "ApproximateCreationDateTime": created.timestamp(),
            "Keys": {"pk": {"S": f"TICKET#testdesk#CS{position}"}, "sk": {"S": "EVENT#000001"}},
        }
    }


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The positions of the records that were dead-lettered."""
    found: list[str] = []

    def note(deployment: Any, function: str, record: Any, error: Any, keys: Any) -> None:
        found.append(record["dynamodb"]["SequenceNumber"])

    monkeypatch.setattr(stream, "dead_letter", note)
    return found


def failing(**errors: Exception) -> Callable[[Any], None]:
    """A process that fails on the records at the given positions: `r2=error`."""

    def process(record: Any) -> None:
        error = errors.get(f"r{record['dynamodb']['SequenceNumber']}")
        if error is not None:
            raise error

    return process


def run(records: list[Any], *processes: Callable[[Any], None]) -> list[str]:
    response = process_batch({"Records": records}, DEPLOYMENT, "router", NOON, *processes)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


@pytest.mark.parametrize(
    "error",
    [
        TryAgain("x"),
        Conflict("x"),
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("InternalFailure", 500),
        refusal("SlowDown", 503),
        ReadTimeoutError(endpoint_url="x"),
        ConnectTimeoutError(endpoint_url="x"),
    ],
    ids=repr,
)
def test_what_ends_by_itself_is_retried_at_any_age(dead: list[str], error: Exception) -> None:
    assert run([record(1, DAY), record(2, DAY)], failing(r1=error)) == ["1"]
    assert dead == []


@pytest.mark.parametrize(
    "error", [TypeError("a bug"), InvalidInput("x"), refusal("AccessDenied"), KeyError("pk")]
)
def test_an_unexpected_error_is_retried_for_a_while(dead: list[str], error: Exception) -> None:
    assert run([record(1, YOUNG)], failing(r1=error)) == ["1"]
    assert dead == []
    assert run([record(1, OLD), record(2, OLD)], failing(r1=error)) == []
    assert dead == ["1"]


def test_a_record_of_unknown_age_is_not_retried_for_good(dead: list[str]) -> None:
    odd = record(1)
    del odd["dynamodb"]["ApproximateCreationDateTime"]
    assert run([odd], failing(r1=TypeError("a bug"))) == []
    assert dead == ["1"]


def test_a_record_is_dead_lettered_once(dead: list[str]) -> None:
    """Lambda delivers the first failed record again with all that follow it."""
    records = [record(1), record(2), record(3)]
    gone = DeadLetter("x")
    assert run(records, failing(r1=gone, r2=TryAgain("x"), r3=gone)) == ["2", "3"]
    assert dead == ["1"]
    assert run(records[1:], failing(r3=gone)) == []
    assert dead == ["1", "3"]


def test_two_processes_dead_letter_a_record_once(dead: list[str]) -> None:
    gone = DeadLetter("x")
    assert run([record(1), record(2)], failing(r1=gone), failing(r1=gone)) == []
    assert dead == ["1"]
    assert run([record(1), record(2)], failing(r2=gone), failing(r1=TryAgain("x"))) == ["1", "2"]
    assert dead == ["1"]


def test_other_errors_are_no_outage() -> None:
    assert not is_outage(ValueError("x"))
    assert not is_outage(refusal("AccessDeniedException"))
    assert not is_outage(refusal("ConditionalCheckFailedException"))


def test_a_reader_that_is_behind_raises_the_alarm_once(
    monkeypatch: pytest.MonkeyPatch, dead: list[str]
) -> None:
    """It does so whatever becomes of the records; ten minutes are not too old yet."""
    raised: list[tuple[str, str, object, object]] = []

    def note(condition: str, desk: str, function: str, seconds: int) -> None:
        raised.append((condition, desk, function, seconds))

    monkeypatch.setattr(stream, "raise_alarm", note)
    run([record(1, NOON - stream.BEHIND), record(2)], failing())
    run([], failing())
    assert not raised
    late = [record(1, NOON - timedelta(minutes=11)), record(2, NOON - timedelta(minutes=12))]
    assert run(late, failing(r1=TryAgain("x")), failing()) == ["1"]
    assert raised == [("stream_behind", "-", "router", 720)]
