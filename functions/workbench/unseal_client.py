"""The client of the function `unseal`, which opens originals and contacts (G4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.deliver import once
from functions.core.domain.errors import ActionNotAllowed, Phrase, TryAgain
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def unseal(deployment: Deployment, desk: str, number: str, act: int, agent: str) -> dict[str, str]:
    """Open what a recorded act names; return an original's texts by field, or the `contact`.

    Raises:
        ActionNotAllowed: the act has expired or was used, or the message was erased meanwhile.
        TryAgain: the function failed; a retry needs a new act.
    """
    # A second attempt would find the act used.
    client: LambdaClient = once.client("lambda")
    response = client.invoke(
        FunctionName=f"{deployment.prefix}-unseal",
        Payload=json.dumps({"desk": desk, "number": number, "act": act, "agent": agent}).encode(),
    )
    payload = response["Payload"].read()
    if response.get("FunctionError"):
        raise TryAgain("unseal failed")  # the payload may quote the original
    result: dict[str, Any] = json.loads(payload)
    if result["refused"]:
        raise ActionNotAllowed(
            Phrase("It could not be opened: {cause}.", cause=Phrase(result["refused"]))
        )
    original: dict[str, str] = result["original"]
    return original
