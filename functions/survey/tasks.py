"""The waiting tasks of the closing workflow (F4, A12, A13).

A waiting task stores its token first and reads the ticket afterwards; a change is written to the
ticket first and looks for the token afterwards. In either order one of them sees the other, so a
simultaneous answer never leaves the workflow waiting.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from functions.core.domain import commands as c
from functions.core.domain.closing import REOPENED, TaskKind, TaskResult, task_result
from functions.core.domain.errors import ActionNotAllowed
from functions.core.platform.logging import logger
from functions.core.services.command_service import change
from functions.core.services.task_results import send_result
from functions.core.storage.database import Storage

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

log = logger("survey")


class Task(BaseModel):
    """The input of a task: one resolution of one ticket."""

    model_config = ConfigDict(defer_build=True)

    desk: str
    number: str
    resolution: int


class WaitingTask(Task):
    """The input of a task that waits until its token is sent back."""

    token: str


def wait_for(storage: Storage, workflows: SFNClient, kind: TaskKind, task: WaitingTask) -> None:
    """Store the task's token; continue at once if the ticket has the result already."""
    # A task of an earlier resolution whose reopening was missed would wait for its whole time. Only
    # a later resolution can find it.
    stale = (
        storage.closing_tokens.get(task.desk, task.number, kind) if task.resolution > 1 else None
    )
    storage.closing_tokens.put(task.desk, task.number, kind, task.token, task.resolution)
    if stale is not None and stale[1] < task.resolution:
        send_result(workflows, stale[0], REOPENED)
    result = task_result(kind, storage.tickets.load(task.desk, task.number), task.resolution)
    if result is not None:
        send_result(workflows, task.token, result)


def expire(storage: Storage, kind: TaskKind, task: Task, now: datetime) -> TaskResult:
    """End a wait that nobody answered and return the task's result."""
    command = (
        c.ExpireSurvey(task.resolution) if kind == "survey" else c.ExpireReview(task.resolution)
    )
    playbook = storage.playbooks.get(task.desk, now)
    try:
        change(storage, task.desk, task.number, command, playbook, now, actor="system")
    except ActionNotAllowed:
        # The answer came at the last second; the ticket has the result.
        log.info("survey.answered_meanwhile", extra={"number": task.number})
    result = task_result(kind, storage.tickets.load(task.desk, task.number), task.resolution)
    if result is None:
        raise RuntimeError(f"{task.number} still waits for its {kind} after that has expired")
    return result
