"""The Lambda functions of the closing workflow's tasks (F4).

Each receives `{"desk", "number", "resolution"}`, a waiting task its `token` too, and returns the
result that `infra/templates/closing.asl.json` branches on.
"""

from typing import Any

from chalice.app import Blueprint

from functions.core.domain.closing import TaskKind, TaskResult
from functions.core.platform import aws, clock, container, metering
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment

TRANSITION = "stepfunctions.transition"

bp = Blueprint(__name__)


@bp.lambda_function(name="survey_ask")
@metered
def survey_ask(event: dict[str, Any], context: Any) -> None:
    """Wait for the customer's answer to the survey, which notify sends on `TicketResolved`."""
    _wait("survey", event, context)


@bp.lambda_function(name="survey_review")
@metered
def survey_review(event: dict[str, Any], context: Any) -> None:
    """Wait for the call-back of the QA team."""
    _wait("review", event, context)


@bp.lambda_function(name="survey_expire")
@metered
def survey_expire(event: dict[str, Any], context: Any) -> TaskResult:
    """End the survey that nobody answered in time."""
    return _expire("survey", event, context)


@bp.lambda_function(name="survey_review_expire")
@metered
def survey_review_expire(event: dict[str, Any], context: Any) -> TaskResult:
    """End the review without a call-back in time."""
    return _expire("review", event, context)


@bp.lambda_function(name="survey_archive")
@metered
def survey_archive(event: dict[str, Any], context: Any) -> dict[str, str | None]:
    from functions.core.services.archiving import ArchiveBuckets
    from functions.survey import tasks
    from functions.survey.archive import archive

    deployment = Deployment.of(context)
    metering.count(TRANSITION, 2)  # the choice before it, too
    task = tasks.Task.model_validate(event)
    buckets = ArchiveBuckets(aws.client("s3"), deployment.archive_bucket, deployment.mail_bucket)
    return {"key": archive(container.storage(deployment), buckets, task, clock.now())}


def _wait(kind: TaskKind, event: dict[str, Any], context: Any) -> None:
    from functions.survey import tasks

    metering.count(TRANSITION, 2 if kind == "survey" else 1)  # the start, too
    task = tasks.WaitingTask.model_validate(event)
    tasks.wait_for(
        container.storage(Deployment.of(context)), aws.client("stepfunctions"), kind, task
    )


def _expire(kind: TaskKind, event: dict[str, Any], context: Any) -> TaskResult:
    from functions.survey import tasks

    metering.count(TRANSITION)
    task = tasks.Task.model_validate(event)
    return tasks.expire(container.storage(Deployment.of(context)), kind, task, clock.now())
