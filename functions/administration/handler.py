"""`deskbell-<stage>-administration`: carries out an act for a page of the workbench."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from functions.core.platform import clock, container
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)


@bp.lambda_function(name="administration")
@metered
def administration(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Carry out an act: an `ActRequest` → an `ActResult`."""
    from functions.administration.acts import answer
    from functions.core.domain.acts import ActRequest

    request, deployment = ActRequest.model_validate(event), Deployment.of(context)
    result = answer(request, deployment, container.storage(deployment), clock.now())
    return result.model_dump(mode="json")
