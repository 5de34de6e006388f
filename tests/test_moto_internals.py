"""The patches of moto and botocore do not change responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

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
    key = {name: ITEM[name] for name in ("pk", "sk")}
    assert client.get_item(TableName="items", Key=key)["Item"] == ITEM
    assert client.scan(TableName="items")["Items"] == [ITEM]


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
