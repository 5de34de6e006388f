"""The deployment that a function belongs to, and the AWS names that derive from it.

Every AWS name derives from the stage (`deskbell-<stage>-…`). A function reads its stage, account
and region from its own ARN, so no environment variable has to be set. SSM parameters hold the root
key and what only the deployment knows (ids, URLs); `functions.core.platform.aws` reads them once a
container.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

APP = "deskbell"


class LambdaContext(Protocol):
    """The part of Lambda's context object that every function reads."""

    invoked_function_arn: str


@dataclass(frozen=True)
class Deployment:
    """A deployment: partition, region, account and stage."""

    partition: str
    region: str
    account: str
    stage: str

    @classmethod
    def of(cls, context: LambdaContext) -> Deployment:
        """Parse the ARN of a function.

        `arn:aws:lambda:us-east-1:123456789012:function:deskbell-prod-router[:alias]`

        Raises:
            ValueError: the ARN is not that of a Deskbell function.
        """
        parts = context.invoked_function_arn.split(":")
        if len(parts) < 7 or not parts[6].startswith(f"{APP}-"):
            raise ValueError(f"not the ARN of a Deskbell function: {context.invoked_function_arn}")
        stage = parts[6].removeprefix(f"{APP}-").split("-")[0]
        return cls(partition=parts[1], region=parts[3], account=parts[4], stage=stage)

    @property
    def prefix(self) -> str:
        return f"{APP}-{self.stage}"

    @property
    def table(self) -> str:
        return self.prefix

    @property
    def mail_bucket(self) -> str:
        return f"{self.prefix}-mail-{self.account}-{self.region}"

    @property
    def archive_bucket(self) -> str:
        return f"{self.prefix}-archive-{self.account}-{self.region}"

    @property
    def database(self) -> str:
        """Return the database of the table `facts` (Athena's names have no hyphens)."""
        return self.prefix.replace("-", "_")

    @property
    def workgroup(self) -> str:
        return self.prefix

    @property
    def contacts_key(self) -> str:
        return f"alias/{self.prefix}-contacts"

    @property
    def state_machine(self) -> str:
        return (
            f"arn:{self.partition}:states:{self.region}:{self.account}"
            f":stateMachine:{self.prefix}-closing"
        )

    def bus(self, name: str) -> str:
        """Return the name in EventBridge of a bus that a playbook names."""
        return f"{self.prefix}-{name}"

    def parameter(self, name: str) -> str:
        """Return the full name of an SSM parameter: `settings`, `api`, `key`, …"""
        return f"/{APP}/{self.stage}/{name}"
