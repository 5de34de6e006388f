"""The way to `unseal`, which opens what was hidden of a message (G4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import ActionNotAllowed, TryAgain
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def unseal(
    client: LambdaClient, deployment: Deployment, desk: str, number: str, act: int, agent: str
) -> dict[str, str]:
    """What was hidden of the message that a recorded act names, by its fields.

    Raises:
        ActionNotAllowed: the act does not hold any more, or the message was erased meanwhile.
        TryAgain: the function failed; the act is on record, and another one may be tried.
    """
    answer = client.invoke(
        FunctionName=f"{deployment.prefix}-unseal",
        Payload=json.dumps({"desk": desk, "number": number, "act": act, "agent": agent}).encode(),
    )
    said = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise TryAgain("unseal failed")  # what it said is not repeated: it may quote what it read
    found: dict[str, Any] = json.loads(said)
    if found["refused"]:
        raise ActionNotAllowed(f"It could not be opened: {found['refused']}.")
    original: dict[str, str] = found["original"]
    return original
