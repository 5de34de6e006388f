"""The stream records that move tickets on: new, confirmed, queued, reopened, resolved (F2, F4)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import clock
from functions.core.platform.container import store
from functions.core.platform.settings import Deployment, LambdaContext
from functions.core.platform.stream import each

bp = Blueprint(__name__)


@bp.lambda_function(name="router")
def router(event: Any, context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Route what the stream brings; answer which records have to come again."""
    from functions.router.consumer import process

    deployment = Deployment.of(context)
    now = clock.now()
    return each(
        event,
        deployment,
        "router",
        lambda record: process(record, deployment, store(deployment), now),
    )
