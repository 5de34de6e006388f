"""CloudFormation stacks: load a template, create or update its stack, read its outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_UNCHANGED = "No updates are to be performed"
_ABSENT = "does not exist"


class StackError(RuntimeError):
    """A stack did not reach its goal; the message tells the first reason CloudFormation gave."""


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (``!Ref``, ``!Sub``, ``!GetAtt`` …)."""


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
    """The template as plain data, with each ``AWS::Include`` of a local file put in its place.

    ``AWS::Include`` itself reads from S3 only, where nothing is before the first stack exists.
    """
    # S506: the loader is a SafeLoader that knows CloudFormation's tags besides.
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
    """Bring the stack to what the template says and return its outputs.

    Creates or updates; a stack that is as it should be is a success. A parameter that is not given
    keeps the value that the stack has. Raises ``StackError``.
    """
    content = load_template(template)
    kept = _parameters(client, name) & set(content.get("Parameters", {})) - set(parameters)
    arguments: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": json.dumps(content, separators=(",", ":")),
        "Parameters": [
            *({"ParameterKey": key, "ParameterValue": parameters[key]} for key in parameters),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
        ],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": "application", "Value": "deskbell"}],
    }
    try:
        if _exists(client, name):
            client.update_stack(**arguments)
            _wait(client, name, "stack_update_complete")
        else:
            client.create_stack(**arguments)
            _wait(client, name, "stack_create_complete")
    except ClientError as error:
        if _UNCHANGED not in str(error):
            raise
    return outputs(client, name)


def _parameters(client: CloudFormationClient, name: str) -> set[str]:
    """The parameters that a stack was made with; none where there is no such stack."""
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if _ABSENT in str(error):
            return set()
        raise
    return {item["ParameterKey"] for item in stack.get("Parameters", [])}


def outputs(client: CloudFormationClient, name: str) -> dict[str, str]:
    """The outputs of a stack that exists, by key."""
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def _exists(client: CloudFormationClient, name: str) -> bool:
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if _ABSENT in str(error):
            return False
        raise
    if stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
        raise StackError(
            f"{name} is in {stack['StackStatus']}: its creation failed once. Delete the stack "
            "(what it made is retained) and deploy again."
        )
    return True


def _wait(client: CloudFormationClient, name: str, goal: Any) -> None:
    from botocore.exceptions import WaiterError

    try:
        client.get_waiter(goal).wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 900})
    except WaiterError as error:
        raise StackError(f"{name}: {_first_reason(client, name) or error}") from error


def _first_reason(client: CloudFormationClient, name: str) -> str | None:
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for page in client.get_paginator("describe_stack_events").paginate(StackName=name)
        for event in page["StackEvents"]
        if event.get("ResourceStatus", "").endswith("_FAILED")
    ]
    return failed[-1] if failed else None
