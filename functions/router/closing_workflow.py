"""Start and wake the closing workflow of a ticket (F4).

A resolution starts an execution that is named after the ticket and its number of resolutions, so
Step Functions refuses a second one for the same resolution. A waiting task stores its token on the
ticket; the router sends the result with it. If the result is there before the token, the task finds
it on the ticket and continues by itself.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.core.domain.closing import TaskKind, execution_name, task_result
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.services.task_results import send_result
from functions.core.storage.database import Storage

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

log = logger("router")


def start(
    client: SFNClient,
    machine: str,
    ticket: Ticket,
    resolution: int,
    playbook: Playbook,
    run: str = "",
) -> None:
    """Start the workflow for one resolution; a repetition has no effect.

    Args:
        run: the suffix of the execution's name, by default the resolution.
    """
    execution_input: dict[str, Any] = {
        "desk": ticket.desk,
        "number": ticket.number,
        "resolution": resolution,
        "wait_seconds": int(playbook.survey.wait.total_seconds()),
        "review_seconds": int(_callback_limit(playbook).total_seconds()),
    }
    try:
        client.start_execution(
            stateMachineArn=machine,
            name=execution_name(ticket.desk, ticket.number, run or str(resolution)),
            input=json.dumps(execution_input),
        )
    except client.exceptions.ExecutionAlreadyExists:
        log.info("closing.repeated", extra={"ticket": ticket.number, "resolution": resolution})


def _callback_limit(playbook: Playbook) -> timedelta:
    """Return how long a call-back may take before the ticket is archived without one."""
    confirmation = playbook.confirmation
    if confirmation is not None and confirmation.within is not None:
        return confirmation.within
    return playbook.survey.review.within


def wake(client: SFNClient, storage: Storage, ticket: Ticket, kind: TaskKind) -> None:
    """Let a waiting task continue if the ticket has its result."""
    stored = storage.closing_tokens.get(ticket.desk, ticket.number, kind)
    if stored is None:
        return
    token, resolution = stored
    result = task_result(kind, ticket, resolution)
    if result is not None and not send_result(client, token, result):
        log.info("closing.over", extra={"ticket": ticket.number, "kind": kind})
