"""Athena: how a query ends, and its rows; what it answers is tested on the running system."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.core.domain.errors import TryAgain
from functions.core.platform import aws
from functions.core.platform.athena import PATIENCE, Athena, QueryFailed
from functions.core.platform.settings import Deployment


class Service:
    """Athena, whose queries end in a state after some looks at them."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)
        self.asked: dict[str, Any] = {}

    def start_query_execution(self, **arguments: Any) -> dict[str, str]:
        self.asked = arguments
        if "nonsense" in arguments["QueryString"]:
            said: Any = {"Code": "InvalidRequestException", "Message": "line 1:1: mismatched input"}
            raise ClientError({"Error": said}, "StartQueryExecution")
        return {"QueryExecutionId": "q1"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803 - boto3
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": {"Status": state}}

    def get_paginator(self, _operation: str) -> "Service":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        pages: list[list[list[str | None]]] = [[["n", "name"], ["1", "a"]], [["2", None]]]
        return [
            {"ResultSet": {"Rows": [{"Data": [_cell(v) for v in row]} for row in page]}}
            for page in pages
        ]


def _cell(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


@pytest.fixture
def waits() -> list[float]:
    return []


def rows(
    service: Service, waits: list[float], monkeypatch: pytest.MonkeyPatch, sql: str = "SELECT 1"
) -> list[dict[str, str]]:
    monkeypatch.setattr(aws, "client", lambda _: service)
    place = Deployment("aws", "us-east-1", "123456789012", "prod")
    return list(Athena(place, pause=waits.append).rows(sql))


def test_rows_of_several_pages(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service({"State": "QUEUED"}, {"State": "RUNNING"}, {"State": "SUCCEEDED"})
    assert rows(service, waits, monkeypatch) == [{"n": "1", "name": "a"}, {"n": "2", "name": ""}]
    assert len(waits) == 2
    assert service.asked["WorkGroup"] == "deskbell-prod"
    assert service.asked["QueryExecutionContext"] == {"Database": "deskbell_prod"}


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"State": "FAILED", "StateChangeReason": "COLUMN_NOT_FOUND"}, QueryFailed),
        ({"State": "CANCELLED", "StateChangeReason": "Bytes scanned limit"}, QueryFailed),
        ({"State": "FAILED", "AthenaError": {"Retryable": True}}, TryAgain),
    ],
)
def test_a_query_that_fails_says_why(
    state: dict[str, Any],
    error: type[Exception],
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(error, match=state.get("StateChangeReason", "q1")):
        rows(Service(state), waits, monkeypatch)


def test_a_query_that_is_refused(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryFailed, match="mismatched input"):
        rows(Service({}), waits, monkeypatch, "nonsense")


def test_a_query_that_does_not_end(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TryAgain):
        rows(Service({"State": "RUNNING"}), waits, monkeypatch)
    assert sum(waits) >= PATIENCE.total_seconds()
