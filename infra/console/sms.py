"""The secrets of the desks' providers of text messages: one SSM parameter for desk and provider."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import boto3

from functions.core.deliver.sms import REGISTERING, registering_provider
from infra.console.channels import ChannelError
from infra.deploy.desks import storage_of, versions
from infra.deploy.stage_secrets import read_secret, replace_secret
from infra.deploy.trail import OperatorTrail


def sms_secret_name(stage: str, desk: str, provider: str) -> str:
    return f"/deskbell/{stage}/desks/{desk}/sms/{provider}"


def sms_secret_of(stage: str, desk: str, provider: str) -> dict[str, Any] | None:
    secret = read_secret(sms_secret_name(stage, desk, provider))
    return None if secret is None else json.loads(secret)


def sms_providers(stage: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """List desk, provider and the keys of its secret, never their values."""
    found = []
    for desk, _version in versions(stage):
        for provider in REGISTERING:
            secret = sms_secret_of(stage, desk, provider)
            if secret is not None:
                found.append((desk, provider, tuple(secret)))
    return found


def set_sms_secret(trail: OperatorTrail, desk: str, name: str, fields: Mapping[str, Any]) -> str:
    """Create or rotate a provider's secret; given keys are replaced (None removes), others stay.

    Returns the path and query that the provider sends delivery reports to. Their key is made here.
    """
    if name not in REGISTERING:
        known = ", ".join(REGISTERING)
        raise ChannelError(f"{name} has no secret: use one of {known}; SNS needs none")
    if storage_of(trail.stage).playbooks.version(desk) is None:
        raise ChannelError(f"there is no desk {desk}")
    needs = registering_provider(name).needs
    allowed = (*needs, "report_key", "api")
    unknown = [key for key in fields if key not in allowed]
    if unknown:
        raise ChannelError(f"{name} has no {', '.join(unknown)}: its keys are {', '.join(allowed)}")
    current = sms_secret_of(trail.stage, desk, name) or {}
    secret = {key: value for key, value in {**current, **fields}.items() if value is not None}
    secret.setdefault("report_key", secrets.token_urlsafe(24))
    missing = [key for key in needs if not secret.get(key)]
    if missing:
        raise ChannelError(f"{name} needs {', '.join(missing)}: see docs/operations.md")
    trail.record(
        "sms.set",
        desk,
        name,
        before={"keys": sorted(current)},
        after={"keys": sorted(secret), "changed": sorted(fields)},
    )
    replace_secret(sms_secret_name(trail.stage, desk, name), json.dumps(secret))
    return f"/desks/{desk}/channels/sms-reports?provider={name}&key={secret['report_key']}"


def remove_sms_secret(trail: OperatorTrail, desk: str, name: str) -> None:
    current = sms_secret_of(trail.stage, desk, name) if name in REGISTERING else None
    if current is None:
        raise ChannelError(f"the desk {desk} has no secret of {name}")
    trail.record("sms.remove", desk, name, before={"keys": sorted(current)})
    boto3.client("ssm").delete_parameter(Name=sms_secret_name(trail.stage, desk, name))
