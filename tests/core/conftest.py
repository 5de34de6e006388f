"""What the tests of core share: a small desk, a table on moto, and shorthand for making tickets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from functions.core.playbook import Playbook, load
from functions.core.store import Store
from tests.core.desk import DESK, make_table


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """A desk with every kind of rule, small enough to be read in a test."""
    return load(DESK)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty table with the indexes of the foundation, in memory."""
    import boto3
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_table(client)
        yield client


@pytest.fixture
def store(dynamodb: Any) -> Store:
    """The table as the rooms use it."""
    return Store(dynamodb, "deskbell-test")
