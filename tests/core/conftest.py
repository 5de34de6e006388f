"""Shared fixtures of the core tests: a small desk, and a table on moto."""

from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.storage.database import Storage
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import DESK, TABLE, make_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """Return a small desk with every kind of rule."""
    return load(DESK)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """Provide AWS in memory for one test file."""
    with aws_in_memory():
        yield


@pytest.fixture(scope="module")
def client(aws: None) -> Any:
    """Return a DynamoDB client, created once per test file."""
    import boto3

    return boto3.client("dynamodb")


@pytest.fixture
def dynamodb(client: Any) -> Iterator[Any]:
    """Create an empty table with the foundation's indexes."""
    make_table(client)
    yield client
    client.delete_table(TableName=TABLE)


class OneAtATime:
    """A client whose calls do not overlap: moto checks conditions and writes in two steps, where
    DynamoDB does both at once."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            with self._lock:
                return getattr(self._client, name)(**arguments)

        return call


@pytest.fixture
def storage(dynamodb: Any) -> Storage:
    """Return the storage on the table in memory."""
    return Storage.on(cast("DynamoDBClient", OneAtATime(dynamodb)), TABLE)
