"""Limits that CloudFormation cannot set, because Chalice or the account owns what they belong to.

The stacks hold the values as parameters, so an omitted one keeps its value; this sets them on the
HTTP API, on the functions and in SNS. A plain `chalice deploy` keeps the throttles and the log
settings, but removes reserved concurrency.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

API_STAGE = "api"
RESERVED = ("router", "notify", "sla_timer")
"""The functions that a flood of requests must not starve."""

_SIGNED = "/channels/"
"""Routes below this are called by machines, which sign; they share the stage's limit."""


def apply_limits(stage: str, api_id: str, wiring: Mapping[str, str]) -> None:
    """Throttle the HTTP API and reserve concurrency, as the outputs of the wiring stack say."""
    operations = list(throttles(open_routes(), wiring))
    if operations:
        boto3.client("apigateway").update_stage(
            restApiId=api_id, stageName=API_STAGE, patchOperations=operations
        )
    reserved = int(wiring["ReservedConcurrency"])
    for function in RESERVED if reserved else ():
        boto3.client("lambda").put_function_concurrency(
            FunctionName=f"deskbell-{stage}-{function}", ReservedConcurrentExecutions=reserved
        )


def open_routes() -> list[tuple[str, str]]:
    from app import app

    return sorted(
        (path, method)
        for path, methods in app.routes.items()
        for method, route in methods.items()
        if route.authorizer is None and _SIGNED not in path
    )


def throttles(
    routes: Iterable[tuple[str, str]], values: Mapping[str, str]
) -> Iterator[PatchOperationTypeDef]:
    """Yield the changes of the API's stage: its own throttle and that of each open route.

    API Gateway, "UpdateStage": a slash in a path is written `~1`.
    """
    if not float(values["StageRate"]):
        return
    yield from _throttle("/*/*", values["StageRate"], values["StageBurst"])
    for path, method in routes:
        target = f"/{path.replace('/', '~1')}/{method}"
        yield from _throttle(target, values["OpenRate"], values["OpenBurst"])


def _throttle(target: str, rate: str, burst: str) -> Iterator[PatchOperationTypeDef]:
    for name, value in (("rateLimit", rate), ("burstLimit", burst)):
        yield {"op": "replace", "path": f"{target}/throttling/{name}", "value": value}


def log_text_messages(role: str, retention_days: int) -> None:
    """Let SNS log text messages that were not delivered, each with its reason and price.

    The log has the whole phone number, so it is kept no longer than the functions' logs.
    """
    attributes = {"DeliveryStatusIAMRole": role, "DeliveryStatusSuccessSamplingRate": "0"}
    boto3.client("sns").set_sms_attributes(attributes=attributes)
    session: Any = boto3.session.Session()
    account = role.split(":")[4]
    logs = boto3.client("logs")
    group = f"sns/{session.region_name}/{account}/DirectPublishToPhoneNumber/Failure"
    # SNS or another stage may have created it.
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=retention_days)
