"""Queries over the facts, which Athena runs and charges by what it reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import TryAgain
from functions.core.platform import aws

if TYPE_CHECKING:
    from functions.core.platform.settings import Deployment

WAITS = (0.2, 0.3, 0.5, 1.0)
"""Seconds between looks at a query, the last one again and again; most take a second or two."""
PATIENCE = timedelta(minutes=2)
"""The patience of functions without a caller; their next run asks again."""


class QueryFailed(Exception):
    """Athena refuses a query, or it failed; the message names the query and the reason."""


@dataclass(frozen=True)
class Athena:
    """Runs queries in the stage's workgroup over its database; `pause` waits some seconds.

    A query that takes longer than `patience` is given up.
    """

    deployment: Deployment
    patience: timedelta = PATIENCE
    pause: Callable[[float], None] = time.sleep

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        """Run a query and yield its rows; values are texts, empty if there is none.

        Columns of text that are empty in the facts have no value in a query: they are null.

        Raises:
            QueryFailed: the query is wrong, or reads more than the workgroup allows.
            TryAgain: it takes too long, or failed for a reason that passes.
        """
        client = aws.client("athena")
        query = self._start(client, sql)
        self._wait(client, query)
        pages = client.get_paginator("get_query_results").paginate(QueryExecutionId=query)
        names: list[str] = []
        for page in pages:
            for row in page["ResultSet"]["Rows"]:
                values = [value.get("VarCharValue", "") for value in row["Data"]]
                if names:
                    yield dict(zip(names, values, strict=True))
                else:
                    names = values  # the first row of a query names its columns

    def _start(self, client: Any, sql: str) -> str:
        from botocore.exceptions import ClientError

        try:
            query: str = client.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Database": self.deployment.database},
                WorkGroup=self.deployment.workgroup,
            )["QueryExecutionId"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidRequestException":
                raise
            raise QueryFailed(f"{error}: {sql[:200]}") from error
        return query

    def _wait(self, client: Any, query: str) -> None:
        """Wait until a query has ended."""
        waited, waits = 0.0, iter(WAITS)
        while waited < self.patience.total_seconds():
            found = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if found["State"] == "SUCCEEDED":
                return
            if found["State"] in {"FAILED", "CANCELLED"}:
                passes = found.get("AthenaError", {}).get("Retryable", False)
                error = TryAgain if passes else QueryFailed
                raise error(f"query {query}: {found.get('StateChangeReason', found['State'])}")
            wait = next(waits, WAITS[-1])
            self.pause(wait)
            waited += wait
        raise TryAgain(f"query {query}: not done after {self.patience}")
