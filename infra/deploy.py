"""The three deployment steps, each of which may be repeated: foundation, functions, wiring."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from chalice.awsclient import TypedAWSClient

from infra.functions import ClientFactory, Report, deploy_functions
from infra.stacks import deploy_stack

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

ROOT = Path(__file__).resolve().parent.parent
INFRA = ROOT / "infra"
_KEY_BYTES = 32


@dataclass(frozen=True)
class Variant:
    """What may differ between two deployments besides their stage; the defaults are production's.

    ``api_url`` is the public address of the HTTP API where it has one of its own.
    """

    foundation: Mapping[str, str] = field(default_factory=dict)
    wiring: Mapping[str, str] = field(default_factory=dict)
    api_url: str | None = None
    client_factory: ClientFactory = TypedAWSClient


@dataclass(frozen=True)
class Deployment:
    """What a deployment came to."""

    stage: str
    api_id: str
    api_url: str
    foundation: Mapping[str, str]


def deploy(stage: str, report: Report, variant: Variant | None = None) -> Deployment:
    """Bring ``stage`` to what the working tree says, in the account and region of the session."""
    variant = variant or Variant()
    foundation = deploy_foundation(stage, report, variant.foundation)
    report("2/3 functions and HTTP API (chalice)")
    api_id = deploy_functions(ROOT, stage, report, variant.client_factory)
    url = variant.api_url or _execute_api_url(api_id)
    report("3/3 wiring")
    deploy_stack(
        boto3.client("cloudformation"),
        f"deskbell-{stage}-wiring",
        INFRA / "wiring.yaml",
        {"Stage": stage, "StreamArn": foundation["StreamArn"], "ApiUrl": url, **variant.wiring},
    )
    return Deployment(stage, api_id, url, foundation)


def deploy_foundation(stage: str, report: Report, parameters: Mapping[str, str]) -> dict[str, str]:
    """Step 1, with the secrets that CloudFormation cannot make; returns the stack's outputs."""
    report("1/3 foundation")
    found = deploy_stack(
        boto3.client("cloudformation"),
        f"deskbell-{stage}-foundation",
        INFRA / "foundation.yaml",
        {"Stage": stage, **parameters},
    )
    ensure_secrets(boto3.client("ssm"), stage, desks())
    return found


def desks() -> list[str]:
    """The desks that ship with the product: one playbook file each."""
    return sorted(path.stem for path in (ROOT / "playbooks").glob("*.yaml"))


def ensure_secrets(client: SSMClient, stage: str, for_desks: list[str]) -> None:
    """Create the stage's key and the desks' webhook secrets where they are missing.

    What is there stays: a new key would make every link and hash that was given out worthless.
    """
    _create_once(client, f"/deskbell/{stage}/key", _random())
    for desk in for_desks:
        _create_once(client, f"/deskbell/{stage}/desks/{desk}/webhook", f"whsec_{_random()}")


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def _create_once(client: SSMClient, name: str, value: str) -> None:
    try:
        client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
    except client.exceptions.ParameterAlreadyExists:
        return


def _execute_api_url(api_id: str) -> str:
    session = boto3.session.Session()
    region = session.region_name
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api_id}.execute-api.{region}.{suffix}/api"
