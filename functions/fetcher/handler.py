"""`deskbell-<stage>-fetcher`: fetches what a provider has announced. Nobody waits for it.

Intake invokes it asynchronously: Lambda repeats a failed event twice, under the same id, and
dead-letters it then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from chalice.app import Blueprint

from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


class FetcherContext(LambdaContext, Protocol):
    """The part of Lambda's context that the fetcher reads."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


@bp.lambda_function(name="fetcher")
@metered
def fetcher(event: Any, context: FetcherContext) -> None:
    """Do a `FetchTask`: pull an account's messages, or fetch the files of one message."""
    from pydantic import TypeAdapter

    from functions.core.domain.fetching import FetchTask, PullTask

    task: FetchTask = TypeAdapter[FetchTask](FetchTask).validate_python(event)
    deployment = Deployment.of(context)
    if isinstance(task, PullTask):
        from functions.fetcher.pulling import pull

        def remaining() -> timedelta:
            return timedelta(milliseconds=context.get_remaining_time_in_millis())

        pull(deployment, task, context.aws_request_id, remaining)
    else:
        from functions.fetcher.media import fetch

        fetch(deployment, task)
