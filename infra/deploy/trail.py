"""Record an operator's administrative acts, and say who the operator is."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3

from functions.core.domain.audit import AuditEntry
from functions.core.storage.audit import Audit
from functions.core.storage.table import Table
from infra.deploy.local_stage import STAGE


@dataclass(frozen=True)
class Trail:
    stage: str
    actor: str

    @classmethod
    def of(cls, stage: str) -> Trail:
        """The trail of whoever runs this process: their AWS identity, locally the system's user."""
        if stage == STAGE:
            return cls(stage, f"console:{_user()}")
        return cls(stage, f"console:{boto3.client('sts').get_caller_identity()['Arn']}")

    def entry(
        self,
        act: str,
        desk: str,
        target: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """An entry of this moment; see `AuditEntry` for what it must not hold."""
        return AuditEntry(
            at=datetime.now(UTC),
            actor=self.actor,
            act=act,
            desk=desk,
            target=target,
            before=dict(before or {}),
            after=dict(after or {}),
        )

    def record(self, act: str, desk: str, target: str, **fields: Mapping[str, Any]) -> None:
        """Write an entry before an act that no transaction covers.

        An entry therefore says that the act was begun; it may have failed.
        """
        table = Table(boto3.client("dynamodb"), f"deskbell-{self.stage}")
        Audit(table).record(self.entry(act, desk, target, **fields))


def _user() -> str:
    """The system's user, by number where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
