"""The secrets of the desks' providers of text messages."""

import secrets
from collections.abc import Mapping
from typing import Any

from functions.core.deliver.sms import REGISTERING, registering_provider
from infra.console.desk_secrets import ChannelError, DeskSecret
from infra.deploy.desks import versions
from infra.deploy.trail import OperatorTrail


def sms_secret_of(stage: str, desk: str, provider: str) -> dict[str, Any] | None:
    return DeskSecret(stage, desk, "sms", provider).read()


def sms_providers(stage: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """List desk, provider and the keys of its secret, never their values."""
    return [
        (desk, provider, tuple(secret))
        for desk, _version in versions(stage)
        for provider in REGISTERING
        if (secret := sms_secret_of(stage, desk, provider)) is not None
    ]


def set_sms_secret(trail: OperatorTrail, desk: str, name: str, fields: Mapping[str, Any]) -> str:
    """Create or rotate a provider's secret; given keys are replaced (None removes), others stay.

    Returns the path and query that the provider sends delivery reports to. Their key is made here.
    """
    if name not in REGISTERING:
        known = ", ".join(REGISTERING)
        raise ChannelError(f"{name} has no secret: use one of {known}; SNS needs none")
    stored = DeskSecret(trail.stage, desk, "sms", name)
    needs = registering_provider(name).needs
    secret = stored.changed(fields, needs, ("report_key",), "docs/operations.md")
    secret.setdefault("report_key", secrets.token_urlsafe(24))
    stored.store(trail, "sms.set", secret, fields)
    return f"/desks/{desk}/channels/sms-reports?provider={name}&key={secret['report_key']}"


def remove_sms_secret(trail: OperatorTrail, desk: str, name: str) -> None:
    stored = DeskSecret(trail.stage, desk, "sms", name)
    if name not in REGISTERING or stored.read() is None:
        raise ChannelError(f"the desk {desk} has no secret of {name}")
    stored.remove(trail, "sms.remove")
