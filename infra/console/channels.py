"""The secrets that a desk shares with the provider of a chat channel: one SSM parameter each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3

from functions.core.channels.base import adapter, names
from infra.console.errors import ConsoleError
from infra.deploy.desks import storage_of


class ChannelError(ConsoleError):
    """An unknown desk, channel or key, or an incomplete secret."""


@dataclass(frozen=True)
class Connection:
    """A desk's channel: the keys of its secret (never their values) and its last change."""

    desk: str
    channel: str
    keys: tuple[str, ...]
    since: datetime


def channel_secret_name(stage: str, desk: str, channel: str) -> str:
    """The SSM parameter that holds the secret of a desk's channel."""
    return f"/deskbell/{stage}/desks/{desk}/channels/{channel}"


def connected(stage: str) -> list[Connection]:
    """List every desk's channels."""
    pages = (
        boto3.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=f"/deskbell/{stage}/desks/", Recursive=True, WithDecryption=True)
    )
    connections = []
    for page in pages:
        for parameter in page["Parameters"]:
            parts = parameter["Name"].split("/")
            if parts[5:6] == ["channels"]:
                keys = tuple(json.loads(parameter["Value"]))
                connections.append(
                    Connection(parts[4], parts[6], keys, parameter["LastModifiedDate"])
                )
    return sorted(connections, key=lambda connection: (connection.desk, connection.channel))


def connect_channel(stage: str, desk: str, channel: str, fields: Mapping[str, Any]) -> None:
    """Create or rotate a channel's secret; given keys are replaced (None removes), others stay.

    Raises:
        ChannelError: there is no such desk or channel, or keys are missing or unknown.
    """
    provider = adapter(channel)
    if provider is None:
        raise ChannelError(f"there is no channel {channel}: use one of {', '.join(names())}")
    if storage_of(stage).playbooks.version(desk) is None:
        raise ChannelError(f"there is no desk {desk}")
    allowed = (*provider.needs, *provider.options, "api")
    unknown = [key for key, value in fields.items() if key not in allowed and value is not None]
    if unknown:
        raise ChannelError(
            f"{channel} has no {', '.join(unknown)}: its keys are {', '.join(allowed)}"
        )
    current = secret_of(stage, desk, channel) or {}
    secret = {key: value for key, value in {**current, **fields}.items() if value is not None}
    missing = [key for key in provider.needs if not secret.get(key)]
    if missing:
        raise ChannelError(f"{channel} needs {', '.join(missing)}: see docs/adapters.md")
    if len(json.dumps(secret)) > 4000:
        raise ChannelError("the secret does not fit into the 4 KB of an SSM parameter")
    boto3.client("ssm").put_parameter(
        Name=channel_secret_name(stage, desk, channel),
        Value=json.dumps(secret),
        Type="SecureString",
        Overwrite=True,
    )


def disconnect_channel(stage: str, desk: str, channel: str) -> None:
    """Remove a channel from a desk.

    Raises:
        ChannelError: the desk has no such channel.
    """
    ssm = boto3.client("ssm")
    try:
        ssm.delete_parameter(Name=channel_secret_name(stage, desk, channel))
    except ssm.exceptions.ParameterNotFound as error:
        raise ChannelError(f"the desk {desk} has no channel {channel}") from error


def secret_of(stage: str, desk: str, channel: str) -> dict[str, Any] | None:
    """Read the secret of a desk's channel; None if it has none."""
    ssm = boto3.client("ssm")
    try:
        response = ssm.get_parameter(
            Name=channel_secret_name(stage, desk, channel), WithDecryption=True
        )
    except ssm.exceptions.ParameterNotFound:
        return None
    secret: dict[str, Any] = json.loads(response["Parameter"]["Value"])
    return secret
