"""The tasks of the closing workflow, as Lambda functions (F4).

Each takes the run, `{"desk", "number", "resolution"}`, a waiting one its `token` too, and answers
with what `infra/closing.asl.json` goes on with.
"""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core import aws, clock, deps
from functions.core.closing import Answer
from functions.core.settings import Place
from functions.survey import steps

bp = Blueprint(__name__)


@bp.lambda_function(name="survey_ask")
def survey_ask(event: dict[str, Any], context: Any) -> None:
    """Wait for the customer's answer to the survey. Notify has sent it on `TicketResolved`."""
    _wait("survey", event, context)


@bp.lambda_function(name="survey_review")
def survey_review(event: dict[str, Any], context: Any) -> None:
    """Wait for the call-back of the QA team."""
    _wait("review", event, context)


@bp.lambda_function(name="survey_expire")
def survey_expire(event: dict[str, Any], context: Any) -> Answer:
    """Nobody answered the survey in time."""
    return _expire("survey", event, context)


@bp.lambda_function(name="survey_review_expire")
def survey_review_expire(event: dict[str, Any], context: Any) -> Answer:
    """Nobody called back in time."""
    return _expire("review", event, context)


@bp.lambda_function(name="survey_archive")
def survey_archive(event: dict[str, Any], context: Any) -> dict[str, str | None]:
    """Write the ticket's record to the archive."""
    from functions.survey.archive import Shelves, archive

    place = Place.of(context)
    run = steps.Run.model_validate(event)
    shelves = Shelves(aws.client("s3"), place.archive_bucket, place.mail_bucket)
    return {"key": archive(deps.store(place), shelves, run, clock.now())}


def _wait(kind: steps.Kind, event: dict[str, Any], context: Any) -> None:
    run = steps.Waiting.model_validate(event)
    steps.wait_for(deps.store(Place.of(context)), aws.client("stepfunctions"), kind, run)


def _expire(kind: steps.Kind, event: dict[str, Any], context: Any) -> Answer:
    run = steps.Run.model_validate(event)
    return steps.expire(deps.store(Place.of(context)), kind, run, clock.now())
