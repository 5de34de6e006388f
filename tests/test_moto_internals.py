"""The patches of moto and botocore do not change responses."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests import moto_internals
from tests.core.sample_desk import make_table

ITEM: dict[str, Any] = {
    "pk": {"S": "TICKET#standard#1"},
    "sk": {"S": "TICKET"},
    "number": {"N": "1.50"},
    "sealed": {"B": b"\x00\xff"},
    "nothing": {"NULL": True},
    "whether": {"BOOL": False},
    "empty": {"S": ""},
    "names": {"SS": ["a", "b"]},
    "list": {"L": [{"S": "x"}, {"M": {"deep": {"L": [{"N": "2"}, {"NULL": True}]}}}]},
    "map": {"M": {"S": {"S": "a key that is a type's name"}, "more": {"M": {}}}},
}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("dynamodb")


def test_an_item_is_read_as_it_was_written(client: Any) -> None:
    make_table(client, "items")
    client.put_item(TableName="items", Item=ITEM)
    assert client.get_item(TableName="items", Key=KEY)["Item"] == ITEM
    assert client.scan(TableName="items")["Items"] == [ITEM]


KEY = {name: ITEM[name] for name in ("pk", "sk")}
READ = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": KEY["pk"]}}
COUNT: dict[str, Any] = {
    "Key": KEY,
    "UpdateExpression": "ADD visits :one SET #list = :none REMOVE sealed",
    "ExpressionAttributeNames": {"#list": "list"},
    "ExpressionAttributeValues": {":one": {"N": "1"}, ":none": {"L": []}},
}
MISSING: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("put_item", {"Item": ITEM, "ReturnConsumedCapacity": "INDEXES"}),
    ("put_item", {"Item": ITEM, **MISSING}),
    ("put_item", {"Item": ITEM, **MISSING, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
    ("get_item", {"Key": KEY, "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}),
    ("get_item", {"Key": {**KEY, "pk": {"S": "none"}}}),
    ("get_item", {"Key": {"pk": {"S": "no sort key"}}}),
    ("query", {**READ, "Limit": 1, "ReturnConsumedCapacity": "TOTAL"}),
    ("query", {**READ, "Select": "COUNT"}),
    ("query", {**READ, "IndexName": "none"}),
    ("update_item", {**COUNT, "ReturnValues": "ALL_NEW"}),
    ("update_item", {**COUNT, "ReturnValues": "UPDATED_OLD"}),
    ("update_item", {**COUNT, "UpdateExpression": "SET SET"}),
    ("transact_write_items", {"TransactItems": [{"Put": {"Item": ITEM}}]}),
    ("transact_write_items", {"TransactItems": [{"Put": {"Item": ITEM, **MISSING}}]}),
    ("transact_write_items", {"TransactItems": [{"Update": COUNT}]}),
    ("transact_get_items", {"TransactItems": [{"Get": {"Key": KEY}}]}),
    ("batch_get_item", {"RequestItems": {"items": {"Keys": [KEY]}}}),
    ("batch_write_item", {"RequestItems": {"items": [{"PutRequest": {"Item": ITEM}}]}}),
    ("scan", {"Limit": 1}),
    ("delete_item", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
    ("delete_item", {"Key": KEY, "ConditionExpression": "attribute_exists(pk)"}),
    ("delete_item", {"Key": KEY, "TableName": "none"}),
)


def on_table(given: dict[str, Any]) -> dict[str, Any]:
    """Add the table's name to the parameters of a call."""
    if "RequestItems" in given:
        return given
    if "TransactItems" not in given:
        return {"TableName": "items", **given}
    items = [
        {kind: {"TableName": "items", **about} for kind, about in item.items()}
        for item in given["TransactItems"]
    ]
    return {"TransactItems": items}


def answers(client: Any) -> list[Any]:
    """Return what each call answers, then what the table's stream holds."""
    make_table(client, "items")
    found = []
    for name, given in CALLS:
        try:
            found.append(getattr(client, name)(**on_table(given)))
        except ClientError as error:
            found.append({**error.response, "class": type(error).__name__, "text": str(error)})
    return [*found, *stream_of(client)]


def stream_of(client: Any) -> list[Any]:
    """Return the stream's records."""
    streams: Any = boto3.client("dynamodbstreams")
    arn = client.describe_table(TableName="items")["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(StreamArn=arn, **start)["ShardIterator"]
    records: list[Any] = streams.get_records(ShardIterator=iterator)["Records"]
    for record in records:
        assert record.pop("eventID")
        assert record["dynamodb"].pop("SizeBytes") > 0  # that of its time's digits, too
        assert record["dynamodb"].pop("ApproximateCreationDateTime").tzinfo is not None
    return records


def test_a_direct_call_answers_as_one_over_http(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In values, errors and the records of the stream."""
    direct = answers(client)
    called = {name for name, _ in CALLS} | {"get_records"}
    assert called == set(moto_internals.DIRECT.values())
    client.delete_table(TableName="items")
    monkeypatch.setattr(moto_internals, "DIRECT", {})
    over_http = answers(client)
    for each in (*direct, *over_http):
        metadata = each.pop("ResponseMetadata", {})
        each["status"] = metadata.get("HTTPStatusCode")
    assert direct == over_http


def test_each_client_has_its_own_event_listeners(client: Any) -> None:
    heard: list[str] = []
    client.meta.events.register("before-call.*.*", lambda **_: heard.append("one"))
    boto3.client("dynamodb").list_tables()
    assert heard == []
    client.list_tables()
    assert heard == ["one"]


def test_a_changed_environment_gets_a_new_client(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    assert boto3.client("dynamodb").meta.region_name == "cn-north-1"
    assert client.meta.region_name == "us-east-1"
