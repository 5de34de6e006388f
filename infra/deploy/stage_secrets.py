"""The secrets of a stage, which CloudFormation cannot make: created once, never changed here."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.core.domain.webhooks import rotated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_KEY_BYTES = 32


def ensure_secrets(client: SSMClient, stage: str, desks: Iterable[str]) -> None:
    """Create the stage's key and the desks' webhook secrets where they are missing.

    What is there stays: a new key would make every link and hash that was given out worthless.
    """
    _create_once(client, f"/deskbell/{stage}/key", _random())
    for desk in desks:
        _create_once(client, webhook_secret_name(stage, desk), new_secret())


def ensure_endpoint_secrets(
    client: SSMClient, stage: str, desk: str, names: Iterable[str], now: datetime
) -> None:
    """Give each outgoing webhook of a desk a secret, where it has none (G5)."""
    for name in names:
        first = rotated("", new_secret(), now, timedelta())
        _create_once(client, endpoint_secret_name(stage, desk, name), first)


def new_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return f"whsec_{_random()}"


def endpoint_secret_name(stage: str, desk: str, name: str) -> str:
    """The parameter with the secrets by which an outgoing webhook signs."""
    return f"/deskbell/{stage}/desks/{desk}/webhooks/{name}"


def webhook_secret_name(stage: str, desk: str) -> str:
    """The parameter with the secret by which a desk's channels sign."""
    return f"/deskbell/{stage}/desks/{desk}/webhook"


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def _create_once(client: SSMClient, name: str, value: str) -> None:
    try:
        client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=False)
    except client.exceptions.ParameterAlreadyExists:
        return
