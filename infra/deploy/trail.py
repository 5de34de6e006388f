"""The trail of an operator's administrative acts, and who the operator is."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from functools import partial

import boto3

from functions.core.services.trail import Trail
from functions.core.storage.audit import Audit
from functions.core.storage.table import Table
from infra.deploy.local_stage import STAGE


class OperatorTrail(Trail):
    """The acts of whoever runs the console, on one stage."""

    def __init__(self, stage: str, actor: str) -> None:
        super().__init__(self._stage_audit, actor, partial(datetime.now, UTC))
        self.stage = stage

    def _stage_audit(self) -> Audit:
        return Audit(Table(boto3.client("dynamodb"), f"deskbell-{self.stage}"))

    @classmethod
    def of(cls, stage: str) -> OperatorTrail:
        """Return the trail of this process: the AWS identity, locally the system's user."""
        if stage == STAGE:
            return cls(stage, f"console:{_user()}")
        return cls(stage, f"console:{boto3.client('sts').get_caller_identity()['Arn']}")


def _user() -> str:
    """The system's user, by number where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
