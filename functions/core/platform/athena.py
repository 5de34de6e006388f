"""Queries of a deployment's facts with Athena."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.core.domain.errors import TryAgain
from functions.core.platform import aws
from functions.core.platform.settings import APP, Deployment

WAIT = 0.3
"""Seconds between two looks at a query that runs."""


@dataclass(frozen=True)
class Athena:
    """Runs queries in the deployment's workgroup and database."""

    deployment: Deployment

    def rows(self, sql: str) -> Iterator[dict[str, str]]:
        """Run a query and yield its rows; values are texts, empty if there is none.

        Raises:
            TryAgain: the query failed; the message has Athena's reason.
        """
        client = aws.client("athena")
        query = client.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": f"{APP}_{self.deployment.stage}"},
            WorkGroup=self.deployment.prefix,
        )["QueryExecutionId"]
        while (status := _status(client, query))["State"] in {"QUEUED", "RUNNING"}:
            time.sleep(WAIT)
        if status["State"] != "SUCCEEDED":
            raise TryAgain(f"the query failed: {status.get('StateChangeReason')}")
        names: list[str] | None = None
        for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query):
            for row in page["ResultSet"]["Rows"]:
                values = [value.get("VarCharValue", "") for value in row["Data"]]
                if names is None:
                    names = values
                else:
                    yield dict(zip(names, values, strict=True))


def _status(client: Any, query: str) -> dict[str, str]:
    found = client.get_query_execution(QueryExecutionId=query)
    status: dict[str, str] = found["QueryExecution"]["Status"]
    return status
