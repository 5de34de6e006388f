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
from infra.console.desk_secrets import ChannelError, DeskSecret
from infra.deploy.desks import storage_of, versions
from infra.deploy.stage_secrets import read_secret
from infra.deploy.trail import OperatorTrail

VOICE = "voice"
"""The channel of phone calls, which no adapter translates; its secret is the key in the query."""


@dataclass(frozen=True)
class Connection:
    """A desk's channel: its health, the keys of its secret (never their values), and since when.

    Phone calls that are signed as webhooks have no secret of their own, and no such time.
    """

    desk: str
    channel: str
    keys: tuple[str, ...]
    since: datetime | None
    health: ChannelHealth


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
    with_secret = {connection.desk for connection in connections if connection.channel == VOICE}
    for desk, _ in versions(stage):
        if desk not in with_secret and VOICE in health(desk):
            connections.append(Connection(desk, VOICE, (), None, health(desk)[VOICE]))
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
    keys = _keys_of(channel)
    if keys is None:
        known = ", ".join((*names(), VOICE))
        raise ChannelError(f"there is no channel {channel}: use one of {known}")
    stored = DeskSecret(trail.stage, desk, "channels", channel)
    secret = stored.changed(fields, *keys, "docs/adapters.md")
    provider = adapter(channel)
    said = _checked(provider, secret) if check and provider else ""
    stored.store(trail, "channel.set", secret, fields)
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
        return ("key",), ()
    provider = adapter(channel)
    if provider is None:
        return None
    return provider.needs, provider.options


def disconnect_channel(trail: OperatorTrail, desk: str, channel: str) -> None:
    """Remove a channel from a desk."""
    if secret_of(trail.stage, desk, channel) is None:
        raise ChannelError(f"the desk {desk} has no channel {channel}")
    DeskSecret(trail.stage, desk, "channels", channel).remove(trail, "channel.remove")


def secret_of(stage: str, desk: str, channel: str) -> dict[str, Any] | None:
    return DeskSecret(stage, desk, "channels", channel).read()
