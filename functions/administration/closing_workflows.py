"""List closing workflows that failed and start them again (F4, G3).

The workflow's tasks are idempotent, so a failed execution is started again with the same input. The
new name, `<name>-again-<count>`, marks the old execution as continued.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from functions.core.domain.closing import AGAIN, AGAIN_LENGTH, NAME_LIMIT
from functions.core.platform import aws
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_ENDED: tuple[Literal["FAILED"], Literal["TIMED_OUT"], Literal["ABORTED"]] = (
    "FAILED",
    "TIMED_OUT",
    "ABORTED",
)
_AGAIN = re.compile(rf"{AGAIN}(\d+)$")


@dataclass(frozen=True)
class Failed:
    """An execution that ended without archiving its ticket; `input` is the JSON text it got."""

    name: str
    stopped_at: datetime
    cause: str
    input: str


def failed(deployment: Deployment) -> Iterator[Failed]:
    """List the failed executions of a deployment that have not been started again."""
    client: SFNClient = aws.client("stepfunctions")
    machine = deployment.state_machine
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
            if _exists(client, machine, _next_name(run["name"])):
                continue
            details = client.describe_execution(executionArn=run["executionArn"])
            cause = f"{details.get('error') or status}: {details.get('cause') or ''}".rstrip(": ")
            stopped_at = run.get("stopDate", run["startDate"])
            yield Failed(run["name"], stopped_at, cause, details["input"])


def start_again(deployment: Deployment, name: str, arguments: dict[str, Any]) -> str:
    client: SFNClient = aws.client("stepfunctions")
    next_name = _next_name(name)
    client.start_execution(
        stateMachineArn=deployment.state_machine,
        name=next_name,
        input=json.dumps(arguments, ensure_ascii=False),
    )
    return next_name


def _next_name(name: str) -> str:
    match = _AGAIN.search(name)
    count = int(match.group(1)) + 1 if match else 1
    return f"{_AGAIN.sub('', name)[: NAME_LIMIT - AGAIN_LENGTH]}{AGAIN}{count}"


def _exists(client: SFNClient, machine: str, name: str) -> bool:
    try:
        client.describe_execution(
            executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return False
    return True
