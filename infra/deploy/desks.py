"""The desks of a stage: their playbooks in the table, and what each needs besides.

A playbook is checked and stored as the desk's next version; running functions read it within a
minute, so nothing is deployed for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from functions.core.domain.playbook_upgrades import upgraded
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.storage.store import Store
from infra.deploy.stage_secrets import ensure_endpoint_secrets, ensure_secrets

SHIPPED = Path(__file__).resolve().parents[2] / "playbooks"
_SHOWN = 100
_CONTEXT = 20


@dataclass(frozen=True)
class Applied:
    """What came of applying a playbook: the current version, and the lines of what changed.

    `stored` is False where the desk had this very playbook already.
    """

    desk: str
    version: int
    stored: bool
    changes: tuple[str, ...]


def shipped() -> list[str]:
    """The desks that ship with the product: one playbook file each, named for its desk."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def store_of(stage: str) -> Store:
    """The stage's table, with the session's account and region."""
    return Store(boto3.client("dynamodb"), f"deskbell-{stage}")


def ensure_desks(stage: str, now: datetime) -> list[Applied]:
    """Give every desk that ships its secret, and its playbook where it has none; what was new."""
    store = store_of(stage)
    ensure_secrets(boto3.client("ssm"), stage, shipped())
    return [
        apply(stage, load(SHIPPED / f"{desk}.yaml"), now)
        for desk in shipped()
        if store.playbook_version(desk) is None
    ]


def apply(stage: str, playbook: Playbook, now: datetime) -> Applied:
    """Store a checked playbook as its desk's next version, unless it is the current one already.

    Raises:
        PlaybookError: its mailbox belongs to another desk.
        Conflict: somebody else applied one just now.
    """
    store = store_of(stage)
    current = store.playbook_version(playbook.desk)
    before = {}
    if current is not None:
        before = upgraded(json.loads(store.playbook_document(playbook.desk, current)))
    after = json.loads(playbook.model_dump_json(exclude_defaults=True))
    changes = tuple(differences(before, after)) if current is not None else ()
    if current is not None and not changes:
        return Applied(playbook.desk, current, stored=False, changes=())
    ssm = boto3.client("ssm")
    ensure_secrets(ssm, stage, [playbook.desk])
    ensure_endpoint_secrets(ssm, stage, playbook.desk, playbook.webhooks, now)
    version = store.put_playbook(playbook, now)
    return Applied(playbook.desk, version, stored=True, changes=changes)


def versions(stage: str) -> list[tuple[str, int]]:
    """Each desk and its current version."""
    store = store_of(stage)
    ssm = boto3.client("ssm")
    # A desk is one item among all tickets of the table; its secret is found by its path.
    desks = {
        parameter["Name"].split("/")[4]
        for page in ssm.get_paginator("get_parameters_by_path").paginate(
            Path=f"/deskbell/{stage}/desks/", Recursive=True
        )
        for parameter in page["Parameters"]
    }
    found = [(desk, store.playbook_version(desk)) for desk in desks]
    return sorted((desk, version) for desk, version in found if version is not None)


def differences(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """What turns one document into another, one line a key; the order of keys counts.

    `~ key: old → new`, `+ key: new`, `- key: old`.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(before, after, at)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, at)
    elif before != after:
        yield f"~ {at}: " + " → ".join(_apart(before, after))


def _of_mappings(before: Mapping[str, Any], after: Mapping[str, Any], at: str) -> Iterator[str]:
    for key in before:
        if key not in after:
            yield f"- {_below(at, key)}: {_shown(before[key])}"
    for key, value in after.items():
        if key in before:
            yield from differences(before[key], value, _below(at, key))
        else:
            yield f"+ {_below(at, key)}: {_shown(value)}"
    kept, now = [key for key in before if key in after], [key for key in after if key in before]
    if kept != now:
        yield f"~ {at or 'playbook'}: order {', '.join(kept)} → {', '.join(now)}"


def _of_lists(before: Sequence[Any], after: Sequence[Any], at: str) -> Iterator[str]:
    if before == after:
        return
    if all(isinstance(value, str) for value in (*before, *after)):
        gone = [value for value in before if value not in after]
        come = [value for value in after if value not in before]
        if not gone and not come:
            yield f"~ {at}: order {_shown(before)} → {_shown(after)}"
        yield from (f"- {at}: {_shown(value)}" for value in gone)
        yield from (f"+ {at}: {_shown(value)}" for value in come)
        return
    for index in range(max(len(before), len(after))):
        place = f"{at}[{index}]"
        if index >= len(after):
            yield f"- {place}: {_shown(before[index])}"
        elif index >= len(before):
            yield f"+ {place}: {_shown(after[index])}"
        else:
            yield from differences(before[index], after[index], place)


def _below(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def _apart(before: Any, after: Any) -> tuple[str, str]:
    """Two values as text; of long texts, the part in which they differ."""
    if not isinstance(before, str) or not isinstance(after, str):
        return _shown(before), _shown(after)
    pairs = enumerate(zip(before, after, strict=False))
    first = next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = max(first - _CONTEXT, 0)
    sign = "…" if start else ""
    return sign + _shown(before[start:]), sign + _shown(after[start:])


def _shown(value: Any) -> str:
    """A value on one line, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "⏎")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
