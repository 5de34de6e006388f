"""The desks of a stage: their playbooks and secrets.

A playbook is stored as the desk's next version. Running functions read it within a minute, so no
deployment is needed.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import boto3

from functions.administration.playbooks import Applied, store
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.storage.database import Storage
from infra.deploy.stacks import deployment_of
from infra.deploy.stage_secrets import (
    ensure_endpoint_secrets,
    ensure_secrets,
    ensure_source_secrets,
)
from infra.deploy.trail import OperatorTrail

SHIPPED = Path(__file__).resolve().parents[2] / "playbooks"


def shipped() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def storage_of(stage: str) -> Storage:
    return Storage.on(boto3.client("dynamodb"), f"deskbell-{stage}")


def ensure_desks(trail: OperatorTrail, now: datetime) -> list[Applied]:
    """Create missing secrets and playbooks of the desks that ship; return the new playbooks.

    All desks whose tickets cannot be searched yet get a manifest.
    """
    storage = storage_of(trail.stage)
    ensure_secrets(boto3.client("ssm"), trail.stage, shipped())
    applied = [
        apply(trail, load(SHIPPED / f"{desk}.yaml"), now)
        for desk in shipped()
        if storage.playbooks.version(desk) is None
    ]
    for desk, _ in versions(trail.stage):
        storage.manifests.start(desk, now)
    return applied


def apply(trail: OperatorTrail, playbook: Playbook, now: datetime) -> Applied:
    """Store a checked playbook as its desk's next version unless nothing changes.

    Raises:
        PlaybookError: the mailbox belongs to another desk.
        Conflict: another playbook was applied at the same time.
    """
    stage, desk = trail.stage, playbook.desk
    storage, ssm = storage_of(stage), boto3.client("ssm")

    def ensure() -> None:
        ensure_secrets(ssm, stage, [desk])
        endpoints = [name for name, webhook in playbook.webhooks.items() if webhook.url]
        ensure_endpoint_secrets(ssm, stage, desk, endpoints, now)
        ensure_buses(stage, playbook)
        ensure_source_secrets(ssm, stage, playbook)

    applied = store(storage, trail, playbook, now, prepare=ensure)
    if applied.stored:
        storage.manifests.start(desk, now)
    return applied


def ensure_buses(stage: str, playbook: Playbook) -> None:
    """Create the missing event buses that a desk's playbook names (G5); an idle bus is free.

    A bus that no playbook names any more stays, since its rules are not Deskbell's.
    """
    for bus in {webhook.bus for webhook in playbook.webhooks.values() if webhook.bus}:
        client = boto3.client("events")
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_event_bus(Name=deployment_of(stage).bus(bus))


def versions(stage: str) -> list[tuple[str, int]]:
    storage = storage_of(stage)
    ssm = boto3.client("ssm")
    # Desks of a former version are not listed in the table; their secrets share a path in SSM.
    desks = {
        parameter["Name"].split("/")[4]
        for page in ssm.get_paginator("get_parameters_by_path").paginate(
            Path=f"/deskbell/{stage}/desks/", Recursive=True
        )
        for parameter in page["Parameters"]
    }
    current = [(desk, storage.playbooks.version(desk)) for desk in desks]
    return sorted((desk, version) for desk, version in current if version is not None)
