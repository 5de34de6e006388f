"""`deskbell-<stage>-language_model`: asks a desk's language model for a person."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from chalice.app import Blueprint

from functions.core.platform import aws, clock, container
from functions.core.platform.metering import metered
from functions.core.platform.settings import Deployment, LambdaContext

if TYPE_CHECKING:
    from functions.core.domain.playbook_model import LanguageModel
    from functions.language_model.adapters import Model

bp = Blueprint(__name__)


@bp.lambda_function(name="language_model")
@metered
def language_model(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Write what a person asked for: a `ModelRequest` → a `ModelResult`, or `{not_found}`."""
    from functions.core.domain.errors import NotFound
    from functions.core.domain.model_use import ModelRequest
    from functions.language_model.asking import Asking

    deployment, request = Deployment.of(context), ModelRequest.model_validate(event)
    connect = partial(_connect, deployment, request.desk)
    storage, now = container.storage(deployment), clock.now()
    asking = Asking(request, storage, connect, now, time.monotonic)
    try:
        return asking.result().model_dump(mode="json")
    except NotFound as refused:
        return {"not_found": str(refused)}


def _connect(deployment: Deployment, desk: str, model: LanguageModel) -> Model:
    from functions.core.deliver import once
    from functions.language_model.adapters import Bedrock, ChatCompletions, ModelFailure

    if model.provider == "bedrock":
        client = once.client("bedrock-runtime", model.timeout.total_seconds())
        return Bedrock(client, model.model)
    key = aws.model_secret(deployment, desk, model.secret, clock.now()) if model.secret else None
    if model.secret and not key:
        raise ModelFailure("refused", f"there is no key '{model.secret}'", charged=False)
    local = aws.settings(deployment).get("local_webhooks") == "on"
    return ChatCompletions(model.url or "", model.model, key, model.timeout, local)
