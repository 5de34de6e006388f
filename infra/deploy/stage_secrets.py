"""Read and write a stage's settings and secrets, which CloudFormation cannot generate (SSM)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import boto3

from functions.core.deliver.webhook import new_secret
from functions.core.domain.webhooks import rotated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

    from functions.core.domain.rules import Playbook

_KEY_BYTES = 32


def ensure_secrets(client: SSMClient, stage: str, desks: Iterable[str]) -> None:
    """Create the stage's root key and the desks' webhook secrets if they are missing.

    A new root key would invalidate every link and contact hash.
    """
    _create_once(client, f"/deskbell/{stage}/key", _random())
    for desk in desks:
        _create_once(client, webhook_secret_name(stage, desk), new_secret())


def ensure_endpoint_secrets(
    client: SSMClient, stage: str, desk: str, names: Iterable[str], now: datetime
) -> None:
    """Create a secret for each outgoing webhook of a desk that has none (G5)."""
    for name in names:
        first = rotated("", new_secret(), now, timedelta())
        _create_once(client, endpoint_secret_name(stage, desk, name), first)


def ensure_source_secrets(client: SSMClient, stage: str, playbook: Playbook) -> None:
    """Create the missing secrets of the systems that a desk's assistant asks (C4)."""
    sources = playbook.assistant.sources.values() if playbook.assistant else ()
    for name in {source.secret for source in sources if source.secret}:
        _create_once(
            client, f"/deskbell/{stage}/desks/{playbook.desk}/sources/{name}", new_secret()
        )


def settings(stage: str) -> dict[str, str]:
    ssm = boto3.client("ssm")
    recorded = ssm.get_parameter(Name=f"/deskbell/{stage}/settings")["Parameter"]["Value"]
    values: dict[str, str] = json.loads(recorded)
    return values


def read_secret(name: str) -> str | None:
    ssm = boto3.client("ssm")
    try:
        return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None


def replace_secret(name: str, value: str) -> None:
    boto3.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


def endpoint_secret_name(stage: str, desk: str, name: str) -> str:
    return f"/deskbell/{stage}/desks/{desk}/webhooks/{name}"


def webhook_secret_name(stage: str, desk: str) -> str:
    return f"/deskbell/{stage}/desks/{desk}/webhook"


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def _create_once(client: SSMClient, name: str, value: str) -> None:
    try:
        client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
    except client.exceptions.ParameterAlreadyExists:
        return
