"""The client of the function `administration`, which carries out what administrators ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.deliver import once
from functions.core.domain import errors
from functions.core.domain.acts import ActRequest, ActResult
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

PATIENCE = 25.0
"""Seconds of waiting: API Gateway ends a call after 29."""


def administer(deployment: Deployment, request: ActRequest) -> Any:
    """Carry out an act, and return what it returned.

    Raises:
        Refused: as the act says, in the person's language.
        TryAgain: the function failed or is still at it, and may have carried out the act.
    """
    answered = _invoke(deployment, request)
    if refusal := answered.refusal:
        kind: type[errors.Refused] = getattr(errors, refusal.kind)
        if issubclass(kind, errors.InvalidInput):
            fields = tuple(errors.FieldError(name, text) for name, text in refusal.errors)
            raise kind(refusal.detail, fields)
        raise kind(refusal.detail)
    return answered.result


def _invoke(deployment: Deployment, request: ActRequest) -> ActResult:
    from botocore.exceptions import ReadTimeoutError

    # Not every act may be repeated, so a second attempt is the person's.
    client: LambdaClient = once.client("lambda", PATIENCE)
    try:
        response = client.invoke(
            FunctionName=f"{deployment.prefix}-administration",
            Payload=request.model_dump_json().encode(),
        )
    except ReadTimeoutError as error:
        raise errors.TryAgain("administration has not answered yet") from error
    payload = response["Payload"].read()
    if response.get("FunctionError"):
        raise errors.TryAgain("administration failed")
    return ActResult.model_validate_json(payload)
