"""Fixtures of the router's tests: an empty table."""

from collections.abc import Iterator

import boto3
import pytest

from functions.core.storage.database import Storage
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import TABLE, make_table


@pytest.fixture
def storage() -> Iterator[Storage]:
    with aws_in_memory():
        client = boto3.client("dynamodb")
        make_table(client)
        yield Storage.on(client, TABLE)
