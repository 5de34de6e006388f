"""The secrets that a desk shares with the provider of a chat channel: one SSM parameter each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import boto3

from functions.core.channels.base import Adapter, adapter, names
from functions.core.deliver.failures import SendFailure
from functions.core.deliver.message import check as ask_provider
from functions.core.storage.channel_health import ChannelHealth
from infra.console.errors import ConsoleError
from infra.deploy.desks import storage_of
from infra.deploy.stage_secrets import read_secret, replace_secret
from infra.deploy.trail import OperatorTrail

VOICE = "voice"
"""The channel of phone calls, which no adapter translates; its secret is the key in the query."""


class ChannelError(ConsoleError):
    """An unknown desk, channel or key, or an incomplete secret."""


@dataclass(frozen=True)
class Connection:
    """A desk's channel: its health, the keys of its secret (never their values), and since when."""

    desk: str
    channel: str
    keys: tuple[str, ...]
    since: datetime
    health: ChannelHealth


def channel_secret_name(stage: str, desk: str, channel: str) -> str:
    return f"/deskbell/{stage}/desks/{desk}/channels/{channel}"


def connected(stage: str) -> list[Connection]:
    parameters = boto3.client("ssm").get_paginator("get_parameters_by_path")
    path = f"/deskbell/{stage}/desks/"
    health = cache(storage_of(stage).channel_healths.of)
    connections = []
    for page in parameters.paginate(Path=path, Recursive=True, WithDecryption=True):
        for parameter in page["Parameters"]:
            desk, kind, *channel = parameter["Name"].removeprefix(path).split("/")
            if kind == "channels":
                keys = tuple(json.loads(parameter["Value"]))
                since = parameter["LastModifiedDate"]
                found = health(desk).get(channel[0], ChannelHealth())
                connections.append(Connection(desk, channel[0], keys, since, found))
    return sorted(connections, key=lambda connection: (connection.desk, connection.channel))


def connect_channel(
    trail: OperatorTrail,
    desk: str,
    channel: str,
    fields: Mapping[str, Any],
    *,
    check: bool = False,
) -> str:
    """Create or rotate a channel's secret; given keys are replaced (None removes), others stay.

    Args:
        check: ask the provider first; returns what it said. A refused secret is not stored.
    """
    stage = trail.stage
    keys = _keys_of(channel)
    if keys is None:
        known = ", ".join((*names(), VOICE))
        raise ChannelError(f"there is no channel {channel}: use one of {known}")
    needs, allowed = keys
    if storage_of(stage).playbooks.version(desk) is None:
        raise ChannelError(f"there is no desk {desk}")
    unknown = [key for key, value in fields.items() if key not in allowed and value is not None]
    if unknown:
        raise ChannelError(
            f"{channel} has no {', '.join(unknown)}: its keys are {', '.join(allowed)}"
        )
    current = secret_of(stage, desk, channel) or {}
    secret = {key: value for key, value in {**current, **fields}.items() if value is not None}
    missing = [key for key in needs if not secret.get(key)]
    if missing:
        raise ChannelError(f"{channel} needs {', '.join(missing)}: see docs/adapters.md")
    if len(json.dumps(secret)) > 4000:
        raise ChannelError("the secret does not fit into the 4 KB of an SSM parameter")
    provider = adapter(channel)
    said = _checked(provider, secret) if check and provider else ""
    trail.record(
        "channel.set",
        desk,
        channel,
        before={"keys": sorted(current)},
        after={"keys": sorted(secret), "changed": sorted(fields)},
    )
    replace_secret(channel_secret_name(stage, desk, channel), json.dumps(secret))
    return said


def _checked(provider: Adapter, secret: Mapping[str, Any]) -> str:
    """Return what the provider says of a secret, in words.

    Raises:
        ChannelError: it refuses the secret.
    """
    try:
        result = ask_provider(provider, secret)
    except SendFailure as failure:
        return f"not checked: {failure}"
    if result is None:
        return "not checked: the provider has no call for that"
    if result.state in {"permanent", "renew"}:
        raise ChannelError(
            f"{provider.name} refuses the secret: {result.cause}; --no-check stores it all the same"
        )
    return "accepted by the provider" if result.state == "sent" else f"not checked: {result.cause}"


def callback_url(stage: str, desk: str, channel: str) -> str:
    """Return the URL that the provider is to call, "" before the stage has one."""
    document = read_secret(f"/deskbell/{stage}/api")
    path = f"/desks/{desk}/channels/{channel}" + ("?key=…" if channel == VOICE else "")
    return json.loads(document)["url"] + path if document else ""


def _keys_of(channel: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the keys that a channel's secret needs, and those that it may have."""
    if channel == VOICE:
        return ("key",), ("key",)
    provider = adapter(channel)
    if provider is None:
        return None
    return provider.needs, (*provider.needs, *provider.options, "api")


def disconnect_channel(trail: OperatorTrail, desk: str, channel: str) -> None:
    """Remove a channel from a desk."""
    current = secret_of(trail.stage, desk, channel)
    if current is None:
        raise ChannelError(f"the desk {desk} has no channel {channel}")
    trail.record("channel.remove", desk, channel, before={"keys": sorted(current)})
    boto3.client("ssm").delete_parameter(Name=channel_secret_name(trail.stage, desk, channel))


def secret_of(stage: str, desk: str, channel: str) -> dict[str, Any] | None:
    secret = read_secret(channel_secret_name(stage, desk, channel))
    return None if secret is None else json.loads(secret)
