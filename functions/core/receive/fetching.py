"""The client of the function `fetcher`, which fetches what providers only announce."""

from __future__ import annotations

from functions.core.domain.fetching import FetchTask
from functions.core.platform import aws
from functions.core.platform.settings import Deployment


def fetch_later(deployment: Deployment, task: FetchTask) -> None:
    """Let the fetcher do a task; Lambda keeps and repeats it, and dead-letters it in the end.

    Each task may run twice, so botocore may repeat the call.
    """
    aws.client("lambda").invoke(
        FunctionName=f"{deployment.prefix}-fetcher",
        InvocationType="Event",
        Payload=task.model_dump_json().encode(),
    )
