"""The meter counts what functions use, and whose it is (F8)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.core.platform import metering
from functions.core.platform.metering import about, count, invocation, metered, spent, take, watch

pytestmark = pytest.mark.requirement("F8")
CONTEXT = SimpleNamespace(memory_limit_in_mb="512")  # Lambda gives a text
BUCKET = "metered"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still unless it is moved, and a container without a past."""
    clock = Clock()
    monkeypatch.setattr(metering, "time", clock)
    monkeypatch.setattr(metering, "_carried", {})
    return clock


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield watch(client)


def used(desk: str = "a", number: str = "1") -> dict[str, float]:
    """Take what was used, without what did not take any time."""
    return {price: quantity for price, quantity in take(desk, number).items() if quantity}


def test_calls_that_succeeded_are_counted_by_their_price(s3: Any) -> None:
    with invocation(CONTEXT):
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        s3.get_object(Bucket=BUCKET, Key="k")
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket=BUCKET, Key="missing")
        assert used() == {"lambda.request": 1, "s3.put": 1, "s3.get": 1}
        assert used() == {}, "once"


def test_dynamodb_says_its_units(dynamodb: Any) -> None:
    from tests.core.sample_desk import TABLE

    client, key = watch(dynamodb), {"pk": {"S": "A"}, "sk": {"S": "A"}}
    with invocation(CONTEXT):
        client.put_item(TableName=TABLE, Item=key)
        client.get_item(TableName=TABLE, Key=key)
        found = used()
    assert found["dynamodb.write_unit"] > 0
    assert found["dynamodb.read_unit"] > 0


@pytest.mark.parametrize(("text", "parts"), [("短" * 70, 1), ("短" * 71, 2), ("a" * 160, 1)])
def test_a_text_message_counts_by_its_parts(text: str, parts: int) -> None:
    with mock_aws(), invocation(CONTEXT):
        sns = watch(boto3.client("sns", region_name="us-east-1"))
        sns.publish(PhoneNumber="+8613800138000", Message=text)
        assert used()["sns.sms"] == parts


def test_time_costs_by_memory_and_is_counted_once(clock: Clock) -> None:
    with invocation(CONTEXT):
        clock.now += 2
        assert used()[metering.GB_SECOND] == 1
        clock.now += 1
        assert used() == {metering.GB_SECOND: 0.5}


def test_nothing_is_counted_outside_of_an_invocation(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    count("kms.request")
    about("a")
    assert take("a", "1") == {}


def test_what_is_left_is_logged_and_counted_to_the_desk_s_next_commit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with invocation(CONTEXT):
        about("a", channel="line")
        used(number="CS1")
        count("dynamodb.write_unit", 8)
    [line] = caplog.records
    assert {name: getattr(line, name) for name in ("msg", "desk", "ticket", "channel")} == {
        "msg": "usage", "desk": "a", "ticket": "CS1", "channel": "line",
    }  # fmt: skip
    assert vars(line)["usage"] == {"dynamodb.write_unit": 8, metering.GB_SECOND: 0}
    with invocation(CONTEXT):
        assert used("b") == {"lambda.request": 1}
        assert used("a") == {"dynamodb.write_unit": 8}


def test_a_commit_that_fails_leaves_its_usage_to_the_next() -> None:
    with invocation(CONTEXT):
        count("kms.request")
        with pytest.raises(LookupError), spent("a", "1"):
            raise LookupError
        with spent("a", "1") as usage:
            assert usage["kms.request"] == 1
        assert used() == {}


def test_an_invocation_inside_of_another_has_its_own_meter() -> None:
    """In one process a function runs while its caller waits."""
    with invocation(CONTEXT):
        count("s3.put")
        with invocation(CONTEXT):
            about("b")
            count("s3.get")
        assert used() == {"lambda.request": 1, "s3.put": 1}


def test_threads_count_for_the_desks_that_they_work_for() -> None:
    def work(desk: str) -> dict[str, float]:
        about(desk)
        count(f"price-of-{desk}")
        return used(desk)

    with invocation(CONTEXT), ThreadPoolExecutor(2) as pool:
        assert [*pool.map(work, "ab")] == [{"price-of-a": 1}, {"price-of-b": 1}]


def test_a_thread_that_goes_on_to_another_desk_leaves_the_rest_to_the_first() -> None:
    with invocation(CONTEXT):
        used("a")
        count("kms.request")
        about("b")
        assert used("b") == {}
        assert used("a") == {"kms.request": 1}


def test_an_event_names_desk_and_ticket(caplog: pytest.LogCaptureFixture) -> None:
    @metered
    def handler(event: Any, context: Any) -> str:
        return f"{event['number']} {context.memory_limit_in_mb}"

    assert handler({"desk": "a", "number": "CS1"}, CONTEXT) == "CS1 512"
    [line] = caplog.records
    assert (vars(line)["desk"], vars(line)["ticket"]) == ("a", "CS1")


def test_invented_desks_do_not_fill_the_memory() -> None:
    for number in range(metering.MOST_DESKS + 5):
        with invocation(CONTEXT):
            about(f"invented-{number}")
    assert len(metering._carried) == metering.MOST_DESKS
