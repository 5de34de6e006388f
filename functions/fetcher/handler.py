"""`deskbell-<stage>-fetcher`: fetches what a provider has announced. Nobody waits for it.

Intake invokes it asynchronously: Lambda repeats a failed event twice, then dead-letters it.
"""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import clock
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


@bp.lambda_function(name="fetcher")
@metered
def fetcher(event: Any, context: LambdaContext) -> None:
    """Do a `FetchTask`: pull an account's messages, or fetch the files of one message."""
    from pydantic import TypeAdapter

    from functions.core.domain.fetching import FetchTask, PullTask

    task: FetchTask = TypeAdapter(FetchTask).validate_python(event)
    deployment, now = Deployment.of(context), clock.now()
    if isinstance(task, PullTask):
        from functions.fetcher.pulling import pull

        pull(deployment, task, now)
    else:
        from functions.fetcher.media import fetch

        fetch(deployment, task, now)
