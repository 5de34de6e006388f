"""The desks of a stage: their playbooks and secrets.

A playbook is stored as the desk's next version. Running functions read it within a minute, so no
deployment is needed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from functions.core.domain.audit import AuditEntry
from functions.core.domain.playbook_upgrades import upgraded
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.storage.database import Storage
from infra.deploy.stage_secrets import (
    ensure_endpoint_secrets,
    ensure_secrets,
    ensure_source_secrets,
)
from infra.deploy.trail import OperatorTrail

SHIPPED = Path(__file__).resolve().parents[2] / "playbooks"
_SHOWN = 100
_CONTEXT = 20


@dataclass(frozen=True)
class Applied:
    """The result of applying a playbook: the current version and the changes, one line each.

    `stored` is False if the desk already had this playbook. `removed_teams` are those that it no
    longer has.
    """

    desk: str
    version: int
    stored: bool
    changes: tuple[str, ...]
    removed_teams: tuple[str, ...] = ()


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
    stage = trail.stage
    storage = storage_of(stage)
    current = storage.playbooks.version(playbook.desk)
    before = {}
    if current is not None:
        before = upgraded(json.loads(storage.playbooks.document(playbook.desk, current)))
    after = json.loads(playbook.model_dump_json(exclude_defaults=True))
    changes = tuple(differences(before, after)) if current is not None else ()
    if current is not None and not changes:
        return Applied(playbook.desk, current, stored=False, changes=())
    ssm = boto3.client("ssm")
    ensure_secrets(ssm, stage, [playbook.desk])
    ensure_endpoint_secrets(ssm, stage, playbook.desk, playbook.webhooks, now)
    ensure_source_secrets(ssm, stage, playbook)

    def entry(version: int) -> AuditEntry:
        before = {} if current is None else {"version": current}
        return trail.entry(
            "playbook.apply", playbook.desk, "playbook", before=before, after={"version": version}
        )

    version = storage.playbooks.put(
        playbook, now, lambda version: storage.audit.write(entry(version))
    )
    storage.manifests.start(playbook.desk, now)
    removed = tuple(team for team in before.get("teams", {}) if team not in playbook.teams)
    return Applied(playbook.desk, version, stored=True, changes=changes, removed_teams=removed)


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


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """List the differences of two documents, one line per key; the order of keys counts.

    Lines are `~ key: old → new`, `+ key: new` and `- key: old`.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif before != after:
        yield f"~ {path}: " + " → ".join(_differing(before, after))


def _of_mappings(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in before:
        if key not in after:
            yield f"- {_join(path, key)}: {_shown(before[key])}"
    for key, value in after.items():
        if key in before:
            yield from differences(before[key], value, _join(path, key))
        else:
            yield f"+ {_join(path, key)}: {_shown(value)}"
    old_order = [key for key in before if key in after]
    new_order = [key for key in after if key in before]
    if old_order != new_order:
        yield f"~ {path or 'playbook'}: order {', '.join(old_order)} → {', '.join(new_order)}"


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[str]:
    if before == after:
        return
    if all(isinstance(value, str) for value in (*before, *after)):
        removed = [value for value in before if value not in after]
        added = [value for value in after if value not in before]
        if not removed and not added:
            yield f"~ {path}: order {_shown(before)} → {_shown(after)}"
        yield from (f"- {path}: {_shown(value)}" for value in removed)
        yield from (f"+ {path}: {_shown(value)}" for value in added)
        return
    for index in range(max(len(before), len(after))):
        item = f"{path}[{index}]"
        if index >= len(after):
            yield f"- {item}: {_shown(before[index])}"
        elif index >= len(before):
            yield f"+ {item}: {_shown(after[index])}"
        else:
            yield from differences(before[index], after[index], item)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _differing(before: Any, after: Any) -> tuple[str, str]:
    """Two values as text; long texts are cut to the part that differs."""
    if not isinstance(before, str) or not isinstance(after, str):
        return _shown(before), _shown(after)
    pairs = enumerate(zip(before, after, strict=False))
    shorter = min(len(before), len(after))
    first = next((index for index, (old, new) in pairs if old != new), shorter)
    start = max(first - _CONTEXT, 0)
    prefix = "…" if start else ""
    return prefix + _shown(before[start:]), prefix + _shown(after[start:])


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "⏎")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
