"""`deskbell-<stage>-router`: classify and assign tickets from the table's stream (F2, F4)."""

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import clock
from functions.core.platform.container import storage
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext
from functions.core.platform.stream import BatchResponse, process_batch

bp = Blueprint(__name__)


@bp.lambda_function(name="router")
@metered
def router(event: Any, context: LambdaContext) -> BatchResponse:
    from functions.router.consumer import process

    deployment = Deployment.of(context)
    now = clock.now()
    return process_batch(
        event,
        deployment,
        "router",
        now,
        lambda record: process(record, deployment, storage(deployment), now),
    )
