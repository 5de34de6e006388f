"""Keep the closing workflow in step with its ticket (F4).

A resolution starts an execution whose name is the ticket and the count of its resolutions, so that
Step Functions itself refuses a second one for the same resolution. What the workflow waits for is
handed to it by the task token that the waiting step left on the ticket; if the answer comes before
the token, the step finds it on the ticket and goes on by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.logs import logger
from functions.core.playbook import Playbook
from functions.core.store import Store
from functions.core.ticket import Ticket

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

log = logger("router")

_OVER = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
"""Answers of SendTaskSuccess for a step that no longer waits (Step Functions API reference)."""


def start(
    client: SFNClient, machine: str, ticket: Ticket, resolution: int, playbook: Playbook
) -> None:
    """Start the workflow for one resolution; a repetition changes nothing."""
    document: dict[str, Any] = {
        "desk": ticket.desk,
        "number": ticket.number,
        "resolution": resolution,
        "wait_seconds": int(playbook.survey.wait.total_seconds()),
        "review_seconds": int(playbook.survey.review.within.total_seconds()),
    }
    try:
        client.start_execution(
            stateMachineArn=machine,
            name=f"{ticket.desk}-{ticket.number}-{resolution}",
            input=json.dumps(document),
        )
    except client.exceptions.ExecutionAlreadyExists:
        log.info("closing.repeated", extra={"ticket": ticket.number, "resolution": resolution})


def wake(
    client: SFNClient, store: Store, ticket: Ticket, kind: str, resolution: int, output: Any
) -> None:
    """Let a waiting step of the workflow of this resolution go on with `output`."""
    kept = store.token(ticket.desk, ticket.number, kind)
    if kept is None or kept[1] != resolution:
        return
    try:
        client.send_task_success(taskToken=kept[0], output=json.dumps(output))
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _OVER:
            raise
        log.info("closing.over", extra={"ticket": ticket.number, "kind": kind})
