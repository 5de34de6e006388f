"""The desks' chat channels: what a desk and a provider know of each other, in one SSM parameter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3

from functions.core.channels.base import adapter, names
from infra.deploy.desks import store_of


class ChannelError(RuntimeError):
    """A channel that cannot be set up as given; the message tells what to do."""


@dataclass(frozen=True)
class Connected:
    """A desk's channel: the keys of its secret (never their values), and since when it is so."""

    desk: str
    channel: str
    keys: tuple[str, ...]
    since: datetime


def channel_secret_name(stage: str, desk: str, channel: str) -> str:
    """The parameter with what a desk and a channel's provider know of each other."""
    return f"/deskbell/{stage}/desks/{desk}/channels/{channel}"


def connected(stage: str) -> list[Connected]:
    """Every desk's channels."""
    pages = (
        boto3.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(Path=f"/deskbell/{stage}/desks/", Recursive=True, WithDecryption=True)
    )
    found = []
    for page in pages:
        for parameter in page["Parameters"]:
            parts = parameter["Name"].split("/")
            if parts[5:6] == ["channels"]:
                keys = tuple(json.loads(parameter["Value"]))
                found.append(Connected(parts[4], parts[6], keys, parameter["LastModifiedDate"]))
    return sorted(found, key=lambda each: (each.desk, each.channel))


def connect_channel(stage: str, desk: str, channel: str, given: Mapping[str, Any]) -> None:
    """Put or rotate a channel's secret: keys that are given take their new values (null: none),
    the others stay.

    Raises:
        ChannelError: no such desk or channel, keys are missing, or the channel knows none of them.
    """
    found = adapter(channel)
    if found is None:
        raise ChannelError(f"there is no channel {channel}: one of {', '.join(names())}")
    if store_of(stage).playbook_version(desk) is None:
        raise ChannelError(f"there is no desk {desk}")
    takes = (*found.needs, *found.options, "api")
    odd = [key for key, value in given.items() if key not in takes and value is not None]
    if odd:
        raise ChannelError(f"{channel} knows no {', '.join(odd)}: it takes {', '.join(takes)}")
    known = secret_of(stage, desk, channel) or {}
    after = {key: value for key, value in {**known, **given}.items() if value is not None}
    missing = [key for key in found.needs if not after.get(key)]
    if missing:
        raise ChannelError(f"{channel} needs {', '.join(missing)}: see docs/adapters.md")
    if len(json.dumps(after)) > 4000:
        raise ChannelError("the secret is longer than the 4 KB of a parameter")
    boto3.client("ssm").put_parameter(
        Name=channel_secret_name(stage, desk, channel),
        Value=json.dumps(after),
        Type="SecureString",
        Overwrite=True,
    )


def disconnect_channel(stage: str, desk: str, channel: str) -> None:
    """Remove a channel from a desk.

    Raises:
        ChannelError: it has none.
    """
    ssm = boto3.client("ssm")
    try:
        ssm.delete_parameter(Name=channel_secret_name(stage, desk, channel))
    except ssm.exceptions.ParameterNotFound as error:
        raise ChannelError(f"the desk {desk} has no channel {channel}") from error


def secret_of(stage: str, desk: str, channel: str) -> dict[str, Any] | None:
    """The secret of a desk's channel, None where it has none."""
    ssm = boto3.client("ssm")
    try:
        found = ssm.get_parameter(
            Name=channel_secret_name(stage, desk, channel), WithDecryption=True
        )
    except ssm.exceptions.ParameterNotFound:
        return None
    secret: dict[str, Any] = json.loads(found["Parameter"]["Value"])
    return secret
