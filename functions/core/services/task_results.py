"""Send the result of a waiting task to the closing workflow (F4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.core.domain.closing import TaskResult

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_ENDED = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
"""Errors of SendTaskSuccess for a task that no longer waits (Step Functions API reference)."""


def send_result(client: SFNClient, token: str, result: TaskResult) -> bool:
    """End a waiting task; False if it has ended already."""
    from botocore.exceptions import ClientError

    try:
        client.send_task_success(taskToken=token, output=json.dumps(result))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ENDED:
            raise
        return False
    return True
