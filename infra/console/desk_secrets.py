"""The secrets that a desk shares with a provider: one SSM parameter each, a JSON object."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import boto3

from infra.console.errors import ConsoleError
from infra.deploy.desks import storage_of
from infra.deploy.stage_secrets import read_secret, replace_secret
from infra.deploy.trail import OperatorTrail

_MOST = 4000
"""The bytes of a secret: an SSM parameter holds 4 KB."""


class ChannelError(ConsoleError):
    """An unknown desk, channel or key, or an incomplete secret."""


@dataclass(frozen=True)
class DeskSecret:
    """The secret of a desk's chat channel, or of its provider of text messages."""

    stage: str
    desk: str
    kind: Literal["channels", "sms"]
    name: str

    @property
    def path(self) -> str:
        return f"/deskbell/{self.stage}/desks/{self.desk}/{self.kind}/{self.name}"

    def read(self) -> dict[str, Any] | None:
        secret = read_secret(self.path)
        return None if secret is None else json.loads(secret)

    def changed(
        self, fields: Mapping[str, Any], needs: Sequence[str], options: Sequence[str], docs: str
    ) -> dict[str, Any]:
        """Return the secret with the given keys replaced; None removes one, all others stay.

        Raises:
            ChannelError: there is no such desk or key, or the secret would lack one.
        """
        if storage_of(self.stage).playbooks.version(self.desk) is None:
            raise ChannelError(f"there is no desk {self.desk}")
        allowed = (*needs, *options, "api")
        unknown = [key for key, value in fields.items() if key not in allowed and value is not None]
        if unknown:
            keys = ", ".join(allowed)
            raise ChannelError(f"{self.name} has no {', '.join(unknown)}: its keys are {keys}")
        merged = {**(self.read() or {}), **fields}
        secret = {key: value for key, value in merged.items() if value is not None}
        missing = [key for key in needs if not secret.get(key)]
        if missing:
            raise ChannelError(f"{self.name} needs {', '.join(missing)}: see {docs}")
        if len(json.dumps(secret)) > _MOST:
            raise ChannelError("the secret does not fit into the 4 KB of an SSM parameter")
        return secret

    def store(
        self, trail: OperatorTrail, act: str, secret: Mapping[str, Any], given: Mapping[str, Any]
    ) -> None:
        """Store the secret; the trail gets its keys and those that were given, never a value."""
        after = {"keys": sorted(secret), "changed": sorted(given)}
        trail.record(act, self.desk, self.name, before=self._keys(), after=after)
        replace_secret(self.path, json.dumps(secret))

    def remove(self, trail: OperatorTrail, act: str) -> None:
        trail.record(act, self.desk, self.name, before=self._keys())
        boto3.client("ssm").delete_parameter(Name=self.path)

    def _keys(self) -> dict[str, list[str]]:
        return {"keys": sorted(self.read() or {})}


def given_secret(example: str) -> dict[str, Any]:
    """Return the JSON object on standard input.

    Raises:
        ChannelError: there is none; the error shows the `example`.
    """
    try:
        secret = json.load(sys.stdin)
    except ValueError as error:
        raise ChannelError(f"standard input is not JSON: expected {example}") from error
    if not isinstance(secret, dict):
        raise ChannelError(f"standard input is not a JSON object: expected {example}")
    return secret
