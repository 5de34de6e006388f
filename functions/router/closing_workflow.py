"""Keep the closing workflow in step with its ticket (F4).

A resolution starts an execution whose name is the ticket and the count of its resolutions, so that
Step Functions itself refuses a second one for the same resolution. What the workflow waits for is
handed to it by the task token that the waiting step left on the ticket; if the answer comes before
the token, the step finds it on the ticket and goes on by itself.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.closing import after_review, after_survey
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.storage.store import Store

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

log = logger("router")

_AFTER = {"survey": after_survey, "review": after_review}

_OVER = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
"""Answers of SendTaskSuccess for a step that no longer waits (Step Functions API reference)."""


def start(
    client: SFNClient,
    machine: str,
    ticket: Ticket,
    resolution: int,
    playbook: Playbook,
    run: str = "",
) -> None:
    """Start the workflow for one resolution; a repetition changes nothing.

    Args:
        run: what tells this run from others of the ticket, the resolution where nothing is given.
    """
    document: dict[str, Any] = {
        "desk": ticket.desk,
        "number": ticket.number,
        "resolution": resolution,
        "wait_seconds": int(playbook.survey.wait.total_seconds()),
        "review_seconds": int(_call_back_within(playbook).total_seconds()),
    }
    try:
        client.start_execution(
            stateMachineArn=machine,
            name=f"{ticket.desk}-{ticket.number}-{run or resolution}",
            input=json.dumps(document),
        )
    except client.exceptions.ExecutionAlreadyExists:
        log.info("closing.repeated", extra={"ticket": ticket.number, "resolution": resolution})


def _call_back_within(playbook: Playbook) -> timedelta:
    """How long a call-back may take before the ticket is archived without one."""
    asked = playbook.confirmation
    if asked is not None and asked.within is not None:
        return asked.within
    return playbook.survey.review.within


def wake(client: SFNClient, store: Store, ticket: Ticket, kind: str) -> None:
    """Let a waiting step go on where the ticket has the answer that it waits for.

    Args:
        kind: `survey` or `review`, the step that may wait.
    """
    kept = store.token(ticket.desk, ticket.number, kind)
    answer = _AFTER[kind](ticket, kept[1]) if kept else None
    if kept is None or answer is None:
        return
    try:
        client.send_task_success(taskToken=kept[0], output=json.dumps(answer))
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _OVER:
            raise
        log.info("closing.over", extra={"ticket": ticket.number, "kind": kind})
