"""Where a function runs, and the names that follow from it.

Every name in AWS follows from the stage (`deskbell-<stage>-…`), and a function learns its stage,
account and region from its own ARN, so no environment variable has to be set and none can be set
wrong. What only a deployment knows (ids, URLs) and the root key stand in SSM parameters, read once
a container (`functions.core.platform.aws`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

APP = "deskbell"


class LambdaContext(Protocol):
    """The part of Lambda's context object that Deskbell reads."""

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
        """Read the deployment off a function's ARN.

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
    def contacts_key(self) -> str:
        return f"alias/{self.prefix}-contacts"

    @property
    def state_machine(self) -> str:
        return (
            f"arn:{self.partition}:states:{self.region}:{self.account}"
            f":stateMachine:{self.prefix}-closing"
        )

    def parameter(self, name: str) -> str:
        """The SSM parameter `name` of this deployment: `settings`, `api`, `key`, …"""
        return f"/{APP}/{self.stage}/{name}"
