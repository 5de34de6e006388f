"""The tasks of the closing workflow (F4, A12, A13).

A waiting step keeps its task token first and looks at the ticket afterwards, while whoever changes
the ticket does so first and looks for the token afterwards: in either order one of them sees the
other, so an answer that comes at the same moment never leaves the workflow waiting.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from functions.core.domain import commands as c
from functions.core.domain.closing import REOPENED, TaskResult, after_review, after_survey
from functions.core.domain.errors import ActionNotAllowed
from functions.core.domain.ticket import Ticket
from functions.core.platform.logging import logger
from functions.core.services.command_service import change
from functions.core.storage.store import Store

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

log = logger("survey")

Kind = Literal["survey", "review"]
_AFTER: dict[Kind, Callable[[Ticket, int], TaskResult | None]] = {
    "survey": after_survey,
    "review": after_review,
}
_GONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class Run(BaseModel):
    """What the workflow knows: one resolution of one ticket."""

    model_config = ConfigDict(defer_build=True)

    desk: str
    number: str
    resolution: int


class Waiting(Run):
    """A step that waits until somebody comes back with its token."""

    token: str


def wait_for(store: Store, workflows: SFNClient, kind: Kind, run: Waiting) -> None:
    """Keep the step's token, and go on at once where the ticket has its answer already."""
    # A run whose reopening was overlooked would wait its whole time for an answer to a question
    # that is no longer asked; only a later resolution can find one.
    stale = store.token(run.desk, run.number, kind) if run.resolution > 1 else None
    store.keep_token(run.desk, run.number, kind, run.token, run.resolution)
    if stale is not None and stale[1] < run.resolution:
        go_on(workflows, stale[0], REOPENED)
    answer = _AFTER[kind](store.load(run.desk, run.number), run.resolution)
    if answer is not None:
        go_on(workflows, run.token, answer)


def expire(store: Store, kind: Kind, run: Run, now: datetime) -> TaskResult:
    """End a wait that nobody answered, and say where the run goes from there."""
    command = c.ExpireSurvey(run.resolution) if kind == "survey" else c.ExpireReview(run.resolution)
    playbook = store.playbook(run.desk, now)
    try:
        change(store, run.desk, run.number, command, playbook, now, actor="system")
    except ActionNotAllowed:
        # The answer came while the time ran out; the ticket says which way it went.
        log.info("survey.answered_meanwhile", extra={"number": run.number})
    answer = _AFTER[kind](store.load(run.desk, run.number), run.resolution)
    if answer is None:
        raise RuntimeError(f"{run.number} still waits for its {kind} after that has expired")
    return answer


def go_on(workflows: SFNClient, token: str, answer: TaskResult) -> None:
    """End a waiting step; one that has ended already is left alone."""
    from botocore.exceptions import ClientError

    try:
        workflows.send_task_success(taskToken=token, output=json.dumps(answer))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
