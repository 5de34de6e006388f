"""Closing workflows that failed, and starting them again (F4, G3).

The tasks of the workflow may be repeated and nobody is asked twice, so a run is begun anew with the
input of the one that failed. Its name says whose continuation it is; the newest one counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import boto3
from botocore.exceptions import ClientError

_ENDED: tuple[Literal["FAILED"], Literal["TIMED_OUT"], Literal["ABORTED"]] = (
    "FAILED",
    "TIMED_OUT",
    "ABORTED",
)
_AGAIN = re.compile(r"-again-(\d+)$")


@dataclass(frozen=True)
class Failed:
    """A run that ended without archiving its ticket."""

    name: str
    stopped_at: datetime
    cause: str
    input: dict[str, Any]


def failed(prefix: str) -> Iterator[Failed]:
    """The runs of a deployment that failed and have not been started again since."""
    client = boto3.client("stepfunctions")
    machine = _machine(prefix)
    for status in _ENDED:
        try:
            pages = client.get_paginator("list_executions").paginate(
                stateMachineArn=machine, statusFilter=status
            )
            runs = [run for page in pages for run in page["executions"]]
        except ClientError as error:
            if error.response["Error"]["Code"] == "StateMachineDoesNotExist":
                return
            raise
        for run in runs:
            if _exists(client, machine, _next(run["name"])):
                continue
            found = client.describe_execution(executionArn=run["executionArn"])
            why = f"{found.get('error') or status}: {found.get('cause') or ''}".rstrip(": ")
            ended = run.get("stopDate", run["startDate"])
            yield Failed(run["name"], ended, why, json.loads(found["input"]))


def start_again(prefix: str, name: str, given: dict[str, Any]) -> str:
    """Begin a failed run anew; the name of the new one."""
    client = boto3.client("stepfunctions")
    again = _next(name)
    client.start_execution(
        stateMachineArn=_machine(prefix), name=again, input=json.dumps(given, ensure_ascii=False)
    )
    return again


def _machine(prefix: str) -> str:
    caller = boto3.client("sts").get_caller_identity()
    partition = caller["Arn"].split(":")[1]
    region = boto3.session.Session().region_name
    return f"arn:{partition}:states:{region}:{caller['Account']}:stateMachine:{prefix}-closing"


def _next(name: str) -> str:
    found = _AGAIN.search(name)
    count = int(found.group(1)) + 1 if found else 1
    return f"{_AGAIN.sub('', name)[:70]}-again-{count}"


def _exists(client: Any, machine: str, name: str) -> bool:
    try:
        client.describe_execution(
            executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return False
    return True
