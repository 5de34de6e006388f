"""CloudFormation: load templates, create or update stacks, read their outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import yaml
from botocore.exceptions import ClientError

from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_UNCHANGED = "No updates are to be performed"
_ABSENT = "does not exist"
_FAILED_CREATIONS = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})
_LEFT = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED", "DELETE_SKIPPED"})
"""The statuses of resources that exist although their stack is gone or failed."""
_CANCELLED = re.compile(r"(creation|update) cancelled", re.IGNORECASE)
"""The reason of resources that stopped because another one failed."""


class StackError(RuntimeError):
    """A stack failed; the message holds the reasons that CloudFormation gave for this operation."""


class _TemplateLoader(yaml.SafeLoader):
    """Loads YAML with CloudFormation's short forms (`!Ref`, `!Sub`, `!GetAtt` …)."""


def _short_form(loader: _TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _short_form)


def load_template(path: Path) -> dict[str, Any]:
    """Load a template as plain data and replace every `AWS::Include` with the local file.

    CloudFormation itself can include files only from S3, and no bucket exists before the first
    stack.
    """
    # S506: the loader is a SafeLoader.
    template = yaml.load(path.read_text("utf-8"), Loader=_TemplateLoader)  # noqa: S506
    included: dict[str, Any] = _include(template, path.parent)
    return included


def _include(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_include(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    transform = value.get("Fn::Transform")
    if isinstance(transform, dict) and transform.get("Name") == "AWS::Include":
        return json.loads((folder / transform["Parameters"]["Location"]).read_text("utf-8"))
    return {key: _include(item, folder) for key, item in value.items()}


def deploy_stack(
    client: CloudFormationClient, name: str, template: Path, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Create or update a stack and return its outputs; an unchanged stack is a success.

    Parameters that are not given keep their values.

    Raises:
        StackError: the stack failed.
    """
    content = load_template(template)
    previous = _parameters(client, name) & set(content.get("Parameters", {})) - set(parameters)
    token = f"deskbell-{uuid4()}"
    arguments: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": json.dumps(content, separators=(",", ":")),
        "Parameters": [
            *({"ParameterKey": key, "ParameterValue": parameters[key]} for key in parameters),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(previous)),
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": "application", "Value": "deskbell"}],
        "ClientRequestToken": token,
    }
    try:
        if stack_exists(client, name):
            client.update_stack(**arguments)
            _wait(client, name, "stack_update_complete", token)
        else:
            client.create_stack(**arguments)
            _wait(client, name, "stack_create_complete", token)
    except ClientError as error:
        if _UNCHANGED not in str(error):
            raise
    return outputs(client, name)


def _parameters(client: CloudFormationClient, name: str) -> set[str]:
    stack = _stack(client, name)
    return {item["ParameterKey"] for item in stack.get("Parameters", [])} if stack else set()


def _stack(client: CloudFormationClient, name: str) -> StackTypeDef | None:
    try:
        return client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if _ABSENT in str(error):
            return None
        raise


def outputs(client: CloudFormationClient, name: str) -> dict[str, str]:
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def stack_exists(client: CloudFormationClient, name: str) -> bool:
    """Return whether a stack exists; delete the empty rest of one whose creation failed.

    Raises:
        StackError: its creation failed and left resources, which block another attempt.
    """
    stack = _stack(client, name)
    if stack is None or stack["StackStatus"] not in _FAILED_CREATIONS:
        return stack is not None
    left = _resources_left(client, name)
    if left:
        raise StackError(
            f"{name} is in {stack['StackStatus']} and left {', '.join(left)}: see "
            "docs/operations.md, 'After a failed creation'"
        )
    token = f"deskbell-{uuid4()}"
    client.delete_stack(StackName=name, ClientRequestToken=token)
    _wait(client, stack["StackId"], "stack_delete_complete", token)
    return False


def _resources_left(client: CloudFormationClient, name: str) -> list[str]:
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        f"{resource['LogicalResourceId']} ({resource.get('PhysicalResourceId', '-')})"
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] in _LEFT
    ]


def _wait(client: CloudFormationClient, name: str, goal: Any, token: str) -> None:
    from botocore.exceptions import WaiterError

    try:
        client.get_waiter(goal).wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 900})
    except WaiterError as error:
        raise StackError(f"{name}: {_reasons(client, name, token) or error}") from error


def _reasons(client: CloudFormationClient, name: str, token: str) -> str:
    """The reasons of one operation's failures, first one first.

    Every event of an operation has the token with which it was requested. What CloudFormation finds
    before it begins is listed by `DescribeEvents` alone.
    """
    pages = client.get_paginator("describe_stack_events").paginate(StackName=name)
    events = [
        event
        for page in pages
        for event in page["StackEvents"]
        if event.get("ClientRequestToken") == token
    ]
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if event.get("ResourceStatus", "").endswith("_FAILED")
        and not _CANCELLED.search(event.get("ResourceStatusReason", ""))
    ]
    if any(event.get("DetailedStatus") == "VALIDATION_FAILED" for event in events):
        began = min(event["Timestamp"] for event in events)
        failed = [*_invalid(client, name, began)] or failed
    return "; ".join(failed)


def _invalid(client: CloudFormationClient, name: str, since: datetime) -> Iterator[str]:
    pages = client.get_paginator("describe_events").paginate(StackName=name)
    for page in pages:
        for event in page["OperationEvents"]:
            if event.get("ValidationStatus") == "FAILED" and event["Timestamp"] >= since:
                yield f"{event['LogicalResourceId']}: {event.get('ValidationStatusReason', '')}"


def deployment_of(stage: str) -> Deployment:
    session = boto3.session.Session()
    return Deployment(
        partition=session.get_partition_for_region(session.region_name),
        region=session.region_name,
        account=boto3.client("sts").get_caller_identity()["Account"],
        stage=stage,
    )
